/** One HTTP request on a connection of its own, which knows whether the request can have reached the other side. */
import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds until the connection (TLS included) must stand. */
  readonly connectTimeoutMs: number;
  /** Milliseconds for the whole exchange. */
  readonly timeoutMs: number;
  /** Bytes of the answer that are read; a longer one counts as `unanswered`. */
  readonly maxBytes: number;
}

export type ExchangeResult =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly contentType: string;
      readonly text: string;
    }
  /** No connection was made, so nothing was sent; `code` is Node's, such as ECONNREFUSED. */
  | { readonly kind: 'never_connected'; readonly code: string; readonly certificate: boolean }
  /** The connection stood, and no whole answer came: the request may have had its effect. */
  | { readonly kind: 'unanswered'; readonly code: string };

/** Node's names for a certificate or a TLS handshake that was refused: a human has to mend them. */
const CERTIFICATE =
  /^(CERT_|ERR_TLS_|ERR_SSL_|EPROTO|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|UNSUPPORTED_CERT|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null) {
    if ('code' in error && typeof error.code === 'string') return error.code;
    // Happy eyeballs: every address failed; the first failure speaks for all.
    if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0) {
      return codeOf(error.errors[0]);
    }
  }
  return 'FAILED';
}

/**
 * Sends one request and never follows a redirect. A connection is never reused: on a kept one, which the server may
 * have closed meanwhile, nobody can tell whether the request was read.
 */
export function exchange(order: ExchangeRequest): Promise<ExchangeResult> {
  return new Promise((resolve) => {
    const secure = order.url.protocol === 'https:';
    let connected = false;
    let settled = false;
    let outgoing: ClientRequest | undefined;
    const timers: NodeJS.Timeout[] = [];
    const settle = (result: ExchangeResult) => {
      if (settled) return;
      settled = true;
      for (const timer of timers) clearTimeout(timer);
      resolve(result);
      outgoing?.destroy();
    };
    const fail = (code: string) =>
      settle(
        connected
          ? { kind: 'unanswered', code }
          : { kind: 'never_connected', code, certificate: CERTIFICATE.test(code) },
      );

    timers.push(setTimeout(() => fail('TIMED_OUT'), order.timeoutMs));
    const connecting = setTimeout(() => {
      if (!connected) fail('CONNECT_TIMED_OUT');
    }, order.connectTimeoutMs);
    timers.push(connecting);

    try {
      outgoing = (secure ? httpsRequest : httpRequest)(order.url, {
        method: order.method,
        agent: false,
        headers: {
          ...order.headers,
          ...(order.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(order.body)) }),
        },
      });
    } catch (error) {
      fail(codeOf(error));
      return;
    }
    outgoing.on('error', (error) => fail(codeOf(error)));
    outgoing.on('socket', (socket) => {
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        connected = true;
        clearTimeout(connecting);
      });
    });
    outgoing.on('response', (incoming) => {
      connected = true;
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > order.maxBytes) fail('ANSWER_TOO_LONG');
        else chunks.push(chunk);
      });
      incoming.on('error', (error) => fail(codeOf(error)));
      incoming.on('aborted', () => fail('ANSWER_CUT'));
      incoming.on('end', () =>
        settle({
          kind: 'answer',
          status: incoming.statusCode ?? 0,
          contentType: incoming.headers['content-type'] ?? '',
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    outgoing.end(order.body);
  });
}
