/** Posts JSON once, and turns "no answer" into the error that says whether the request can have arrived. */
import { exchange } from '#lib/adapters/http-exchange.ts';
import { type Upstream, UpstreamError } from '#lib/core/upstream-error.ts';

/**
 * Answers whatever status came, redirects included: following one would show the token to another host.
 * Throws UpstreamError `refused` (never connected) or `timed_out` and `broken` (`sent: 'unknown'`); its text holds no
 * address, because addresses carry tokens.
 */
export async function postJson(
  upstream: Upstream,
  post: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
    readonly timeoutMs: number;
    readonly maxBytes: number;
  },
): Promise<{ readonly status: number; readonly text: string }> {
  const result = await exchange({
    method: 'POST',
    url: new URL(post.url),
    headers: post.headers,
    body: JSON.stringify(post.body),
    connectTimeoutMs: Math.min(5000, post.timeoutMs),
    timeoutMs: post.timeoutMs,
    maxBytes: post.maxBytes,
  });
  if (result.kind === 'answer') return result;
  if (result.kind === 'never_connected')
    throw new UpstreamError(upstream, 'refused', `no connection (${result.code})`, {
      sent: 'no',
      retry: !result.certificate,
    });
  throw new UpstreamError(
    upstream,
    result.code === 'TIMED_OUT' ? 'timed_out' : 'broken',
    `no answer (${result.code})`,
    { sent: 'unknown', retry: true },
  );
}
