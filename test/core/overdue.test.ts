/** What nobody works on any more ends by the sweeper alone, each kind after its own time. */
import { describe, expect, it } from 'vitest';
import { type Decision, INCIDENT_STATES, type Incident } from '#lib/core/incident.ts';
import { overdue } from '#lib/core/overdue.ts';
import { anIncident, NOON } from '#test/builders/incidents.ts';

const MINUTE = 60_000;
const because = { code: 'autonomy_auto', text: 'The policy says auto.' } as const;

const aDecision = (over: Partial<Decision> = {}): Decision => ({
  decisionId: 'inc_0123456789abcdef01234567#1',
  step: 1,
  at: NOON,
  verdict: {
    kind: 'remediate',
    autonomy: 'auto',
    tool: 'cleanup_disk',
    arguments: { path: '/var' },
    node: 'web-01',
    reasons: [because],
  },
  expiresAt: NOON + 15 * MINUTE,
  ...over,
});
const dispatch = { claimedAt: NOON, sent: 'yes', executionId: '7' } as const;
const ran = aDecision({ dispatch });
const analysis: Decision['verdict'] = {
  kind: 'remediate',
  autonomy: 'auto',
  tool: 'analyze_processes',
  arguments: { resource_type: 'cpu' },
  node: 'web-01',
  reasons: [because],
};

describe('what waits', () => {
  it.each([
    ['to be decided', anIncident(), 20, 'handed_over', 'decision_expired'],
    ['held, to be decided', anIncident({ state: 'held' }), 20, 'handed_over', 'decision_expired'],
    [
      'to be decided once more, with a time of its own',
      anIncident({
        decideBy: NOON + 40 * MINUTE,
        decisions: [aDecision({ verdict: analysis, dispatch: { ...dispatch, endedAt: NOON } })],
      }),
      45,
      'handed_over',
      'decision_expired',
    ],
    [
      'for its job',
      anIncident({ state: 'decided', decisions: [aDecision()] }),
      20,
      'handed_over',
      'decision_expired',
    ],
    [
      'for its job, whose claim is taken again and again and never sent',
      anIncident({
        state: 'dispatching',
        decisions: [aDecision({ dispatch: { claimedAt: NOON + 19 * MINUTE, sent: 'no' } })],
      }),
      20,
      'handed_over',
      'decision_expired',
    ],
    [
      'held, for its job',
      anIncident({ state: 'held', decisions: [aDecision()] }),
      20,
      'handed_over',
      'decision_expired',
    ],
    [
      'for the end of its job',
      anIncident({ state: 'running', decisions: [ran] }),
      41,
      'unverifiable',
      'outcome_unknown',
    ],
    [
      'for the end of the problem',
      anIncident({ state: 'verifying', decisions: [ran] }),
      41,
      'unverifiable',
      'outcome_unknown',
    ],
    [
      'for a job with a short time',
      anIncident({ state: 'running', decisions: [aDecision({ verdict: analysis, dispatch })] }),
      17,
      'unverifiable',
      'outcome_unknown',
    ],
  ] as const)('%s is overdue after its time, and not before', (_, incident, minutes, outcome, code) => {
    expect(overdue(incident, NOON + minutes * MINUTE - 1)).toBeUndefined();
    expect(overdue(incident, NOON + minutes * MINUTE)).toMatchObject({ outcome, reason: { code } });
  });

  const late = NOON + 24 * 60 * MINUTE;
  it.each([
    ['of why it was held', [{ at: NOON, kind: 'held', text: 'Paused by ann.' }], ' Paused by ann.'],
    ['of nothing when it was not', [], ''],
    [
      'of nothing that held up an earlier decision',
      [
        { at: NOON, kind: 'held', text: 'Paused by ann.' },
        { at: NOON, kind: 'decided', text: 'Run analyze_processes.' },
      ],
      '',
    ],
  ] as const)('tells %s', (_, timeline, why) => {
    const text = `It could not be decided in time.${why}`;
    expect(overdue(anIncident({ timeline }), late)?.reason.text).toBe(text);
  });

  it.each([
    ['for a human', anIncident({ state: 'awaiting_approval', decisions: [aDecision()] })],
    ['for its claim, whose job may run', anIncident({ state: 'dispatching', decisions: [ran] })],
    ['for nothing', anIncident({ state: 'closed', decisions: [ran] })],
    ['for a job that was never claimed', anIncident({ state: 'running', decisions: [aDecision()] })],
    [
      'for a job that there is none of',
      anIncident({
        state: 'running',
        decisions: [aDecision({ dispatch, verdict: { kind: 'ignore', reasons: [because] } })],
      }),
    ],
    ['for nothing that it says', anIncident({ state: 'decided' })],
  ] satisfies [string, Incident][])('%s is looked after elsewhere', (_, incident) => {
    expect(overdue(incident, late)).toBeUndefined();
  });

  it('is never overdue without a decision once it was dispatched', () => {
    for (const state of INCIDENT_STATES.filter((each) => each !== 'received' && each !== 'held'))
      expect(overdue(anIncident({ state }), late)).toBeUndefined();
  });
});
