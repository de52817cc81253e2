/** Cases made of incidents: what is in them, what is not, and that they are decided like any other. */
import { describe, expect, it } from 'vitest';
import type { ToolName } from '#lib/catalogue/tool.ts';
import type { Decision, Incident } from '#lib/core/incident.ts';
import { anAlert, anIncident, NOON } from '#test/builders/incidents.ts';
import { createMemoryModel } from '#test/fakes/model-memory.ts';
import { makeDecider } from './deciders.ts';
import { casesFromIncidents } from './from-incidents.ts';

const aDecision = (tool: ToolName, given: Record<string, string>): Decision => ({
  decisionId: 'inc_0123456789abcdef01234567#1',
  step: 1,
  at: NOON,
  verdict: { kind: 'remediate', autonomy: 'auto', tool, arguments: given, node: 'web-01', reasons: [] },
  expiresAt: NOON,
  dispatch: { claimedAt: NOON, sent: 'yes', executionStatus: 'succeeded', endedAt: NOON },
});
const helped = (over: Partial<Incident> = {}) =>
  anIncident({
    state: 'closed',
    outcome: 'verified',
    decisions: [aDecision('cleanup_disk', { path: '/var' })],
    ...over,
  });
const production = makeDecider('production', createMemoryModel().askModel);

it('An incident that ended well is a case that production decides the same way', async () => {
  const [learnt] = casesFromIncidents([helped()]);
  expect(learnt).toMatchObject({
    remediation: 'cleanup_disk',
    expect: { arguments: { path: '/var' } },
    note: 'it helped',
  });
  if (learnt === undefined) throw new Error('no case was made');
  expect(await production(learnt)).toMatchObject({ tool: 'cleanup_disk', arguments: { path: '/var' } });
});

it('No host, address, data or secret of an alert gets into a case', () => {
  const alert = anAlert({
    eventName: 'web-01.example.com: /var is full, see https://wiki.corp/x?token=abc or mail ops@corp.example',
    host: { host: 'web-01', name: 'web-01.example.com', ip: '10.1.2.3' },
    tags: [{ tag: 'peer', value: '10.9.9.9' }],
    item: { key: 'net.tcp.service[http,10.1.2.3]', value: 'Bearer s3cr3t' },
    trigger: { id: '1', nameOrig: 'web-01: Basic dXNlcjpwYXNz', description: 'password=hunter2' },
    opdata: 'owner: ann',
  });
  const other = helped({ hostKey: 'zabbix/db-01', alert: anAlert({ host: { host: 'db-01' } }) });
  const cases = casesFromIncidents([helped({ alert }), other, helped({ alert })]);
  const text = JSON.stringify(cases);
  expect(text).not.toMatch(/web-01|db-01|10\.\d|corp|ops@|s3cr3t|dXNlc|hunter2|owner/);
  expect(cases.map(({ host }) => host)).toEqual(['host-1', 'host-2', 'host-1']);
  expect(cases[0]?.item_key).toBe('net.tcp.service[http,127.0.0.1]');
});

it('What nobody knows the right answer of, and what was only simulated, makes no case', () => {
  const { alert: _none, ...withoutAlert } = helped();
  expect(
    casesFromIncidents([helped({ outcome: 'unknown' }), helped({ mode: 'simulate' }), withoutAlert]),
  ).toEqual([]);
});

it('A second step is a case with its findings, and is decided the same way', async () => {
  const first = aDecision('analyze_processes', { resource_type: 'cpu' });
  const top = [
    { name: 'java', value: 180, unit: 'orders.service' },
    { name: 'sshd', value: 1 },
  ];
  const findings = { resource: 'cpu' as const, total: 181, capacity: 200, top };
  const chain = (tool: 'restart_application' | 'restart_service', given: Record<string, string>) =>
    helped({
      alert: anAlert({ eventName: 'High CPU utilization', tags: [], item: { key: 'system.cpu.util' } }),
      decisions: [
        { ...first, dispatch: { claimedAt: NOON, sent: 'yes', findings } },
        {
          ...first,
          step: 2,
          verdict: {
            kind: 'remediate',
            autonomy: 'auto',
            tool,
            arguments: given,
            node: 'web-01',
            reasons: [],
          },
        },
      ],
    });
  const incidents = [
    chain('restart_application', { app_name: 'orders-service' }),
    chain('restart_service', { service_name: 'orders.service' }),
  ];
  for (const incident of incidents) {
    const [, second] = casesFromIncidents([incident]);
    if (second === undefined) throw new Error('no case was made');
    expect(second.findings).toMatchObject({ resource: 'cpu', top: [{ name: 'java' }, { name: 'sshd' }] });
    expect((await production(second)).tool).toBe(second.remediation);
  }
});

describe('the name of a host that is a word of its own alerts', () => {
  const learnt = (host: string, over: Parameters<typeof anAlert>[0], given: Record<string, string> = {}) =>
    casesFromIncidents([
      helped({
        alert: anAlert({ eventName: 'down', tags: [], host: { host }, ...over }),
        decisions: [aDecision('restart_service', given)],
      }),
    ])[0];

  it.each([
    ['web', 'web.test.fail[Shop]', 'web.test.fail[Shop]'],
    ['app', 'app.health[shop]', 'app.health[shop]'],
    ['web-01', 'web-01', 'web-01'],
    ['mail', 'vfs.fs.size[/var/mail,pused]', 'vfs.fs.size[/var/mail,pused]'],
    ['mail', 'vfs.fs.size["C:\\data\\mail.db",pused]', 'vfs.fs.size["C:\\data\\mail.db",pused]'],
    ['web-01', 'net.tcp.service[http,web-01,80]', 'net.tcp.service[http,host-1,80]'],
    ['node', 'proxmox.node.memory[node]', 'proxmox.node.memory[host-1]'],
    ['web', 'web.page.get[http://web/status]', 'web.page.get[https://example.org]'],
    ['nginx', 'proc.num[nginx]', 'proc.num[nginx]'],
    ['nginx', 'systemd.unit.info["nginx.service"]', 'systemd.unit.info["nginx.service"]'],
  ])('%s: the key %s becomes %s', (host, key, without) => {
    expect(learnt(host, { item: { key } })?.item_key).toBe(without);
  });

  it.each([
    ['proc', 'nginx process on proc is down', 'nginx process on host-1 is down'],
    ['web', 'web_1, web-2, 3web, weböl', 'web_1, web-2, 3web, weböl'],
    ['web', 'web.example.com: (web) is down', 'host-1.example.com: (host-1) is down'],
    ['mail', 'mail:/srv/mail/mail.log on //mail/x', 'host-1:/srv/mail/mail.log on //host-1/x'],
    ['a+b', 'a+b is down, aab is not', 'host-1 is down, aab is not'],
    ['host', 'host is down', 'host-1 is down'],
  ])('%s: the name %s becomes %s', (host, eventName, without) => {
    expect(learnt(host, { eventName, item: { key: 'custom.check' } })?.name).toBe(without);
  });

  it('an address is no part of a longer one', () => {
    const over = { eventName: 'peers 10.1.2.3 and 10.1.2.30', host: { host: 'web-01', ip: '10.1.2.3' } };
    expect(learnt('web-01', over)?.name).toBe('peers 127.0.0.1 and 192.0.2.1');
  });

  it('stays where it is what the tool was called with', async () => {
    const found = learnt(
      'nginx',
      {
        eventName: 'nginx is down on nginx.example.com',
        host: { host: 'nginx', name: 'nginx.example.com' },
        item: { key: 'proc.num[nginx]' },
      },
      { service_name: 'nginx.service' },
    );
    expect(found).toMatchObject({
      name: 'nginx is down on host-1',
      host: 'host-1',
      item_key: 'proc.num[nginx]',
      expect: { arguments: { service_name: 'nginx.service' } },
    });
    if (found === undefined) throw new Error('no case was made');
    expect((await production(found)).arguments).toEqual({ service_name: 'nginx' });
  });

  it('is what a message to people says of it', () => {
    const decision = aDecision('notify', { message: 'nginx is down on web-01' });
    const [found] = casesFromIncidents([
      helped({ decisions: [{ ...decision, review: { answer: 'right', by: 'ann', at: NOON } }] }),
    ]);
    expect(found?.expect?.arguments).toEqual({ message: 'nginx is down on host-1' });
  });

  it('stays in what an analysis found, and in the alias for it', () => {
    const first = aDecision('analyze_processes', { resource_type: 'cpu' });
    const top = [{ name: 'java', value: 180, unit: 'shop.service' }];
    const findings = { resource: 'cpu' as const, total: 181, capacity: 200, top };
    const second = { ...aDecision('restart_service', { service_name: 'orders' }), step: 2 as const };
    const found = casesFromIncidents([
      helped({
        alert: anAlert({ eventName: 'CPU', host: { host: 'shop' } }),
        decisions: [{ ...first, dispatch: { claimedAt: NOON, sent: 'yes', findings } }, second],
      }),
    ])[1];
    expect(found?.findings?.top).toEqual(top);
    expect(found?.policy?.['aliases']).toEqual({ services: { 'shop.service': ['orders'] } });
  });
});
