/** The three queues of the pipeline as functions send to them: each takes its own kind of message, one client for all. */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { createSqsClient, sendTo } from '#lib/adapters/queue.ts';
import type { SendToCheck, SendToDecide, SendToDispatch } from '#lib/workflow/ports.ts';
import { alertMessageSchema, checkMessageSchema, jobMessageSchema } from '#lib/workflow/queue-messages.ts';

export interface Queues {
  readonly client: SQSClient;
  /** X-Ray's header of a message. */
  readonly traceHeaderFor: (message: { readonly incidentId: string }) => string | undefined;
}

/** What the senders below share. */
export function openQueues(traceHeaderFor: Queues['traceHeaderFor']): Queues {
  return { client: createSqsClient(), traceHeaderFor };
}

/** To the alerts queue. The sender throws UpstreamError `queue`. */
export function toDecide(queues: Queues, queueUrl: string): SendToDecide {
  return sendTo({ ...queues, queueUrl, schema: alertMessageSchema });
}

/** To the jobs queue. The sender throws UpstreamError `queue`. */
export function toDispatch(queues: Queues, queueUrl: string): SendToDispatch {
  return sendTo({ ...queues, queueUrl, schema: jobMessageSchema });
}

/** To the checks queue. The sender throws UpstreamError `queue`. */
export function toCheck(queues: Queues, queueUrl: string): SendToCheck {
  return sendTo({ ...queues, queueUrl, schema: checkMessageSchema });
}
