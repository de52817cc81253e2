/** What is counted of an incident's change: each event once, and nothing of a simulation. */
import { describe, expect, it } from 'vitest';
import type { Decision, Incident } from '#lib/core/incident.ts';
import { measurementsOf } from '#lib/core/measure.ts';
import { anIncident, NOON } from '#test/builders/incidents.ts';

const decision: Decision = {
  decisionId: 'inc_0123456789abcdef01234567#1',
  step: 1,
  at: NOON,
  verdict: {
    kind: 'remediate',
    tool: 'cleanup_disk',
    arguments: { path: '/var' },
    node: 'web-01',
    autonomy: 'auto',
    reasons: [{ code: 'chosen_by_model', text: 'The model chose it.' }],
  },
  expiresAt: NOON + 1,
};
const claimed = { claimedAt: NOON, sent: 'no' } as const;
const running = { claimedAt: NOON, sent: 'yes', executionId: '7' } as const;
const ended = { ...running, executionStatus: 'succeeded', endedAt: NOON } as const;
const of = (over: Partial<Incident> = {}) => anIncident(over);
const entry = (kind: Incident['timeline'][number]['kind'], at = NOON) => ({ at, kind, text: 'x' });
const escalate = { kind: 'escalate', reasons: [] } as const;

describe('a change of an incident', () => {
  it.each<[string, Incident | undefined, Incident, readonly Record<string, string | number>[]]>([
    ['a new problem', undefined, of(), [{ Alerts: 1, Kind: 'problem' }]],
    ['a recovery of nothing', undefined, of({ recoveredAt: NOON }), [{ Alerts: 1, Kind: 'recovery' }]],
    [
      'a refused post',
      undefined,
      of({ state: 'closed', outcome: 'rejected' }),
      [
        { Alerts: 1, Kind: 'rejected' },
        { Outcomes: 1, Outcome: 'rejected' },
      ],
    ],
    [
      'a repeat, an update and a recovery',
      of(),
      of({ timeline: [entry('received'), entry('repeated'), entry('updated'), entry('recovered')] }),
      [
        { Alerts: 1, Kind: 'repeat' },
        { Alerts: 1, Kind: 'update' },
        { Alerts: 1, Kind: 'recovery' },
      ],
    ],
    [
      'an entry that was there before, in a timeline that was cut',
      of({ timeline: [entry('received', 1), entry('repeated', 2), entry('held', 3)] }),
      of({ timeline: [entry('received', 1), entry('repeated', 2)] }),
      [],
    ],
    [
      'a first entry',
      of({ timeline: [] }),
      of({ timeline: [entry('repeated')] }),
      [{ Alerts: 1, Kind: 'repeat' }],
    ],
    [
      'a decision',
      of(),
      of({ decisions: [decision] }),
      [{ Decisions: 1, Verdict: 'remediate', Reason: 'chosen_by_model' }],
    ],
    [
      'a decision without a reason or a tool',
      of(),
      of({ decisions: [{ ...decision, verdict: escalate, dispatch: running }] }),
      [
        { Decisions: 1, Verdict: 'escalate', Reason: 'none' },
        { Executions: 1, Tool: 'none' },
      ],
    ],
    [
      'an execution that began',
      of({ decisions: [{ ...decision, dispatch: claimed }] }),
      of({ decisions: [{ ...decision, dispatch: running }] }),
      [{ Executions: 1, Tool: 'cleanup_disk' }],
    ],
    [
      'an execution that ended',
      of({ decisions: [{ ...decision, dispatch: running }] }),
      of({ decisions: [{ ...decision, dispatch: ended }] }),
      [{ ExecutionsEnded: 1, Tool: 'cleanup_disk', Status: 'succeeded' }],
    ],
    [
      'an end, told',
      of({ escalation: 'pending' }),
      of({ state: 'closed', outcome: 'failed', escalation: 'delivered' }),
      [
        { Messages: 1, Result: 'told' },
        { Outcomes: 1, Outcome: 'failed' },
      ],
    ],
    [
      'a message that nobody gets',
      of({ escalation: 'pending', messageAttempts: 4 }),
      of({ escalation: 'undeliverable', messageAttempts: 5 }),
      [{ Messages: 1, Result: 'undeliverable' }],
    ],
    [
      'each hour in which nobody gets it',
      of({ escalation: 'undeliverable', messageAttempts: 5 }),
      of({ escalation: 'undeliverable', messageAttempts: 6 }),
      [{ Messages: 1, Result: 'undeliverable' }],
    ],
    [
      'somebody who gets it at last',
      of({ escalation: 'undeliverable', messageAttempts: 6 }),
      of({ escalation: 'delivered', messageAttempts: 6 }),
      [{ Messages: 1, Result: 'told' }],
    ],
    [
      'no attempt that is only claimed',
      of({ escalation: 'undeliverable', messageAttempts: 6 }),
      of({ escalation: 'undeliverable', messageAttempts: 6 }),
      [],
    ],
    [
      'no attempt of a message that waits',
      of({ escalation: 'pending' }),
      of({ escalation: 'pending', messageAttempts: 1 }),
      [],
    ],
    [
      'a record that was never known otherwise',
      undefined,
      of({ escalation: 'undeliverable', messageAttempts: 5 }),
      [
        { Alerts: 1, Kind: 'problem' },
        { Messages: 1, Result: 'undeliverable' },
      ],
    ],
    ['a message that waits', of(), of({ escalation: 'pending' }), []],
    [
      'nothing new in what is closed',
      of({ state: 'closed', outcome: 'failed', decisions: [{ ...decision, dispatch: ended }] }),
      of({ state: 'closed', outcome: 'failed', decisions: [{ ...decision, dispatch: ended }] }),
      [],
    ],
    ['a simulation', undefined, of({ mode: 'simulate' }), []],
  ])('counts %s', (_, before, after, expected) => {
    const counted = measurementsOf(before, after).map(({ metric, value, dimensions }) => ({
      [metric]: value,
      ...dimensions,
    }));

    expect(counted).toEqual(expected.map((each) => ({ Source: 'zabbix', ...each })));
  });
});
