/** Secrets out of Parameter Store and Secrets Manager, against a server that speaks their protocol. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '#lib/runtime/environment.ts';

const asked: { readonly target: unknown; readonly body: unknown }[] = [];
const answers: Readonly<Record<string, { readonly status: number; readonly body: object }>> = {
  '/remedia/intake-tokens': { status: 200, body: { Parameter: { Value: 'old-token,new-token' } } },
  '/remedia/empty': { status: 200, body: {} },
  'remedia/hmac': { status: 200, body: { SecretString: 'sixteen characters' } },
  'remedia/binary': { status: 200, body: {} },
};
const server = createServer(async (request, response) => {
  const body = await json(request);
  asked.push({ target: request.headers['x-amz-target'], body });
  const name = nameIn(body);
  const { status, body: answer } = answers[name] ?? {
    status: 400,
    body: { __type: 'ParameterNotFound', message: `no ${name}` },
  };
  response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(answer));
});

function nameIn(body: unknown): string {
  if (typeof body !== 'object' || body === null) return '';
  const name = 'Name' in body ? body.Name : 'SecretId' in body ? body.SecretId : '';
  return typeof name === 'string' ? name : '';
}

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  for (const service of ['SSM', 'SECRETS_MANAGER'])
    vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, `http://127.0.0.1:${port}`);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

describe('a setting that names a secret', () => {
  it('is read decrypted from Parameter Store, and from Secrets Manager', async () => {
    const settings = await loadSettings(['INTAKE_TOKENS', 'INTAKE_HMAC_KEY'], {
      env: { INTAKE_TOKENS: 'ssm:/remedia/intake-tokens', INTAKE_HMAC_KEY: 'secretsmanager:remedia/hmac' },
    });

    expect(settings).toEqual({
      INTAKE_TOKENS: ['old-token', 'new-token'],
      INTAKE_HMAC_KEY: 'sixteen characters',
    });
    expect(asked).toContainEqual({
      target: 'AmazonSSM.GetParameter',
      body: { Name: '/remedia/intake-tokens', WithDecryption: true },
    });
  });

  it('that is not there fails the start, by the name of the variable', async () => {
    const loading = loadSettings(['INTAKE_TOKENS'], { env: { INTAKE_TOKENS: 'ssm:/remedia/none' } });

    await expect(loading).rejects.toThrow(
      'INTAKE_TOKENS names a secret that cannot be read (ParameterNotFound)',
    );
  });

  it('whose secret is no text counts as empty: no token lets nobody in, and a key is too short', async () => {
    expect(await loadSettings(['INTAKE_TOKENS'], { env: { INTAKE_TOKENS: 'ssm:/remedia/empty' } })).toEqual({
      INTAKE_TOKENS: [],
    });
    await expect(
      loadSettings(['INTAKE_HMAC_KEY'], { env: { INTAKE_HMAC_KEY: 'secretsmanager:remedia/binary' } }),
    ).rejects.toThrow('INTAKE_HMAC_KEY: expected at least 16 characters');
  });

  it('asks nobody when it names none', async () => {
    const before = asked.length;

    await loadSettings(['INTAKE_TOKENS'], { env: { INTAKE_TOKENS: 'plain' } });

    expect(asked).toHaveLength(before);
  });
});
