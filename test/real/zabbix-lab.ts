/** Makes hosts, items and triggers on a real Zabbix, sends values to them, and waits for what Zabbix makes of these. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import type { CallZabbix } from '../../zabbix/call-zabbix.ts';

export interface Trapper {
  readonly host: string;
  readonly port: number;
}

/** One request of Zabbix's own protocol: "ZBXD", flag 1, length (8 bytes, little endian), JSON; the answer is the same. */
export async function askTrapper(trapper: Trapper, request: object): Promise<unknown> {
  const body = Buffer.from(JSON.stringify(request));
  const header = Buffer.alloc(13);
  header.write('ZBXD\x01', 'latin1');
  header.writeUInt32LE(body.length, 5);
  const socket = connect({ ...trapper, timeout: 60_000 });
  socket.on('timeout', () => socket.destroy(new Error('the trapper did not answer within 60 s')));
  await once(socket, 'connect');
  socket.write(Buffer.concat([header, body]));
  const answer = await buffer(socket);
  return JSON.parse(answer.subarray(13).toString('utf8'));
}

/** Asks until there is an answer that is not `undefined`; the limit is generous, since the server shares the machine. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  seconds = 120,
): Promise<T> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > until) throw new Error(`did not come within ${seconds} s: ${what}`);
    await pause(250);
  }
}

export interface LabTrigger {
  readonly triggerId: string;
  readonly itemId: string;
  /** Any value above 90 is a problem. */
  send(value: string): Promise<void>;
}

export interface LabHost {
  readonly hostId: string;
  readonly host: string;
  trigger(spec: {
    readonly name: string;
    readonly key: string;
    readonly eventName?: string;
    readonly opdata?: string;
    readonly description?: string;
    readonly tags?: readonly { readonly tag: string; readonly value: string }[];
    readonly text?: boolean;
    readonly severity?: number;
  }): Promise<LabTrigger>;
}

const ids = (key: string) =>
  z.object({ [key]: z.array(z.string()).nonempty() }).transform((each) => each[key]?.[0] ?? '');

/** A host that is not monitored by anyone but by values sent to it. */
export async function makeHost(
  call: CallZabbix,
  trapper: Trapper,
  spec: {
    readonly host: string;
    readonly groupId: string;
    readonly tags?: readonly { tag: string; value: string }[];
  },
): Promise<LabHost> {
  const hostId = await call(
    'host.create',
    {
      host: spec.host,
      name: `${spec.host}.example.com`,
      groups: [{ groupid: spec.groupId }],
      interfaces: [{ type: 1, main: 1, useip: 1, ip: '192.0.2.10', dns: '', port: '10050' }],
      tags: spec.tags ?? [],
    },
    ids('hostids'),
  );
  return {
    hostId,
    host: spec.host,
    async trigger({ name, key, eventName, opdata, description, tags = [], text = false, severity = 4 }) {
      const itemId = await call(
        'item.create',
        // 2 is a trapper item; 0 a number, 4 a text.
        { hostid: hostId, name, key_: key, type: 2, value_type: text ? 4 : 0 },
        ids('itemids'),
      );
      const triggerId = await call(
        'trigger.create',
        {
          description: name,
          expression: text ? `length(last(/${spec.host}/${key}))>90` : `last(/${spec.host}/${key})>90`,
          priority: severity,
          manual_close: 1,
          tags,
          ...(eventName === undefined ? {} : { event_name: eventName }),
          ...(opdata === undefined ? {} : { opdata }),
          ...(description === undefined ? {} : { comments: description }),
        },
        ids('triggerids'),
      );
      return {
        triggerId,
        itemId,
        // The server learns of a new item only when it reads its configuration again.
        send: (value) =>
          eventually(`Zabbix takes a value for ${key}`, async () => {
            const answer = z.object({ info: z.string() }).parse(
              await askTrapper(trapper, {
                request: 'sender data',
                data: [{ host: spec.host, key, value }],
              }),
            );
            return answer.info.includes('processed: 1; failed: 0') ? null : undefined;
          }).then(() => undefined),
      };
    },
  };
}

const problems = z.array(z.object({ eventid: z.string(), r_eventid: z.string() }));

/** The open problem of a trigger, sent again until Zabbix sees one (it may not know the trigger yet). */
export async function openProblem(call: CallZabbix, trigger: LabTrigger, value = '97.5'): Promise<string> {
  let asked = 0;
  return eventually(`a problem of trigger ${trigger.triggerId}`, async () => {
    if (asked % 20 === 0) await trigger.send(value);
    asked += 1;
    const [found] = await call('problem.get', { objectids: [trigger.triggerId] }, problems);
    return found?.eventid;
  });
}

/** Sends a good value and waits until Zabbix has closed the problem. */
export async function endProblem(
  call: CallZabbix,
  trigger: LabTrigger,
  eventId: string,
  value = '12',
): Promise<void> {
  await trigger.send(value);
  await eventually(`the recovery of event ${eventId}`, async () => {
    const [event] = await call(
      'event.get',
      { eventids: [eventId], output: ['eventid', 'r_eventid'] },
      problems,
    );
    return event && event.r_eventid !== '0' ? null : undefined;
  });
}

/** A host group of a name that is not there yet. */
export function makeHostGroup(call: CallZabbix, name: string): Promise<string> {
  return call('hostgroup.create', { name }, ids('groupids'));
}

/** The server reads its configuration now and then, and an event before it has read the action is never sent. */
export async function warmUp(
  call: CallZabbix,
  host: LabHost,
  arrived: (eventId: string) => boolean | Promise<boolean>,
): Promise<void> {
  const trigger = await host.trigger({ name: 'warm-up', key: 'warm.up' });
  await eventually(
    'a first post',
    async () => {
      const eventId = await openProblem(call, trigger);
      let came = false;
      for (let tries = 0; tries < 20 && !came; tries += 1) {
        came = await arrived(eventId);
        if (!came) await pause(250);
      }
      await endProblem(call, trigger, eventId);
      return came ? null : undefined;
    },
    180,
  );
}
