/** The queue side of every function behind SQS: one record fails alone, and a message that nobody can read is permanent. */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type * as z from 'zod';
import { traceOfXray } from '#lib/core/trace.ts';
import { inLogContext } from '#lib/runtime/log-context.ts';
import { errorFields, type Log } from '#lib/runtime/logger.ts';
import type { Measure } from '#lib/runtime/metrics.ts';

export interface Delivery {
  /** How often SQS has delivered this message, this time included. */
  readonly receiveCount: number;
}

/**
 * A Lambda handler for SQS with partial batch responses. What `handle` throws fails its record alone, which SQS delivers
 * again until it goes to the dead-letter queue; so does a record that does not parse, since no later try could help.
 */
export function batchHandler<Message>(options: {
  readonly schema: z.ZodType<Message>;
  readonly handle: (message: Message, delivery: Delivery) => Promise<unknown>;
  readonly log: Log;
  /** Gets how long each message waited, delays that were asked for included. */
  readonly measure?: Measure;
  readonly clock?: () => number;
}): (event: SQSEvent) => Promise<SQSBatchResponse> {
  const { schema, handle, log, measure, clock = Date.now } = options;
  return async ({ Records }) => {
    const batchItemFailures: { itemIdentifier: string }[] = [];
    for (const { messageId, body, attributes, eventSourceARN } of Records) {
      const fail = () => batchItemFailures.push({ itemIdentifier: messageId });
      const message = parse(schema, body);
      if (message === undefined) {
        log.error('a message cannot be read and will go to the dead-letter queue', { message_id: messageId });
        fail();
        continue;
      }
      const receiveCount = Number(attributes.ApproximateReceiveCount);
      const incident = incidentOf(message);
      const context = { incident_id: incident, trace_id: traceOfXray(attributes.AWSTraceHeader) };
      try {
        await inLogContext(context, () => {
          measure?.({
            metric: 'QueueAgeMilliseconds',
            value: Math.max(0, clock() - Number(attributes.SentTimestamp)),
            dimensions: { Queue: eventSourceARN.split(':').at(-1) ?? '' },
          });
          return handle(message, { receiveCount: Number.isFinite(receiveCount) ? receiveCount : 1 });
        });
      } catch (error) {
        log.error('a message failed and will be delivered again', {
          message_id: messageId,
          receive_count: receiveCount,
          ...(incident && { incident_id: incident }),
          ...(context.trace_id && { trace_id: context.trace_id }),
          ...errorFields(error),
        });
        fail();
      }
    }
    return { batchItemFailures };
  };
}

function parse<Message>(schema: z.ZodType<Message>, body: string): Message | undefined {
  try {
    return schema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

function incidentOf(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null || !('incidentId' in message)) return undefined;
  return typeof message.incidentId === 'string' ? message.incidentId : undefined;
}
