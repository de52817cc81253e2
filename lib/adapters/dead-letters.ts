/** Dead-letter queues on SQS: how many messages lie there, what they say, and how they go back to work. */
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { callAws } from '#lib/adapters/aws-errors.ts';
import { type QueueDepth, queueDepths } from '#lib/adapters/queue.ts';

/** Long enough to look at them or to move ten of them, and short enough that nobody misses them. */
const HIDDEN_SECONDS = 30;
/** SQS's limit of one receive. */
const MOST_PER_RECEIVE = 10;

export interface DeadLetter {
  readonly messageId: string;
  readonly body: string;
  /** The incident it is about, when it can be read. */
  readonly incidentId?: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly receiveCount: number;
}

const redrivePolicy = z.object({ deadLetterTargetArn: z.string() });
const named = z.object({ incidentId: z.string().regex(/^(inc|sim)_[0-9a-f]{24}$/) });

/** The URL of a queue's dead-letter queue, by its redrive policy; `undefined` when it has none. Throws UpstreamError `queue`. */
export async function deadLetterQueueOf(client: SQSClient, queueUrl: string): Promise<string | undefined> {
  const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['RedrivePolicy'] });
  const { Attributes } = await callAws('queue', 'read', () => client.send(command));
  const text = Attributes?.RedrivePolicy;
  if (text === undefined) return undefined;
  const name = redrivePolicy.parse(JSON.parse(text)).deadLetterTargetArn.split(':').at(-1) ?? '';
  return queueUrl.replace(/[^/]+$/, name);
}

/** The counts of one queue. Throws UpstreamError `queue`. */
export async function depthOf(client: SQSClient, queueUrl: string): Promise<QueueDepth | undefined> {
  return (await queueDepths({ client, queueUrls: { queue: queueUrl } })).get('queue');
}

/**
 * Shows at most so many, and lets them be seen again at once. SQS counts that as a receive; a dead-letter queue has no
 * further one to go to. Throws UpstreamError `queue`.
 */
export async function showDeadLetters(
  client: SQSClient,
  queueUrl: string,
  most: number,
): Promise<readonly DeadLetter[]> {
  const taken = await takeUpTo(client, queueUrl, most);
  for (const message of taken) await release(client, queueUrl, message);
  return taken.map(letterOf);
}

/**
 * Sends at most so many back to the queue they came from. Each is sent before it is deleted: a crash in between makes
 * it come twice, which every function bears. What names no incident stays, for it would only die again.
 * Throws UpstreamError `queue`.
 */
export async function redriveDeadLetters(
  client: SQSClient,
  queues: { readonly from: string; readonly to: string },
  most: number,
): Promise<{ readonly moved: readonly DeadLetter[]; readonly left: readonly DeadLetter[] }> {
  const moved: DeadLetter[] = [];
  const left: DeadLetter[] = [];
  const kept: Message[] = [];
  while (moved.length < most) {
    const taken = await receive(client, queues.from, Math.min(MOST_PER_RECEIVE, most - moved.length));
    if (taken.length === 0) break;
    for (const message of taken) {
      const letter = letterOf(message);
      if (letter.incidentId === undefined) {
        left.push(letter);
        kept.push(message);
        continue;
      }
      const trace = message.Attributes?.AWSTraceHeader;
      const send = new SendMessageCommand({
        QueueUrl: queues.to,
        MessageBody: letter.body,
        ...(trace !== undefined && {
          MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: trace } },
        }),
      });
      await callAws('queue', 'write', () => client.send(send));
      const { ReceiptHandle } = message;
      const remove = new DeleteMessageCommand({ QueueUrl: queues.from, ReceiptHandle });
      await callAws('queue', 'write', () => client.send(remove));
      moved.push(letter);
    }
  }
  for (const message of kept) await release(client, queues.from, message);
  return { moved, left };
}

async function takeUpTo(client: SQSClient, queueUrl: string, most: number): Promise<readonly Message[]> {
  const taken: Message[] = [];
  while (taken.length < most) {
    const more = await receive(client, queueUrl, Math.min(MOST_PER_RECEIVE, most - taken.length));
    if (more.length === 0) break;
    taken.push(...more);
  }
  return taken;
}

async function receive(client: SQSClient, queueUrl: string, most: number): Promise<readonly Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: most,
    VisibilityTimeout: HIDDEN_SECONDS,
    // Asks all of SQS's servers, not a sample of them.
    WaitTimeSeconds: 1,
    MessageSystemAttributeNames: ['All'],
  });
  const { Messages } = await callAws('queue', 'read', () => client.send(command));
  return Messages ?? [];
}

async function release(client: SQSClient, queueUrl: string, { ReceiptHandle }: Message): Promise<void> {
  const command = new ChangeMessageVisibilityCommand({
    QueueUrl: queueUrl,
    ReceiptHandle,
    VisibilityTimeout: 0,
  });
  await callAws('queue', 'write', () => client.send(command));
}

function letterOf({ MessageId, Body = '', Attributes }: Message): DeadLetter {
  const incidentId = incidentOf(Body);
  return {
    messageId: MessageId ?? '',
    body: Body,
    ...(incidentId !== undefined && { incidentId }),
    sentAt: Number(Attributes?.SentTimestamp ?? 0),
    receiveCount: Number(Attributes?.ApproximateReceiveCount ?? 0),
  };
}

function incidentOf(body: string): string | undefined {
  try {
    return named.safeParse(JSON.parse(body)).data?.incidentId;
  } catch {
    return undefined;
  }
}
