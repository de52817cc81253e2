/** Cases made of incidents: what is in them, what is not, and that they are decided like any other. */
import { expect, it } from 'vitest';
import type { Decision, Incident } from '#lib/core/incident.ts';
import { anAlert, anIncident, NOON } from '#test/builders/incidents.ts';
import { createMemoryModel } from '#test/fakes/model-memory.ts';
import { makeDecider } from './deciders.ts';
import { casesFromIncidents } from './from-incidents.ts';

const aDecision = (tool: 'cleanup_disk' | 'analyze_processes', given: Record<string, string>): Decision => ({
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
