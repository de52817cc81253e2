/** What every answer of Rundeck means, and that neither tokens nor alert text leave in an error. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  makeFindExecution,
  makeReadExecution,
  makeReadOutput,
  makeRunJob,
  parseWebhooks,
  rundeckHealth,
} from '#lib/adapters/rundeck.ts';
import type { Tool, ToolName } from '#lib/catalogue/tool.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { JobOrder } from '#lib/workflow/ports.ts';

const TOKEN = 'wh00kt0kenABCDEF0123456789abcdef';
const API_TOKEN = 'ap1t0kenABCDEF0123456789';
const UUID = '11111111-2222-4333-8444-555555555501';

const tool = (name: ToolName, shape: z.ZodRawShape): Tool => ({
  name,
  description: 'x',
  when: ['down'],
  safety: 'disruptive',
  parameters: z.strictObject(shape),
  job: { name, uuid: UUID, timeLimitSeconds: 60 },
  recoveryWithinSeconds: 60,
});
const catalogue: Readonly<Record<ToolName, Tool>> = {
  cleanup_disk: tool('cleanup_disk', {
    path: z.string(),
    min_size: z.string().optional(),
    file_age: z.string().optional(),
  }),
  restart_service: tool('restart_service', { service_name: z.string(), force: z.boolean().optional() }),
  analyze_processes: tool('analyze_processes', { resource_type: z.string() }),
  restart_application: tool('restart_application', { app_name: z.string() }),
  notify: tool('notify', { message: z.string() }),
};

const order: JobOrder = {
  tool: 'cleanup_disk',
  decisionId: 'inc_0123456789abcdef01234567#1',
  incidentId: 'inc_0123456789abcdef01234567',
  eventId: '42',
  triggerId: '13926',
  source: 'zabbix',
  host: 'web-01.example.org',
  node: 'web-01.example.org',
  severity: 4,
  arguments: { path: '/srv/secretpath', min_size: '10M' },
  cleanupRoots: ['/srv/data/tmp', '/var/tmp'],
  decidedAt: 1_767_225_600_000,
  mode: 'live',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  link: 'http://127.0.0.1:3000/api/v1/incidents/inc_0123456789abcdef01234567',
};

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;
let server: Server;
let base = '';
let answer: Answer;
let requests: { url: string; headers: IncomingMessage['headers']; body: string }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', () => {
      requests.push({ url: request.url ?? '', headers: request.headers, body });
      answer(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  requests = [];
});

const reply =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const post = (changes: Partial<JobOrder> = {}, url = `${base}/api/41/webhook/${TOKEN}#x`, secret?: string) =>
  makeRunJob({
    webhooks: parseWebhooks(JSON.stringify({ cleanup_disk: secret ? { url, secret } : url })),
    catalogue,
    timeoutMs: 400,
  })({ ...order, ...changes });

const failure = async (promise: Promise<unknown>): Promise<UpstreamError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof UpstreamError) return error;
  throw new Error(`expected an UpstreamError, got ${String(error)}`);
};

describe('the webhook', () => {
  it('posts every field as text, without the fragment, and brings back the execution id', async () => {
    answer = reply(200, { jobId: UUID, executionId: '7' });
    expect(await post()).toEqual({ executionId: '7' });
    expect(requests).toHaveLength(1);
    expect(requests[0]?.url).toBe(`/api/41/webhook/${TOKEN}`);
    expect(requests[0]?.headers['authorization']).toBeUndefined();
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual({
      format_version: '1',
      remedia_decision_id: 'inc_0123456789abcdef01234567#1',
      remedia_incident_id: 'inc_0123456789abcdef01234567',
      remedia_event_id: '42',
      remedia_trace_id: '0af7651916cd43dd8448eb211c80319c',
      remedia_trigger_id: '13926',
      remedia_source: 'zabbix',
      host: 'web-01.example.org',
      node: 'web-01.example.org',
      node_filter: 'web-01\\.example\\.org',
      severity: '4',
      tool: 'cleanup_disk',
      decided_at: '2026-01-01T00:00:00.000Z',
      mode: 'live',
      link: order.link,
      cleanup_roots: '/srv/data/tmp:/var/tmp',
      path: '/srv/secretpath',
      min_size: '10M',
      file_age: 'default',
    });
  });

  it('sends the secret as the whole Authorization header', async () => {
    answer = reply(200, { executionId: 8 });
    expect(await post({}, undefined, 's3cret')).toEqual({ executionId: '8' });
    expect(requests[0]?.headers['authorization']).toBe('s3cret');
  });

  it.each([
    [400, { err: 'Webhook not found' }, 'webhook_missing', 'no', false],
    [404, { err: 'Webhook not enabled' }, 'webhook_disabled', 'no', false],
    [400, { err: 'You are not authorized to perform this action' }, 'unauthorized', 'no', false],
    [400, { err: 'Failed webhook authorization' }, 'unauthorized', 'no', false],
    [400, { err: 'Unable to parse posted JSON data' }, 'body_refused', 'no', false],
    [400, { err: 'Failed to substitute data' }, 'webhook_misconfigured', 'no', false],
    [400, { err: `Cannot run job, not found: ${UUID}` }, 'job_missing', 'no', false],
    [
      400,
      {
        err: 'Error attempting to run job: Job "x" {{Job 1}}: Limit of running executions has been reached.',
      },
      'busy',
      'no',
      true,
    ],
    [400, { err: 'Error attempting to run job: Executions are disabled.' }, 'passive', 'no', true],
    [
      400,
      { err: "Error attempting to run job: Option path value: /srv/secretpath doesn't match …" },
      'options_refused',
      'no',
      false,
    ],
    [400, { err: "Error attempting to run job: Option 'path' is required." }, 'options_refused', 'no', false],
    [
      400,
      { err: 'Error attempting to run job: Option path value: Executions are disabled. doesn’t match …' },
      'options_refused',
      'no',
      false,
    ],
    [400, { err: 'Error attempting to run job: Job execution is disabled' }, 'job_disabled', 'no', false],
    [
      400,
      { err: 'Error attempting to run job: something about /srv/secretpath' },
      'run_refused',
      'no',
      false,
    ],
    [
      403,
      {
        error: true,
        errorCode: 'unauthorized',
        message: `(Token:wh00k****) is not authorized for: /api/41/webhook/${TOKEN}`,
      },
      'unauthorized',
      'no',
      false,
    ],
    [400, { error: true, errorCode: 'api.error.api-version.unsupported' }, 'api_version', 'no', false],
    [405, '', 'refused', 'no', false],
    [429, '', 'busy', 'no', true],
    [302, '', 'redirected', 'no', false],
    [200, 'ok', 'wrong_plugin', 'no', false],
    [200, '{', 'unanswered', 'unknown', false],
    [200, { executionId: 'x' }, 'unanswered', 'unknown', false],
    [500, 'oops', 'failed', 'unknown', false],
    [502, '', 'failed', 'unknown', false],
    [503, '', 'failed', 'unknown', false],
    [408, '', 'failed', 'unknown', false],
  ] as const)('%i %j is %s, sent %s, retry %s', async (status, body, code, sent, retry) => {
    answer = reply(status, body, status === 302 ? { location: '/user/login' } : {});
    const error = await failure(post());
    expect({ code: error.code, sent: error.sent, retry: error.retry }).toEqual({ code, sent, retry });
    expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/wh00k|secretpath/);
    expect(requests).toHaveLength(1);
  });

  it('a server that takes the post and hangs leaves it unknown', async () => {
    answer = () => {};
    expect(await failure(post())).toMatchObject({ code: 'unanswered', sent: 'unknown', retry: false });
  });

  it('a server that cuts the answer leaves it unknown', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"executionId"');
      setImmediate(() => response.destroy());
    };
    expect(await failure(post())).toMatchObject({ sent: 'unknown' });
  });

  it('an endless answer leaves it unknown', async () => {
    answer = reply(200, 'x'.repeat(100_000));
    expect(await failure(post())).toMatchObject({ sent: 'unknown' });
  });

  it('a refused connection was never sent', async () => {
    const url = 'http://127.0.0.1:1/api/41/webhook/x';
    expect(await failure(post({}, url))).toMatchObject({ code: 'refused', sent: 'no', retry: true });
  });

  it('an unknown name was never sent', async () => {
    const url = 'http://rundeck.invalid/api/41/webhook/x';
    expect(await failure(post({}, url))).toMatchObject({ sent: 'no', retry: true });
  });

  it('a TLS connection to a server without TLS was never sent, and waits for a human', async () => {
    const url = `${base.replace('http:', 'https:')}/api/41/webhook/x`;
    answer = reply(200, { executionId: '7' });
    expect(await failure(post({}, url))).toMatchObject({ code: 'certificate', sent: 'no', retry: false });
    expect(requests).toHaveLength(0);
  });

  it('a TLS handshake that hangs was never sent', async () => {
    const silent = createTcpServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const error = await failure(post({}, `https://127.0.0.1:${port}/api/41/webhook/x`));
    silent.close();
    expect(error).toMatchObject({ sent: 'no', retry: true });
  });

  it('refuses a tool without a webhook before anything is sent', async () => {
    expect(await failure(post({ tool: 'restart_service' }))).toMatchObject({
      code: 'not_configured',
      sent: 'no',
    });
  });

  it.each([
    '',
    'null',
    '.*',
    'web-01,db-01',
    'web-01 name: db-01',
    '-x',
    '.x',
    'web/01',
    'wéb',
    'a\nb',
    'x'.repeat(254),
  ])('refuses the node %j before anything is sent', async (node) => {
    expect(await failure(post({ node }))).toMatchObject({ code: 'node_refused', sent: 'no', retry: false });
    expect(requests).toHaveLength(0);
  });

  it('refuses every control character in every value before anything is sent', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('\t', '\u0000', '\f', '\u000b', '\u001c', '\r', '\n', '\u007f', '\u0085', '\u2028'),
        fc.constantFrom('host', 'eventId', 'link', 'path'),
        fc.string({ maxLength: 5 }),
        async (bad, where, around) => {
          const value = `x${around}${bad}x`;
          const changes = where === 'path' ? { arguments: { path: value } } : { [where]: value };
          const error = await failure(post(changes));
          expect(error).toMatchObject({ code: 'value_refused', sent: 'no', retry: false });
        },
      ),
      { numRuns: 60 },
    );
    expect(requests).toHaveLength(0);
  });

  it.each([
    [{ arguments: { path: '' } }],
    [{ arguments: { path: 'null' } }],
    [{ arguments: { path: '/x', surprise: '1' } }],
    [{ arguments: { path: 'x'.repeat(5_000) } }],
    [{ cleanupRoots: ['/'] }],
    [{ cleanupRoots: ['/tmp/../etc'] }],
    [{ cleanupRoots: ['/tmp:/etc'] }],
  ])('refuses %j before anything is sent', async (changes) => {
    expect(await failure(post(changes))).toMatchObject({ code: 'value_refused', sent: 'no', retry: false });
    expect(requests).toHaveLength(0);
  });
});

describe('RUNDECK_WEBHOOKS', () => {
  const urls = (text: string) =>
    Object.fromEntries(Object.entries(parseWebhooks(text)).map(([name, { url }]) => [name, url.href]));

  it.each([
    ['{"cleanup_disk":"https://r/api/41/webhook/T#Clean"}'],
    ['{"cleanup_disk":{"url":"https://r/api/41/webhook/T"}}'],
    ['cleanup_disk=https://r/api/41/webhook/T#Clean'],
    ['\n cleanup_disk=https://r/api/41/webhook/T , '],
  ])('reads %s', (text) => {
    expect(urls(text)).toEqual({ cleanup_disk: 'https://r/api/41/webhook/T' });
  });

  it('reads several', () => {
    expect(
      urls('cleanup_disk=https://r/api/41/webhook/A,restart_service=http://r:4440/rd/api/41/webhook/B'),
    ).toEqual({
      cleanup_disk: 'https://r/api/41/webhook/A',
      restart_service: 'http://r:4440/rd/api/41/webhook/B',
    });
  });

  it.each([
    '{',
    '{"cleanup_disk":1}',
    '{"clean":"https://r/api/41/webhook/SECRET"}',
    'cleanup_disk=ftp://r/api/41/webhook/SECRET',
    'cleanup_disk=https://r/SECRET',
    'cleanup_disk=https://u:SECRET@r/api/41/webhook/T',
    'cleanup_disk=SECRET',
    'SECRET',
    '__proto__=https://r/api/41/webhook/SECRET',
  ])('refuses %s without repeating it', (text) => {
    let message = '';
    try {
      parseWebhooks(text);
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/RUNDECK_WEBHOOKS/);
    expect(message).not.toContain('SECRET');
  });
});

describe('the API', () => {
  const api = () => ({ url: `${base}/`, token: API_TOKEN, timeoutMs: 400, catalogue });

  it('reads an execution', async () => {
    answer = reply(200, {
      id: 7,
      status: 'succeeded',
      permalink: 'http://r/project/remedia/execution/show/7',
      'date-ended': { unixtime: 5, date: 'x' },
      job: { id: UUID, options: { remedia_decision_id: 'd#1' } },
    });
    expect(await makeReadExecution(api())('7')).toEqual({
      id: '7',
      status: 'succeeded',
      url: 'http://r/project/remedia/execution/show/7',
      endedAt: 5,
      decisionId: 'd#1',
    });
    expect(requests[0]?.headers['x-rundeck-auth-token']).toBe(API_TOKEN);
    expect(requests[0]?.url).toBe('/api/41/execution/7');
  });

  it('an execution that Rundeck does not know is undefined', async () => {
    answer = reply(404, { error: true });
    expect(await makeReadExecution(api())('7')).toBeUndefined();
    expect(await makeReadOutput(api())('7')).toBe('');
  });

  it('takes no path for an id', async () => {
    expect(await failure(makeReadExecution(api())('7/../../projects'))).toMatchObject({ sent: 'no' });
    expect(requests).toHaveLength(0);
  });

  it.each([
    [403, {}, 'unauthorized', false],
    [500, {}, 'failed', true],
    [200, '<html>', 'failed', true],
    [200, { id: 'x' }, 'failed', false],
  ] as const)('%i %j fails as %s', async (status, body, code, retry) => {
    answer = reply(status, body);
    expect(await failure(makeReadExecution(api())('7'))).toMatchObject({ code, retry });
  });

  it('a hanging API times out', async () => {
    answer = () => {};
    expect(await failure(makeReadExecution(api())('7'))).toMatchObject({ code: 'timed_out', retry: true });
  });

  it('cuts the output to its tail and removes control characters', async () => {
    const entries = [
      { log: 'x'.repeat(5_000) },
      { log: '\u001b[31mred\u001b[0m\tend\u0007\r' },
      { log: null },
      {},
    ];
    answer = reply(200, { entries });
    const text = await makeReadOutput(api())('7');
    expect(text).toHaveLength(4_000);
    expect(text.endsWith('x\nred end\n\n')).toBe(true);
  });

  it('finds the execution of a decision beyond the first page', async () => {
    const page = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => ({
        id: from + index,
        status: 'failed',
        'date-ended': { unixtime: 10_000_000 },
        job: { options: { remedia_decision_id: `d${from + index}#1` } },
      }));
    answer = (request, response, body) => {
      const url = new URL(request.url ?? '', base);
      const offset = Number(url.searchParams.get('offset'));
      const executions = url.searchParams.has('status') ? [] : page(offset + 1, 100);
      reply(200, { paging: {}, executions })(request, response, body);
    };
    const find = makeFindExecution(api());
    expect(await find({ tool: 'cleanup_disk', decisionId: 'd150#1', since: 10_000_000 })).toMatchObject({
      id: '150',
      decisionId: 'd150#1',
    });
    // Bounded: an id that is nowhere ends the search.
    expect(await find({ tool: 'cleanup_disk', decisionId: 'none#1', since: 99_000_000 })).toBeUndefined();
  });

  it.each([
    [reply(200, [{ name: 'remedia' }]), true],
    [reply(200, []), false],
    [reply(403, {}), false],
    [reply(200, '<html>'), false],
  ])('says whether the API answers', async (how, ok) => {
    answer = how;
    const health = await rundeckHealth(api());
    expect(health.ok).toBe(ok);
    expect(health.detail).not.toContain(API_TOKEN);
  });

  it('health of a dead server is one sentence', async () => {
    const health = await rundeckHealth({ url: 'http://127.0.0.1:1', token: API_TOKEN });
    expect(health).toEqual({ ok: false, detail: 'rundeck: no connection (ECONNREFUSED)' });
  });
});
