/** Zabbix's JSON-RPC API as far as Remedia uses it, over HTTP, with the answers that a real 7.0 gives. */
import * as z from 'zod';
import { openHttpSink, type SinkAnswer } from '#test/fakes/http-sink.ts';
import type { EventComment } from '#test/fakes/zabbix-memory.ts';

export interface FakeZabbixApi {
  readonly url: string;
  readonly token: string;
  openProblem(): string;
  recover(eventId: string): void;
  comments(eventId: string): readonly EventComment[];
  /** `answers` instead of well-formed ones; `silent` is no answer at all. */
  become(mood: 'well' | 'silent' | SinkAnswer): void;
  close(): Promise<void>;
}

const callSchema = z.object({
  method: z.string(),
  params: z.record(z.string(), z.unknown()),
  id: z.number(),
});
const readSchema = z.object({ eventids: z.array(z.string()) });
const acknowledgeSchema = z.object({
  eventids: z.array(z.string()),
  action: z.number(),
  message: z.string().optional(),
});

export async function openFakeZabbixApi(): Promise<FakeZabbixApi> {
  const token = 'a0b1c2d3-token-of-the-fake';
  const events = new Map<
    string,
    { value: '0' | '1'; clock: number; recovery: string; comments: EventComment[] }
  >();
  const sink = await openHttpSink();
  let mood: Parameters<FakeZabbixApi['become']>[0] = 'well';
  let last = 100;
  const add = (value: '0' | '1') => {
    last += 1;
    events.set(String(last), { value, clock: 1_700_000_000 + last, recovery: '0', comments: [] });
    return String(last);
  };
  const failed = (code: number, message: string, data: string) => ({ error: { code, message, data } });

  const answer = (method: string, params: Record<string, unknown>): object => {
    if (method === 'event.get') {
      const result = readSchema.parse(params).eventids.flatMap((eventid) => {
        const event = events.get(eventid);
        return event
          ? [{ eventid, value: event.value, clock: String(event.clock), r_eventid: event.recovery }]
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
    openProblem: () => add('1'),
    recover(eventId) {
      const event = events.get(eventId);
      if (event) event.recovery = add('0');
    },
    comments: (eventId) => events.get(eventId)?.comments ?? [],
    become(next) {
      mood = next;
    },
    close: () => sink.close(),
  };
}
