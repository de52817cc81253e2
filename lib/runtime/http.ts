/** The HTTP side of every function behind the API: methods, authentication, body, and problems as RFC 9457 asks. */
import middy from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { traceOfParent, traceOfXray } from '#lib/core/trace.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import { inLogContext, type LogContext } from '#lib/runtime/log-context.ts';
import { errorFields, type Log } from '#lib/runtime/logger.ts';
import { bearerMatches } from '#lib/runtime/tokens.ts';

/** Zabbix sends at most 65,535 characters; four times that leaves room for other senders. Bytes. */
export const LARGEST_BODY = 256 * 1024;
const RETRY_AFTER_SECONDS = 10;
/** Shorter than the functions' own time-out, so that a part that hangs gets our answer and not the gateway's. */
const LONGEST_MS = 8_000;

export interface HttpRequest {
  readonly method: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** The bytes as they came. */
  readonly body: Buffer;
}

export type HttpAnswer =
  | { readonly status: number; readonly json: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly status: number; readonly html: string; readonly headers?: Readonly<Record<string, string>> };

/** `undefined` lets the request in; an answer refuses it. */
export type Gate = (request: HttpRequest) => HttpAnswer | undefined;

/** An answer as `application/problem+json` (RFC 9457). `errors` names each bad field and what was expected. */
export function problem(
  status: number,
  title: string,
  detail: string,
  more: {
    readonly errors?: readonly { readonly field: string; readonly expected: string }[];
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): HttpAnswer {
  const { errors, headers } = more;
  return {
    status,
    json: { type: 'about:blank', title, status, detail, ...(errors && { errors }) },
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  };
}

export const unauthorized = (detail: string): HttpAnswer =>
  problem(401, 'Unauthorized', detail, { headers: { 'WWW-Authenticate': 'Bearer' } });

/** Lets in who has one of these tokens; none configured: nobody. */
export function bearerGate(tokens: readonly string[]): Gate {
  return ({ headers }) =>
    bearerMatches(headers['authorization'], tokens)
      ? undefined
      : unauthorized('Expected Authorization: Bearer and a valid token.');
}

export const tooLarge = (): HttpAnswer =>
  problem(413, 'Content Too Large', `Expected at most ${LARGEST_BODY} bytes.`);

/** Lets only the given content types in; a body of any other is 415. */
export function contentTypes(allowed: readonly string[]): Gate {
  return ({ headers }) => {
    const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
    return allowed.includes(type)
      ? undefined
      : problem(415, 'Unsupported Media Type', `Expected Content-Type: ${allowed.join(' or ')}.`);
  };
}

/**
 * middy 7 would answer 5 ms before Lambda's time-out, in a race with Lambda that either may win; what hung would then
 * go on in the next request of that instance. `within` is early enough to answer, and Lambda's time-out ends the rest.
 */
const WITHOUT_EARLY_END = { timeoutEarlyInMillis: 0 };

/**
 * A Lambda handler for REST API `http` events with `method: any`. Methods first, then the gates in order, then `handle`.
 * An UpstreamError becomes 503 with Retry-After, any other error 500; neither answer says more than that.
 */
export function httpHandler(options: {
  readonly methods: readonly string[];
  readonly gates: readonly Gate[];
  readonly handle: (request: HttpRequest) => Promise<HttpAnswer>;
  readonly log: Log;
  /** The endpoint itself answers for a body of more than LARGEST_BODY bytes, after the gates. */
  readonly takesLargeBodies?: boolean;
  /** What is not answered by then is 503; milliseconds. */
  readonly within?: number;
}): (event: APIGatewayProxyEvent, context: unknown) => Promise<APIGatewayProxyResult> {
  const { methods, gates, handle, log, takesLargeBodies = false, within = LONGEST_MS } = options;
  const stack = middy<APIGatewayProxyEvent, APIGatewayProxyResult>(WITHOUT_EARLY_END)
    .before(({ event }) => {
      if (!methods.includes(event.httpMethod))
        return write(
          problem(405, 'Method Not Allowed', `Expected ${methods.join(' or ')}.`, {
            headers: { Allow: methods.join(', ') },
          }),
        );
      const request = read(event);
      if (request.body.length > LARGEST_BODY && !takesLargeBodies) return write(tooLarge());
      for (const gate of gates) {
        const refusal = gate(request);
        if (refusal) return write(refusal);
      }
      return undefined;
    })
    .onError((request) => {
      const { error } = request;
      log.error('the request could not be served', errorFields(error));
      request.response = write(
        error instanceof UpstreamError
          ? unavailable()
          : problem(500, 'Internal Server Error', 'This is a fault of Remedia; its log says more.'),
      );
    })
    .handler(async (event) => {
      const answer = await inTime(handle(read(event)), within, () => {
        log.error('the request was not served in time', { within_ms: within });
        return unavailable();
      });
      return write(answer);
    });
  return (event, context) => inLogContext(contextOf(event), () => run(stack, event, context));
}

/** Said of a part that failed or hangs. What it was asked for may have happened: every request here may be repeated. */
const unavailable = () =>
  problem(
    503,
    'Service Unavailable',
    'A part that is needed did not answer. Please send the same again; doing so is safe.',
    { headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) } },
  );

/** The answer, or what `late` says when there is none after so many milliseconds. */
async function inTime<Answer>(answer: Promise<Answer>, within: number, late: () => Answer): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const timer = setTimeout(() => resolve(late()), within);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function run(
  stack: (event: APIGatewayProxyEvent, context: never) => unknown,
  event: APIGatewayProxyEvent,
  context: unknown,
): Promise<APIGatewayProxyResult> {
  // middy's type wants the whole Lambda context, of which nothing here reads anything.
  const answer = await stack(event, context as never);
  return answer as APIGatewayProxyResult;
}

/** What every log line of this request says. An id in the path is an incident's, or it is not repeated. */
function contextOf(event: APIGatewayProxyEvent): LogContext {
  const { headers, path } = read(event);
  const { id = '' } = path;
  return {
    request_id: event.requestContext?.requestId,
    trace_id: traceOfParent(headers['traceparent']) ?? traceOfXray(headers['x-amzn-trace-id']),
    ...(/^(inc|sim)_[0-9a-f]{24}$/.test(id) && { incident_id: id }),
  };
}

function read(event: APIGatewayProxyEvent): HttpRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(event.headers ?? {}))
    if (value !== undefined) headers[name.toLowerCase()] = value;
  return {
    method: event.httpMethod,
    headers,
    path: defined(event.pathParameters),
    query: defined(event.queryStringParameters),
    body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
  };
}

function defined(values: Readonly<Record<string, string | undefined>> | null): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function write(answer: HttpAnswer): APIGatewayProxyResult {
  const page = 'html' in answer;
  return {
    statusCode: answer.status,
    headers: {
      'Content-Type': page ? 'text/html; charset=utf-8' : 'application/json',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...answer.headers,
    },
    body: page ? answer.html : JSON.stringify(answer.json),
  };
}

/** The body as JSON, or `undefined` when it is none. */
export function jsonOf(request: HttpRequest): { readonly json: unknown } | undefined {
  try {
    return { json: JSON.parse(request.body.toString('utf8')) };
  } catch {
    return undefined;
  }
}
