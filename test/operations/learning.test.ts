/** The operator's commands around learning, on a real table: a word about a decision, the report, the exported cases. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createIncidentsTable, tableDefinition } from '#lib/adapters/incidents-table.ts';
import { startEmbeddedDynamo } from '#local/embedded.ts';
import { LOCAL_AWS } from '#test/aws.ts';
import { anIncident, NOON } from '#test/builders/incidents.ts';
import { createMemoryIncidents } from '#test/fakes/incidents-memory.ts';
import { readIncidents, readSince } from '../../scripts/read-incidents.ts';

const { incidentId } = anIncident();
const tableName = 'learning';
const ends: (() => Promise<unknown>)[] = [];
let env: Record<string, string | undefined>;

beforeAll(async () => {
  const dynamo = await startEmbeddedDynamo({ port: 0 });
  const folder = await mkdtemp(join(tmpdir(), 'remedia-learning-'));
  const client = new DynamoDBClient({ endpoint: dynamo.endpoint, ...LOCAL_AWS });
  ends.push(
    () => rm(folder, { recursive: true }),
    dynamo.close,
    async () => client.destroy(),
  );
  env = {
    PATH: process.env['PATH'],
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    INCIDENTS_TABLE: tableName,
    CASES: join(folder, 'cases.jsonl'),
  };
  await client.send(new CreateTableCommand(tableDefinition(tableName)));
  await createIncidentsTable({ client, tableName }).createIncident(
    anIncident({
      state: 'closed',
      outcome: 'observed',
      decisions: [
        {
          decisionId: `${incidentId}#1`,
          step: 1,
          at: NOON,
          verdict: {
            kind: 'observe',
            autonomy: 'observe',
            tool: 'cleanup_disk',
            arguments: { path: '/var' },
            node: 'web-01',
            reasons: [],
          },
          expiresAt: NOON,
        },
      ],
    }),
  );
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

const run = (script: string, ...args: readonly string[]) =>
  promisify(execFile)(process.execPath, [`scripts/${script}.ts`, ...args], { env, timeout: 60_000 });

it('A word about an observed proposal shows in the report, and becomes a case', async () => {
  const { stdout: said } = await run('verdict', incidentId, 'right', '--by', 'ann');
  const { stdout: table } = await run('report', '--since', '2026-01-01');
  const { stdout: json } = await run('report', '--since', '2026-01-01', '--json');
  await run('eval', '--from-incidents', '--since', '2026-01-01', '--export', env['CASES'] ?? '');

  expect(said).toBe(`${incidentId}#1  right: Only observe: would run cleanup_disk(path=/var) on web-01.\n`);
  const [, head, row] = table.split('\n').map((line) => line.split(/\s+/));
  expect(head).toEqual(
    'tool proposed refused observed approved rejected ran verified failed unclear right wrong'.split(' '),
  );
  expect(row).toEqual('cleanup_disk 1 0 1 0 0 0 0 0 0 1 0'.split(' '));
  expect(JSON.parse(json)).toMatchObject({
    incidents: 1,
    tools: expect.arrayContaining([expect.objectContaining({ tool: 'cleanup_disk', right: 1 })]),
  });
  const cases = await readFile(env['CASES'] ?? '', 'utf8');
  expect(JSON.parse(cases)).toMatchObject({ remediation: 'cleanup_disk', host: 'host-1' });
}, 120_000);

it.each([
  [['inc_ffffffffffffffffffffffff', 'right'], 'There is no incident'],
  [[incidentId, 'right', '--step', '2'], 'no such decision'],
  [[incidentId, 'right', '--instead', 'notify'], 'needs nothing instead'],
  [[incidentId, 'maybe'], "'maybe': expected right or wrong"],
  [[incidentId, 'wrong', '--instead', 'reboot'], '--instead reboot: there is no such tool'],
])('A word that cannot be kept is refused: %j', async (args, text) => {
  await expect(run('verdict', ...args)).rejects.toThrow(text);
});

it('Incidents are read page by page, also when many were opened at the same instant', async () => {
  const { createIncident, listIncidents } = createMemoryIncidents();
  for (let index = 0; index < 250; index += 1) {
    const id = `inc_${String(index).padStart(24, '0')}`;
    const openedAt = NOON - (index < 90 ? index : 1000 * index);
    await createIncident(anIncident({ incidentId: id, state: 'closed', openedAt }));
  }
  expect(await readIncidents(listIncidents, 0)).toHaveLength(250);
  expect(await readIncidents(listIncidents, NOON - 89)).toHaveLength(90);
  expect([readSince('1h', NOON), readSince('2026-03-01', NOON), readSince('soon', NOON)]).toEqual([
    NOON - 3_600_000,
    NOON - 12 * 3_600_000,
    undefined,
  ]);
});
