/** What an operator types, against the pipeline that runs on the embedded AWS. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type SimulatedModel, startSimulatedModel } from '#local/simulated-model.ts';
import { type Pipeline, startPipeline } from '#test/flow/pipeline.ts';

const root = join(import.meta.dirname, '..', '..');
const OPERATOR = 'flow-operator-token';

let pipeline: Pipeline;
let model: SimulatedModel;

beforeAll(async () => {
  model = await startSimulatedModel();
  pipeline = await startPipeline({ OLLAMA_URL: model.url, OPERATOR_TOKENS: OPERATOR });
});
afterAll(async () => {
  await pipeline.stop();
  await model.close();
});

/** Runs an npm script's file with the addresses of the pipeline; answers what it printed. */
async function type(script: string, given: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const { queues, tableName, environment } = pipeline.aws;
  const env = {
    PATH: process.env['PATH'],
    ...environment,
    INCIDENTS_TABLE: tableName,
    ALERTS_QUEUE_URL: queues.get('AlertsQueue')?.url,
    JOBS_QUEUE_URL: queues.get('JobsQueue')?.url,
    CHECKS_QUEUE_URL: queues.get('ChecksQueue')?.url,
    OLLAMA_URL: model.url,
    ...more,
  };
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [join('scripts', script), ...given], { cwd: root, env });
  return stdout;
}
const byApi = () => ({ PUBLIC_BASE_URL: pipeline.url, OPERATOR_TOKENS: OPERATOR });

let events = 60_000;
async function sample(name: string): Promise<Record<string, string>> {
  const text = await readFile(join(root, 'local', 'samples', `${name}.json`), 'utf8');
  events += 1;
  const id = String(events);
  const post = z.record(z.string(), z.string()).parse(JSON.parse(text));
  return { ...post, event_id: id, host_host: `web-${id}`, trigger_id: id };
}

describe('npm run', () => {
  it.each([
    ['by the API', byApi],
    ['straight in the table', () => ({})],
  ])('pause holds what arrives, says what waits, and resume lets it run (%s)', async (_, how) => {
    expect(await type('pause.ts', ['on', '--by', 'ada', '--reason', 'storage'], how())).toMatch(
      /^PAUSED by ada since .*: storage/,
    );
    const { incidentId } = await pipeline.post(await sample('service-problem'));
    await pipeline.until(incidentId, ({ state }) => state === 'held');
    expect(await type('pause.ts', ['show'], how())).toContain(incidentId);

    expect(await type('pause.ts', ['off', '--by', 'ada'], how())).toMatch(/^running by ada/);
    pipeline.laterBy(61_000);
    await pipeline.invoke('sweep-incidents', {});
    const incident = await pipeline.until(incidentId, ({ decisions }) =>
      decisions.some(({ dispatch }) => dispatch?.executionId),
    );
    expect(incident.decisions).toHaveLength(1);
    expect(await type('pause.ts', ['show'], how())).toContain('nothing waits');
  });

  it('replay decides a recorded alert once more and changes nothing', async () => {
    const { incidentId } = await pipeline.post(await sample('disk-problem'));
    const before = await pipeline.until(incidentId, ({ decisions }) =>
      decisions.some(({ dispatch }) => dispatch?.executionId),
    );
    const said = await type('replay.ts', [incidentId, '--recorded']);
    expect(said).toMatch(/^recorded .* remediate cleanup_disk/m);
    expect(said).toMatch(/^replayed .* remediate cleanup_disk/m);
    expect(said).toContain('nothing differs');
    expect((await pipeline.table.loadIncident(incidentId))?.decisions).toHaveLength(before.decisions.length);
  });

  it('dlq lists and shows the dead letters of each queue', async () => {
    expect(await type('dlq.ts', ['list'])).toMatch(/^alerts +0 dead.*\njobs +0 dead.*\nchecks +0 dead/);
    expect(await type('dlq.ts', ['show'])).toContain('jobs: nothing');
    expect(await type('dlq.ts', ['redrive', 'all'])).toContain('alerts: 0 sent back');
  });

  it('policy:push and policy:show handle the policy in the table, policy:explain an alert', async () => {
    const policy = join('local', 'policy.yaml');
    expect(await type('policy.ts', ['push', policy, '--by', 'ada'])).not.toBe('');
    expect((await pipeline.table.loadPolicy())?.pushedBy).toMatch(/ada|test/);
    expect(await type('policy.ts', ['show'])).toMatch(/rules?/);
    const alert = join('local', 'samples', 'service-problem.json');
    expect(await type('policy.ts', ['explain', alert, '--policy', policy])).toMatch(
      /restart_service is possible: service_name nginx\.service/,
    );
  });
});
