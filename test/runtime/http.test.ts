/** The HTTP side that all endpoints share: answers, problems, bodies, and parts that hang. */
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import {
  contentTypes,
  type HttpAnswer,
  type HttpRequest,
  httpHandler,
  jsonOf,
  LARGEST_BODY,
} from '#lib/runtime/http.ts';
import { anHttpEvent, answerOf } from '#test/builders/http-events.ts';
import { createMemoryLog } from '#test/fakes/log-memory.ts';

function prepare(handle: (request: HttpRequest) => Promise<HttpAnswer>, within = 1_000) {
  const { log, lines } = createMemoryLog();
  const handler = httpHandler({
    methods: ['GET', 'POST'],
    gates: [
      (request) =>
        request.method === 'POST' ? contentTypes(['application/json', 'text/csv'])(request) : undefined,
    ],
    handle,
    log,
    within,
  });
  return {
    send: async (over: Parameters<typeof anHttpEvent>[0] = {}, context: unknown = {}) =>
      handler(anHttpEvent(over), context),
    lines,
  };
}

const echo = async (request: HttpRequest): Promise<HttpAnswer> => ({
  status: 200,
  json: { ...request, body: request.body.toString('utf8'), parsed: jsonOf(request) },
});

describe('a request', () => {
  it('is handed on with lower-case headers and whatever was given', async () => {
    const { send } = prepare(echo);

    const answer = await send({
      httpMethod: 'POST',
      headers: { 'Content-Type': 'text/csv; charset=utf-8', 'X-Absent': undefined },
      pathParameters: { id: '7', none: undefined },
      queryStringParameters: { a: 'b' },
      body: Buffer.from('ä').toString('base64'),
      isBase64Encoded: true,
    });

    expect(answerOf(answer)).toMatchObject({
      status: 200,
      json: {
        method: 'POST',
        headers: { 'content-type': 'text/csv; charset=utf-8' },
        path: { id: '7' },
        query: { a: 'b' },
        body: 'ä',
      },
    });
  });

  it.each([
    ['{"a": 1}', { json: { a: 1 } }],
    ['null', { json: null }],
    ['', undefined],
  ])('with the body %j is read as JSON: %j', async (body, parsed) => {
    const { send } = prepare(async (request) => ({ status: 200, json: { parsed: jsonOf(request) } }));

    expect(answerOf(await send({ body })).json).toEqual(parsed === undefined ? {} : { parsed });
  });

  it('without headers is a request as well', async () => {
    // API Gateway's own test console sends null.
    const event: APIGatewayProxyEvent = JSON.parse(JSON.stringify({ ...anHttpEvent(), headers: null }));
    const handler = httpHandler({ methods: ['GET'], gates: [], handle: echo, log: createMemoryLog().log });

    expect((await handler(event, {})).statusCode).toBe(200);
  });

  it('of more than 256 KiB is 413 before anything looks at it', async () => {
    const { send } = prepare(echo);

    expect((await send({ body: 'x'.repeat(LARGEST_BODY) })).statusCode).toBe(200);
    expect(answerOf(await send({ body: 'x'.repeat(LARGEST_BODY + 1) }))).toMatchObject({
      status: 413,
      headers: { 'Content-Type': 'application/problem+json' },
    });
  });

  it('of another method is 405, of another content type 415, and says what would do', async () => {
    const { send } = prepare(echo);

    expect(answerOf(await send({ httpMethod: 'DELETE' }))).toMatchObject({
      status: 405,
      headers: { Allow: 'GET, POST' },
    });
    expect(answerOf(await send({ httpMethod: 'POST', body: '{}' }))).toMatchObject({
      status: 415,
      json: { detail: 'Expected Content-Type: application/json or text/csv.' },
    });
  });
});

describe('an answer', () => {
  it('may be a page', async () => {
    const { send } = prepare(async () => ({ status: 200, html: '<p>yes', headers: { 'X-More': 'more' } }));

    expect(await send()).toMatchObject({
      statusCode: 200,
      body: '<p>yes',
      headers: {
        'Content-Type': 'text/html; charset=utf-8',
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
        'X-More': 'more',
      },
    });
  });
});

describe('a fault', () => {
  it('of a part is 503 with Retry-After, and its detail is for the log', async () => {
    const { send, lines } = prepare(async () => {
      throw new UpstreamError('incidents_table', 'throttled', 'at 10.0.0.7', { sent: 'no', retry: true });
    });

    const answer = await send();

    expect(answerOf(answer)).toMatchObject({
      status: 503,
      headers: { 'Retry-After': '10' },
      json: { status: 503 },
    });
    expect(answer.body).not.toContain('10.0.0.7');
    expect(lines().join()).toContain('10.0.0.7');
  });

  it('of ours is 500, and says nothing else', async () => {
    const { send, lines } = prepare(async () => {
      throw new TypeError('a secret detail');
    });

    const answer = await send();

    expect(answerOf(answer)).toMatchObject({
      status: 500,
      headers: { 'Content-Type': 'application/problem+json' },
    });
    expect(answer.body).not.toContain('secret');
    expect(lines().join()).toContain('a secret detail');
  });

  it('of a part that hangs is 503 before the gateway gives up', async () => {
    const { send, lines } = prepare(() => new Promise(() => {}), 20);

    expect(answerOf(await send())).toMatchObject({ status: 503, headers: { 'Retry-After': '10' } });
    expect(lines().join()).toContain('not served in time');
  });

  it("is not cut short by Lambda's time-out coming near, which only Lambda carries out", async () => {
    const { send } = prepare(() => new Promise(() => {}), 20);

    const answer = await send({}, { getRemainingTimeInMillis: () => 1 });

    expect(answerOf(answer)).toMatchObject({ status: 503, headers: { 'Retry-After': '10' } });
  });
});
