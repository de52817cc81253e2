/** The whole real chain: a real Zabbix sees a real host break, Remedia has it mended, and Zabbix sees the recovery. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { makeAskModel } from '#lib/adapters/ollama.ts';
import { catalogue } from '#lib/catalogue/index.ts';
import { incidentIdOf } from '#lib/core/identity.ts';
import { runOverSsh } from '#local/rundeck/run-over-ssh.ts';
import { type SimulatedRundeck, startSimulatedRundeck } from '#local/simulated-rundeck.ts';
import { questionAbout } from '#test/builders/questions.ts';
import { alertOf, triggerNamed } from '#test/builders/triggers.ts';
import { type HttpSink, openHttpSink } from '#test/fakes/http-sink.ts';
import { openRundeck } from '../../rundeck/call-rundeck.ts';
import { connectRundeck } from '../../rundeck/connect.ts';
import { type CallZabbix, openZabbix } from '../../zabbix/call-zabbix.ts';
import { connectZabbix } from '../../zabbix/connect.ts';
import { realPart } from './real-part.ts';
import { host, installScripts } from './target-host-lab.ts';
import { askTrapper, eventually, makeHostGroup } from './zabbix-lab.ts';

const real = realPart('chain of Zabbix and target host', [
  'ZABBIX_API_URL',
  'ZABBIX_API_USER',
  'ZABBIX_API_PASSWORD',
  'ZABBIX_TRAPPER',
  'TARGET_HOST_CMD',
  'TARGET_IP',
  'TARGET_GW',
  'TARGET_SSH_KEY',
]);
const ollama = process.env['OLLAMA_URL'];
const model = process.env['OLLAMA_MODEL'] ?? 'llama3.2';
const threads = Number(process.env['OLLAMA_NUM_THREAD'] ?? 0);
if (real && !ollama) console.warn('\nNo OLLAMA_URL: every decision here is made by a SIMULATED model.\n');
/** Two cores carry Zabbix, its database, the target host and, where there is one, the model. */
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });
const run = randomBytes(3).toString('hex');
const HOST = `chain-${run}`;
const SOURCE = `chain-${run}`;
const TOKEN = randomBytes(24).toString('hex');
const EXECUTION_TOKEN = randomBytes(24).toString('hex');
const anything = z.unknown();

const POLICY = `version: 1
rules:
  - tools: [cleanup_disk, restart_service, analyze_processes]
    where: { hosts: [${HOST}] }
    autonomy: auto
allow:
  paths: [/srv/data]
  services: [nginx.service, fragile.service]
cleanup_roots: [/srv/data/tmp, /srv/data/log]
cooldowns: { default: 5s }
flapping: { problems: 2, within: 1h }
`;

const incident = z.object({
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

describe.skipIf(!real)('the whole real chain', () => {
  let call: CallZabbix;
  let rundeck: SimulatedRundeck;
  let people: HttpSink;
  let remedia: ChildProcess;
  let remediaUrl = '';
  let folder = '';
  let hostId = '';
  let printed = '';
  let began = 0;
  const steps: string[] = [];

  const freePort = () =>
    new Promise<number>((resolve) => {
      const server = createServer();
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
      });
    });

  const startRemedia = async (port: number, settings: Readonly<Record<string, string>>) => {
    remedia = spawn(process.execPath, ['local/start.ts'], {
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        NO_COLOR: '1',
        REMEDIA_PORT: String(port),
        REMEDIA_DATA_DIR: join(folder, 'data'),
        REMEDIA_POLICY: join(folder, 'policy.yaml'),
        REMEDIA_SOURCE: SOURCE,
        INTAKE_TOKENS: TOKEN,
        EXECUTION_TOKENS: EXECUTION_TOKEN,
        ESCALATION_CHAT_URL: people.url,
        // A model that is there is used; port 1 answers nobody, so that it is simulated.
        OLLAMA_URL: ollama ?? 'http://127.0.0.1:1',
        OLLAMA_MODEL: model,
        OLLAMA_TIMEOUT_SECONDS: '250',
        ...(threads > 0 && { OLLAMA_NUM_THREAD: String(threads) }),
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [remedia.stdout, remedia.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        printed += chunk;
      });
    }
    await eventually('Remedia is ready', () => (printed.includes('Ready:') ? true : undefined), 240).catch(
      (error: unknown) => {
        throw new Error(`Remedia did not start: ${printed.slice(-2000)}`, { cause: error });
      },
    );
  };

  beforeAll(async () => {
    if (!real) return;
    began = Date.now();
    const warm = warmModel();
    await host.down();
    const up = await host.up();
    if (up.code !== 0) throw new Error(`the target host did not come up: ${up.output}`);
    await installScripts();
    // The agent answers the one address that the host was built for; this machine may have another.
    await host.root(
      `sed -i 's/^Server=.*/Server=127.0.0.1,${real.TARGET_GW}/' /etc/zabbix/zabbix_agent2.conf && systemctl restart zabbix-agent2`,
    );
    await host.root(
      'printf "[Service]\\nExecStart=/bin/sh -c \\"test ! -e /run/broken && exec sleep infinity\\"\\n" >/etc/systemd/system/fragile.service; systemctl daemon-reload; systemctl start fragile',
    );
    steps.push(`target host up after ${since()} s`);

    folder = await mkdtemp(join(tmpdir(), 'remedia-chain-'));
    await writeFile(join(folder, 'policy.yaml'), POLICY);
    people = await openHttpSink();
    rundeck = await startSimulatedRundeck({
      nodes: [{ nodename: HOST, hostname: real.TARGET_IP, tags: 'remedia', osFamily: 'unix' }],
      runStep: runOverSsh({ keyFile: real.TARGET_SSH_KEY, user: 'rundeck' }),
    });

    call = await openZabbix(real.ZABBIX_API_URL, {
      user: real.ZABBIX_API_USER,
      password: real.ZABBIX_API_PASSWORD,
    });
    const group = `Chain ${run}`;
    const groupId = await makeHostGroup(call, group);
    const port = await freePort();
    remediaUrl = `http://127.0.0.1:${port}`;
    const { apiToken = '' } = await connectZabbix(call, {
      remediaUrl,
      intakeToken: TOKEN,
      source: SOURCE,
      hostGroups: [group],
      minimumSeverity: 2,
      renewToken: true,
    });
    const connected = await connectRundeck(openRundeck(rundeck.url, rundeck.apiToken), {
      url: rundeck.url,
      project: 'remedia',
      tools: Object.values(catalogue),
      user: 'admin',
      notificationUrl: `http://rundeck:${EXECUTION_TOKEN}@127.0.0.1:${port}/api/v1/rundeck/execution`,
      renew: false,
    });
    await startRemedia(port, {
      RUNDECK_URL: rundeck.url,
      RUNDECK_API_TOKEN: connected.apiToken,
      RUNDECK_WEBHOOKS: JSON.stringify(connected.webhooks),
      ZABBIX_API_URL: real.ZABBIX_API_URL,
      ZABBIX_API_TOKEN: apiToken,
    });
    steps.push(`Remedia connected to both after ${since()} s`);

    const created = z.object({ hostids: z.array(z.string()).nonempty() });
    hostId =
      (
        await call(
          'host.create',
          {
            host: HOST,
            groups: [{ groupid: groupId }],
            interfaces: [{ type: 1, main: 1, useip: 1, ip: real.TARGET_IP, dns: '', port: '10050' }],
          },
          created,
        )
      ).hostids[0] ?? '';
    const interfaces = await call(
      'hostinterface.get',
      { hostids: [hostId], output: ['interfaceid'] },
      z.array(z.object({ interfaceid: z.string() })),
    );
    const watch = async (name: string, key: string, valueType: 0 | 1, condition: string, agent = true) => {
      await call(
        'item.create',
        {
          hostid: hostId,
          name,
          key_: key,
          value_type: valueType,
          ...(agent ? { type: 0, delay: '5s', interfaceid: interfaces[0]?.interfaceid } : { type: 2 }),
        },
        anything,
      );
      await call(
        'trigger.create',
        { description: name, expression: `last(/${HOST}/${key})${condition}`, priority: 4, manual_close: 1 },
        anything,
      );
    };
    await watch('nginx is not running', 'systemd.unit.info[nginx.service,ActiveState]', 1, '<>"active"');
    await watch('fragile is not running', 'systemd.unit.info[fragile.service,ActiveState]', 1, '<>"active"');
    await watch('Disk /srv/data fills up', 'vfs.fs.size[/srv/data,pused]', 0, '>85');
    await watch('CPU is busy', 'proc.cpu.util[burner]', 0, '>5');
    await watch('Something odd', 'odd.thing', 0, '>90', false);
    await eventually('Zabbix has values of the agent', async () => {
      const items = await call(
        'item.get',
        { hostids: [hostId], output: ['key_', 'lastclock'] },
        z.array(z.object({ key_: z.string(), lastclock: z.string() })),
      );
      return items.filter(({ lastclock }) => lastclock !== '0').length >= 4 ? true : undefined;
    });
    steps.push(`Zabbix watches the host after ${since()} s`);
    await warm;
    steps.push(`${ollama ? model : 'the SIMULATED model'} is ready after ${since()} s`);
  });

  afterAll(async () => {
    if (!real) return;
    if (hostId !== '') await call('host.delete', [hostId], anything);
    remedia?.kill('SIGINT');
    await rundeck?.close();
    await people?.close();
    await host.down();
    if (folder !== '') await rm(folder, { recursive: true, force: true });
    console.log(`\n${steps.join('\n')}\nwhole chain: ${since()} s`);
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.log(printed.slice(-6_000));
  });

  const since = () => ((Date.now() - began) / 1000).toFixed(1);

  /** The newest event of a trigger, a problem that began after `after`. */
  const problemOf = (name: string, after: number) =>
    eventually(
      `Zabbix sees the problem "${name}"`,
      async () => {
        const found = await call(
          'problem.get',
          { hostids: [hostId], output: ['eventid', 'name', 'clock'], recent: true },
          z.array(z.object({ eventid: z.string(), name: z.string(), clock: z.string() })),
        );
        return found.find((one) => one.name === name && Number(one.clock) * 1000 >= after - 1_000)?.eventid;
      },
      180,
    );
  const incidentOf = async (eventId: string) => {
    const answer = await fetch(`${remediaUrl}/api/v1/incidents/${incidentIdOf(SOURCE, eventId)}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    return answer.status === 200 ? incident.parse(await answer.json()) : undefined;
  };
  const closed = (eventId: string, seconds = 290) =>
    eventually(
      `the incident of event ${eventId} is closed`,
      async () => {
        const one = await incidentOf(eventId);
        return one?.state === 'closed' && one.escalation !== 'pending' ? one : undefined;
      },
      seconds,
    );
  const comments = async (eventId: string) => {
    const [event] = await call(
      'event.get',
      {
        eventids: [eventId],
        output: ['eventid', 'r_eventid', 'acknowledged'],
        selectAcknowledges: ['message'],
      },
      z.array(
        z.object({
          r_eventid: z.string(),
          acknowledged: z.string(),
          acknowledges: z.array(z.object({ message: z.string() })),
        }),
      ),
    );
    return event;
  };
  const told = (eventId: string) =>
    people.requests.filter(({ body }) => body.includes(incidentIdOf(SOURCE, eventId)));
  /** How long the whole of it took, and each step of the incident since the host broke. */
  const remember = (what: string, from: number, { timeline, decisions }: z.infer<typeof incident>) => {
    const after = (at: number) => `${((at - from) / 1000).toFixed(1)} s`;
    const worth = /^(received|model_asked|decided|dispatched|execution|recovered|closed|escalated)$/;
    const way = timeline.filter(({ kind }) => worth.test(kind)).map(({ kind, at }) => `${kind} ${after(at)}`);
    steps.push(`${what}: ${after(Date.now())}`, `    ${way.join(', ')}`);
    for (const decision of decisions) {
      // What needs no model is decided without one; whatever was asked must be the real one.
      if (decision.model && ollama) expect(decision.model.model).toBe(model);
    }
  };
  /** The first question of all costs the evaluation of everything that never changes; an hour's first alert pays it. */
  async function warmModel(): Promise<void> {
    if (!ollama) return;
    const numThread = threads > 0 ? threads : undefined;
    const ask = makeAskModel({ url: ollama, model, timeoutMs: 280_000, numThread });
    await ask(questionAbout(alertOf(triggerNamed('PostgreSQL: Service is down'))).question);
  }
  const executionsOf = (job: string) => {
    const uuid = Object.values(catalogue)
      .flatMap((tool) => ('job' in tool ? [tool.job] : []))
      .find(({ name }) => name === job)?.uuid;
    return rundeck.executions().filter(({ jobUuid }) => jobUuid === uuid);
  };

  it('a service that died is restarted, seen to recover, and said so on the event', async () => {
    const from = Date.now();
    await host.root('systemctl kill -s KILL nginx');
    const eventId = await problemOf('nginx is not running', from);
    const one = await closed(eventId);
    remember('nginx killed → verified', from, one);
    expect(one.zabbix).toEqual({ event: 'problem', host: 'monitored' });
    if (ollama) expect(one.decisions[0]?.model?.model).toBe(model);
    expect(one).toMatchObject({ outcome: 'verified' });
    expect((await host.root('systemctl is-active nginx')).output.trim()).toBe('active');
    expect(executionsOf('restart-service')).toHaveLength(1);
    const event = await eventually('the event bears a comment', async () => {
      const found = await comments(eventId);
      return found && found.acknowledges.length > 0 ? found : undefined;
    });
    expect(event.r_eventid).not.toBe('0');
    expect(event.acknowledges.map(({ message }) => message).join('\n')).toMatch(/restart_service|nginx/);
  });

  it('the same problem comes back: a human is told, and it is not restarted in a loop', async () => {
    const from = Date.now();
    const before = executionsOf('restart-service').length;
    await host.root('systemctl kill -s KILL nginx');
    const eventId = await problemOf('nginx is not running', from);
    const one = await closed(eventId);
    remember('nginx killed again → human told', from, one);
    expect(one).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(told(eventId).length).toBeGreaterThan(0);
    expect(executionsOf('restart-service')).toHaveLength(before);
    await host.root('systemctl restart nginx');
  });

  it('a full disk is cleaned, and what is young or foreign stays', async () => {
    const from = Date.now();
    await host.fill(95);
    const eventId = await problemOf('Disk /srv/data fills up', from);
    const one = await closed(eventId);
    remember('disk full → verified', from, one);
    expect(one).toMatchObject({ outcome: 'verified' });
    expect((await host.root('ls /srv/data/keep.dat; ls /srv/data/tmp | wc -l')).output).toMatch(
      /keep\.dat\n0\n/,
    );
    expect(one.decisions[0]?.dispatch?.output).toContain('"result":"removed"');
  });

  it('a script that fails: a human is told', async () => {
    const from = Date.now();
    await host.root('touch /run/broken; systemctl kill -s KILL fragile');
    const eventId = await problemOf('fragile is not running', from);
    const one = await closed(eventId);
    remember('a service that cannot start → human told', from, one);
    expect(one).toMatchObject({ outcome: 'failed', escalation: 'delivered' });
    expect(told(eventId).length).toBeGreaterThan(0);
  });

  it('a problem that no job is for: a human is told, and nothing runs', async () => {
    const from = Date.now();
    const before = rundeck.executions().length;
    const [trapperHost = '', port = ''] = (real?.ZABBIX_TRAPPER ?? '').split(':');
    await askTrapper(
      { host: trapperHost, port: Number(port) },
      { request: 'sender data', data: [{ host: HOST, key: 'odd.thing', value: '99' }] },
    );
    const eventId = await problemOf('Something odd', from);
    const one = await closed(eventId);
    remember('unknown problem → human told', from, one);
    expect(one).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(told(eventId).length).toBeGreaterThan(0);
    expect(rundeck.executions()).toHaveLength(before);
  });

  it('a CPU burner is found, and a human gets the findings', async () => {
    const from = Date.now();
    await host.root(
      'cp /bin/sh /usr/local/bin/burner; (exec /usr/local/bin/burner -c "while :; do :; done") </dev/null >/dev/null 2>&1 &',
    );
    try {
      const eventId = await problemOf('CPU is busy', from);
      const one = await closed(eventId);
      remember('CPU burner → findings with a human', from, one);
      expect(one).toMatchObject({ outcome: 'analysed', escalation: 'delivered' });
      expect(one.decisions[0]?.dispatch?.output).toContain('burner');
      expect(
        told(eventId)
          .map(({ body }) => body)
          .join('\n'),
      ).toContain('burner');
    } finally {
      await host.root('pkill -x burner');
    }
  });
});
