/** Deciding a recorded alert once more: the same facts give the same verdict, a change shows, and nothing is touched. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { createIncidentsTable, tableDefinition } from '#lib/adapters/incidents-table.ts';
import { hashOf } from '#lib/core/canonical-json.ts';
import { incidentIdOf } from '#lib/core/identity.ts';
import type { Policy } from '#lib/core/policy.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { AskModel } from '#lib/workflow/ports.ts';
import { makeReplayDecision } from '#lib/workflow/replay-decision.ts';
import { startEmbeddedDynamo } from '#local/embedded.ts';
import { LOCAL_AWS } from '#test/aws.ts';
import { analysisOutput } from '#test/builders/findings.ts';
import { anAlert, anIncident, NOON } from '#test/builders/incidents.ts';
import { choosesFirst, notifies, openHouse, policyOf, says } from '#test/workflow/house.ts';

const stored = (policy: Policy) => ({ policy, hash: hashOf(policy), pushedAt: NOON, pushedBy: 'test' });
const neverAsked: AskModel = () => Promise.reject(new Error('the model must not be asked'));
const calls: AskModel = async () => ({
  ...says('I think: '),
  toolCalls: [{ name: 'cleanup_disk', arguments: { path: '/var' } }],
  trace: {
    model: 'scripted',
    totalMilliseconds: 5,
    answer: 'I think: [{"name":"cleanup_disk","arguments":{"path":"/var"}}]',
  },
});
const breaks: AskModel = () =>
  Promise.reject(new UpstreamError('ollama', 'timed_out', 'too late', { sent: 'unknown', retry: true }));

/** An alert that went its whole way an hour ago, and the replay of it. */
async function prepare(
  options: { readonly model?: AskModel; readonly today?: AskModel; readonly policy?: Policy } = {},
) {
  const { model = choosesFirst, today = model, policy = policyOf() } = options;
  const house = openHouse({ askModel: model });
  await house.ready;
  const incidentId = await house.post(anAlert());
  await house.settle();
  const before = structuredClone(house.table.all());
  const steps: string[] = [];
  const replay = makeReplayDecision({
    ...house.table,
    askModel: today,
    narrate: ({ step }) => steps.push(step),
  });
  const run = (recorded = false) => replay({ incidentId, stored: stored(policy), recorded });
  return { run, replay, steps, unchanged: () => expect(house.table.all()).toEqual(before) };
}

describe('a replay', () => {
  it('of the same facts differs in nothing, and changes nothing', async () => {
    const { run, steps, unchanged } = await prepare();

    expect(await run()).toMatchObject({
      kind: 'decided',
      recorded: { verdict: { kind: 'remediate' } },
      replayed: { verdict: { kind: 'remediate', tool: 'cleanup_disk' } },
      differences: [],
    });
    expect(steps).toEqual(['zabbix', 'history', 'asking']);
    unchanged();
  });

  it('shows what another policy makes of it', async () => {
    const policy = policyOf({ rules: [{ tools: ['cleanup_disk'], autonomy: 'observe' }] });
    const { run } = await prepare({ policy });

    const result = await run();

    expect(result).toMatchObject({ replayed: { verdict: { kind: 'observe' } } });
    const whats = result.kind === 'decided' ? result.differences.map(({ what }) => what) : [];
    expect(whats).toEqual(expect.arrayContaining(['verdict', 'job', 'policy']));
  });

  it('shows what another model says, and with the recorded answer does not ask it', async () => {
    const { run } = await prepare({ today: notifies });

    expect(await run()).toMatchObject({
      replayed: { verdict: { kind: 'escalate', reasons: [{ code: 'model_asks_for_human' }] } },
      differences: expect.arrayContaining([
        expect.objectContaining({ what: 'verdict', recorded: 'remediate' }),
      ]),
    });
  });

  it.each([
    { name: 'a call', model: calls },
    { name: 'a time-out', model: breaks },
  ])('takes the recorded answer: $name', async ({ model }) => {
    const { run } = await prepare({ model, today: neverAsked });

    expect(await run(true)).toMatchObject({ kind: 'decided', differences: [] });
  });

  it('of the second step decides about the same findings', async () => {
    const house = openHouse({});
    await house.ready;
    house.rundeck.endAs('succeeded', analysisOutput(['shop 180']));
    const incidentId = await house.post(anAlert({ tags: [], item: { key: 'system.cpu.util' } }));
    await house.settle();
    const replay = makeReplayDecision({ ...house.table, askModel: choosesFirst, narrate: () => undefined });
    const again = (policy: Policy) =>
      replay({ incidentId, stored: stored(policy), recorded: false, step: 2 });

    expect(await again(policyOf())).toMatchObject({
      kind: 'decided',
      recorded: { step: 2 },
      replayed: { decisionId: `${incidentId}#2`, verdict: { tool: 'restart_application' } },
    });
    expect(await again(policyOf({ after_analysis: 'approve' }))).toMatchObject({
      replayed: { verdict: { kind: 'needs_approval' } },
    });
    expect(await again(policyOf({ after_analysis: 'never' }))).toMatchObject({
      replayed: { verdict: { kind: 'escalate' } },
    });
  });

  it('of a second step that never could be says so', async () => {
    const { replay } = await prepare();
    const incidentId = incidentIdOf('zabbix', '4711');
    const wanted = { incidentId, stored: stored(policyOf()), recorded: false, step: 2 } as const;
    expect(await replay(wanted)).toEqual({ kind: 'no_findings' });
  });

  it('says when today it would only wait', async () => {
    const busy: AskModel = () =>
      Promise.reject(new UpstreamError('ollama', 'busy', 'busy', { sent: 'no', retry: true }));
    const { run } = await prepare({ today: busy });

    expect(await run()).toMatchObject({ kind: 'undecided', became: 'held', why: 'The model is busy.' });
  });

  it('says when there is nothing to decide', async () => {
    const { replay } = await prepare();
    const wanted = {
      incidentId: 'inc_ffffffffffffffffffffffff',
      stored: stored(policyOf()),
      recorded: false,
    };
    expect(await replay(wanted)).toEqual({ kind: 'no_such_incident' });
  });
});

it('npm run replay prints both verdicts and what differs', async () => {
  const dynamo = await startEmbeddedDynamo({ port: 0 });
  const env = {
    PATH: process.env['PATH'],
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    INCIDENTS_TABLE: 'replayed',
  };
  const client = new DynamoDBClient({ endpoint: dynamo.endpoint, ...LOCAL_AWS });
  await client.send(new CreateTableCommand(tableDefinition('replayed')));
  const { incidentId } = anIncident();
  const { createIncident } = createIncidentsTable({ client, tableName: 'replayed' });
  await createIncident(
    anIncident({
      alert: anAlert({ item: {}, tags: [] }),
      state: 'closed',
      outcome: 'handed_over',
      decisions: [
        {
          decisionId: `${incidentId}#1`,
          step: 1,
          at: NOON,
          verdict: { kind: 'escalate', reasons: [{ code: 'storm', text: 'Too many.' }] },
          expiresAt: NOON,
        },
      ],
    }),
  );
  const run = promisify(execFile);
  const args = ['scripts/replay.ts', incidentId, '--recorded', '--policy', 'policy.yaml'];

  const { stdout } = await run(process.execPath, args, { env, timeout: 20_000 });

  expect(stdout).toContain('recorded   2026-03-01T12:00:00.000Z  escalate: storm (Too many.)');
  expect(stdout).toContain('replayed   2026-03-01T12:00:00.000Z  escalate: ');
  expect(stdout).toMatch(/differs {4}reasons: storm -> /);
  client.destroy();
  await dynamo.close();
});
