/** The whole way of an alert on the embedded AWS: real functions, captured posts, and every part disturbed once. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Incident } from '#lib/core/incident.ts';
import { type ModelFault, type SimulatedModel, startSimulatedModel } from '#local/simulated-model.ts';
import { analysisOutput } from '#test/builders/findings.ts';
import { capturedPosts } from '#test/builders/zabbix-posts.ts';
import { type Pipeline, startPipeline, TOKEN } from '#test/flow/pipeline.ts';

let pipeline: Pipeline;
let model: SimulatedModel;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  model = await startSimulatedModel();
  // The client's own patience, shorter than a test's.
  pipeline = await startPipeline({
    OLLAMA_URL: model.url,
    OLLAMA_TIMEOUT_SECONDS: '2',
    // Each alert is to meet the fault of its own test.
    OLLAMA_REMEMBER_SECONDS: '0',
    RUNDECK_TIMEOUT_SECONDS: '1',
  });
  ends.push(() => model.close(), pipeline.stop);
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});
beforeEach(() => {
  model.setFault(undefined);
  pipeline.rundeck.setFault(undefined);
});

let events = 90_000;
/** A sample as if of another event on another host, so that no test is part of another's history. */
async function sample(name: string): Promise<Record<string, string>> {
  const text = await readFile(
    join(import.meta.dirname, '..', '..', 'local', 'samples', `${name}.json`),
    'utf8',
  );
  events += 1;
  return {
    ...z.record(z.string(), z.string()).parse(JSON.parse(text)),
    event_id: String(events),
    host_host: `web-${events}`,
    trigger_id: String(events),
  };
}
const recoveryOf = (problem: Readonly<Record<string, string>>) => ({
  ...problem,
  event_value: '0',
  event_recovery_id: `${problem['event_id']}1`,
});

const closed = ({ state, escalation }: Incident): boolean => state === 'closed' && escalation !== 'pending';
const ran = ({ decisions }: Incident): boolean => decisions.some(({ dispatch }) => dispatch?.executionId);
const postsFor = (incidentId: string) =>
  pipeline.rundeck.posts().filter(({ body }) => body.includes(incidentId));
const toldOf = (incidentId: string) => pipeline.people.told.filter((text) => text.includes(incidentId));

describe('an alert', () => {
  it.each(capturedPosts.filter(({ post }) => post['event_value'] === '1'))(
    'of $name becomes one job, and is verified by its recovery',
    async ({ post }) => {
      const { host_host, event_id, trigger_id } = await sample('disk-problem');
      const problem = {
        ...post,
        host_host: host_host ?? '',
        event_id: event_id ?? '',
        trigger_id: trigger_id ?? '',
      };

      const { incidentId, status } = await pipeline.post(problem);
      await pipeline.until(incidentId, ran);
      await pipeline.post(recoveryOf(problem));
      const incident = await pipeline.until(incidentId, closed);

      expect(status).toBe('accepted');
      expect(incident).toMatchObject({ outcome: 'verified', escalation: 'none' });
      expect(incident.decisions).toHaveLength(1);
      expect(postsFor(incidentId)).toHaveLength(1);
      expect(JSON.parse(postsFor(incidentId)[0]?.body ?? '')).toMatchObject({
        tool: 'cleanup_disk',
        path: '/',
        remedia_decision_id: `${incidentId}#1`,
        remedia_event_id: event_id,
      });
    },
  );

  it.each([
    ['service-problem', 'restart_service', 'service_name', 'nginx.service'],
    ['application-problem', 'restart_application', 'app_name', 'orders-api'],
  ])('such as %s runs %s with the value that its evidence names', async (name, tool, parameter, value) => {
    const { incidentId } = await pipeline.post(await sample(name));
    await pipeline.until(incidentId, ran);

    expect(JSON.parse(postsFor(incidentId)[0]?.body ?? '')).toMatchObject({ tool, [parameter]: value });
  });

  it('about load is analysed, and a human gets the findings', async () => {
    const { incidentId } = await pipeline.post(await sample('cpu-problem'));
    const incident = await pipeline.until(incidentId, closed);

    expect(incident).toMatchObject({ outcome: 'analysed', escalation: 'delivered' });
    expect(toldOf(incidentId)).toHaveLength(1);
  });

  it('is read in a browser by the link that Zabbix, Rundeck and a human got, without a token', async () => {
    const { incidentId, link } = await pipeline.post(await sample('cpu-problem'));
    await pipeline.until(incidentId, closed);
    const order = z.object({ link: z.string() }).parse(JSON.parse(postsFor(incidentId)[0]?.body ?? ''));
    const told = toldOf(incidentId)[0]?.match(/https?:[^\s)|>]+signature=[0-9a-f]{64}/)?.[0] ?? '';

    for (const url of [link, order.link, told]) {
      const page = await fetch(url);

      expect(page.status).toBe(200);
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await page.text()).toContain('<b>Analysed</b>');
    }
    const changed = await fetch(link.replace(incidentId, incidentId.replace('inc_', 'sim_')));
    expect(changed.status).toBe(403);
  });

  it('about load whose culprit the policy names ends with its restart, decided about once more', async () => {
    pipeline.rundeck.setScenario((execution) =>
      'resource_type' in execution.options
        ? { exitCode: 0, lines: [...analysisOutput(['java 180', 'sshd 1'])] }
        : {},
    );
    try {
      const problem = await sample('cpu-problem');
      const { incidentId } = await pipeline.post(problem);
      await pipeline.until(incidentId, ({ decisions }) => decisions[1]?.dispatch?.executionId !== undefined);
      await pipeline.post(recoveryOf(problem));
      const incident = await pipeline.until(incidentId, closed);

      expect(incident).toMatchObject({ outcome: 'verified', escalation: 'none' });
      const bodies = postsFor(incidentId).map(({ body }) => JSON.parse(body));
      expect(bodies).toMatchObject([
        { tool: 'analyze_processes', remedia_decision_id: `${incidentId}#1` },
        { tool: 'restart_application', app_name: 'orders-service', remedia_decision_id: `${incidentId}#2` },
      ]);
      expect(toldOf(incidentId)).toEqual([]);
    } finally {
      pipeline.rundeck.setScenario(undefined);
    }
  });

  it.each(['unknown-problem', 'hostile-problem'])(
    'such as %s runs nothing, and a human is told',
    async (name) => {
      const { incidentId } = await pipeline.post(await sample(name));
      const incident = await pipeline.until(incidentId, closed);

      expect(incident).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
      expect(postsFor(incidentId)).toEqual([]);
      expect(toldOf(incidentId)).toHaveLength(1);
    },
  );

  it('in simulation is decided and recorded; nothing runs and nobody is told', async () => {
    const { incidentId } = await pipeline.post(await sample('service-problem'), {
      'x-remedia-mode': 'simulate',
    });
    const incident = await pipeline.until(incidentId, closed);

    expect(incidentId).toMatch(/^sim_/);
    expect(incident).toMatchObject({ outcome: 'simulated', escalation: 'none' });
    expect(incident.timeline.map(({ text }) => text).join('\n')).toMatch(/would have/);
    expect(postsFor(incidentId)).toEqual([]);
    expect(toldOf(incidentId)).toEqual([]);
  });
});

describe('whatever is repeated or comes out of order', () => {
  it('runs once, though the same event is posted ten times at once', async () => {
    const problem = await sample('service-problem');
    const before = model.chats().length;

    const answers = await Promise.all(Array.from({ length: 10 }, () => pipeline.post(problem)));
    const incidentId = answers[0]?.incidentId ?? '';
    await pipeline.until(incidentId, ran);

    expect(new Set(answers.map((each) => each.incidentId)).size).toBe(1);
    expect(postsFor(incidentId)).toHaveLength(1);
    // Two deliveries at the same time may both ask; only one answer is recorded.
    expect(model.chats().length - before).toBeLessThanOrEqual(2);
    expect((await pipeline.table.loadIncident(incidentId))?.decisions).toHaveLength(1);
  });

  it('does nothing again when any queue delivers its message again', async () => {
    const problem = await sample('service-problem');
    const { incidentId } = await pipeline.post(problem);
    await pipeline.until(incidentId, ran);
    const before = model.chats().length;

    await pipeline.put('AlertsQueue', JSON.stringify({ incidentId }));
    await pipeline.put('JobsQueue', JSON.stringify({ incidentId, step: 1 }));
    await pipeline.put('ChecksQueue', JSON.stringify({ incidentId, step: 1 }));
    await pipeline.post(recoveryOf(problem));
    const incident = await pipeline.until(incidentId, closed);

    expect(incident.decisions).toHaveLength(1);
    expect(postsFor(incidentId)).toHaveLength(1);
    expect(model.chats().length).toBe(before);
  });

  it('acts no more when the recovery comes first', async () => {
    const problem = await sample('service-problem');

    const recovery = await pipeline.post(recoveryOf(problem));
    const { incidentId } = await pipeline.post(problem);
    const incident = await pipeline.until(incidentId, closed);

    expect(recovery.incidentId).toBe(incidentId);
    expect(incident.outcome).toBe('recovered_before_action');
    expect(postsFor(incidentId)).toEqual([]);
  });
});

describe('a message that nobody can read', () => {
  it.each(['AlertsQueue', 'JobsQueue', 'ChecksQueue'])('of the %s ends with a human told', async (queue) => {
    const before = pipeline.people.told.length;

    await pipeline.put(queue, `{"poison": "${queue}"`);

    await expect.poll(() => pipeline.people.told.length, { timeout: 20_000 }).toBe(before + 1);
  });
});

describe('a model that', () => {
  it.each<[string, ModelFault]>([
    ['talks instead of calling', { kind: 'babble' }],
    ['calls several tools', { kind: 'several_calls' }],
    ['is cut off', { kind: 'truncated' }],
    ['invents a path', { kind: 'call', name: 'cleanup_disk', arguments: { path: '/etc' } }],
    ['invents a tool', { kind: 'call', name: 'reboot', arguments: {} }],
    ['asks for a human', { kind: 'call', name: 'notify', arguments: { message: 'Somebody should look.' } }],
    ['never answers', { kind: 'hang' }],
    ['is not there', { kind: 'status', status: 404, error: "model 'llama3.2' not found" }],
  ])('%s ends with a human told and nothing run', async (_, fault) => {
    model.setFault(fault);

    const { incidentId } = await pipeline.post(await sample('service-problem'));
    const incident = await pipeline.until(incidentId, closed);

    expect(incident).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(postsFor(incidentId)).toEqual([]);
    expect(toldOf(incidentId)).toHaveLength(1);
  });

  it.each<[string, ModelFault]>([
    ['always fails', { kind: 'status', status: 500, error: 'model runner has unexpectedly stopped' }],
    ['drops every connection', { kind: 'cut' }],
    ['answers what is not Ollama’s', { kind: 'no_json' }],
  ])('%s is waited for, and then a human is told', async (_, fault) => {
    model.setFault(fault);

    const { incidentId } = await pipeline.post(await sample('service-problem'));
    await pipeline.until(incidentId, ({ state }) => state === 'held');
    await pipeline.delayed('AlertsQueue');
    pipeline.laterBy(120_000);
    const incident = await pipeline.until(incidentId, closed);

    expect(incident).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(postsFor(incidentId)).toEqual([]);
    expect(toldOf(incidentId)).toHaveLength(1);
  });

  it('is busy is waited for', async () => {
    model.setFault({ kind: 'status', status: 503, error: 'server busy, please try again', times: 1 });

    const { incidentId } = await pipeline.post(await sample('service-problem'));
    await pipeline.until(incidentId, ({ state }) => state === 'held');
    await pipeline.delayed('AlertsQueue');
    pipeline.laterBy(60_000);
    await pipeline.until(incidentId, ran);

    expect(postsFor(incidentId)).toHaveLength(1);
  });
});

describe('a Rundeck that', () => {
  it('refuses connections is tried again, and the job runs once', async () => {
    await pipeline.rundeck.refuse();
    const { incidentId } = await pipeline.post(await sample('service-problem'));
    await pipeline.until(incidentId, ({ timeline }) =>
      timeline.some(({ kind }) => kind === 'dispatch_failed'),
    );
    await pipeline.rundeck.listenAgain();
    await pipeline.until(incidentId, ran);

    expect(postsFor(incidentId)).toHaveLength(1);
  });

  it('is busy once is tried again, and the job runs once', async () => {
    pipeline.rundeck.setFault({ kind: 'busy', times: 1 });

    const { incidentId } = await pipeline.post(await sample('service-problem'));
    const incident = await pipeline.until(incidentId, ran);

    expect(incident.decisions[0]?.dispatch?.executionId).toBeDefined();
    expect(
      pipeline.rundeck.executions().filter(({ options }) => JSON.stringify(options).includes(incidentId)),
    ).toHaveLength(1);
  });

  it.each(['hang_after_accepting', 'cut_after_accepting'] as const)(
    'never answers (%s) is asked afterwards, and never fired again',
    async (kind) => {
      pipeline.rundeck.setFault({ kind, times: 1 });

      const { incidentId } = await pipeline.post(await sample('service-problem'));
      await pipeline.until(incidentId, (incident) => ran(incident) || closed(incident));

      expect(
        pipeline.rundeck.executions().filter(({ options }) => JSON.stringify(options).includes(incidentId)),
      ).toHaveLength(1);
    },
  );

  it('refuses for good ends with a human told', async () => {
    pipeline.rundeck.setFault({
      kind: 'status',
      status: 404,
      body: '{"err":"Webhook not enabled"}',
      times: 20,
    });

    const { incidentId } = await pipeline.post(await sample('service-problem'));
    const incident = await pipeline.until(incidentId, closed);

    expect(incident).toMatchObject({ outcome: 'failed', escalation: 'delivered' });
    expect(toldOf(incidentId)).toHaveLength(1);
  });

  it('fails the job ends with a human told', async () => {
    pipeline.rundeck.setScenario(() => ({ exitCode: 2, lines: ['could not restart'] }));
    try {
      const { incidentId } = await pipeline.post(await sample('service-problem'));
      const incident = await pipeline.until(incidentId, closed);

      expect(incident).toMatchObject({ outcome: 'failed', escalation: 'delivered' });
      expect(incident.decisions[0]?.dispatch?.output).toContain('could not restart');
    } finally {
      pipeline.rundeck.setScenario(undefined);
    }
  });
});

describe('the API', () => {
  it.each([
    ['a wrong token', { authorization: 'Bearer wrong' }, 'POST', 401],
    ['a wrong method', {}, 'PUT', 405],
    ['a wrong content type', { 'content-type': 'text/plain' }, 'POST', 415],
  ])('answers %s as problem details', async (_, headers, method, status) => {
    const response = await fetch(`${pipeline.url}/api/v1/zabbix/alert`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(await sample('disk-problem')),
    });

    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });
});
