/** Zabbix's JSON-RPC API as far as Remedia uses it, over HTTP, with the answers that a real 7.0 gives. */
import * as z from 'zod';
import { openHttpSink, type SinkAnswer, type SinkRequest } from '#test/fakes/http-sink.ts';
import type { EventComment } from '#test/fakes/zabbix-memory.ts';

export interface FakeZabbixApi {
  readonly url: string;
  readonly token: string;
  readonly requests: readonly SinkRequest[];
  openProblem(): string;
  recover(eventId: string): void;
  /** The housekeeper deletes it. */
  forget(eventId: string): void;
  suppress(eventId: string, by: 'maintenance' | 'human'): void;
  /** Its one host, as `host.get` shows it; `undefined`, and the token may not read it. */
  shows(host: Partial<FakeHost> | undefined): void;
  /** Another problem of that host. */
  alsoOpen(name: string): void;
  /** What an item had, by the type of its values: 0 with a fraction, 3 whole; newest last, a minute apart. */
  values(type: 0 | 3, values: readonly string[]): void;
  /** Never answers this method. */
  hangs(method: string): void;
  comments(eventId: string): readonly EventComment[];
  /** `answers` instead of well-formed ones; `silent` is no answer at all. */
  become(mood: 'well' | 'silent' | SinkAnswer): void;
  close(): Promise<void>;
}

export interface FakeHost {
  readonly status: '0' | '1';
  readonly maintenance_status: '0' | '1';
  readonly active_available: '0' | '1' | '2';
  readonly interfaces: readonly { readonly available: '0' | '1' | '2' }[];
}

/** The trigger, the host and the item that everything here belongs to. */
export const FAKE = {
  triggerId: '900',
  host: 'web-01',
  hostId: '10650',
  itemId: '70',
  now: 1_700_003_600_000,
};

const callSchema = z.object({
  method: z.string(),
  params: z.record(z.string(), z.unknown()),
  id: z.number(),
});
const readSchema = z.object({ eventids: z.array(z.string()).min(1) });
const countSchema = z.object({
  objectids: z.array(z.string()).min(1),
  value: z.tuple([z.literal(1)]),
  time_from: z.int(),
  countOutput: z.literal(true),
});
const hostSchema = z.object({ filter: z.object({ host: z.tuple([z.string()]) }) });
const problemSchema = z.object({ hostids: z.tuple([z.string()]), limit: z.int().max(50) });
const historySchema = z.object({
  itemids: z.tuple([z.string()]),
  history: z.union([z.literal(0), z.literal(3)]),
  sortorder: z.literal('DESC'),
  limit: z.int().max(100),
});
const acknowledgeSchema = z.object({
  eventids: z.array(z.string()),
  action: z.number(),
  message: z.string().optional(),
});

export async function openFakeZabbixApi(): Promise<FakeZabbixApi> {
  const token = 'a0b1c2d3-token-of-the-fake';
  const events = new Map<
    string,
    {
      value: '0' | '1';
      clock: number;
      recovery: string;
      suppressedBy?: 'maintenance' | 'human';
      comments: EventComment[];
    }
  >();
  const sink = await openHttpSink();
  let mood: Parameters<FakeZabbixApi['become']>[0] = 'well';
  let last = 100;
  let host: FakeHost | undefined = {
    status: '0',
    maintenance_status: '0',
    active_available: '0',
    interfaces: [{ available: '1' }],
  };
  const others: { eventid: string; name: string }[] = [];
  const history: Record<0 | 3, readonly string[]> = { 0: [], 3: [] };
  const hanging = new Set<string>();
  const add = (value: '0' | '1') => {
    last += 1;
    events.set(String(last), { value, clock: 1_700_000_000 + last, recovery: '0', comments: [] });
    return String(last);
  };
  const failed = (code: number, message: string, data: string) => ({ error: { code, message, data } });

  const answer = (method: string, params: Record<string, unknown>): object => {
    if (method === 'host.get') {
      const [asked] = hostSchema.parse(params).filter.host;
      return { result: host && asked === FAKE.host ? [{ hostid: FAKE.hostId, ...host }] : [] };
    }
    if (method === 'problem.get') {
      const { hostids, limit } = problemSchema.parse(params);
      const open = [...events].flatMap(([eventid, { value, recovery }]) =>
        value === '1' && recovery === '0' ? [{ eventid, name: 'the problem' }] : [],
      );
      const found = hostids[0] === FAKE.hostId ? [...open, ...others] : [];
      return { result: found.toSorted((a, b) => Number(b.eventid) - Number(a.eventid)).slice(0, limit) };
    }
    if (method === 'history.get') {
      const { itemids, history: type, limit } = historySchema.parse(params);
      const clock = FAKE.now / 1000;
      const found = itemids[0] === FAKE.itemId ? history[type].toReversed() : [];
      return {
        result: found.slice(0, limit).map((value, index) => ({ clock: String(clock - 60 * index), value })),
      };
    }
    if (method === 'event.get' && 'countOutput' in params) {
      const { objectids, time_from } = countSchema.parse(params);
      const counted = [...events.values()].filter(({ value, clock }) => value === '1' && clock >= time_from);
      return { result: String(objectids[0] === FAKE.triggerId ? counted.length : 0) };
    }
    if (method === 'event.get') {
      const result = readSchema.parse(params).eventids.flatMap((eventid) => {
        const event = events.get(eventid);
        return event
          ? [
              {
                eventid,
                objectid: FAKE.triggerId,
                value: event.value,
                clock: String(event.clock),
                r_eventid: event.recovery,
                acknowledged: event.comments.some(({ acknowledged }) => acknowledged) ? '1' : '0',
                suppressed: event.suppressedBy === undefined ? '0' : '1',
                suppression_data:
                  event.suppressedBy === undefined
                    ? []
                    : [
                        event.suppressedBy === 'human'
                          ? { maintenanceid: '0', userid: '1', suppress_until: '0' }
                          : { maintenanceid: '5', userid: '0', suppress_until: '1700009999' },
                      ],
              },
            ]
          : [];
      });
      return { result };
    }
    if (method !== 'event.acknowledge')
      return failed(-32601, 'Method not found.', `Incorrect method "${method}".`);
    const { eventids, action, message = '' } = acknowledgeSchema.parse(params);
    if (action & 4 && message === '')
      return failed(-32602, 'Invalid params.', 'Invalid parameter "/message": cannot be empty.');
    if ([...message].length > 2048)
      return failed(-32602, 'Invalid params.', 'Invalid parameter "/message": value is too long.');
    for (const eventid of eventids) {
      const event = events.get(eventid);
      if (!event)
        return failed(
          -32500,
          'Application error.',
          'No permissions to referred object or it does not exist!',
        );
      event.comments.push({ message, acknowledged: (action & 2) !== 0 });
    }
    return { result: { eventids } };
  };

  sink.answerWith(({ method, url, headers, body }) => {
    if (mood === 'silent') return undefined;
    if (mood !== 'well') return mood;
    if (method !== 'POST' || url !== '/zabbix/api_jsonrpc.php') return { status: 404, body: 'Not Found' };
    const call = callSchema.parse(JSON.parse(body));
    if (hanging.has(call.method)) return undefined;
    const said =
      headers.authorization === `Bearer ${token}`
        ? answer(call.method, call.params)
        : failed(-32602, 'Invalid params.', 'Not authorized.');
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', ...said, id: call.id }),
    };
  });

  return {
    url: `${sink.url}/zabbix`,
    token,
    requests: sink.requests,
    openProblem: () => add('1'),
    recover(eventId) {
      const event = events.get(eventId);
      if (event) event.recovery = add('0');
    },
    forget: (eventId) => events.delete(eventId),
    suppress(eventId, by) {
      const event = events.get(eventId);
      if (event) event.suppressedBy = by;
    },
    shows(changed) {
      host = changed && host && { ...host, ...changed };
    },
    alsoOpen(name) {
      last += 1;
      others.push({ eventid: String(last), name });
    },
    values(type, values) {
      history[type] = values;
    },
    hangs(method) {
      hanging.add(method);
    },
    comments: (eventId) => events.get(eventId)?.comments ?? [],
    become(next) {
      mood = next;
    },
    close: () => sink.close(),
  };
}
