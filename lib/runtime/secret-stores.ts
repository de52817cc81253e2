/** Reads one secret from SSM or Secrets Manager by a signed request of its own: their SDK clients weigh as much as a function. */
import { createHash, createHmac } from 'node:crypto';
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
      const headers = signed({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
        body,
        service,
        region,
        credentials: {
          accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
          secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
          sessionToken: env['AWS_SESSION_TOKEN'],
        },
        now: new Date(),
      });
      const response = await fetch(url, {
        method: 'POST',
        headers,
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

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const mac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/**
 * The headers of a request with AWS's signature, version 4. The query must be in order already.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signed(request: {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly service: string;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string | undefined;
  };
  readonly now: Date;
}): Readonly<Record<string, string>> {
  const { method, url, body, service, region, credentials } = request;
  const time = request.now.toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-date': time,
    ...(credentials.sessionToken && { 'x-amz-security-token': credentials.sessionToken }),
  };
  const all = Object.entries({ ...headers, host: url.host }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = all.map(([name]) => name).join(';');
  const canonical = [
    method,
    url.pathname,
    url.search.slice(1),
    ...all.map(([name, value]) => `${name}:${value.trim()}`),
    '',
    names,
    hash(body),
  ].join('\n');
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const key = [time.slice(0, 8), region, service, 'aws4_request'].reduce<string | Buffer>(
    mac,
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = mac(key, ['AWS4-HMAC-SHA256', time, scope, hash(canonical)].join('\n')).toString('hex');
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}
