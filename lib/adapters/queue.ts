/** Queues on SQS: sends messages, and says how many wait. */
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type * as z from 'zod';
import { AWS_CLIENT_SETTINGS, callAws } from '#lib/adapters/aws-errors.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { SendMessage } from '#lib/workflow/ports.ts';

/** SQS's longest delay of one message. */
const LONGEST_DELAY_SECONDS = 900;

/** A client with short time-outs; `endpoint` is for the embedded SQS. */
export function createSqsClient(settings: { readonly endpoint?: string; readonly region?: string } = {}) {
  // Without this the SDK would send to the host named in the queue's URL only if it knows no endpoint.
  return new SQSClient({ ...AWS_CLIENT_SETTINGS, ...settings });
}

/**
 * Sends JSON to one queue. With a `schema`, what does not match it is refused before it is sent: a malformed message
 * would only fail at the other end, again and again. Throws UpstreamError `queue`: `invalid_delay` and
 * `invalid_message` never succeed; with `sent: 'unknown'` the message may be in the queue.
 */
export function sendTo<Message>({
  client,
  queueUrl,
  schema,
  traceHeaderFor = () => undefined,
}: {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly schema?: z.ZodType<Message>;
  /** X-Ray's header of a message, by which its trace goes on at the other end. */
  readonly traceHeaderFor?: (message: Message) => string | undefined;
}): SendMessage<Message> {
  return async (message, { delaySeconds = 0 } = {}) => {
    if (!Number.isInteger(delaySeconds) || delaySeconds < 0 || delaySeconds > LONGEST_DELAY_SECONDS) {
      throw refused('invalid_delay', `a delay must be 0 to ${LONGEST_DELAY_SECONDS} whole seconds`);
    }
    if (schema && !schema.safeParse(message).success) {
      throw refused('invalid_message', 'the message does not match its schema');
    }
    const trace = traceHeaderFor(message);
    const command = new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: JSON.stringify(message),
      DelaySeconds: delaySeconds,
      ...(trace !== undefined && {
        MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: trace } },
      }),
    });
    await callAws('queue', 'write', () => client.send(command));
  };
}

const refused = (code: string, detail: string) =>
  new UpstreamError('queue', code, detail, { sent: 'no', retry: false });

export interface QueueDepth {
  /** Messages that can be received now. */
  readonly waiting: number;
  /** Received and not yet deleted. */
  readonly inFlight: number;
  /** Sent with a delay that has not passed. */
  readonly delayed: number;
}

/** SQS's approximate counts of each named queue. Throws UpstreamError `queue`. */
export async function queueDepths<Name extends string>({
  client,
  queueUrls,
}: {
  readonly client: SQSClient;
  readonly queueUrls: Readonly<Record<Name, string>>;
}): Promise<ReadonlyMap<string, QueueDepth>> {
  const depths = await Promise.all(
    Object.entries<string>(queueUrls).map(async ([name, QueueUrl]) => {
      const command = new GetQueueAttributesCommand({
        QueueUrl,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      });
      const { Attributes: counts } = await callAws('queue', 'read', () => client.send(command));
      const depth: QueueDepth = {
        waiting: Number(counts?.ApproximateNumberOfMessages ?? 0),
        inFlight: Number(counts?.ApproximateNumberOfMessagesNotVisible ?? 0),
        delayed: Number(counts?.ApproximateNumberOfMessagesDelayed ?? 0),
      };
      return [name, depth] as const;
    }),
  );
  return new Map(depths);
}
