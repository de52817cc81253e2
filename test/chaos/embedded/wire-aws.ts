/** AWS as functions reach it: every call to table and queue is an effect that may fail, and is written down as it happens. */
import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import * as z from 'zod';
import { createDynamoClient } from '#lib/adapters/incidents-table.ts';
import { createSqsClient } from '#lib/adapters/queue.ts';
import type { Running } from '#test/chaos/invocations.ts';
import type { Randomness } from '#test/chaos/randomness.ts';

/** As long as the functions' own clients wait for an answer. */
const PATIENCE_MS = 5_000;
/** For so long a service that throttles refuses everything; longer than three tries take. */
const OUTAGE_MS = 3_000;
const OUTAGE_RATE = 0.002;

/** What of the SDK's own request and response is used; its types are not part of its interface. */
const httpRequest = z.object({
  headers: z.record(z.string(), z.unknown()),
  body: z.union([z.string(), z.instanceof(Uint8Array)]).optional(),
});
const httpResponse = z.object({
  response: z.object({
    statusCode: z.number(),
    headers: z.record(z.string(), z.string()),
    body: z.instanceof(Readable),
  }),
});

export interface AwsCall {
  /** `PutItem`, `SendMessage` and so on. */
  readonly operation: string;
  readonly service: 'dynamodb' | 'sqs';
  readonly input: Readonly<Record<string, unknown>>;
}

interface Got {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Takes over every AWS client of this process, until the answered function is called; what is not part of an invocation
 * goes its way untouched. `change` may alter a call before it is sent; `onDone` hears each that was carried out.
 */
export function takeOverAws(parts: {
  readonly current: () => Running | undefined;
  /** Runs outside of any invocation, on real time. */
  readonly outside: <Answer>(run: () => Answer) => Answer;
  readonly random: Randomness;
  readonly clock: () => number;
  readonly moody: () => boolean;
  readonly change: (call: AwsCall) => AwsCall;
  readonly onDone: (call: AwsCall) => Promise<void>;
  /** A condition did not hold. */
  readonly onConflict: () => void;
}): () => void {
  const { current, outside, random, clock, moody, change, onDone, onConflict } = parts;
  const outageUntil = { dynamodb: 0, sqs: 0 };
  const prototypes = new Set(
    [createDynamoClient({ region: 'local' }), createSqsClient({ region: 'local' })].map((client) => {
      const prototype: { handle: Handle } = Object.getPrototypeOf(client.config.requestHandler);
      client.destroy();
      return prototype;
    }),
  );
  const restore = [...prototypes].map((prototype) => {
    const real = prototype.handle;
    prototype.handle = async function handle(this: unknown, request: unknown, ...rest: unknown[]) {
      const running = current();
      const target = z.string().catch('').parse(httpRequest.parse(request).headers['x-amz-target']);
      const [, service, operation] = /^(DynamoDB_20120810|AmazonSQS)\.(\w+)$/.exec(target) ?? [];
      if (running === undefined || service === undefined || operation === undefined) {
        return Reflect.apply(real, this, [request, ...rest]);
      }
      const call = change(readCall(service, operation, request));
      const send = async (): Promise<Got> => {
        const got = await outside(async () =>
          readAll(await Reflect.apply(real, this, [withInput(request, call), ...rest])),
        );
        if (got.status < 300) await onDone(call);
        if (got.text.includes('ConditionalCheckFailed')) onConflict();
        return got;
      };
      const failing = (fault: 'before' | 'after'): Got => {
        if (fault === 'before' && random.chance(0.4)) throw networkError('ECONNREFUSED');
        if (fault === 'before' && random.chance(0.5)) return throttled(call);
        if (random.chance(0.5)) throw networkError(random.pick(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']));
        return refusal(random.pick([500, 503]), 'InternalServerError');
      };
      const got = await running.effect<Got>(
        `${call.service}.${operation}`,
        async () => {
          if (moody() && random.chance(OUTAGE_RATE)) outageUntil[call.service] = clock() + OUTAGE_MS;
          return clock() < outageUntil[call.service] ? throttled(call) : send();
        },
        { fail: failing, patience: PATIENCE_MS, late: () => failLate() },
      );
      return {
        response: {
          statusCode: got.status,
          headers: got.headers,
          body: Readable.from([Buffer.from(got.text)]),
        },
      };
    };
    return () => {
      prototype.handle = real;
    };
  });
  return () => {
    for (const each of restore) each();
  };
}

type Handle = (this: unknown, request: unknown, ...rest: unknown[]) => Promise<unknown>;

function readCall(service: string, operation: string, request: unknown): AwsCall {
  const { body = '{}' } = httpRequest.parse(request);
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  const input = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  return { service: service === 'AmazonSQS' ? 'sqs' : 'dynamodb', operation, input };
}

/** The request with what is asked for replaced. */
function withInput(request: unknown, { input }: AwsCall): unknown {
  const { headers } = httpRequest.parse(request);
  const body = JSON.stringify(input);
  return Object.assign(Object.create(Object.getPrototypeOf(request)), request, {
    body,
    headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
  });
}

async function readAll(answer: unknown): Promise<Got> {
  const { statusCode, headers, body } = httpResponse.parse(answer).response;
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return { status: statusCode, headers, text: Buffer.concat(chunks).toString('utf8') };
}

function refusal(status: number, type: string): Got {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    text: JSON.stringify({ __type: `com.amazonaws#${type}`, message: 'injected' }),
  };
}

const throttled = ({ service }: AwsCall): Got =>
  refusal(400, service === 'dynamodb' ? 'ProvisionedThroughputExceededException' : 'RequestThrottled');

function networkError(code: string): Error {
  return Object.assign(new Error(`injected: ${code}`), { code });
}

function failLate(): never {
  throw Object.assign(new Error('injected: no answer in time'), { name: 'TimeoutError' });
}
