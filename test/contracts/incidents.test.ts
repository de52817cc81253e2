/** The incidents table's contract, on the fake and on the embedded DynamoDB (or the one of AWS_ENDPOINT_URL). */
import { randomUUID } from 'node:crypto';
import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDynamoClient, createIncidentsTable, tableDefinition } from '#lib/adapters/incidents-table.ts';
import { policySchema } from '#lib/core/policy.ts';
import { awsForTests, LOCAL_AWS } from '#test/aws.ts';
import { anIncident, NOON } from '#test/builders/incidents.ts';
import { describeIncidents } from '#test/contracts/incidents.contract.ts';
import { createMemoryIncidents } from '#test/fakes/incidents-memory.ts';

const RETENTION_DAYS = 30;

describeIncidents('the fake in memory', async () => {
  let now = NOON;
  const ports = createMemoryIncidents({
    clock: () => now,
    retentionDays: RETENTION_DAYS,
    between: () => new Promise((resolve) => setImmediate(resolve)),
  });
  return {
    ports,
    setNow: (next) => {
      now = next;
    },
  };
});

/** The entries of an answer of a Query. */
function keysIn(output: object): readonly unknown[] {
  return 'Items' in output && Array.isArray(output.Items) ? output.Items : [];
}

describe('on DynamoDB', () => {
  let aws: Awaited<ReturnType<typeof awsForTests>>;
  const tables: string[] = [];
  beforeAll(async () => {
    aws = await awsForTests('dynamodb');
  });
  /** Patient: LocalStack starts its DynamoDB at the first request. */
  const newAdministrator = () => new DynamoDBClient({ ...LOCAL_AWS, endpoint: aws.endpoint });
  afterAll(async () => {
    const administrator = newAdministrator();
    await Promise.all(tables.map((TableName) => administrator.send(new DeleteTableCommand({ TableName }))));
    administrator.destroy();
    await aws.close();
  });

  const newTable = async () => {
    const tableName = `remedia-test-${randomUUID()}`;
    const administrator = newAdministrator();
    await administrator.send(new CreateTableCommand(tableDefinition(tableName)));
    await waitUntilTableExists(
      { client: administrator, maxWaitTime: 30, minDelay: 0.05, maxDelay: 1 },
      { TableName: tableName },
    );
    administrator.destroy();
    tables.push(tableName);
    return { client: createDynamoClient({ ...LOCAL_AWS, endpoint: aws.endpoint }), tableName };
  };

  const start = async () => {
    const { client, tableName } = await newTable();
    let now = NOON;
    const ports = createIncidentsTable({
      client,
      tableName,
      retentionDays: RETENTION_DAYS,
      clock: () => now,
    });
    return {
      client,
      tableName,
      ports,
      setNow: (next: number) => {
        now = next;
      },
    };
  };

  describeIncidents('DynamoDB', start);

  it('keeps a loaded policy for five seconds, and then reads it again', async () => {
    const { client, tableName, ports, setNow } = await start();
    const elsewhere = createIncidentsTable({ client, tableName, clock: () => NOON });
    const stored = {
      policy: policySchema.parse({ version: 1 }),
      hash: 'a'.repeat(64),
      pushedAt: NOON,
      pushedBy: 'ops',
    };
    await ports.savePolicy(stored);
    setNow(NOON);
    await ports.loadPolicy();
    await elsewhere.savePolicy({ ...stored, hash: 'b'.repeat(64) });
    setNow(NOON + 4_999);
    expect((await ports.loadPolicy())?.hash).toBe('a'.repeat(64));
    setNow(NOON + 5_000);
    expect((await ports.loadPolicy())?.hash).toBe('b'.repeat(64));
  });

  it.each([
    ['text that is no JSON', '{'],
    [
      'an unknown key in it',
      JSON.stringify({ policy: { version: 1, autonmy: 'auto' }, hash: 'a', pushedAt: 1, pushedBy: 'x' }),
    ],
    ['no hash', JSON.stringify({ policy: { version: 1 } })],
    ['a number', 4],
  ])('has no policy when the stored one is %s', async (_, stored) => {
    const { client, tableName, ports } = await start();
    const documents = DynamoDBDocumentClient.from(client);
    await documents.send(new PutCommand({ TableName: tableName, Item: { pk: 'policy', stored } }));
    expect(await ports.loadPolicy()).toBeUndefined();
  });

  it('reads past what the index still shows as due, and no part of the index twice', async () => {
    const { client, tableName, ports } = await start();
    const documents = DynamoDBDocumentClient.from(client);
    const running = anIncident({ state: 'running', dueAt: NOON + 60_000 });
    const stale = Array.from({ length: 60 }, (_, index) => {
      const incidentId = `inc_${String(index).padStart(24, '0')}`;
      const { openedAt, hostKey, state } = running;
      const item = { pk: incidentId, hostKey, openedAt, state, dueAt: NOON - 60_000 + index, version: 1 };
      return { ...item, incident: { ...running, incidentId } };
    });
    await Promise.all(stale.map((Item) => documents.send(new PutCommand({ TableName: tableName, Item }))));
    const incidentId = `inc_${'f'.repeat(24)}`;
    await ports.createIncident({ ...running, incidentId, dueAt: NOON });
    const shown: unknown[] = [];
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (given) => {
          const answer = await next(given);
          if (commandName === 'QueryCommand') shown.push(...keysIn(answer.output));
          return answer;
        },
      { step: 'initialize' },
    );

    const due = await ports.dueIncidents({ state: 'running', now: NOON, limit: 10 });

    expect(due.map((each) => each.incidentId)).toEqual([incidentId]);
    expect(shown).toHaveLength(61);
  });

  it('counts as paused when the stored pause is unreadable', async () => {
    const { client, tableName, ports } = await start();
    const documents = DynamoDBDocumentClient.from(client);
    await documents.send(new PutCommand({ TableName: tableName, Item: { pk: 'pause', pause: 'yes' } }));
    expect(await ports.loadPause()).toMatchObject({ paused: true });
  });

  it('says that a table which is not there refused, and that nothing was written', async () => {
    const client = createDynamoClient({ ...LOCAL_AWS, endpoint: aws.endpoint });
    const ports = createIncidentsTable({ client, tableName: 'no-such-table' });
    await expect(ports.createIncident(anIncident())).rejects.toMatchObject({
      name: 'UpstreamError',
      upstream: 'incidents_table',
      code: 'refused',
      sent: 'no',
      retry: false,
    });
  });

  it('sets the seconds after which AWS deletes only where nobody waits for a message any more', async () => {
    const { client, tableName, ports } = await start();
    const documents = DynamoDBDocumentClient.from(client);
    const expiryOf = async (pk: string) =>
      (await documents.send(new GetCommand({ TableName: tableName, Key: { pk } }))).Item?.['expiresAt'];
    const incident = anIncident();
    await ports.createIncident(incident);
    expect(await expiryOf(incident.incidentId)).toBeUndefined();
    await ports.changeIncident(incident.incidentId, (each) => ({
      ...each,
      state: 'closed',
      closedAt: NOON,
      escalation: 'pending',
    }));
    expect(await expiryOf(incident.incidentId)).toBeUndefined();
    await ports.changeIncident(incident.incidentId, (each) => ({ ...each, escalation: 'undeliverable' }));
    expect(await expiryOf(incident.incidentId)).toBeUndefined();
    await ports.changeIncident(incident.incidentId, (each) => ({ ...each, escalation: 'delivered' }));
    expect(await expiryOf(incident.incidentId)).toBe(NOON / 1000 + RETENTION_DAYS * 86_400);
  });
});
