/** What one call of receive-alert costs by itself: a process calls it, and a table and a queue elsewhere answer at once. */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import * as z from 'zod';
import { type Serving, serve } from './serve.ts';

const WITHIN_MS = 120_000;

/** CPU milliseconds a call, user and system, of all threads. */
export interface FunctionCost {
  /** The endpoint alone, with a table and a queue that do nothing. */
  readonly endpoint: number;
  /** The function as it is deployed: also the SDK, its sockets and its log. */
  readonly whole: number;
}

const cost = z.object({ endpoint: z.number(), whole: z.number() });

/** Calls it so often, in a process of its own. Throws when the process fails or takes too long. */
export async function measureFunctionCost(calls: number): Promise<FunctionCost> {
  const aws = await answerAtOnce();
  const { PATH, HOME } = process.env;
  const child = fork(join(import.meta.dirname, 'receive-alert-calls.ts'), [String(calls)], {
    env: {
      PATH,
      HOME,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
      AWS_ENDPOINT_URL: aws.url,
      PUBLIC_BASE_URL: 'http://127.0.0.1',
      INCIDENTS_TABLE: 'incidents',
      ALERTS_QUEUE_URL: `${aws.url}/000000000000/alerts`,
      CHECKS_QUEUE_URL: `${aws.url}/000000000000/checks`,
      INTAKE_TOKENS: 'bench-intake-token',
      LINK_SIGNING_KEY: 'another key of at least sixteen characters',
      INTAKE_HMAC_KEY: 'a key of at least sixteen characters',
    },
    // Its log is written, and nobody reads it.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    timeout: WITHIN_MS,
  });
  try {
    const [told] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code, signal]) => {
        throw new Error(`the process that calls receive-alert ended with ${code ?? signal}`);
      }),
    ]);
    return cost.parse(told);
  } finally {
    child.kill();
    aws.close();
  }
}

/** A DynamoDB and an SQS in which every write succeeds and nothing is kept. */
function answerAtOnce(): Promise<Serving> {
  return serve((request, body, response) => {
    const answer = String(request.headers['x-amz-target']).startsWith('AmazonSQS')
      ? { MessageId: '1', MD5OfMessageBody: md5(bodyOfMessage.parse(JSON.parse(body)).MessageBody) }
      : {};
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer));
  });
}

const bodyOfMessage = z.object({ MessageBody: z.string() });

/** The SDK compares it with its own. */
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
