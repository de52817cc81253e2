/** The HTTP side of every function behind the API: methods, authentication, body, and problems as RFC 9457 asks. */
import middy from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import { errorFields, type Log } from '#lib/runtime/logger.ts';

/** Zabbix sends at most 65,535 characters; four times that leaves room for other senders. Bytes. */
const LARGEST_BODY = 256 * 1024;
const RETRY_AFTER_SECONDS = 10;

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
 * A Lambda handler for REST API `http` events with `method: any`. Methods first, then the gates in order, then `handle`.
 * An UpstreamError becomes 503 with Retry-After, any other error 500; neither answer says more than that.
 */
export function httpHandler(options: {
  readonly methods: readonly string[];
  readonly gates: readonly Gate[];
  readonly handle: (request: HttpRequest) => Promise<HttpAnswer>;
  readonly log: Log;
}): (event: APIGatewayProxyEvent, context: unknown) => Promise<APIGatewayProxyResult> {
  const { methods, gates, handle, log } = options;
  const stack = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
    .before(({ event }) => {
      if (!methods.includes(event.httpMethod))
        return write(
          problem(405, 'Method Not Allowed', `Expected ${methods.join(' or ')}.`, {
            headers: { Allow: methods.join(', ') },
          }),
        );
      const request = read(event);
      if (request.body.length > LARGEST_BODY)
        return write(problem(413, 'Content Too Large', `Expected at most ${LARGEST_BODY} bytes.`));
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
          ? problem(503, 'Service Unavailable', 'Nothing was lost or done; please try again.', {
              headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
            })
          : problem(500, 'Internal Server Error', 'This is a fault of Remedia; its log says more.'),
      );
    })
    .handler(async (event) => write(await handle(read(event))));
  return (event, context) => run(stack, event, context);
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
