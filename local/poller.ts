/** Stands in for Lambda's event source mapping: takes messages from one queue and hands them to one function. */
import { randomUUID } from 'node:crypto';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';

/** What came of one invocation: the function's answer, or that it threw, timed out or could not be loaded. */
export type Invoked =
  | { readonly kind: 'answered'; readonly payload: unknown }
  | { readonly kind: 'failed'; readonly error: string };

export interface Polling {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly queueArn: string;
  /** At most ten, SQS's limit. */
  readonly batchSize: number;
  /** Invocations at the same time; messages are received only when one of them is free. */
  readonly concurrency: number;
  readonly invoke: (event: SQSEvent) => Promise<Invoked>;
  /**
   * Seconds until a failed message is seen again. AWS waits for the queue's visibility time-out; on one machine
   * nobody wants to watch that.
   */
  readonly retryAfterSeconds: number;
  readonly onFault: (fault: string) => void;
  /** Waited for before each batch. */
  readonly giveWay?: (() => Promise<void>) | undefined;
}

const partialAnswer = z.object({
  batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish(),
});

/** Starts polling. `stop()` ends it after the running invocations have been answered. */
export function startPoller(polling: Polling): { readonly stop: () => Promise<void> } {
  const stopping = new AbortController();
  const lanes = Array.from({ length: polling.concurrency }, () => pollUntil(stopping.signal, polling));
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(lanes);
    },
  };
}

async function pollUntil(stopped: AbortSignal, polling: Polling): Promise<void> {
  while (!stopped.aborted) {
    await polling.giveWay?.();
    const messages = await receive(stopped, polling);
    if (messages.length > 0) await hand(messages, polling);
  }
}

async function receive(stopped: AbortSignal, polling: Polling): Promise<readonly Message[]> {
  try {
    const { Messages } = await polling.client.send(
      new ReceiveMessageCommand({
        QueueUrl: polling.queueUrl,
        MaxNumberOfMessages: polling.batchSize,
        WaitTimeSeconds: 20,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
      { abortSignal: stopped },
    );
    return Messages ?? [];
  } catch (error) {
    if (stopped.aborted) return [];
    polling.onFault(`cannot receive from ${polling.queueUrl}: ${text(error)}`);
    await pause(1000, stopped);
    return [];
  }
}

async function hand(messages: readonly Message[], polling: Polling): Promise<void> {
  const invoked = await polling.invoke({ Records: messages.map((each) => recordOf(each, polling)) });
  const failed = failedIds(invoked, messages);
  if (invoked.kind === 'failed') polling.onFault(invoked.error);
  const done = messages.filter(({ MessageId }) => !failed.has(MessageId ?? ''));
  const again = messages.filter(({ MessageId }) => failed.has(MessageId ?? ''));
  try {
    if (done.length > 0)
      await polling.client.send(
        new DeleteMessageBatchCommand({
          QueueUrl: polling.queueUrl,
          Entries: done.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
        }),
      );
    for (const { ReceiptHandle } of again)
      await polling.client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: polling.queueUrl,
          ReceiptHandle,
          VisibilityTimeout: polling.retryAfterSeconds,
        }),
      );
  } catch (error) {
    // The messages come again after the queue's visibility time-out: at least once, as on AWS.
    polling.onFault(`cannot settle messages of ${polling.queueUrl}: ${text(error)}`);
  }
}

/**
 * Which messages of the batch failed, by Lambda's rules: a thrown error, an answer that is no partial batch response,
 * or one that names a message which is not in the batch, fail all of them.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
function failedIds(invoked: Invoked, messages: readonly Message[]): ReadonlySet<string> {
  const all = new Set(messages.map(({ MessageId }) => MessageId ?? ''));
  if (invoked.kind === 'failed') return all;
  if (invoked.payload === null || invoked.payload === undefined || invoked.payload === '') return new Set();
  const answer = partialAnswer.safeParse(invoked.payload);
  if (!answer.success) return all;
  const named = (answer.data.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
  return named.every((id) => all.has(id)) ? new Set(named) : all;
}

function recordOf(message: Message, { queueArn }: Polling): SQSRecord {
  const attributes = message.Attributes ?? {};
  return {
    messageId: message.MessageId ?? randomUUID(),
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: {
      ...attributes,
      ApproximateReceiveCount: attributes.ApproximateReceiveCount ?? '1',
      SentTimestamp: attributes.SentTimestamp ?? '0',
      SenderId: attributes.SenderId ?? 'local',
      ApproximateFirstReceiveTimestamp: attributes.ApproximateFirstReceiveTimestamp ?? '0',
    },
    messageAttributes: {},
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: queueArn.split(':')[3] ?? '',
  };
}

function pause(milliseconds: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    stopped.addEventListener('abort', done, { once: true });
  });
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
