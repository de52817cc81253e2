/** Reads one secret from SSM or Secrets Manager by one signed request: their SDK clients weigh as much as a function. */
import { AwsV4Signer } from 'aws4fetch';
import * as z from 'zod';

const ATTEMPTS = 3;
const TIMEOUT_MS = 3_000;

/** As Lambda sets them for a function. */
type Environment = Readonly<Record<string, string | undefined>>;

// A secret that is no text counts as empty.
const parameterAnswer = z.object({ Parameter: z.object({ Value: z.string().default('') }).optional() });
const secretAnswer = z.object({ SecretString: z.string().default('') });
const errorAnswer = z.object({ __type: z.string() });

/** A parameter of SSM, decrypted. Throws an Error whose name is AWS's own for the fault; no value is in it. */
export async function readParameter(name: string, env: Environment): Promise<string> {
  const answer = await call(env, 'ssm', 'AmazonSSM.GetParameter', { Name: name, WithDecryption: true });
  return parameterAnswer.parse(answer).Parameter?.Value ?? '';
}

/** A secret of Secrets Manager. Throws like `readParameter`. */
export async function readSecret(name: string, env: Environment): Promise<string> {
  const answer = await call(env, 'secretsmanager', 'secretsmanager.GetSecretValue', { SecretId: name });
  return secretAnswer.parse(answer).SecretString;
}

async function call(
  env: Environment,
  service: 'ssm' | 'secretsmanager',
  target: string,
  input: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  const own = env[service === 'ssm' ? 'AWS_ENDPOINT_URL_SSM' : 'AWS_ENDPOINT_URL_SECRETS_MANAGER'];
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = new URL(own ?? env['AWS_ENDPOINT_URL'] ?? `https://${service}.${region}.${suffix}`);
  const body = JSON.stringify(input);
  let last: unknown;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      // Signed anew each time: a signature is as old as its date.
      const signed = await new AwsV4Signer({
        method: 'POST',
        url: url.href,
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
        body,
        service,
        region,
        accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
        ...(env['AWS_SESSION_TOKEN'] && { sessionToken: env['AWS_SESSION_TOKEN'] }),
      }).sign();
      const response = await fetch(signed.url, {
        method: signed.method,
        headers: signed.headers,
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const answer: unknown = await response.json();
      if (response.ok) return answer;
      last = named(errorAnswer.safeParse(answer).data?.__type ?? `Status${response.status}`);
      // The caller's own mistakes stay mistakes; a throttled or troubled service may answer the next time.
      if (response.status < 500 && !/Throttl|TooMany/.test(String(last))) break;
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

function named(type: string): Error {
  const name = type.replace(/^.*#/, '');
  const error = new Error(name);
  error.name = name;
  return error;
}
