/** The incidents table on DynamoDB: one table, one item per thing, every change a condition on that one item. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { AWS_CLIENT_SETTINGS, callAws, isConditionFailure } from '#lib/adapters/aws-errors.ts';
import { fitIncident } from '#lib/core/fit-incident.ts';
import type { Incident, IncidentState } from '#lib/core/incident.ts';
import { doneSince } from '#lib/core/incident-changes.ts';
import { policySchema } from '#lib/core/policy.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type {
  ChangeIncident,
  Clock,
  CountIncidents,
  CreateIncident,
  DeleteExpired,
  DueIncidents,
  GiveBackAllowance,
  HostHistory,
  ListIncidents,
  LoadIncident,
  LoadPause,
  LoadPolicy,
  OncePer,
  ReadAllowances,
  SavePause,
  SavePolicy,
  StoredPolicy,
  TakeAllowance,
} from '#lib/workflow/ports.ts';

const DAY_MS = 86_400_000;
const POLICY_CACHE_MS = 5_000;
const CONFLICT_ATTEMPTS = 12;
/** How far into an index that lags it is read for what is really due. */
const MOST_STALE_KEYS = 3200;
/** BatchGetItem's limit. */
const KEYS_PER_GET = 100;
const KEYS_PER_QUERY = 1000;
/** Index entries looked at, at most, to list the newest of those that the sweeper must still see. */
const MOST_LISTED_DUE = 2_000;
/**
 * Added to `openedAt` to make the index's `dueAt` of an incident that is not due at all. It lies beyond every real
 * time in milliseconds, so that the sweeper's range never meets one, and a list finds the newest of them in order.
 */
const NEVER_DUE = 1e15;
/** The index's state of counters and marks, which only wait for their end. */
const EXPIRING = 'expiring';
const POLICY_KEY = 'policy';
const PAUSE_KEY = 'pause';

type Item = Record<string, unknown>;
type IndexQuery = Omit<QueryCommandInput, 'TableName' | 'Limit'>;

/** A client with the time-outs that the table expects; `endpoint` is for the embedded DynamoDB. */
export function createDynamoClient(settings: { readonly endpoint?: string; readonly region?: string } = {}) {
  return new DynamoDBClient({ ...AWS_CLIENT_SETTINGS, ...settings });
}

/**
 * The table: key `pk`; by_host answers a host's history; by_state_due the sweeper, the lists and what has expired.
 * Neither index holds the incident itself: it is read from the table, consistently, and written only once.
 */
export function tableDefinition(tableName: string): CreateTableCommandInput {
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'hostKey', AttributeType: 'S' },
      { AttributeName: 'openedAt', AttributeType: 'N' },
      { AttributeName: 'state', AttributeType: 'S' },
      { AttributeName: 'dueAt', AttributeType: 'N' },
    ],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'by_host',
        KeySchema: [
          { AttributeName: 'hostKey', KeyType: 'HASH' },
          { AttributeName: 'openedAt', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
      {
        IndexName: 'by_state_due',
        KeySchema: [
          { AttributeName: 'state', KeyType: 'HASH' },
          { AttributeName: 'dueAt', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['openedAt', 'expiresAt'] },
      },
    ],
  };
}

export interface IncidentsTable {
  readonly loadIncident: LoadIncident;
  readonly createIncident: CreateIncident;
  readonly changeIncident: ChangeIncident;
  readonly hostHistory: HostHistory;
  readonly dueIncidents: DueIncidents;
  readonly listIncidents: ListIncidents;
  readonly countIncidents: CountIncidents;
  readonly oncePer: OncePer;
  readonly takeAllowance: TakeAllowance;
  readonly giveBackAllowance: GiveBackAllowance;
  readonly readAllowances: ReadAllowances;
  readonly loadPolicy: LoadPolicy;
  readonly savePolicy: SavePolicy;
  readonly loadPause: LoadPause;
  readonly savePause: SavePause;
  readonly deleteExpired: DeleteExpired;
}

/** The table as a function's settings name it, with a client of its own. */
export function openIncidentsTable(settings: {
  readonly INCIDENTS_TABLE: string;
  readonly RETENTION_DAYS?: number;
}): IncidentsTable {
  const { INCIDENTS_TABLE: tableName, RETENTION_DAYS: retentionDays } = settings;
  return createIncidentsTable({
    client: createDynamoClient(),
    tableName,
    ...(retentionDays !== undefined && { retentionDays }),
  });
}

/**
 * Every port of the incidents table. All of them throw UpstreamError `incidents_table`.
 * `retentionDays` counts from the end of an incident, or from when a human was told where that was later; one whose
 * message no human has got yet does not expire.
 */
export function createIncidentsTable({
  client,
  tableName,
  retentionDays = 90,
  clock = Date.now,
}: {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly retentionDays?: number;
  readonly clock?: Clock;
}): IncidentsTable {
  const documents = DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true },
  });
  const table = { TableName: tableName };

  const read = async (pk: string): Promise<Item | undefined> => {
    const command = new GetCommand({ ...table, Key: { pk }, ConsistentRead: true });
    const { Item: item } = await callAws('incidents_table', 'read', () => documents.send(command));
    return item;
  };

  /** Writes on a condition; `false` when the condition did not hold. */
  const write = async (
    command: PutCommand | UpdateCommand | DeleteCommand,
    attempts?: number,
  ): Promise<boolean> => {
    // One overload per command: the union has none.
    const call = () =>
      command instanceof PutCommand
        ? documents.send(command)
        : command instanceof UpdateCommand
          ? documents.send(command)
          : documents.send(command);
    try {
      await callAws('incidents_table', 'write', call, attempts);
      return true;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
    }
  };

  const itemOf = (incident: Incident, writeId: string): Item => {
    const done = doneSince(incident);
    return {
      pk: incident.incidentId,
      hostKey: historyKey(incident.mode, incident.hostKey),
      openedAt: incident.openedAt,
      state: incident.state,
      dueAt: incident.dueAt ?? NEVER_DUE + incident.openedAt,
      version: incident.version,
      writeId,
      incident,
      ...(done !== undefined && { expiresAt: Math.ceil((done + retentionDays * DAY_MS) / 1000) }),
    };
  };

  /**
   * An index's answers in its order, page after page. Whoever reads on wants many, so each is larger than the last; without
   * `first` each is as large as DynamoDB makes it.
   */
  async function* pagesOf(query: IndexQuery, first?: number) {
    let from: Item | undefined;
    let size = first;
    do {
      const Limit = size && Math.min(KEYS_PER_QUERY, size);
      const command = new QueryCommand({ ...table, ...query, Limit, ExclusiveStartKey: from });
      const page = await callAws('incidents_table', 'read', () => documents.send(command));
      yield page;
      from = page.LastEvaluatedKey;
      size = size && size * 4;
    } while (from);
  }

  /** Of by_state_due: what is in a state and has a `dueAt` in a range of `values`. */
  const statePages = (
    state: IncidentState | typeof EXPIRING,
    dueAt: string,
    values: Readonly<Record<string, number>>,
    first?: number,
    more: Partial<IndexQuery> = {},
  ) =>
    pagesOf(
      {
        IndexName: 'by_state_due',
        KeyConditionExpression: `#state = :state AND dueAt ${dueAt}`,
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':state': state, ...values },
        ...more,
      },
      first,
    );

  const readAll = async (keys: readonly string[]): Promise<ReadonlyMap<string, Item>> => {
    const items = new Map<string, Item>();
    const open = [...new Set(keys)];
    for (let round = 0; open.length > 0; round += 1) {
      const asked = open.splice(0, KEYS_PER_GET);
      const command = new BatchGetCommand({
        RequestItems: { [tableName]: { Keys: asked.map((pk) => ({ pk })), ConsistentRead: true } },
      });
      const answer = await callAws('incidents_table', 'read', () => documents.send(command));
      for (const item of answer.Responses?.[tableName] ?? []) items.set(String(item['pk']), item);
      // DynamoDB leaves out what would make the answer too large, or what it is too busy for.
      const left = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
      if (left.length === asked.length) await sleep(Math.random() * 50 * 2 ** Math.min(round, 5));
      if (round > 200) throw busy('items were left unread');
      open.unshift(...left.map((key) => String(key['pk'])));
    }
    return items;
  };

  const incidentsOf = async (keys: readonly Item[]): Promise<readonly Incident[]> => {
    const names = keys.map((key) => String(key['pk']));
    const items = await readAll(names);
    return names.flatMap((name) => incidentOf(items.get(name)) ?? []);
  };

  let cachedPolicy: { readonly stored: StoredPolicy; readonly until: number } | undefined;

  return {
    loadIncident: async (incidentId) => incidentOf(await read(incidentId)),

    createIncident: async (incident) => {
      const writeId = randomUUID();
      const stored = fitIncident(incident);
      const command = new PutCommand({
        ...table,
        Item: itemOf(stored, writeId),
        ConditionExpression: 'attribute_not_exists(pk)',
      });
      if (await write(command)) return { kind: 'created', incident: structuredClone(stored) };
      const item = await read(incident.incidentId);
      const there = incidentOf(item);
      if (!there) throw busy('the record vanished while it was read');
      // An earlier attempt of this very call arrived although its answer did not.
      return { kind: item?.['writeId'] === writeId ? 'created' : 'exists', incident: there };
    },

    changeIncident: async (incidentId, change) => {
      let written: string | undefined;
      for (let attempt = 0; attempt < CONFLICT_ATTEMPTS; attempt += 1) {
        const item = await read(incidentId);
        const current = incidentOf(item);
        if (!current) return { changed: false, incident: undefined };
        if (written !== undefined && item?.['writeId'] === written)
          return { changed: true, incident: current };
        const { version } = current;
        const changed = change(structuredClone(current));
        if (!changed) return { changed: false, incident: current };
        const stored = fitIncident({ ...changed, incidentId, version: version + 1 });
        written = randomUUID();
        const command = new PutCommand({
          ...table,
          Item: itemOf(stored, written),
          ConditionExpression: '#version = :version',
          ExpressionAttributeNames: { '#version': 'version' },
          ExpressionAttributeValues: { ':version': version },
        });
        if (await write(command)) return { changed: true, incident: structuredClone(stored) };
        await sleep(Math.random() * Math.min(400, 10 * 2 ** attempt));
      }
      throw busy('too many conflicting changes of one incident');
    },

    hostHistory: async ({ hostKey, mode, since, until = NEVER_DUE, limit }) => {
      if (since > until) return [];
      return incidentsOf(
        await collect(
          pagesOf(
            {
              IndexName: 'by_host',
              KeyConditionExpression: 'hostKey = :host AND openedAt BETWEEN :since AND :until',
              ExpressionAttributeValues: {
                ':host': historyKey(mode, hostKey),
                ':since': since,
                ':until': until,
              },
              ScanIndexForward: false,
            },
            limit,
          ),
          limit,
        ),
      );
    },

    dueIncidents: async ({ state, now, limit }) => {
      const due = new Map<string, Incident>();
      let read = 0;
      for await (const { Items: keys = [] } of statePages(state, '<= :now', { ':now': now }, limit)) {
        // The index lags behind the table, and the table is what holds. Where what was due a moment ago still leads the
        // index, more of it is read: a short answer has to mean that there is no more.
        for (const each of await incidentsOf(keys))
          if (isDue(each, state, now)) due.set(each.incidentId, each);
        read += keys.length;
        if (due.size >= limit || read >= MOST_STALE_KEYS) break;
      }
      return [...due.values()].sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0)).slice(0, limit);
    },

    listIncidents: async ({ state, until, limit }) => {
      const newestOf = (dueAt: string, values: Readonly<Record<string, number>>, most: number) =>
        collect(statePages(state, dueAt, values, most, { ScanIndexForward: false }), most);
      const last = NEVER_DUE + (until ?? NEVER_DUE);
      const [notDue, due] = await Promise.all([
        newestOf('BETWEEN :never AND :last', { ':never': NEVER_DUE, ':last': last }, limit),
        newestOf('< :never', { ':never': NEVER_DUE }, MOST_LISTED_DUE),
      ]);
      const wanted = due.filter((each) => until === undefined || Number(each['openedAt']) <= until);
      const newest = [...notDue, ...wanted].sort((a, b) => Number(b['openedAt']) - Number(a['openedAt']));
      return (await incidentsOf(newest.slice(0, limit))).filter((each) => each.state === state);
    },

    countIncidents: async ({ state }) => {
      const all = statePages(state, '>= :first', { ':first': 0 }, undefined, { Select: 'COUNT' });
      let count = 0;
      for await (const { Count = 0 } of all) count += Count;
      return count;
    },

    oncePer: async (key, expiresAt) => {
      const pk = `once#${key}`;
      const writeId = randomUUID();
      const command = new PutCommand({
        ...table,
        Item: { pk, writeId, ...expiring(expiresAt) },
        ConditionExpression: 'attribute_not_exists(pk) OR dueAt <= :now',
        ExpressionAttributeValues: { ':now': clock() },
      });
      if (await write(command)) return true;
      return (await read(pk))?.['writeId'] === writeId;
    },

    takeAllowance: async (key, limit, expiresAt) => {
      if (limit < 1) return false;
      const Key = { pk: `allowance#${key}` };
      const writeId = randomUUID();
      const now = clock();
      const takeOne = new UpdateCommand({
        ...table,
        Key,
        UpdateExpression: 'SET taken = taken + :one',
        ConditionExpression: 'dueAt > :now AND taken < :limit AND taken > :none',
        ExpressionAttributeValues: { ':one': 1, ':now': now, ':limit': limit, ':none': 0 },
      });
      if (await write(takeOne)) return true;
      const begin = new PutCommand({
        ...table,
        Item: { ...Key, taken: 1, writeId, ...expiring(expiresAt) },
        // What was all given back begins anew, or its time would be that of the job that never ran.
        ConditionExpression: 'attribute_not_exists(pk) OR dueAt <= :now OR taken = :none',
        ExpressionAttributeValues: { ':now': now, ':none': 0 },
      });
      if (await write(begin)) return true;
      // An earlier attempt of this call began the count, or somebody else did in between; else it is full.
      if ((await read(Key.pk))?.['writeId'] === writeId) return true;
      return write(takeOne);
    },

    giveBackAllowance: async (key) => {
      await write(
        new UpdateCommand({
          ...table,
          Key: { pk: `allowance#${key}` },
          UpdateExpression: 'SET taken = taken - :one',
          ConditionExpression: 'taken > :none',
          ExpressionAttributeValues: { ':one': 1, ':none': 0 },
        }),
        // A second attempt after a lost answer would give back what another job took.
        1,
      );
    },

    readAllowances: async (keys) => {
      const items = await readAll(keys.map((key) => `allowance#${key}`));
      const now = clock();
      return new Map(
        keys.map((key) => {
          const item = items.get(`allowance#${key}`);
          return [key, item && Number(item['dueAt']) > now ? Number(item['taken']) : 0];
        }),
      );
    },

    loadPolicy: async () => {
      if (cachedPolicy && cachedPolicy.until > clock()) return structuredClone(cachedPolicy.stored);
      const stored = policyOf(await read(POLICY_KEY));
      cachedPolicy = stored && { stored, until: clock() + POLICY_CACHE_MS };
      return stored && structuredClone(stored);
    },

    savePolicy: async (stored) => {
      cachedPolicy = undefined;
      await write(new PutCommand({ ...table, Item: { pk: POLICY_KEY, stored: JSON.stringify(stored) } }));
    },

    loadPause: async () => {
      const item = await read(PAUSE_KEY);
      if (!item) return { paused: false };
      const pause = storedPause.safeParse(item['pause']);
      return pause.success ? pause.data : { paused: true, reason: 'the stored pause is unreadable' };
    },

    savePause: async (pause) => {
      await write(new PutCommand({ ...table, Item: { pk: PAUSE_KEY, pause } }));
    },

    deleteExpired: async (now, limit) => {
      const ended = await collect(statePages(EXPIRING, '<= :now', { ':now': now }, limit), limit);
      const seconds = Math.floor(now / 1000);
      const room = limit - ended.length;
      // None of them is due for anything: nothing that is still to be told expires.
      const oldest = NEVER_DUE + now - retentionDays * DAY_MS;
      const range = { ':never': NEVER_DUE, ':oldest': oldest, ':seconds': seconds };
      const expired = { FilterExpression: 'expiresAt <= :seconds' };
      const done =
        room > 0
          ? await collect(statePages('closed', 'BETWEEN :never AND :oldest', range, room, expired), room)
          : [];
      let deleted = 0;
      for (const { pk } of [...ended, ...done]) {
        const command = new DeleteCommand({
          ...table,
          Key: { pk },
          ConditionExpression: 'expiresAt <= :seconds',
          ExpressionAttributeValues: { ':seconds': seconds },
        });
        if (await write(command)) deleted += 1;
      }
      return deleted;
    },
  };
}

/** The entries of pages until there are `limit`. */
async function collect(
  pages: AsyncIterable<{ readonly Items?: readonly Item[] | undefined }>,
  limit: number,
): Promise<readonly Item[]> {
  const entries: Item[] = [];
  for await (const { Items = [] } of pages) {
    entries.push(...Items);
    if (entries.length >= limit) break;
  }
  return entries.slice(0, limit);
}

/** Simulated incidents are nobody's history but their own. */
const historyKey = (mode: Incident['mode'], hostKey: string): string =>
  mode === 'live' ? hostKey : `${mode}#${hostKey}`;

/** `expiresAt` in seconds is AWS's to delete by, late as it may be; `dueAt` in milliseconds is what counts. */
const expiring = (until: number) => ({
  state: EXPIRING,
  dueAt: until,
  expiresAt: Math.floor(until / 1000),
});

const busy = (detail: string) =>
  new UpstreamError('incidents_table', 'conflict', detail, { sent: 'no', retry: true });

const isIncident = (value: unknown): value is Incident =>
  typeof value === 'object' && value !== null && 'incidentId' in value && 'version' in value;

/** Only this file writes the items, so their shape is not validated again. */
function incidentOf(item: Item | undefined): Incident | undefined {
  const incident = item?.['incident'];
  return isIncident(incident) ? incident : undefined;
}

const storedPolicy = z.object({
  policy: policySchema,
  hash: z.string(),
  pushedAt: z.number(),
  pushedBy: z.string(),
});

const storedPause = z.object({
  paused: z.boolean(),
  by: z.string().exactOptional(),
  since: z.number().exactOptional(),
  reason: z.string().exactOptional(),
});

function policyOf(item: Item | undefined): StoredPolicy | undefined {
  const text = item?.['stored'];
  if (typeof text !== 'string') return undefined;
  try {
    const parsed = storedPolicy.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function isDue({ state, dueAt }: Incident, wanted: IncidentState, now: number): boolean {
  return state === wanted && dueAt !== undefined && dueAt <= now;
}
