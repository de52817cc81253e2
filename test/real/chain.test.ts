/** The whole real chain: a real Zabbix sees a real host break, Remedia has it mended, and Zabbix sees the recovery. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { catalogue } from '#lib/catalogue/index.ts';
import { incidentIdOf } from '#lib/core/identity.ts';
import {
  CHAIN_PARTS,
  type Chain,
  type ChainIncident,
  chainModel,
  openChain,
  warmModel,
} from './chain-lab.ts';
import { realPart } from './real-part.ts';
import { host } from './target-host-lab.ts';
import { askTrapper, eventually } from './zabbix-lab.ts';

const real = realPart('chain of Zabbix and target host', CHAIN_PARTS);
const { url: ollama, model } = chainModel;
if (real && !ollama) console.warn('\nNo OLLAMA_URL: every decision here is made by a SIMULATED model.\n');
/** Two cores carry Zabbix, its database, the target host and, where there is one, the model. */
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });
const run = randomBytes(3).toString('hex');
const HOST = `chain-${run}`;
const SOURCE = `chain-${run}`;

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

describe.skipIf(!real)('the whole real chain', () => {
  let chain: Chain;

  beforeAll(async () => {
    if (!real) return;
    const warm = warmModel();
    chain = await openChain(real, {
      host: HOST,
      group: `Chain ${run}`,
      source: SOURCE,
      policy: POLICY,
      token: randomBytes(24).toString('hex'),
      executionToken: randomBytes(24).toString('hex'),
    });
    await host.root(
      'printf "[Service]\\nExecStart=/bin/sh -c \\"test ! -e /run/broken && exec sleep infinity\\"\\n" >/etc/systemd/system/fragile.service; systemctl daemon-reload; systemctl start fragile',
    );
    const notActive = { valueType: 1, condition: '<>"active"' } as const;
    for (const service of ['nginx', 'fragile'])
      await chain.watch({
        name: `${service} is not running`,
        key: `systemd.unit.info[${service}.service,ActiveState]`,
        ...notActive,
      });
    await chain.watch({
      name: 'Disk /srv/data fills up',
      key: 'vfs.fs.size[/srv/data,pused]',
      valueType: 0,
      condition: '>85',
    });
    await chain.watch({ name: 'CPU is busy', key: 'proc.cpu.util[burner]', valueType: 0, condition: '>5' });
    await chain.watch({
      name: 'Something odd',
      key: 'odd.thing',
      valueType: 0,
      condition: '>90',
      byAgent: false,
    });
    await chain.hasValues(4);
    chain.steps.push(`Zabbix watches the host after ${chain.since()} s`);
    await warm;
    chain.steps.push(`${ollama ? model : 'the SIMULATED model'} is ready after ${chain.since()} s`);
  });

  afterAll(async () => {
    if (!chain) return;
    await chain.close();
    console.log(`\n${chain.steps.join('\n')}\nwhole chain: ${chain.since()} s`);
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.log(chain.printed().slice(-6_000));
  });

  const told = (eventId: string) =>
    chain.people.requests.filter(({ body }) => body.includes(incidentIdOf(SOURCE, eventId)));
  /** How long the whole of it took, and each step of the incident since the host broke. */
  const remember = (what: string, from: number, { timeline, decisions }: ChainIncident) => {
    const after = (at: number) => `${((at - from) / 1000).toFixed(1)} s`;
    const worth = /^(received|model_asked|decided|dispatched|execution|recovered|closed|escalated)$/;
    const way = timeline.filter(({ kind }) => worth.test(kind)).map(({ kind, at }) => `${kind} ${after(at)}`);
    chain.steps.push(`${what}: ${after(Date.now())}`, `    ${way.join(', ')}`);
    for (const decision of decisions) {
      // What needs no model is decided without one; whatever was asked must be the real one.
      if (decision.model && ollama) expect(decision.model.model).toBe(model);
    }
  };
  const executionsOf = (job: string) => {
    const uuid = Object.values(catalogue)
      .flatMap((tool) => ('job' in tool ? [tool.job] : []))
      .find(({ name }) => name === job)?.uuid;
    return chain.rundeck.executions().filter(({ jobUuid }) => jobUuid === uuid);
  };

  it('a service that died is restarted, seen to recover, and said so on the event', async () => {
    const from = Date.now();
    await host.root('systemctl kill -s KILL nginx');
    const { eventid: eventId } = await chain.problemOf('nginx is not running', from);
    const one = await chain.closed(eventId);
    remember('nginx killed → verified', from, one);
    expect(one.zabbix).toEqual({ event: 'problem', host: 'monitored' });
    if (ollama) expect(one.decisions[0]?.model?.model).toBe(model);
    expect(one).toMatchObject({ outcome: 'verified' });
    expect((await host.root('systemctl is-active nginx')).output.trim()).toBe('active');
    expect(executionsOf('restart-service')).toHaveLength(1);
    const event = await eventually('the event bears a comment', async () => {
      const found = await chain.eventOf(eventId);
      return found && found.acknowledges.length > 0 ? found : undefined;
    });
    expect(event.r_eventid).not.toBe('0');
    expect(event.acknowledges.map(({ message }) => message).join('\n')).toMatch(/restart_service|nginx/);
  });

  it('the same problem comes back: a human is told, and it is not restarted in a loop', async () => {
    const from = Date.now();
    const before = executionsOf('restart-service').length;
    await host.root('systemctl kill -s KILL nginx');
    const { eventid: eventId } = await chain.problemOf('nginx is not running', from);
    const one = await chain.closed(eventId);
    remember('nginx killed again → human told', from, one);
    expect(one).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(told(eventId).length).toBeGreaterThan(0);
    expect(executionsOf('restart-service')).toHaveLength(before);
    await host.root('systemctl restart nginx');
  });

  it('a full disk is cleaned, and what is young or foreign stays', async () => {
    const from = Date.now();
    await host.fill(95);
    const { eventid: eventId } = await chain.problemOf('Disk /srv/data fills up', from);
    const one = await chain.closed(eventId);
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
    const { eventid: eventId } = await chain.problemOf('fragile is not running', from);
    const one = await chain.closed(eventId);
    remember('a service that cannot start → human told', from, one);
    expect(one).toMatchObject({ outcome: 'failed', escalation: 'delivered' });
    expect(told(eventId).length).toBeGreaterThan(0);
  });

  it('a problem that no job is for: a human is told, and nothing runs', async () => {
    const from = Date.now();
    const before = chain.rundeck.executions().length;
    const [trapperHost = '', port = ''] = (real?.ZABBIX_TRAPPER ?? '').split(':');
    await askTrapper(
      { host: trapperHost, port: Number(port) },
      { request: 'sender data', data: [{ host: HOST, key: 'odd.thing', value: '99' }] },
    );
    const { eventid: eventId } = await chain.problemOf('Something odd', from);
    const one = await chain.closed(eventId);
    remember('unknown problem → human told', from, one);
    expect(one).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(told(eventId).length).toBeGreaterThan(0);
    expect(chain.rundeck.executions()).toHaveLength(before);
  });

  it('a CPU burner is found, and a human gets the findings', async () => {
    const from = Date.now();
    await host.root(
      'cp /bin/sh /usr/local/bin/burner; (exec /usr/local/bin/burner -c "while :; do :; done") </dev/null >/dev/null 2>&1 &',
    );
    try {
      const { eventid: eventId } = await chain.problemOf('CPU is busy', from);
      const one = await chain.closed(eventId);
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
