/** Zabbix's JSON-RPC API: whether a problem still exists, and comments on its event. */
import * as z from 'zod';
import { postJson } from '#lib/adapters/post-json.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { Clock, CommentEvent, ReadEvent } from '#lib/workflow/ports.ts';

export interface ZabbixApi {
  /** The frontend's address, with or without `/api_jsonrpc.php`. */
  readonly url: string;
  /** An API token; it never appears in an error. */
  readonly token: string;
  /** For one request; 10,000 by default. */
  readonly timeoutMs?: number;
  /** Only for a recovery whose own event Zabbix has deleted already. */
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
