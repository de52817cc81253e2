/** The whole way from a real Zabbix: a value becomes a problem, an incident, a job, a recovery, and words on the event. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import * as z from 'zod';
import { type SimulatedModel, startSimulatedModel } from '#local/simulated-model.ts';
import { type HttpSink, openHttpSink } from '#test/fakes/http-sink.ts';
import { type CallZabbix, openZabbix } from '../../zabbix/call-zabbix.ts';
import { type Connected, connectZabbix } from '../../zabbix/connect.ts';
import { realPart } from './real-part.ts';
import {
  endProblem,
  eventually,
  type LabHost,
  makeHost,
  makeHostGroup,
  openProblem,
  type Trapper,
  warmUp,
} from './zabbix-lab.ts';

const real = realPart('Zabbix', [
  'ZABBIX_API_URL',
  'ZABBIX_API_USER',
  'ZABBIX_API_PASSWORD',
  'ZABBIX_TRAPPER',
]);
const run = randomBytes(3).toString('hex');
const token = `intake-token-${run}`;
const anything = z.unknown();

const incidentSchema = z.looseObject({
  incidentId: z.string(),
  state: z.string(),
  outcome: z.string().optional(),
  escalation: z.string(),
  recoveredAt: z.number().optional(),
  decisions: z.array(
    z.looseObject({
      verdict: z.looseObject({ kind: z.string(), tool: z.string().optional(), node: z.string().optional() }),
      dispatch: z.looseObject({ executionId: z.string().optional() }).optional(),
    }),
  ),
  timeline: z.array(z.object({ kind: z.string(), text: z.string() })),
});

describe.skipIf(!real)('from a real Zabbix to a job and back', () => {
  let call: CallZabbix;
  let people: HttpSink;
  let model: SimulatedModel;
  let remedia: Remedia;
  let connected: Connected;
  let host: LabHost;
  const groupName = `Remedia chain ${run}`;

  beforeAll(async () => {
    if (!real) return;
    const [trapperHost = '', port = ''] = real.ZABBIX_TRAPPER.split(':');
    const trapper: Trapper = { host: trapperHost, port: Number(port) };
    call = await openZabbix(real.ZABBIX_API_URL, {
      user: real.ZABBIX_API_USER,
      password: real.ZABBIX_API_PASSWORD,
    });
    [people, model] = await Promise.all([openHttpSink(), startSimulatedModel()]);
    const groupId = await makeHostGroup(call, groupName);
    const httpPort = await freePort();
    const connection = {
      remediaUrl: `http://127.0.0.1:${httpPort}`,
      intakeToken: token,
      signingKey: `signing-key-of-${run}`,
      source: 'chain',
      hostGroups: [groupName],
      minimumSeverity: 0,
      renewToken: true,
    };
    connected = await connectZabbix(call, connection);
    await hurry();
    remedia = await openRemedia(httpPort, {
      INTAKE_TOKENS: token,
      INTAKE_HMAC_KEY: connection.signingKey,
      REMEDIA_SOURCE: 'chain',
      ZABBIX_API_URL: real.ZABBIX_API_URL,
      ZABBIX_API_TOKEN: connected.apiToken ?? '',
      ESCALATION_CHAT_URL: people.url,
      OLLAMA_URL: model.url,
    });
    host = await makeHost(call, trapper, {
      host: `chain-${run}`,
      groupId,
      tags: [{ tag: 'env', value: 'prod' }],
    });
    await warmUp(call, host, async (eventId) => (await incidentOf(eventId)) !== undefined);
  });
  afterAll(async () => {
    if (host) await call('host.delete', [host.hostId], anything);
    if (connected) await call('action.update', { actionid: connected.actionId, status: 1 }, anything);
    await remedia?.close();
    await Promise.all([people?.close(), model?.close()]);
  });

  /** Often, and for longer than a start of Remedia takes on a busy machine. */
  const hurry = () =>
    call(
      'mediatype.update',
      { mediatypeid: connected.mediaTypeId, attempt_interval: '2s', maxattempts: '100' },
      anything,
    );

  /** The way an administrator comes to it: from the tag on Zabbix's event. */
  async function incidentOf(eventId: string) {
    const [event] = await call(
      'event.get',
      { eventids: [eventId], selectTags: ['tag', 'value'] },
      z.array(z.object({ tags: z.array(z.object({ tag: z.string(), value: z.string() })) })),
    );
    const link = event?.tags.find(({ tag }) => tag === '__remedia_link')?.value;
    if (link === undefined) return undefined;
    const answer = await fetch(link, { headers: { authorization: `Bearer ${token}` } });
    return answer.status === 200 ? incidentSchema.parse(await answer.json()) : undefined;
  }
  const becomes = (
    eventId: string,
    what: string,
    is: (incident: z.infer<typeof incidentSchema>) => boolean,
  ) =>
    eventually(
      `the incident of event ${eventId}: ${what}`,
      async () => {
        const incident = await incidentOf(eventId);
        return incident && is(incident) ? incident : undefined;
      },
      240,
    );
  const commentsOn = async (eventId: string) => {
    const [event] = await call(
      'event.get',
      { eventids: [eventId], select_acknowledges: ['message', 'action'] },
      z.array(
        z.object({ acknowledges: z.array(z.object({ message: z.string(), action: z.coerce.number() })) }),
      ),
    );
    return event?.acknowledges ?? [];
  };

  it('restarts a service that is down, sees the recovery, and says so on the event', async () => {
    const trigger = await host.trigger({
      name: 'Service nginx is not running',
      key: 'systemd.unit.info["nginx.service",ActiveState]',
      tags: [
        { tag: 'service', value: 'nginx.service' },
        { tag: 'scope', value: 'availability' },
      ],
    });

    const eventId = await openProblem(call, trigger);
    const running = await becomes(eventId, 'a job was started', ({ decisions }) =>
      decisions.some(({ dispatch }) => dispatch?.executionId !== undefined),
    );
    await endProblem(call, trigger, eventId);
    const closed = await becomes(eventId, 'closed', ({ state }) => state === 'closed');

    expect(running.decisions[0]?.verdict).toMatchObject({
      kind: 'remediate',
      tool: 'restart_service',
      node: host.host,
    });
    expect(closed).toMatchObject({ outcome: 'verified', recoveredAt: expect.any(Number) });
    const comments = await eventually('an acknowledgement', async () => {
      const all = await commentsOn(eventId);
      return all.some(({ action }) => (action & 2) !== 0) ? all : undefined;
    });
    expect(comments.map(({ message }) => message).join('\n')).toContain('restart_service');
    expect(people.requests.filter(({ body }) => body.includes(closed.incidentId))).toEqual([]);
  });

  it('tells a human of a problem that no job can mend, and then acknowledges it', async () => {
    const trigger = await host.trigger({ name: 'Fan 3 of the rack is loud', key: 'fan.noise[3]' });

    const eventId = await openProblem(call, trigger);
    const told = await becomes(eventId, 'a human was told', ({ escalation }) => escalation === 'delivered');

    expect(told.decisions[0]?.verdict.kind).toBe('escalate');
    expect(people.requests.some(({ body }) => body.includes('Fan 3 of the rack is loud'))).toBe(true);
    await eventually('an acknowledgement', async () =>
      (await commentsOn(eventId)).some(({ action }) => (action & 2) !== 0) ? null : undefined,
    );
    await endProblem(call, trigger, eventId);
    await becomes(eventId, 'recovered', ({ recoveredAt }) => recoveredAt !== undefined);
  });

  it('loses nothing while it is away: Zabbix tries again until it is back', async () => {
    const trigger = await host.trigger({ name: 'Fan 4 of the rack is loud', key: 'fan.noise[4]' });
    await remedia.stop();

    const eventId = await openProblem(call, trigger);
    const failed = await eventually('a first attempt that failed', async () => {
      const [alert] = await call(
        'alert.get',
        { eventids: [eventId], output: ['error', 'retries'] },
        z.array(z.object({ error: z.string(), retries: z.coerce.number() })),
      );
      return alert && alert.retries > 0 ? alert : undefined;
    });
    await remedia.start();
    const told = await becomes(eventId, 'a human was told', ({ escalation }) => escalation === 'delivered');

    expect(failed.error).toContain('Remedia did not take the alert');
    expect(told.timeline.map(({ kind }) => kind)).toContain('received');
    await endProblem(call, trigger, eventId);
  });

  it('refuses a wrong token with words that a person finds in Zabbix', async () => {
    const [macro] = await call(
      'usermacro.get',
      { globalmacro: true, filter: { macro: '{$REMEDIA.TOKEN}' } },
      z.array(z.object({ globalmacroid: z.string() })),
    );
    await call('mediatype.update', { mediatypeid: connected.mediaTypeId, maxattempts: '2' }, anything);
    await call('usermacro.updateglobal', { ...macro, value: 'a wrong one' }, anything);
    const trigger = await host.trigger({ name: 'Fan 5 of the rack is loud', key: 'fan.noise[5]' });

    const error = await eventually(
      'an alert that fails for good',
      async () => {
        // Zabbix may still know the right token for a moment.
        const eventId = await openProblem(call, trigger);
        const alert = await eventually('the end of an alert', async () => {
          const [found] = await call(
            'alert.get',
            { eventids: [eventId], output: ['status', 'error'] },
            z.array(z.object({ status: z.string(), error: z.string() })),
          );
          return found && ['1', '2'].includes(found.status) ? found : undefined;
        });
        await endProblem(call, trigger, eventId);
        return alert.status === '2' ? alert.error : undefined;
      },
      180,
    );
    await call('usermacro.updateglobal', { ...macro, value: token }, anything);
    await hurry();

    expect(error).toContain('HTTP 401: Unauthorized; Expected Authorization: Bearer and a valid token.');
    expect(error).not.toContain('a wrong one');
  });

  const policy = {
    version: 1,
    rules: [
      {
        name: 'the hosts of this test',
        tools: ['restart_service', 'cleanup_disk'],
        where: { host_groups: [groupName] },
        autonomy: 'auto',
      },
    ],
    allow: { services: ['nginx', 'nginx.service'], paths: ['/'] },
    cleanup_roots: ['/var/log'],
  };

  interface Remedia {
    start(): Promise<void>;
    stop(): Promise<void>;
    close(): Promise<void>;
  }

  /** The pipeline as `npm start` runs it, with a data directory and a policy of its own and a simulated model and Rundeck. */
  async function openRemedia(port: number, settings: Readonly<Record<string, string>>): Promise<Remedia> {
    const folder = await mkdtemp(join(tmpdir(), 'remedia-zabbix-'));
    const policyFile = join(folder, 'policy.yaml');
    await writeFile(policyFile, stringify(policy));
    let child: ChildProcess | undefined;
    const opened: Remedia = {
      async start() {
        const started = spawn(process.execPath, ['local/start.ts'], {
          env: {
            PATH: process.env['PATH'],
            HOME: folder,
            REMEDIA_PORT: String(port),
            REMEDIA_DATA_DIR: join(folder, 'data'),
            REMEDIA_POLICY: policyFile,
            ...settings,
          },
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        child = started;
        const lines = createInterface({ input: started.stdout });
        await new Promise<void>((resolve, reject) => {
          lines.on('line', (line) => {
            console.log(`remedia | ${line}`);
            if (line.includes('Ready: ')) resolve();
          });
          started.once('exit', (code) => reject(new Error(`npm start ended with ${code}`)));
        });
      },
      async stop() {
        if (!child || child.exitCode !== null) return;
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        const timer = setTimeout(() => child?.kill('SIGKILL'), 20_000);
        await ended;
        clearTimeout(timer);
      },
      async close() {
        await opened.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
    await opened.start();
    return opened;
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
