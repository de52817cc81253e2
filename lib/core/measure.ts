/** What is worth counting in one change of one incident, read from the record itself, so that a figure cannot say else. */
import type { Decision, Incident } from '#lib/core/incident.ts';

export interface Measurement {
  readonly metric:
    | 'Alerts'
    | 'Decisions'
    | 'Executions'
    | 'ExecutionsEnded'
    | 'Outcomes'
    | 'Messages'
    | 'ModelMilliseconds'
    | 'QueueAgeMilliseconds';
  readonly value: number;
  /** By name, from the most general to the most special: each is a dimension. */
  readonly dimensions: Readonly<Record<string, string>>;
}

/** What happened between two states of an incident; `before` is absent for a new one. A simulation counts nothing. */
export function measurementsOf(before: Incident | undefined, after: Incident): readonly Measurement[] {
  if (after.mode === 'simulate') return [];
  return [
    ...alerts(before, after),
    ...after.decisions.flatMap((decision, index) => jobs(before?.decisions[index], decision)),
    ...messages(before, after),
    ...(after.state === 'closed' && before?.state !== 'closed' && after.outcome !== undefined
      ? [one('Outcomes', { Outcome: after.outcome })]
      : []),
  ].map((each) => ({ ...each, dimensions: { Source: after.source, ...each.dimensions } }));
}

const one = (metric: Measurement['metric'], dimensions: Readonly<Record<string, string>>): Measurement => ({
  metric,
  value: 1,
  dimensions,
});

function alerts(before: Incident | undefined, after: Incident): readonly Measurement[] {
  if (before === undefined) {
    const recovered = after.recoveredAt === undefined ? 'problem' : 'recovery';
    return [one('Alerts', { Kind: after.outcome === 'rejected' ? 'rejected' : recovered })];
  }
  // A timeline that was cut to fit has lost its middle; its newest entries are still those that were added.
  const last = before.timeline.at(-1)?.at ?? 0;
  const added = after.timeline.slice(Math.min(before.timeline.length, after.timeline.length - 1));
  return added.flatMap(({ kind, at }) => {
    if (at < last) return [];
    if (kind === 'repeated') return [one('Alerts', { Kind: 'repeat' })];
    if (kind === 'updated') return [one('Alerts', { Kind: 'update' })];
    return kind === 'recovered' ? [one('Alerts', { Kind: 'recovery' })] : [];
  });
}

function jobs(before: Decision | undefined, after: Decision): readonly Measurement[] {
  const { verdict, dispatch } = after;
  const tool = 'tool' in verdict ? verdict.tool : 'none';
  const [reason] = verdict.reasons;
  const known = before?.dispatch;
  const status = dispatch?.executionStatus;
  return [
    ...(before === undefined
      ? [one('Decisions', { Verdict: verdict.kind, Reason: reason?.code ?? 'none' })]
      : []),
    ...(dispatch?.executionId !== undefined && known?.executionId === undefined
      ? [one('Executions', { Tool: tool })]
      : []),
    ...(status !== undefined && dispatch?.endedAt !== undefined && known?.endedAt === undefined
      ? [one('ExecutionsEnded', { Tool: tool, Status: status })]
      : []),
  ];
}

/** Each failed attempt to tell what counts as undeliverable is counted, so that its alarm rings for as long as that lasts. */
function messages(before: Incident | undefined, after: Incident): readonly Measurement[] {
  const { escalation, messageAttempts = 0 } = after;
  const triedAgain = messageAttempts > (before?.messageAttempts ?? 0);
  if (escalation === 'undeliverable') return triedAgain ? [one('Messages', { Result: 'undeliverable' })] : [];
  return escalation === 'delivered' && before?.escalation !== escalation
    ? [one('Messages', { Result: 'told' })]
    : [];
}
