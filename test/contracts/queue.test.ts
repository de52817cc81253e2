/** The queue's contract, on the fake and on the embedded SQS (or the one of AWS_ENDPOINT_URL); and what only SQS does. */
import { randomUUID } from 'node:crypto';
import { CreateQueueCommand, DeleteQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSqsClient, queueDepths, sendTo } from '#lib/adapters/queue.ts';
import type { JobMessage } from '#lib/workflow/ports.ts';
import { jobMessageSchema } from '#lib/workflow/queue-messages.ts';
import { awsForTests, LOCAL_AWS } from '#test/aws.ts';
import { NOON } from '#test/builders/incidents.ts';
import { describeQueue } from '#test/contracts/queue.contract.ts';
import { createMemoryQueue } from '#test/fakes/queues-memory.ts';

const message: JobMessage = { incidentId: `inc_${'a'.repeat(24)}`, step: 1 };

describeQueue('the fake in memory', async () => {
  const queue = createMemoryQueue<JobMessage>({ clock: () => NOON });
  return {
    send: queue.send,
    receive: async () => {
      const received = queue.receive();
      return received ? [received.message] : [];
    },
    depth: async () => {
      const waiting =
        (queue.nextVisibleAt() ?? Number.POSITIVE_INFINITY) <= NOON ? queue.waiting().length : 0;
      return { waiting, delayed: queue.waiting().length - waiting };
    },
  };
});

describe('the fake in memory', () => {
  it('shows a message again that was not deleted, and counts; then it is a dead letter', async () => {
    let now = NOON;
    const queue = createMemoryQueue<JobMessage>({
      clock: () => now,
      visibilitySeconds: 10,
      maxReceiveCount: 2,
    });
    await queue.send(message);
    expect(queue.receive()?.receiveCount).toBe(1);
    expect(queue.receive()).toBeUndefined();
    now += 10_000;
    expect(queue.receive()?.receiveCount).toBe(2);
    now += 10_000;
    expect(queue.receive()).toBeUndefined();
    expect(queue.deadLetters()).toEqual([message]);
    expect(queue.waiting()).toEqual([]);
  });

  it('never shows a message again that was deleted', async () => {
    let now = NOON;
    const queue = createMemoryQueue<JobMessage>({ clock: () => now });
    await queue.send(message);
    queue.receive()?.delete();
    now += 3_600_000;
    expect(queue.receive()).toBeUndefined();
    expect(queue.deadLetters()).toEqual([]);
  });
});

describe('on SQS', () => {
  let aws: Awaited<ReturnType<typeof awsForTests>>;
  const queues: string[] = [];
  beforeAll(async () => {
    aws = await awsForTests('sqs');
  });
  const newClient = () => createSqsClient({ ...LOCAL_AWS, endpoint: aws.endpoint });
  afterAll(async () => {
    const client = newClient();
    await Promise.all(queues.map((QueueUrl) => client.send(new DeleteQueueCommand({ QueueUrl }))));
    client.destroy();
    await aws.close();
  });

  const start = async () => {
    const client = newClient();
    const created = await client.send(new CreateQueueCommand({ QueueName: `remedia-test-${randomUUID()}` }));
    const queueUrl = created.QueueUrl ?? '';
    queues.push(queueUrl);
    return {
      client,
      queueUrl,
      send: sendTo({ client, queueUrl, schema: jobMessageSchema }),
      receive: async () => {
        const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
        return (Messages ?? []).map(({ Body }) => JSON.parse(Body ?? ''));
      },
      depth: async () => {
        const { waiting = 0, delayed = 0 } =
          (await queueDepths({ client, queueUrls: { jobs: queueUrl } })).get('jobs') ?? {};
        return { waiting, delayed };
      },
    };
  };

  describeQueue('SQS', start);

  it('counts what is received and not yet deleted', async () => {
    const { client, queueUrl, send, receive } = await start();
    await send(message);
    await receive();
    const depths = await queueDepths({ client, queueUrls: { jobs: queueUrl } });
    expect(depths).toEqual(new Map([['jobs', { waiting: 0, inFlight: 1, delayed: 0 }]]));
  });

  it('refuses a message that does not match its schema, and sends nothing', async () => {
    const { send, depth } = await start();
    await expect(send({ ...message, incidentId: 'somewhere' })).rejects.toMatchObject({
      upstream: 'queue',
      code: 'invalid_message',
      sent: 'no',
      retry: false,
    });
    expect(await depth()).toEqual({ waiting: 0, delayed: 0 });
  });

  it('says that a queue which is not there refused', async () => {
    const { client, queueUrl } = await start();
    const send = sendTo({ client, queueUrl: `${queueUrl}-gone` });
    await expect(send(message)).rejects.toMatchObject({
      upstream: 'queue',
      code: 'refused',
      sent: 'no',
      retry: false,
    });
  });
});
