/** The simulated Rundeck over HTTP: webhook answers, rights, executions, output, notifications, faults. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Rundeck’s own templates look like that
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { renderStep } from '#local/rundeck/arguments.ts';
import { parseJobs, timeoutSeconds } from '#local/rundeck/job-definition.ts';
import {
  type SimulatedRundeck,
  type SimulatedRundeckOptions,
  startSimulatedRundeck,
} from '#local/simulated-rundeck.ts';

const read = (name: string) => readFileSync(new URL(`../fixtures/rundeck/${name}`, import.meta.url), 'utf8');
const UUID = '11111111-2222-4333-8444-555555555501';
const TOKEN = 'A'.repeat(32);
const READER = 'R'.repeat(32);
const HOOK = {
  name: 'cleanup_disk',
  roles: 'remedia-webhook',
  eventPlugin: 'webhook-run-job',
  config: {
    jobId: UUID,
    argString: '-path ${data.path} -min_size ${data.min_size} -mode ${data.mode}',
    nodeFilter: 'name: ${data.node_filter}',
  },
  authToken: TOKEN,
} as const;
const BODY = { path: '/var/log', min_size: '10M', mode: 'dry', node_filter: 'web-01' };

let rundeck: SimulatedRundeck | undefined;
const start = async (options: SimulatedRundeckOptions = {}) => {
  rundeck = await startSimulatedRundeck({
    jobs: [read('job.yaml').replace(/^ {2}notification:.*/ms, '')],
    accessPolicies: [read('webhook.aclpolicy')],
    nodes: [
      { nodename: 'web-01', tags: 'remedia,web' },
      { nodename: 'db-01', tags: 'db' },
    ],
    tokens: { [READER]: { user: 'reader', groups: ['remedia-webhook'] } },
    webhooks: [HOOK],
    jobMs: 1,
    ...options,
  });
  return rundeck;
};
afterEach(async () => {
  await rundeck?.close();
  rundeck = undefined;
});

const post = async (
  body: unknown,
  {
    token = TOKEN,
    version = '58',
    method = 'POST',
    headers = {},
  }: {
    token?: string;
    version?: string;
    method?: string;
    headers?: Record<string, string>;
  } = {},
) => {
  const answer = await fetch(`${rundeck?.url}/api/${version}/webhook/${token}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(method === 'POST' ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, text };
};
const get = async (path: string, token: string | undefined = rundeck?.apiToken) => {
  const answer = await fetch(`${rundeck?.url}/api/58${path}`, {
    headers: { 'x-rundeck-auth-token': token ?? '' },
  });
  return { status: answer.status, body: z.unknown().parse(await answer.json()) };
};

describe('webhook answers', () => {
  it('success is 200 with the execution id as text', async () => {
    await start();
    const { status, text } = await post(BODY);
    expect([status, JSON.parse(text)]).toEqual([200, { jobId: UUID, executionId: '1' }]);
    await rundeck?.idle();
    expect((await get('/execution/1')).body).toMatchObject({
      id: 1,
      status: 'succeeded',
      job: { id: UUID, options: { path: '/var/log', min_size: '10M', mode: 'dry' } },
      successfulNodes: ['web-01'],
    });
  });

  it('the same post twice is two executions', async () => {
    await start();
    await post(BODY);
    await post(BODY);
    expect(rundeck?.executions()).toHaveLength(2);
  });

  it.each([
    ['an unknown token', BODY, { token: 'x'.repeat(32) }, 403, 'errorCode":"unauthorized'],
    ['a token without a webhook', BODY, { token: READER }, 400, '{"err":"Webhook not found"}'],
    ['a list', [], {}, 400, '{"err":"Unable to parse posted JSON data"}'],
    [
      'a form',
      'a=b',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      400,
      '{"err":"Unable to parse posted JSON data"}',
    ],
    ['a bad option', { ...BODY, path: '/etc' }, {}, 400, "Option path value: /etc doesn't match"],
    ['GET', BODY, { method: 'GET' }, 405, ''],
    ['an old API version', BODY, { version: '13' }, 400, 'api.error.api-version.unsupported'],
    ['a new API version', BODY, { version: '59' }, 400, 'api.error.api-version.unsupported'],
    ['an encoded fragment', BODY, { token: `${TOKEN}%23cleanup` }, 200, '"executionId":"1"'],
  ] as const)('%s', async (_name, body, how, status, text) => {
    await start();
    const answer = await post(body, how);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
  });

  it.each([
    ['disabled', { enabled: false }, 404, '{"err":"Webhook not enabled"}'],
    ['without rights', { roles: 'nobody' }, 400, '{"err":"You are not authorized to perform this action"}'],
    ['with a secret', { secret: 'S' }, 400, '{"err":"Failed webhook authorization"}'],
    ['for another plugin', { eventPlugin: 'log-webhook-event' }, 200, 'ok'],
    ['for a missing job', { config: { jobId: 'none' } }, 400, 'Cannot run job, not found: none'],
    [
      'with an unknown variable',
      { config: { jobId: UUID, argString: '-path ${dta.path}' } },
      400,
      '{"err":"Failed to substitute data"}',
    ],
    ['with a missing parent', { config: { jobId: UUID, argString: '-path ${data.x.y}' } }, 500, ''],
  ] as const)('a webhook %s', async (_name, change, status, text) => {
    await start({ webhooks: [{ ...HOOK, ...change }] });
    const answer = await post(BODY);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
    expect(rundeck?.executions()).toHaveLength(0);
  });

  it('a secret is the whole Authorization header', async () => {
    await start({ webhooks: [{ ...HOOK, secret: 'S' }] });
    expect((await post(BODY, { headers: { authorization: 'S' } })).status).toBe(200);
  });

  it('the limit of running executions is a conflict', async () => {
    await start({ jobMs: 60_000 });
    for (let count = 0; count < 3; count += 1) expect((await post(BODY)).status).toBe(200);
    const refused = await post(BODY);
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('Limit of running executions has been reached');
  });
});

describe('which nodes a post reaches', () => {
  it.each([
    ['web-01', ['web-01']],
    // The policy, not the filter, is what holds: db-01 is not tagged remedia.
    ['db-01', []],
    ['web-01 name: db-01', ['web-01']],
    ['.*', ['web-01']],
    ['null', []],
  ])('%s', async (filter, nodes) => {
    await start();
    await post({ ...BODY, node_filter: filter });
    await rundeck?.idle();
    const [execution] = rundeck?.executions() ?? [];
    expect(execution?.successfulNodes).toEqual(nodes);
    expect(execution?.status).toBe(nodes.length > 0 ? 'succeeded' : 'failed');
  });

  it('invents the named node when told so', async () => {
    await start({ nodes: 'any' });
    await post({ ...BODY, node_filter: 'any\\.host' });
    await rundeck?.idle();
    expect(rundeck?.executions()[0]?.successfulNodes).toEqual(['any.host']);
  });
});

describe('executions', () => {
  it('survive a restart, and what ran then is aborted; no id is given twice', async () => {
    const stateFile = join(mkdtempSync(join(tmpdir(), 'rundeck-')), 'state.json');
    await start({ stateFile });
    await post(BODY);
    await rundeck?.idle();
    rundeck?.setScenario(() => ({ afterMs: 60_000 }));
    await post(BODY);
    const text = readFileSync(stateFile, 'utf8');
    await rundeck?.close();
    // As the file was while the second ran: the process was killed.
    writeFileSync(stateFile, text);
    await start({ stateFile });
    expect((await get('/execution/1')).body).toMatchObject({ status: 'succeeded' });
    expect((await get('/execution/2')).body).toMatchObject({ status: 'aborted' });
    expect(JSON.parse((await post(BODY)).text)).toMatchObject({ executionId: '3' });
  });

  it('a failing job keeps its output and says so', async () => {
    await start({ scenario: () => ({ afterMs: 1, exitCode: 3, lines: ['a', 'b'] }) });
    await post(BODY);
    await rundeck?.idle();
    expect((await get('/execution/1')).body).toMatchObject({ status: 'failed', failedNodes: ['web-01'] });
    expect((await get('/execution/1/output?lastlines=1')).body).toMatchObject({
      execCompleted: true,
      entries: [{ log: 'b', node: 'web-01' }],
    });
  });

  it('an abort ends it as aborted', async () => {
    await start({ jobMs: 60_000 });
    await post(BODY);
    await get('/execution/1/abort');
    await rundeck?.idle();
    expect((await get('/execution/1')).body).toMatchObject({ status: 'aborted' });
  });

  it('the time limit ends it as timed out', async () => {
    await start({ jobMs: 60_000, jobs: [read('job.yaml').replace('timeout: 10m', 'timeout: 1s')] });
    await post(BODY);
    await rundeck?.idle();
    expect((await get('/execution/1')).body).toMatchObject({ status: 'timedout' });
  });

  it('a token of the webhook’s group reads an execution, and lists none without read on events', async () => {
    await start();
    await post(BODY);
    expect((await get('/execution/1', READER)).status).toBe(200);
    expect((await get(`/job/${UUID}/executions`, READER)).status).toBe(403);
    expect((await get(`/job/${UUID}/executions`)).body).toMatchObject({ paging: { total: 1 } });
    expect((await get('/execution/1', 'wrong')).status).toBe(403);
    expect((await get('/execution/9')).status).toBe(404);
  });

  it('runs by the API with better codes than the webhook’s', async () => {
    await start();
    const run = (options: unknown, filter?: string) =>
      fetch(`${rundeck?.url}/api/58/job/${UUID}/run`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-rundeck-auth-token': rundeck?.apiToken ?? '' },
        body: JSON.stringify({ options, ...(filter === undefined ? {} : { filter }) }),
      });
    expect((await run({ path: '/etc' }, 'web-01')).status).toBe(400);
    // Only the API heeds nodesSelectedByDefault: false.
    expect((await run({ path: '/var/log' })).status).toBe(400);
    const started = await run({ path: '/var/log' }, 'web-01');
    expect(started.status).toBe(200);
    expect(await started.json()).toMatchObject({ id: 1, status: 'running' });
  });
});

describe('notifications', () => {
  it('posts the end once, and drops it when nobody answers', async () => {
    const received: string[] = [];
    const sink = createServer((request, response) => {
      received.push(String(request.headers['x-rundeck-notification-trigger']));
      response.statusCode = 500;
      response.end();
    });
    await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
    const address = sink.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await start({ jobs: [read('job.yaml')], notificationUrl: `http://127.0.0.1:${port}/x` });
    await post(BODY);
    await rundeck?.idle();
    sink.close();
    expect(received).toEqual(['success']);
    await post(BODY);
    await rundeck?.idle();
    expect(rundeck?.executions()[1]?.status).toBe('succeeded');
  });
});

describe('faults', () => {
  it('busy, a status, and only so often', async () => {
    await start();
    rundeck?.setFault({ kind: 'busy', times: 1 });
    expect((await post(BODY)).text).toContain('Limit of running executions');
    rundeck?.setFault({ kind: 'status', status: 500, times: 2 });
    expect((await post(BODY)).status).toBe(500);
    expect((await post(BODY)).status).toBe(500);
    expect((await post(BODY)).status).toBe(200);
    expect(rundeck?.executions()).toHaveLength(1);
  });

  it('a hang after accepting leaves an execution and no answer', async () => {
    await start();
    rundeck?.setFault({ kind: 'hang_after_accepting', times: 1 });
    const answer = fetch(`${rundeck?.url}/api/58/webhook/${TOKEN}`, {
      method: 'POST',
      body: JSON.stringify(BODY),
      signal: AbortSignal.timeout(200),
    });
    await expect(answer).rejects.toThrow();
    expect(rundeck?.executions()).toHaveLength(1);
  });

  it('refuses connections until told otherwise', async () => {
    await start();
    await rundeck?.refuse();
    await expect(post(BODY)).rejects.toThrow();
    await rundeck?.listenAgain();
    expect((await post(BODY)).status).toBe(200);
  });
});

describe('job files', () => {
  it.each([
    ['120', 120],
    ['6h 30m', 23_400],
    ['10m', 600],
    ['10 min', 0],
    ['1 h', 0],
    [undefined, 0],
  ])('the time-out %j is %i s', (text, seconds) => {
    expect(timeoutSeconds(text)).toBe(seconds);
  });

  it('unknown keys are dropped in silence, and options as a map are ordered by name', () => {
    const [job] = parseJobs(
      '- name: x\n  requird: true\n  options: {b: {required: true}, a: {}}\n  sequence: {commands: [{shell: ls}]}\n',
    );
    expect(job?.options.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(job).not.toHaveProperty('requird');
  });

  it('a step’s options are quoted for the shell', () => {
    expect(renderStep({ script: 'x', args: '--a ${option.a}' }, { a: '$(id)' }, '/tmp/y').command).toBe(
      "/tmp/y --a '$(id)'",
    );
  });
});
