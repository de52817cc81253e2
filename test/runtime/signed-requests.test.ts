/** Secrets by signed requests: a store that answers, refuses and stumbles. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readParameter, readSecret } from '#lib/runtime/secret-stores.ts';
import { type HttpSink, openHttpSink } from '#test/fakes/http-sink.ts';

let sink: HttpSink;
beforeEach(async () => {
  sink = await openHttpSink();
});
afterEach(() => sink.close());

const env = () => ({
  AWS_ENDPOINT_URL: sink.url,
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  AWS_SESSION_TOKEN: 'a session',
});

it('asks SSM for a parameter, decrypted', async () => {
  sink.answerWith(() => ({ status: 200, body: '{"Parameter":{"Name":"/remedia/x","Value":"the secret"}}' }));

  await expect(readParameter('/remedia/x', env())).resolves.toBe('the secret');
  expect(sink.requests[0]).toMatchObject({
    method: 'POST',
    url: '/',
    headers: {
      'x-amz-target': 'AmazonSSM.GetParameter',
      'x-amz-security-token': 'a session',
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/ssm\//,
      ),
    },
    body: '{"Name":"/remedia/x","WithDecryption":true}',
  });
});

it('asks Secrets Manager for a secret', async () => {
  sink.answerWith(() => ({ status: 200, body: '{"SecretString":"the secret"}' }));

  await expect(readSecret('remedia/x', env())).resolves.toBe('the secret');
  expect(sink.requests[0]?.headers['x-amz-target']).toBe('secretsmanager.GetSecretValue');
});

it('names what AWS refused, at once', async () => {
  sink.answerWith(() => ({ status: 400, body: '{"__type":"com.amazonaws.ssm#ParameterNotFound"}' }));

  await expect(readParameter('/remedia/x', env())).rejects.toMatchObject({ name: 'ParameterNotFound' });
  expect(sink.requests).toHaveLength(1);
});

it.each([
  [500, '{"__type":"InternalServerError"}'],
  [400, '{"__type":"ThrottlingException"}'],
  [502, 'no JSON at all'],
])('asks again after %i %s', async (status, body) => {
  let first = true;
  sink.answerWith(() => {
    const answer = first ? { status, body } : { status: 200, body: '{"Parameter":{"Value":"late"}}' };
    first = false;
    return answer;
  });

  await expect(readParameter('/remedia/x', env())).resolves.toBe('late');
});

it('gives up after three attempts', async () => {
  sink.answerWith(() => ({ status: 500, body: '{"__type":"InternalServerError"}' }));

  await expect(readSecret('x', env())).rejects.toMatchObject({ name: 'InternalServerError' });
  expect(sink.requests).toHaveLength(3);
});
