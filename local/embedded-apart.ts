/**
 * DynamoDB and SQS in threads of their own. Both write to the disk while nothing else of their thread goes on, and an
 * alert must not wait for the messages and records of others.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import * as z from 'zod';

export interface Apart {
  /** Base URL for an AWS client. */
  readonly endpoint: string;
  /** Receipts of a queue's messages that somebody has received and not settled yet; of DynamoDB none. */
  readonly inFlight: (queueName: string) => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

/** With `path` (a folder) what it holds survives a restart. Throws when the part cannot start. */
export async function startApart(part: 'dynamo' | 'sqs', path: string): Promise<Apart> {
  const worker = new Worker(new URL('./embedded-thread.ts', import.meta.url), { workerData: { part, path } });
  const ask = async <Answer>(schema: z.ZodType<Answer>, question?: unknown): Promise<Answer> => {
    const answer = once(worker, 'message');
    if (question !== undefined) worker.postMessage(question);
    return schema.parse((await answer)[0]);
  };
  const endpoint = await ask(z.string());
  return {
    endpoint,
    // One question at a time: its answers carry no names.
    inFlight: (queueName) => ask(z.array(z.string()), { inFlight: queueName }),
    close: async () => {
      await ask(z.literal('closed'), 'close');
      await worker.terminate();
    },
  };
}
