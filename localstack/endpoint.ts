/** Where LocalStack is, and the environment that makes the AWS tools talk to it and to nothing else. */
import { spawn } from 'node:child_process';
import * as z from 'zod';
import { fail } from '../scripts/command-line.ts';

export const endpoint = (process.env['AWS_ENDPOINT_URL'] ?? 'http://127.0.0.1:4566').replace(/\/$/, '');

/** Dummy credentials on purpose: a forgotten endpoint must never reach a real account. */
export const awsEnvironment: Readonly<Record<string, string>> = {
  AWS_ENDPOINT_URL: endpoint,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
};

export const sdk = {
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
} as const;

// https://docs.localstack.cloud/aws/configuration/networking/internal-endpoints/, as 4.14.0 answers it.
const healthPage = z.object({ version: z.string(), services: z.record(z.string(), z.string()) });

type Answering =
  | { readonly kind: 'localstack'; readonly version: string }
  | { readonly kind: 'something_else' }
  | { readonly kind: 'nothing' };

async function whatAnswers(): Promise<Answering> {
  let response: Response;
  try {
    response = await fetch(`${endpoint}/_localstack/health`, { signal: AbortSignal.timeout(3000) });
  } catch {
    return { kind: 'nothing' };
  }
  const health = healthPage.safeParse(await response.json().catch(() => undefined));
  return response.ok && health.success
    ? { kind: 'localstack', version: health.data.version }
    : { kind: 'something_else' };
}

/** Whether a LocalStack answers there. */
export async function isUp(): Promise<boolean> {
  return (await whatAnswers()).kind === 'localstack';
}

/**
 * The version of the LocalStack that answers there, or `undefined` when nothing does. Ends with 1 when it is something
 * else, which must not be deployed to or cleaned up.
 */
export async function findLocalStack(): Promise<string | undefined> {
  const found = await whatAnswers();
  if (found.kind === 'something_else')
    fail(
      `What answers at ${endpoint} is not LocalStack: it has no /_localstack/health that says so. Nothing was done. ` +
        'Stop it, or set AWS_ENDPOINT_URL to a LocalStack.',
    );
  return found.kind === 'localstack' ? found.version : undefined;
}

/** As `findLocalStack`, and ends with 1 when nothing answers. */
export async function requireLocalStack(): Promise<string> {
  const version = await findLocalStack();
  return version ?? fail(`Nothing answers at ${endpoint}. Start LocalStack first: npm run localstack:up`);
}

/** Runs a program with the environment above; answers its exit code and what it wrote. */
export function run(
  command: string,
  args: readonly string[],
  options: { readonly quiet?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...awsEnvironment, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
      if (options.quiet !== true) process.stdout.write(chunk);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
