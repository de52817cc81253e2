/** The whole real chain, put together: a real Zabbix that watches a real host, Remedia on this machine, jobs over ssh. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { makeAskModel } from '#lib/adapters/ollama.ts';
import { catalogue } from '#lib/catalogue/index.ts';
import { incidentIdOf } from '#lib/core/identity.ts';
import { runOverSsh } from '#local/rundeck/run-over-ssh.ts';
import { startSimulatedRundeck } from '#local/simulated-rundeck.ts';
import { questionAbout } from '#test/builders/questions.ts';
import { alertOf, triggerNamed } from '#test/builders/triggers.ts';
import { openHttpSink } from '#test/fakes/http-sink.ts';
import { openRundeck } from '../../rundeck/call-rundeck.ts';
import { connectRundeck } from '../../rundeck/connect.ts';
import { type CallZabbix, openZabbix } from '../../zabbix/call-zabbix.ts';
import { connectZabbix } from '../../zabbix/connect.ts';
import { host, installScripts } from './target-host-lab.ts';
import { eventually, makeHostGroup } from './zabbix-lab.ts';

/** Where the real parts are; see docs/demo.md. */
export const CHAIN_PARTS = [
  'ZABBIX_API_URL',
  'ZABBIX_API_USER',
  'ZABBIX_API_PASSWORD',
  'ZABBIX_TRAPPER',
  'TARGET_HOST_CMD',
  'TARGET_IP',
  'TARGET_GW',
  'TARGET_SSH_KEY',
] as const;
/** The model that decides; without `url` it is simulated. */
export const chainModel = {
  url: process.env['OLLAMA_URL'],
  model: process.env['OLLAMA_MODEL'] ?? 'llama3.2',
  threads: Number(process.env['OLLAMA_NUM_THREAD'] ?? 0),
} as const;
export type ChainParts = Readonly<Record<(typeof CHAIN_PARTS)[number], string>>;

export interface ChainSpec {
  /** As Zabbix, Rundeck and the policy know it. */
  readonly host: string;
  readonly group: string;
  readonly source: string;
  readonly policy: string;
  readonly token: string;
  readonly executionToken: string;
  /** More fields of the host in Zabbix. */
  readonly hostFields?: Readonly<Record<string, unknown>>;
  /** More settings of Remedia. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Hears what Remedia prints, as it comes. */
  readonly hear?: (chunk: string) => void;
}

/** What Zabbix asks the agent for, and when it is a problem. */
export interface Watched {
  readonly name: string;
  readonly key: string;
  /** Zabbix's value_type: 0 a number, 1 a word. */
  readonly valueType: 0 | 1;
  readonly condition: string;
  /** Zabbix's own notation; 5 s when nothing is said. */
  readonly every?: string;
  /** `false`: nobody is asked, values are sent. */
  readonly byAgent?: boolean;
  readonly trigger?: Readonly<Record<string, unknown>>;
}

const anything = z.unknown();
const incidentSchema = z.object({
  state: z.string(),
  outcome: z.string().optional(),
  escalation: z.string(),
  decisions: z.array(
    z.object({
      verdict: z.object({ kind: z.string(), tool: z.string().optional() }),
      model: z.object({ model: z.string(), totalMilliseconds: z.number() }).optional(),
      dispatch: z.object({ executionId: z.string().optional(), output: z.string().optional() }).optional(),
    }),
  ),
  zabbix: z.object({ event: z.string(), host: z.string() }).optional(),
  timeline: z.array(z.object({ at: z.number(), kind: z.string(), text: z.string() })),
});
export type ChainIncident = z.infer<typeof incidentSchema>;
const eventSchema = z.object({
  r_eventid: z.string(),
  acknowledged: z.string(),
  acknowledges: z.array(z.object({ message: z.string() })),
  tags: z.array(z.object({ tag: z.string(), value: z.string() })),
});

export type Chain = Awaited<ReturnType<typeof openChain>>;

/** The first question of all costs the evaluation of everything that never changes; an hour's first alert pays it. */
export async function warmModel(): Promise<void> {
  const { url, model, threads } = chainModel;
  if (!url) return;
  const ask = makeAskModel({ url, model, timeoutMs: 280_000, numThread: threads > 0 ? threads : undefined });
  await ask(questionAbout(alertOf(triggerNamed('PostgreSQL: Service is down'))).question);
}

/** Brings everything up; whatever was begun is ended when something fails. */
export async function openChain(real: ChainParts, spec: ChainSpec) {
  const began = Date.now();
  const { url: ollama, model, threads } = chainModel;
  const ends: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const end of ends.splice(0).reverse()) await end().catch(() => undefined);
  };
  const steps: string[] = [];
  const since = () => ((Date.now() - began) / 1000).toFixed(1);
  try {
    await host.down();
    ends.push(host.down);
    const up = await host.up();
    if (up.code !== 0) throw new Error(`the target host did not come up: ${up.output}`);
    await installScripts();
    // The agent answers the one address that the host was built for; this machine may have another.
    await host.root(
      `sed -i 's/^Server=.*/Server=127.0.0.1,${real.TARGET_GW}/' /etc/zabbix/zabbix_agent2.conf && systemctl restart zabbix-agent2`,
    );
    steps.push(`target host up after ${since()} s`);

    const folder = await mkdtemp(join(tmpdir(), 'remedia-chain-'));
    ends.push(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'policy.yaml'), spec.policy);
    const people = await openHttpSink();
    ends.push(people.close);
    const rundeck = await startSimulatedRundeck({
      nodes: [{ nodename: spec.host, hostname: real.TARGET_IP, tags: 'remedia', osFamily: 'unix' }],
      runStep: runOverSsh({ keyFile: real.TARGET_SSH_KEY, user: 'rundeck' }),
    });
    ends.push(rundeck.close);

    const call = await openZabbix(real.ZABBIX_API_URL, {
      user: real.ZABBIX_API_USER,
      password: real.ZABBIX_API_PASSWORD,
    });
    const groupId = await groupOf(call, spec.group);
    const port = await freePort();
    const remediaUrl = `http://127.0.0.1:${port}`;
    const { apiToken = '' } = await connectZabbix(call, {
      remediaUrl,
      intakeToken: spec.token,
      source: spec.source,
      hostGroups: [spec.group],
      minimumSeverity: 2,
      renewToken: true,
    });
    const connected = await connectRundeck(openRundeck(rundeck.url, rundeck.apiToken), {
      url: rundeck.url,
      project: 'remedia',
      tools: Object.values(catalogue),
      user: 'admin',
      notificationUrl: `http://rundeck:${spec.executionToken}@127.0.0.1:${port}/api/v1/rundeck/execution`,
      renew: false,
    });
    const remedia = startRemedia(
      {
        REMEDIA_PORT: String(port),
        REMEDIA_DATA_DIR: join(folder, 'data'),
        REMEDIA_POLICY: join(folder, 'policy.yaml'),
        REMEDIA_SOURCE: spec.source,
        INTAKE_TOKENS: spec.token,
        EXECUTION_TOKENS: spec.executionToken,
        ESCALATION_CHAT_URL: people.url,
        // A model that is there is used; port 1 answers nobody, so that it is simulated.
        OLLAMA_URL: ollama ?? 'http://127.0.0.1:1',
        OLLAMA_MODEL: model,
        OLLAMA_TIMEOUT_SECONDS: '250',
        ...(threads > 0 && { OLLAMA_NUM_THREAD: String(threads) }),
        RUNDECK_URL: rundeck.url,
        RUNDECK_API_TOKEN: connected.apiToken,
        RUNDECK_WEBHOOKS: JSON.stringify(connected.webhooks),
        ZABBIX_API_URL: real.ZABBIX_API_URL,
        ZABBIX_API_TOKEN: apiToken,
        ...spec.settings,
      },
      spec.hear,
    );
    ends.push(remedia.stop);
    await eventually(
      'Remedia is ready',
      () => {
        if (remedia.ended()) throw new Error(`Remedia ended: ${remedia.printed().slice(-2_000)}`);
        return remedia.printed().includes('Ready:') ? true : undefined;
      },
      240,
    );
    steps.push(`Remedia connected to both after ${since()} s`);

    const { hostids } = await call(
      'host.create',
      {
        host: spec.host,
        groups: [{ groupid: groupId }],
        interfaces: [{ type: 1, main: 1, useip: 1, ip: real.TARGET_IP, dns: '', port: '10050' }],
        ...spec.hostFields,
      },
      z.object({ hostids: z.tuple([z.string()]) }),
    );
    const [hostId] = hostids;
    ends.push(() => call('host.delete', [hostId], anything));
    const parts = { call, hostId, host: spec.host, remediaUrl, source: spec.source, token: spec.token };
    return { ...parts, rundeck, people, steps, since, printed: remedia.printed, close, ...watching(parts) };
  } catch (error) {
    await close();
    throw error;
  }
}

function watching({
  call,
  hostId,
  host: hostName,
  remediaUrl,
  source,
  token,
}: {
  readonly call: CallZabbix;
  readonly hostId: string;
  readonly host: string;
  readonly remediaUrl: string;
  readonly source: string;
  readonly token: string;
}) {
  const incidentOf = async (eventId: string) => {
    const answer = await fetch(`${remediaUrl}/api/v1/incidents/${incidentIdOf(source, eventId)}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return answer.status === 200 ? incidentSchema.parse(await answer.json()) : undefined;
  };
  return {
    /** Makes an item and the trigger for it. */
    watch: async ({ name, key, valueType, condition, every = '5s', byAgent = true, trigger }: Watched) => {
      const interfaces = await call(
        'hostinterface.get',
        { hostids: [hostId], output: ['interfaceid'] },
        z.array(z.object({ interfaceid: z.string() })),
      );
      await call(
        'item.create',
        {
          hostid: hostId,
          name,
          key_: key,
          value_type: valueType,
          ...(byAgent ? { type: 0, delay: every, interfaceid: interfaces[0]?.interfaceid } : { type: 2 }),
        },
        anything,
      );
      await call(
        'trigger.create',
        {
          description: name,
          expression: `last(/${hostName}/${key})${condition}`,
          priority: 4,
          manual_close: 1,
          ...trigger,
        },
        anything,
      );
    },
    /** Resolves when so many items have a value. */
    hasValues: (count: number) =>
      eventually('Zabbix has values of the agent', async () => {
        const items = await call(
          'item.get',
          { hostids: [hostId], output: ['key_', 'lastclock'] },
          z.array(z.object({ key_: z.string(), lastclock: z.string() })),
        );
        return items.filter(({ lastclock }) => lastclock !== '0').length >= count ? true : undefined;
      }),
    /** The event of a problem that began after `after`. */
    problemOf: (name: string, after: number) =>
      eventually(
        `Zabbix sees the problem "${name}"`,
        async () => {
          const found = await call(
            'problem.get',
            { hostids: [hostId], output: ['eventid', 'objectid', 'name', 'clock'], recent: true },
            z.array(
              z.object({ eventid: z.string(), objectid: z.string(), name: z.string(), clock: z.string() }),
            ),
          );
          return found.find((one) => one.name === name && Number(one.clock) * 1000 >= after - 1_000);
        },
        180,
      ),
    incidentOf,
    /** The incident of an event once it is closed and, if need be, told. */
    closed: (eventId: string, seconds = 290) =>
      eventually(
        `the incident of event ${eventId} is closed`,
        async () => {
          const one = await incidentOf(eventId);
          return one?.state === 'closed' && one.escalation !== 'pending' ? one : undefined;
        },
        seconds,
      ),
    eventOf: async (eventId: string) => {
      const [event] = await call(
        'event.get',
        {
          eventids: [eventId],
          output: ['eventid', 'r_eventid', 'acknowledged'],
          selectAcknowledges: ['message'],
          selectTags: ['tag', 'value'],
        },
        z.array(eventSchema),
      );
      return event;
    },
  };
}

async function groupOf(call: CallZabbix, name: string): Promise<string> {
  const [found] = await call(
    'hostgroup.get',
    { filter: { name: [name] }, output: ['groupid'] },
    z.array(z.object({ groupid: z.string() })),
  );
  return found?.groupid ?? makeHostGroup(call, name);
}

function startRemedia(
  settings: Readonly<Record<string, string>>,
  hear: ((chunk: string) => void) | undefined,
) {
  const child: ChildProcess = spawn(process.execPath, ['local/start.ts'], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      ...(hear === undefined ? { NO_COLOR: '1' } : { FORCE_COLOR: '1' }),
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
      hear?.(chunk);
    });
  }
  return {
    printed: () => printed,
    ended: () => child.exitCode !== null,
    stop: async () => {
      child.kill('SIGINT');
      await Promise.race([exited, pause(15_000)]);
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
