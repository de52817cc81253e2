/** What an AWS SDK error means for the caller: whether the request can have had its effect, and whether to try again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Upstream, UpstreamError } from '#lib/core/upstream-error.ts';

/** The connection was never made: nothing can have happened. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
]);
/** Refused for now, before any effect. */
const THROTTLED =
  /Throttl|ProvisionedThroughputExceeded|RequestLimitExceeded|TooManyRequests|LimitExceeded|ReplicatedWriteConflict|TransactionConflict|SlowDown/;
const ATTEMPTS = 3;

/**
 * Settings of every client: short time-outs, and one attempt, because an SDK that tries again by itself cannot say
 * afterwards whether an earlier attempt had its effect; `callAws` tries again instead.
 */
export const AWS_CLIENT_SETTINGS = {
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
} as const;

export const isConditionFailure = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ConditionalCheckFailedException';

/**
 * Calls AWS up to three times. A failed condition is the caller's to handle and passes unchanged; all else becomes an
 * UpstreamError. A `read` has no effect, so it is never `unknown`; a `write` is as soon as one attempt may have arrived.
 * A write that must not happen twice is given one attempt.
 */
export async function callAws<Answer>(
  upstream: Upstream,
  effect: 'read' | 'write',
  call: () => Promise<Answer>,
  attempts = ATTEMPTS,
): Promise<Answer> {
  let mayHaveArrived = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (isConditionFailure(error)) throw error;
      const { code, detail, arrived, retry } = readAwsError(error);
      mayHaveArrived ||= arrived && effect === 'write';
      if (!retry || attempt >= attempts) {
        const sent = mayHaveArrived ? 'unknown' : 'no';
        throw new UpstreamError(upstream, code, detail, { sent, retry, cause: error });
      }
      await sleep(Math.random() * 50 * 2 ** attempt);
    }
  }
}

interface AwsFailure {
  readonly code: string;
  readonly detail: string;
  /** Whether it may have had its effect. */
  readonly arrived: boolean;
  readonly retry: boolean;
}

function readAwsError(error: unknown): AwsFailure {
  const name = error instanceof Error ? error.name : 'unknown';
  const network = codeOf(error);
  const status = statusOf(error);
  if (network !== undefined && NEVER_CONNECTED.has(network)) {
    return { code: 'unreachable', detail: `no connection (${network})`, arrived: false, retry: true };
  }
  if (name === 'TimeoutError' && error instanceof Error && error.message.includes('did not establish')) {
    return { code: 'unreachable', detail: 'no connection in time', arrived: false, retry: true };
  }
  if (THROTTLED.test(name) || status === 429) {
    return { code: 'busy', detail: `refused for now (${name})`, arrived: false, retry: true };
  }
  if (status !== undefined && status >= 400 && status < 500) {
    return { code: 'refused', detail: `refused (${name})`, arrived: false, retry: false };
  }
  if (status !== undefined && status >= 500) {
    return { code: 'failed', detail: `failed (${name}, ${status})`, arrived: true, retry: true };
  }
  if (name === 'CredentialsProviderError') {
    return { code: 'no_credentials', detail: 'no AWS credentials', arrived: false, retry: false };
  }
  if (name === 'TimeoutError' || network !== undefined) {
    return { code: 'timed_out', detail: `no answer (${network ?? name})`, arrived: true, retry: true };
  }
  // Thrown by the SDK's own code, as for a value that it cannot serialise, or an answer that it cannot read.
  return { code: 'failed', detail: `failed (${name})`, arrived: true, retry: false };
}

/** Node's code, also of a connection that was tried at several addresses. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('errors' in error && Array.isArray(error.errors)) return codeOf(error.errors[0]);
  return undefined;
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
