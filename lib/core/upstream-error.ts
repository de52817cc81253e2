/** The one error class for what others fail at: who failed, whether the request was sent, and whether to try again. */

export type Upstream = 'incidents_table' | 'queue' | 'ollama' | 'rundeck' | 'zabbix' | 'people' | 'secrets';

export class UpstreamError extends Error {
  readonly upstream: Upstream;
  /** A word for programs, such as `timed_out`, `refused`, `busy`, `model_missing`. */
  readonly code: string;
  /** Whether the request reached the other side: `unknown` means it may have had its effect. */
  readonly sent: 'no' | 'yes' | 'unknown';
  /** Whether the same request may succeed later. */
  readonly retry: boolean;

  /** @param detail one sentence without secrets, addresses with tokens, or text of an alert */
  constructor(
    upstream: Upstream,
    code: string,
    detail: string,
    facts: { readonly sent: 'no' | 'yes' | 'unknown'; readonly retry: boolean; readonly cause?: unknown },
  ) {
    super(`${upstream}: ${detail}`, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'UpstreamError';
    this.upstream = upstream;
    this.code = code;
    this.sent = facts.sent;
    this.retry = facts.retry;
  }
}
