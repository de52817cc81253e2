/** Zabbix's JSON-RPC API: whether a problem still exists, what Zabbix knows of its host, and comments on its event. */
import * as z from 'zod';
import { postJson } from '#lib/adapters/post-json.ts';
import { type HostContext, MOST_OTHER_PROBLEMS, namesForPeople, trendOf } from '#lib/core/host-context.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { Clock, CommentEvent, HostQuestion, ReadEvent, ReadHostContext } from '#lib/workflow/ports.ts';

export interface ZabbixApi {
  /** The frontend's address, with or without `/api_jsonrpc.php`. */
  readonly url: string;
  /** An API token; it never appears in an error. */
  readonly token: string;
  /** For one request; 10,000 by default. */
  readonly timeoutMs?: number;
  /** For a recovery whose own event Zabbix has deleted already, and for when a host was asked about. */
  readonly now?: Clock;
}

/** Zabbix refuses a longer comment. */
const LONGEST_COMMENT = 2048;

/** `event.acknowledge`'s bits, from Zabbix's API reference: 1 close, 2 acknowledge, 4 message, 8 severity. */
const ACKNOWLEDGE = 2;
const MESSAGE = 4;

const eventSchema = z.object({
  eventid: z.string(),
  /** 1 problem, 0 recovery. */
  value: z.string(),
  clock: z.coerce.number(),
  /** The recovery's event, "0" while the problem exists. */
  r_eventid: z.string(),
});

/**
 * Reads whether the problem is over. Zabbix's word alone counts: "not found" (deleted, or hidden from this token) is not
 * a recovery.
 */
export function makeReadEvent(api: ZabbixApi): ReadEvent {
  const now = api.now ?? Date.now;
  const find = async (eventId: string) => {
    const found = await call(api, 'event.get', z.array(eventSchema), {
      eventids: [eventId],
      output: ['eventid', 'value', 'clock', 'r_eventid'],
    });
    return found.find(({ eventid }) => eventid === eventId);
  };
  return async (eventId) => {
    const event = await find(eventId);
    if (!event) return { kind: 'not_found' };
    if (event.value === '0') return { kind: 'recovered', at: event.clock * 1000 };
    if (event.r_eventid === '0') return { kind: 'problem' };
    const recovery = await find(event.r_eventid);
    return { kind: 'recovered', at: recovery ? recovery.clock * 1000 : now() };
  };
}

/** For all that is asked about a host together: a decision never waits longer for it. */
const HOST_TIMEOUT_MS = 2_500;
/** Of an item's values: enough to see which way they go. */
const MOST_VALUES = 60;
/** The types of values that are numbers, each in a table of its own: 0 with a fraction, 3 whole. */
const NUMBERS = [0, 3] as const;

const eventNowSchema = eventSchema.extend({
  objectid: z.string(),
  acknowledged: z.string(),
  suppressed: z.string(),
  suppression_data: z.array(z.object({ maintenanceid: z.string() })).default([]),
});
const hostSchema = z.object({
  hostid: z.string(),
  /** 0 monitored. */
  status: z.string(),
  /** 1 in maintenance, whether its data is collected or not. */
  maintenance_status: z.string(),
  /** Of active checks and of each interface: 0 unknown, 1 available, 2 not available. */
  active_available: z.string(),
  interfaces: z.array(z.object({ available: z.string() })),
});
const valueSchema = z.object({ clock: z.coerce.number(), value: z.coerce.number() });

/**
 * Reads how event and host stand, and for a decision also the host's other open problems, how often the trigger raised
 * one and where the item's value is going: all at once, and together within `timeoutMs` (2,500 by default). Needs no more
 * rights than `event.get, host.get, problem.get, history.get`: an item's type is found by asking for both kinds of numbers.
 */
export function makeReadHostContext(api: ZabbixApi): ReadHostContext {
  const clock = api.now ?? Date.now;
  return async (question) => {
    const at = clock();
    const ends = performance.now() + (api.timeoutMs ?? HOST_TIMEOUT_MS);
    const ask: Ask = (method, result, params) =>
      call({ ...api, timeoutMs: Math.max(1, ends - performance.now()) }, method, result, params);
    const host = readHost(ask, question);
    const [event, stands, past] = await Promise.all([
      readEventNow(ask, question, at),
      host,
      readPast(ask, question, host),
    ]);
    return { at, ...event, ...standing(stands), ...past };
  };
}

type Ask = <T>(method: string, result: z.ZodType<T>, params: object) => Promise<T>;
type Host = z.infer<typeof hostSchema>;

async function readEventNow(ask: Ask, { eventId, triggerId }: HostQuestion, now: number) {
  const found = await ask('event.get', z.array(eventNowSchema), {
    eventids: [eventId],
    output: ['eventid', 'objectid', 'value', 'clock', 'r_eventid', 'acknowledged', 'suppressed'],
    selectSuppressionData: ['maintenanceid', 'userid', 'suppress_until'],
  });
  const event = found.find(({ eventid, objectid }) => eventid === eventId && objectid === triggerId);
  if (event === undefined) return { event: 'unknown', acknowledged: false, suppressed: 'no' } as const;
  const byMaintenance = event.suppression_data.some(({ maintenanceid }) => maintenanceid !== '0');
  const over = event.value === '0' || event.r_eventid !== '0';
  return {
    event: over ? 'recovered' : 'problem',
    ...(over && {
      recoveredAt: event.value === '0' ? event.clock * 1000 : await recoveryTime(ask, event, now),
    }),
    acknowledged: event.acknowledged === '1',
    suppressed: event.suppressed !== '1' ? 'no' : byMaintenance ? 'by_maintenance' : 'by_human',
  } as const;
}

async function recoveryTime(ask: Ask, { r_eventid }: { r_eventid: string }, now: number): Promise<number> {
  const found = await ifHeard(
    ask('event.get', z.array(eventSchema), {
      eventids: [r_eventid],
      output: ['eventid', 'value', 'clock', 'r_eventid'],
    }),
  );
  const [recovery] = found ?? [];
  return recovery === undefined ? now : recovery.clock * 1000;
}

async function readHost(ask: Ask, { host }: HostQuestion): Promise<Host | undefined> {
  const [found] = await ask('host.get', z.array(hostSchema), {
    filter: { host: [host] },
    output: ['hostid', 'status', 'maintenance_status', 'active_available'],
    selectInterfaces: ['available'],
    limit: 1,
  });
  return found;
}

function standing(host: Host | undefined): Pick<HostContext, 'host' | 'maintenance' | 'reachable'> {
  if (host === undefined) return { host: 'unknown', maintenance: false, reachable: 'unknown' };
  const ways = [host.active_available, ...host.interfaces.map(({ available }) => available)];
  return {
    host: host.status === '0' ? 'monitored' : 'not_monitored',
    maintenance: host.maintenance_status === '1',
    reachable: ways.includes('1') ? 'yes' : ways.includes('2') ? 'no' : 'unknown',
  };
}

/** Whatever of it does not come in time is left out. */
async function readPast(
  ask: Ask,
  { eventId, triggerId, past }: HostQuestion,
  host: Promise<Host | undefined>,
): Promise<Pick<HostContext, 'otherProblems' | 'otherProblemNames' | 'sameTriggerProblems' | 'values'>> {
  if (past === undefined) return {};
  const { itemId, problemsSince, valuesSince } = past;
  const [problems, same, values] = await Promise.all([
    ifHeard(host.then((found) => found && readProblems(ask, found.hostid, eventId))),
    ifHeard(
      ask('event.get', z.coerce.number(), {
        objectids: [triggerId],
        value: [1],
        time_from: Math.floor(problemsSince / 1000),
        countOutput: true,
      }),
    ),
    itemId === undefined ? undefined : ifHeard(readValues(ask, itemId, valuesSince)),
  ]);
  const trend = values && trendOf(values);
  return {
    ...(problems !== undefined && { otherProblems: problems.length }),
    ...(problems !== undefined && problems.length > 0 && { otherProblemNames: namesForPeople(problems) }),
    ...(same !== undefined && { sameTriggerProblems: same }),
    ...(trend !== undefined && { values: trend }),
  };
}

/** Names of the host's open problems without this one, newest first. */
async function readProblems(ask: Ask, hostId: string, eventId: string): Promise<readonly string[]> {
  const found = await ask('problem.get', z.array(z.object({ eventid: z.string(), name: z.string() })), {
    hostids: [hostId],
    output: ['eventid', 'name'],
    sortfield: ['eventid'],
    sortorder: 'DESC',
    limit: MOST_OTHER_PROBLEMS + 1,
  });
  return found
    .filter(({ eventid }) => eventid !== eventId)
    .slice(0, MOST_OTHER_PROBLEMS)
    .map(({ name }) => name);
}

async function readValues(ask: Ask, itemId: string, since: number) {
  const found = await Promise.all(
    NUMBERS.map((history) =>
      ask('history.get', z.array(valueSchema), {
        itemids: [itemId],
        history,
        output: ['clock', 'value'],
        time_from: Math.floor(since / 1000),
        sortfield: 'clock',
        sortorder: 'DESC',
        limit: MOST_VALUES,
      }),
    ),
  );
  return found.flat().map(({ clock, value }) => ({ at: clock * 1000, value }));
}

async function ifHeard<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return undefined;
  }
}

/**
 * Comments on an event, and acknowledges it only when asked to. It never closes one: that is Zabbix's to find out.
 * The comment makes Zabbix post an update back to Remedia, which ignores updates.
 */
export function makeCommentEvent(api: ZabbixApi): CommentEvent {
  return async (eventId, message, { acknowledge }) => {
    const text = cut(message.replace(CONTROL_CHARACTERS, ' ').trim());
    await call(api, 'event.acknowledge', z.unknown(), {
      eventids: [eventId],
      action: MESSAGE + (acknowledge ? ACKNOWLEDGE : 0),
      // An empty comment is an error, and then the acknowledgement would be lost too.
      message: text || '(no text)',
    });
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for; new lines and tabs stay
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** Cut so that no half of a character pair stays at the end. */
function cut(text: string): string {
  if (text.length <= LONGEST_COMMENT) return text;
  return `${text.slice(0, LONGEST_COMMENT - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

const answerSchema = z.union([
  z.object({ error: z.object({ code: z.number(), message: z.string(), data: z.unknown().optional() }) }),
  z.object({ result: z.unknown() }),
]);

/** One JSON-RPC call; Zabbix says in a body with HTTP status 200 what went wrong. */
async function call<T>(api: ZabbixApi, method: string, result: z.ZodType<T>, params: object): Promise<T> {
  const { status, text } = await postJson('zabbix', {
    url: endpoint(api.url),
    headers: { 'content-type': 'application/json-rpc', authorization: `Bearer ${api.token}` },
    body: { jsonrpc: '2.0', method, params, id: 1 },
    timeoutMs: api.timeoutMs ?? 10_000,
    maxBytes: 1_000_000,
  });
  if (status < 200 || status > 299)
    throw new UpstreamError('zabbix', 'failed', `${method}: HTTP ${status}`, {
      sent: 'yes',
      retry: status >= 500 || status === 408 || status === 429,
    });
  const answer = answerSchema.safeParse(parseJson(text));
  if (!answer.success)
    throw new UpstreamError(
      'zabbix',
      'unparseable',
      `${method}: the answer is not JSON-RPC; is the address right?`,
      {
        sent: 'yes',
        retry: true,
      },
    );
  if ('error' in answer.data) throw refused(method, answer.data.error, api.token);
  const parsed = result.safeParse(answer.data.result);
  if (!parsed.success)
    throw new UpstreamError(
      'zabbix',
      'unparseable',
      `${method}: the result has another shape than expected`,
      {
        sent: 'yes',
        retry: false,
      },
    );
  return parsed.data;
}

function refused(method: string, error: { code: number; data?: unknown; message: string }, token: string) {
  const said = typeof error.data === 'string' ? error.data : error.message;
  const detail = said.replaceAll(token, '***').replace(CONTROL_CHARACTERS, ' ').slice(0, 200);
  const { code, retry } = kindOf(error.code, said);
  return new UpstreamError('zabbix', code, `${method}: ${detail}`, { sent: 'yes', retry });
}

/** Codes as a real 7.0 gives them: -32602 for a bad token and for bad parameters, -32500 for what a role may not do. */
function kindOf(code: number, said: string): { code: string; retry: boolean } {
  if (/not authori[sz]ed|session terminated|re-login/i.test(said))
    return { code: 'not_authorized', retry: false };
  if (/no permissions/i.test(said)) return { code: 'denied', retry: false };
  if (code === -32602 || code === -32601 || code === -32600) return { code: 'refused', retry: false };
  return { code: 'failed', retry: true };
}

function endpoint(url: string): string {
  return url.endsWith('.php') ? url : `${url.replace(/\/+$/, '')}/api_jsonrpc.php`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
