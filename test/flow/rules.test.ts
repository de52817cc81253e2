/** The whole way of an alert with DECIDER=rules on the embedded AWS: there is no model, and no setting of one is read. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import type { Incident } from '#lib/core/incident.ts';
import { type Pipeline, startPipeline, TOKEN } from '#test/flow/pipeline.ts';

let pipeline: Pipeline;

beforeAll(async () => {
  // None of these could be read: a function that tried would not start.
  pipeline = await startPipeline({
    DECIDER: 'rules',
    OLLAMA_URL: 'nowhere',
    OLLAMA_TIMEOUT_SECONDS: 'never',
    OLLAMA_NUM_THREAD: 'none',
  });
});
afterAll(() => pipeline.stop());

let events = 95_000;
async function sample(name: string): Promise<Record<string, string>> {
  const file = join(import.meta.dirname, '..', '..', 'local', 'samples', `${name}.json`);
  events += 1;
  const id = String(events);
  const post = z.record(z.string(), z.string()).parse(JSON.parse(await readFile(file, 'utf8')));
  return { ...post, event_id: id, host_host: `web-${id}`, trigger_id: id };
}
const closed = ({ state, escalation }: Incident): boolean => state === 'closed' && escalation !== 'pending';
const ran = ({ decisions }: Incident): boolean => decisions.some(({ dispatch }) => dispatch?.executionId);
const toldOf = (incidentId: string) => pipeline.people.told.filter((text) => text.includes(incidentId));

it.each([
  ['disk-problem', 'cleanup_disk'],
  ['service-problem', 'restart_service'],
  ['application-problem', 'restart_application'],
])('%s becomes one job (%s), chosen by rules, and is verified by its recovery', async (name, tool) => {
  const problem = await sample(name);
  const { incidentId } = await pipeline.post(problem);
  await pipeline.until(incidentId, ran);
  await pipeline.post({ ...problem, event_value: '0', event_recovery_id: `${problem['event_id']}1` });
  const incident = await pipeline.until(incidentId, closed);

  expect(incident).toMatchObject({
    outcome: 'verified',
    escalation: 'none',
    decisions: [{ decider: 'rules', verdict: { tool, reasons: [{ code: 'chosen_by_rules' }, {}] } }],
  });
  expect(incident.decisions[0]).not.toHaveProperty('model');
  const page = await fetch(`${pipeline.url}/api/v1/incidents/${incidentId}`, {
    headers: { authorization: `Bearer ${TOKEN}`, accept: 'text/html' },
  });
  expect(await page.text()).toContain(`No model was asked: evidence and words alone chose ${tool}.`);
});

it('load is analysed, and the human who gets the findings learns that no model was asked', async () => {
  const { incidentId } = await pipeline.post(await sample('cpu-problem'));
  const incident = await pipeline.until(incidentId, closed);

  expect(incident).toMatchObject({ outcome: 'analysed', escalation: 'delivered' });
  expect(toldOf(incidentId)).toEqual([expect.stringContaining('No model was asked')]);
});

it.each(['unknown-problem', 'hostile-problem'])('%s goes to a human, and nothing runs', async (name) => {
  const { incidentId } = await pipeline.post(await sample(name));
  const incident = await pipeline.until(incidentId, closed);

  expect(incident).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
  expect(toldOf(incidentId)).toHaveLength(1);
  expect(pipeline.rundeck.posts().filter(({ body }) => body.includes(incidentId))).toEqual([]);
});

it('health speaks of no model', async () => {
  const answer = await fetch(`${pipeline.url}/api/v1/health`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect(await answer.json()).toMatchObject({ status: 'ok', decider: 'rules', down: [] });
});
