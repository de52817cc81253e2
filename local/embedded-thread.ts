/** A thread that holds one embedded part: says where it listens, what of it is in flight, and when it has ended. */
import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import { startEmbeddedDynamo, startEmbeddedSqs } from './embedded.ts';

const dataSchema = z.object({ part: z.enum(['dynamo', 'sqs']), path: z.string().optional() });
const questionSchema = z.union([z.object({ inFlight: z.string() }), z.literal('close')]);

const { part, path } = dataSchema.parse(workerData);
const started =
  part === 'dynamo'
    ? { ...(await startEmbeddedDynamo({ port: 0, ...(path !== undefined && { path }) })), inFlight: () => [] }
    : await startEmbeddedSqs({ port: 0, ...(path !== undefined && { dataDir: path }) });

parentPort?.on('message', async (message: unknown) => {
  const question = questionSchema.parse(message);
  if (question === 'close') {
    await started.close();
    parentPort?.postMessage('closed');
  } else parentPort?.postMessage(started.inFlight(question.inFlight));
});
parentPort?.postMessage(started.endpoint);
