/** What is learnt from a decision: whose word counts, when a job's end says something, and what a tool's report adds up. */
import { describe, expect, it } from 'vitest';
import type { Decision, Incident, Verdict } from '#lib/core/incident.ts';
import { noteReview } from '#lib/core/incident-changes.ts';
import { labelOf, reportTools } from '#lib/core/label-decision.ts';
import { anIncident, NOON } from '#test/builders/incidents.ts';

const job = {
  tool: 'restart_service',
  arguments: { service_name: 'nginx.service' },
  node: 'web-01',
} as const;
const remediate: Verdict = { kind: 'remediate', autonomy: 'auto', ...job, reasons: [] };
const asked: Verdict = { kind: 'needs_approval', autonomy: 'approve', ...job, reasons: [] };
const observed: Verdict = { kind: 'observe', autonomy: 'observe', ...job, reasons: [] };
const escalated: Verdict = { kind: 'escalate', reasons: [] };
const aDecision = (verdict: Verdict, over: Partial<Decision> = {}): Decision => ({
  decisionId: 'inc_0123456789abcdef01234567#1',
  step: 1,
  at: NOON,
  verdict,
  expiresAt: NOON + 900_000,
  ...over,
});
const by = { by: 'ann', at: NOON };
const ran = (executionStatus = 'succeeded') => ({
  dispatch: { claimedAt: NOON, sent: 'yes' as const, executionStatus },
});
const closed = (outcome: Incident['outcome'], ...decisions: readonly Decision[]): Incident =>
  anIncident({ state: 'closed', ...(outcome !== undefined && { outcome }), decisions });

describe('the right answer', () => {
  it.each<[string, Incident['outcome'], Decision, string | undefined]>([
    ['a job that helped', 'verified', aDecision(remediate, ran()), 'restart_service'],
    ['a job that did not help', 'failed', aDecision(remediate, ran()), 'notify'],
    ['a job that failed', 'failed', aDecision(remediate, ran('failed')), undefined],
    ['a job of which nobody knows', 'unknown', aDecision(remediate, ran()), undefined],
    ['a job that never ran', 'handed_over', aDecision(remediate), undefined],
    ['an observed one', 'observed', aDecision(observed), undefined],
    [
      'an observed one that is right',
      'observed',
      aDecision(observed, { review: { answer: 'right', ...by } }),
      'restart_service',
    ],
    [
      'an observed one that is wrong',
      'observed',
      aDecision(observed, { review: { answer: 'wrong', ...by } }),
      'notify',
    ],
    [
      'one whose place another should take',
      'observed',
      aDecision(observed, { review: { answer: 'wrong', instead: 'cleanup_disk', ...by } }),
      'cleanup_disk',
    ],
    [
      'a human who was rightly asked',
      'handed_over',
      aDecision(escalated, { review: { answer: 'right', ...by } }),
      'notify',
    ],
    [
      'a human who was wrongly asked, and nobody says what instead',
      'handed_over',
      aDecision(escalated, { review: { answer: 'wrong', ...by } }),
      undefined,
    ],
    ['a hand-over', 'handed_over', aDecision(escalated), undefined],
    ['a rejected one', 'rejected', aDecision(asked, { approval: { answer: 'rejected', ...by } }), 'notify'],
    [
      'an approved one that helped',
      'verified',
      aDecision(asked, { approval: { answer: 'approved', ...by }, ...ran() }),
      'restart_service',
    ],
    [
      'one that helped, and a human says that it was wrong all the same',
      'verified',
      aDecision(remediate, { review: { answer: 'wrong', ...by }, ...ran() }),
      'notify',
    ],
  ])('of %s', (_, outcome, decision, tool) => {
    expect(labelOf(closed(outcome, decision), decision)?.tool).toBe(tool);
  });

  it('of a chain is that of its last step when it did not help', () => {
    const looked: Verdict = {
      ...remediate,
      tool: 'analyze_processes',
      arguments: { resource_type: 'cpu' },
    };
    const first = aDecision(looked, ran());
    const second = aDecision(remediate, { step: 2, ...ran() });
    const failed = closed('failed', first, second);
    const helped = closed('verified', first, second);

    expect(failed.decisions.map((each) => labelOf(failed, each)?.tool)).toEqual([undefined, 'notify']);
    expect(helped.decisions.map((each) => labelOf(helped, each)?.tool)).toEqual([
      'analyze_processes',
      'restart_service',
    ]);
  });
});

describe('a human’s word', () => {
  it('is kept with the decision, and a later one replaces it', () => {
    const incident = closed('observed', aDecision(observed));
    const first = noteReview(incident, { step: 1, answer: 'right', by: 'ann', now: NOON });
    expect(first?.decisions[0]?.review).toEqual({ answer: 'right', ...by });
    const later =
      first && noteReview(first, { step: 1, answer: 'wrong', instead: 'notify', by: 'bob', now: NOON });
    expect(later?.decisions[0]?.review).toMatchObject({ answer: 'wrong', instead: 'notify', by: 'bob' });
    expect(later?.timeline.at(-1)).toMatchObject({
      kind: 'reviewed',
      text: 'bob says of the decision of step 1: wrong, notify instead.',
    });
  });

  it('needs a decision', () => {
    expect(noteReview(anIncident(), { step: 1, answer: 'right', by: 'ann', now: NOON })).toBeUndefined();
  });
});

it('A report adds up what became of each tool’s proposals, without simulations', () => {
  const refused = aDecision(escalated, {
    proposal: { kind: 'proposal', tool: 'restart_service', arguments: job.arguments },
  });
  const incidents = [
    closed('verified', aDecision(remediate, ran())),
    closed('failed', aDecision(asked, { approval: { answer: 'approved', ...by }, ...ran() })),
    closed('rejected', aDecision(asked, { approval: { answer: 'rejected', ...by } })),
    closed('unverifiable', aDecision(remediate, ran())),
    closed('handed_over', aDecision(remediate, { dispatch: { claimedAt: NOON, sent: 'no' } })),
    closed('observed', aDecision(observed, { review: { answer: 'right', ...by } })),
    closed('observed', aDecision(observed, { review: { answer: 'wrong', ...by } })),
    closed('handed_over', refused),
    // Nothing is known of it yet.
    anIncident({ state: 'verifying', decisions: [aDecision(remediate, ran())] }),
    { ...closed('verified', aDecision(remediate, ran())), mode: 'simulate' as const },
  ];
  const reports = reportTools(incidents);
  expect(reports.map(({ tool }) => tool)).not.toContain('notify');
  expect(reports.find(({ tool }) => tool === 'restart_service')).toEqual({
    tool: 'restart_service',
    proposed: 8,
    refused: 1,
    observed: 2,
    approved: 1,
    rejected: 1,
    ran: 4,
    verified: 1,
    failed: 1,
    unclear: 1,
    right: 1,
    wrong: 1,
  });
});
