/** Posts to one address over so many connections, and says what came back, how fast, and what the receiver used for it. */
import autocannon from 'autocannon';
import type { Post } from './posts.ts';
import type { Usage } from './report-usage.ts';

export interface Load {
  readonly connections: number;
  /** It ends by whichever comes first. */
  readonly atMost: { readonly posts: number; readonly seconds: number };
}

export interface Measured {
  readonly connections: number;
  /** Answered as wanted, a second. */
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** CPU milliseconds of the receiving process, all threads, for each post that was answered as wanted. */
  readonly cpuMs: number;
  /** Of the receiving process at the end. Bytes. */
  readonly rss: number;
  readonly answered: number;
  /** Answered with another status, broken off, or not answered in time. */
  readonly failed: number;
}

/** `wanted` is the status that counts; `usage` asks the receiving process. */
export async function measureLoad(
  target: {
    readonly url: string;
    readonly method: 'POST' | 'PUT';
    readonly post: () => Post;
    readonly wanted: number;
    readonly usage: () => Promise<Usage>;
    /** Gets the body of each answer. */
    readonly read?: (body: string) => void;
  },
  { connections, atMost }: Load,
): Promise<Measured> {
  const { url, method, post, wanted, usage, read } = target;
  const before = await usage();
  const result = await autocannon({
    url,
    method,
    connections,
    duration: atMost.seconds,
    // Every connection sends at least one.
    maxOverallRequests: Math.max(connections, atMost.posts),
    timeout: 10,
    // Milliseconds; it looks that often whether it has done all.
    sampleInt: 100,
    requests: [
      {
        setupRequest: (request) => ({ ...request, ...post() }),
        ...(read !== undefined && { onResponse: (status, body) => status === wanted && read(body) }),
      },
    ],
  });
  const after = await usage();
  return measured({ connections, before, after, wanted, result });
}

/** What autocannon counted, in the terms of this benchmark. */
export function measured({
  connections,
  before,
  after,
  wanted,
  result,
}: {
  readonly connections: number;
  readonly before: Usage;
  readonly after: Usage;
  readonly wanted: number;
  readonly result: Pick<
    autocannon.Result,
    'duration' | 'errors' | 'latency' | 'requests' | 'statusCodeStats' | 'timeouts'
  >;
}): Measured {
  const answered = Number(result.statusCodeStats?.[`${wanted}`]?.count ?? 0);
  return {
    connections,
    perSecond: answered / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    cpuMs: answered === 0 ? 0 : (after.cpu - before.cpu) / 1000 / answered,
    rss: after.rss,
    answered,
    // autocannon counts a time-out among the errors; what is under way when the time is up is neither.
    failed: result.requests.total - answered + result.errors,
  };
}
