import { describe, expect, it } from 'vitest';
import { explainPolicy } from '#lib/core/policy-explanation.ts';
import { anAlert, aPolicy, NOON } from './examples.ts';

describe('explainPolicy', () => {
  const policy = aPolicy({
    deny: [
      { name: 'freeze', windows: [{ from: '20:00', to: '21:00' }] },
      { tools: ['restart_service'], where: { hosts: ['db-*'] } },
    ],
    rules: [
      { tools: ['restart_service'], where: { hosts: ['web-*'], environments: ['test'] }, autonomy: 'auto' },
      { tools: ['restart_service', 'cleanup_disk'], where: { host_groups: ['Web*'] }, autonomy: 'approve' },
    ],
    routing: [{ team: 'web' }],
    minimum_severity: 4,
  });

  it('shows denials and rules, and what of each fits', () => {
    const explained = explainPolicy({ policy, alert: anAlert(), now: NOON });
    const restart = explained.tools.find(({ tool }) => tool === 'restart_service');

    expect(explained).toMatchObject({ ignored: false, node: 'web-01', route: { team: 'web' } });
    expect(explained.denials.map(({ label, fit, inWindow, tools }) => [label, fit, inWindow, tools])).toEqual(
      [
        ['denial 1 "freeze"', 'yes', false, ['every tool']],
        ['denial 2', 'no', true, ['restart_service']],
      ],
    );
    expect(restart?.match).toMatchObject({ kind: 'allowed', autonomy: 'approve' });
    expect(
      restart?.rules.map(({ label, fit, holdsBack, autonomy }) => [label, fit, holdsBack, autonomy]),
    ).toEqual([
      ['rule 1', 'no', false, 'auto'],
      ['rule 2', 'yes', false, 'approve'],
    ]);
    expect(restart?.rules[0]?.conditions).toEqual([
      { condition: 'hosts', fit: 'yes', fact: 'web-01' },
      { condition: 'environments', fit: 'no', fact: 'prod' },
    ]);
  });

  it('shows a rule that allows nothing but holds back', () => {
    const { tools } = explainPolicy({ policy, alert: anAlert({ hostGroups: [] }), now: NOON });
    const cleanup = tools.find(({ tool }) => tool === 'cleanup_disk');

    expect(cleanup?.rules).toMatchObject([{ label: 'rule 2', fit: 'unknown', holdsBack: true }]);
    expect(cleanup?.match.kind).toBe('refused');
  });

  it('says of every tool but notify what is possible, and that a low severity is ignored', () => {
    const { tools, ignored } = explainPolicy({ policy, alert: anAlert({ severity: 3 }), now: NOON });

    expect(ignored).toBe(true);
    expect(tools.map(({ tool }) => tool)).toEqual([
      'cleanup_disk',
      'restart_service',
      'analyze_processes',
      'restart_application',
    ]);
  });
});
