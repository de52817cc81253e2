/** The poller does with a queue what Lambda's event source mapping does: partial failures, delays, dead letters. */
import { randomUUID } from 'node:crypto';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { startFauxqs } from 'fauxqs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Invoked, startPoller } from '#local/poller.ts';

let server: Awaited<ReturnType<typeof startFauxqs>>;
let client: SQSClient;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false });
  client = new SQSClient({
    endpoint: server.address,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});
afterAll(async () => {
  client.destroy();
  await server.stop();
});

interface Case {
  readonly batchSize?: number;
  readonly concurrency?: number;
  readonly maxReceiveCount?: number;
  readonly messages: readonly { readonly body: string; readonly delaySeconds?: number }[];
  readonly invoke: (event: SQSEvent) => Promise<Invoked> | Invoked;
}

const succeeded: Invoked = { kind: 'answered', payload: { batchItemFailures: [] } };

async function poll({ batchSize = 10, concurrency = 1, maxReceiveCount = 3, messages, invoke }: Case) {
  const name = `queue-${randomUUID()}`;
  const dead = server.createQueue(`${name}-dead`);
  const queue = server.createQueue(name, {
    attributes: {
      VisibilityTimeout: '30',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.queueArn, maxReceiveCount }),
    },
  });
  for (const { body, delaySeconds } of messages)
    await client.send(
      new SendMessageCommand({ QueueUrl: queue.queueUrl, MessageBody: body, DelaySeconds: delaySeconds }),
    );
  const faults: string[] = [];
  const poller = startPoller({
    client,
    queueUrl: queue.queueUrl,
    queueArn: queue.queueArn,
    batchSize,
    concurrency,
    invoke: async (event) => invoke(event),
    retryAfterSeconds: 0,
    onFault: (fault) => faults.push(fault),
  });
  ends.push(poller.stop);
  const left = (): number => {
    const state = server.inspectQueue(name);
    return (state?.messages.ready.length ?? 0) + (state?.messages.inflight.length ?? 0);
  };
  const receiveDead = async (): Promise<string | undefined> => {
    const { Messages } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: dead.queueUrl, WaitTimeSeconds: 10 }),
    );
    return Messages?.[0]?.Body;
  };
  return { left, receiveDead, faults, stop: poller.stop };
}

it('deletes what the function dealt with and brings back only what it named as failed', async () => {
  const seen: string[][] = [];
  const done = Promise.withResolvers<void>();
  const { left } = await poll({
    messages: [{ body: 'good' }, { body: 'bad' }, { body: 'good too' }],
    invoke: ({ Records }) => {
      seen.push(Records.map(({ body }) => body));
      const bad = Records.find(({ body }) => body === 'bad');
      if (seen.length > 1 || !bad) {
        done.resolve();
        return succeeded;
      }
      return {
        kind: 'answered',
        payload: { batchItemFailures: [{ itemIdentifier: bad.messageId }] },
      };
    },
  });

  await done.promise;

  expect(seen[0]).toEqual(['good', 'bad', 'good too']);
  expect(seen[1]).toEqual(['bad']);
  await expect.poll(left).toBe(0);
});

it.each<[string, Invoked]>([
  ['throws', { kind: 'failed', error: 'Error: out of order' }],
  [
    'answers something that is no partial batch response',
    { kind: 'answered', payload: { ok: true, batchItemFailures: 'x' } },
  ],
  [
    'names a message that it never got',
    { kind: 'answered', payload: { batchItemFailures: [{ itemIdentifier: 'other' }] } },
  ],
  ['names nothing', { kind: 'answered', payload: { batchItemFailures: [{ itemIdentifier: '' }] } }],
])('puts a message into the dead-letter queue when the function always %s', async (_, answer) => {
  let invocations = 0;
  const { receiveDead, left } = await poll({
    maxReceiveCount: 2,
    messages: [{ body: 'poison' }],
    invoke: () => {
      invocations += 1;
      return answer;
    },
  });

  const dead = await receiveDead();

  expect(dead).toBe('poison');
  expect(invocations).toBe(2);
  expect(left()).toBe(0);
});

it('never runs more invocations at once than it may, and as many as it may', async () => {
  let running = 0;
  let most = 0;
  let count = 0;
  const bothRun = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  await poll({
    batchSize: 1,
    concurrency: 2,
    messages: Array.from({ length: 8 }, (_, index) => ({ body: String(index) })),
    invoke: async () => {
      running += 1;
      most = Math.max(most, running);
      if (running === 2) bothRun.resolve();
      await bothRun.promise;
      running -= 1;
      count += 1;
      if (count === 8) done.resolve();
      return succeeded;
    },
  });

  await done.promise;

  expect(most).toBe(2);
});

it('leaves a delayed message alone until it is due', async () => {
  const start = Date.now();
  const due = Promise.withResolvers<number>();
  await poll({
    messages: [{ body: 'later', delaySeconds: 1 }],
    invoke: () => {
      due.resolve(Date.now() - start);
      return succeeded;
    },
  });

  await expect(due.promise).resolves.toBeGreaterThanOrEqual(990);
});

it('stops only after the running invocation was answered and its message deleted', async () => {
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const { stop, left } = await poll({
    messages: [{ body: 'slow' }],
    invoke: async () => {
      started.resolve();
      await release.promise;
      return succeeded;
    },
  });
  await started.promise;

  const stopped = stop();
  release.resolve();
  await stopped;

  expect(left()).toBe(0);
});
