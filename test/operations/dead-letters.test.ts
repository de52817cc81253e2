/** `npm run dlq` on the embedded SQS: what is dead is counted, shown, and sent back where it came from. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Embedded, startEmbeddedSqs } from '#local/embedded.ts';
import { aimAtRunningStack, announceStack } from '#local/running-stack.ts';
import { LOCAL_AWS } from '#test/aws.ts';

const ACCOUNT = '000000000000';
const INCIDENT = 'inc_0123456789abcdef01234567';
const run = promisify(execFile);

let sqs: Embedded;
let client: SQSClient;
let dataDir: string;
let forget: () => Promise<void>;
const urlOf = (name: string) => `${sqs.endpoint}/${ACCOUNT}/${name}`;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'remedia-dlq-'));
  sqs = await startEmbeddedSqs({ port: 0 });
  client = new SQSClient({ endpoint: sqs.endpoint, ...LOCAL_AWS });
  for (const name of ['alerts', 'jobs', 'checks']) {
    await client.send(new CreateQueueCommand({ QueueName: `${name}-dead` }));
    const RedrivePolicy = JSON.stringify({
      deadLetterTargetArn: `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}-dead`,
      maxReceiveCount: 5,
    });
    await client.send(new CreateQueueCommand({ QueueName: name, Attributes: { RedrivePolicy } }));
  }
  forget = await announceStack(dataDir, {
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    ALERTS_QUEUE_URL: urlOf('alerts'),
    JOBS_QUEUE_URL: urlOf('jobs'),
    CHECKS_QUEUE_URL: urlOf('checks'),
  });
});
afterAll(async () => {
  client.destroy();
  await sqs.close();
  await rm(dataDir, { recursive: true, force: true });
});

const send = (queue: string, MessageBody: string) =>
  client.send(new SendMessageCommand({ QueueUrl: urlOf(queue), MessageBody }));
const bodies = async (queue: string) => {
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({ QueueUrl: urlOf(queue), MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
  );
  return Messages.map(({ Body }) => Body);
};
/** As an operator calls it, finding the pipeline by its data folder alone. */
async function dlq(...args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  const env = { PATH: process.env['PATH'], REMEDIA_DATA_DIR: dataDir };
  try {
    const { stdout } = await run(process.execPath, ['scripts/dlq.ts', ...args], { env, timeout: 30_000 });
    return { code: 0, text: stdout };
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    return { code: 1, text };
  }
}

describe('dead letters', () => {
  it('are counted, shown without being taken, and sent back, but for what nobody can read', {
    timeout: 30_000,
  }, async () => {
    const message = JSON.stringify({ incidentId: INCIDENT });
    await send('alerts-dead', message);
    await send('alerts-dead', 'no JSON \u009b2J');

    expect((await dlq('list')).text).toBe(
      'alerts  2 dead, 0 in work\njobs    0 dead, 0 in work\nchecks  0 dead, 0 in work\n',
    );
    const shown = await dlq('show', 'alerts');
    expect(shown.text).toContain(INCIDENT);
    expect(shown.text).toContain('names no incident');
    expect(shown.text).not.toContain('\u009b');
    expect(await bodies('alerts-dead')).toHaveLength(2);

    const moved = await dlq('redrive', 'all');

    expect(moved.text).toContain('alerts: 1 sent back');
    expect(moved.text).toContain('would die again');
    expect(await bodies('alerts')).toEqual([message]);
    expect(await bodies('alerts-dead')).toEqual(['no JSON \u009b2J']);
  });
});

it.each([
  { args: ['empty'], says: 'There is no dlq empty.\n\nusage' },
  { args: ['redrive'], says: 'The queue is missing' },
  { args: ['show', 'letters'], says: 'There is no queue letters' },
  { args: ['list', '--limit', '0'], says: '--limit' },
])('$args is answered with what was expected', { timeout: 20_000 }, async ({ args, says }) => {
  expect(await dlq(...args)).toMatchObject({ code: 1, text: expect.stringContaining(says) });
});

describe('the pipeline of this machine', () => {
  it('is not meant when another one is named, and not found when it has ended', async () => {
    expect(aimAtRunningStack({ REMEDIA_DATA_DIR: dataDir, AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' })).toBe(
      false,
    );
    const env: Record<string, string | undefined> = { REMEDIA_DATA_DIR: dataDir };
    expect(aimAtRunningStack(env)).toBe(true);
    expect(env['ALERTS_QUEUE_URL']).toBe(urlOf('alerts'));

    await forget();

    expect(aimAtRunningStack({ REMEDIA_DATA_DIR: dataDir })).toBe(false);
  });
});
