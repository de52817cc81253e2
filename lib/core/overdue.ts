/** Until when an incident must have gone on by itself: after that whoever should have seen to it is taken for dead. */
import { catalogue } from '#lib/catalogue/index.ts';
import type { Incident, Outcome, Reason } from '#lib/core/incident.ts';
import { stepToDecide } from '#lib/core/incident-changes.ts';

const MINUTE = 60_000;
/** A message that waits behind others, or comes again after a fault, is late and not lost. */
const DECIDE_LATE_MS = 5 * MINUTE;
/** Rundeck may take a while to end a job, and the check comes every minute at best. */
const CHECK_LATE_MS = 15 * MINUTE;

export interface Overdue {
  readonly outcome: Extract<Outcome, 'handed_over' | 'unverifiable'>;
  readonly reason: Reason;
}

/**
 * How an incident ends that its own function should have ended by now: nothing but the sweeper and a way to a human has
 * to work for that. `undefined` while it is in time, and for what the sweeper looks after anyway.
 */
export function overdue(incident: Incident, now: number): Overdue | undefined {
  const { state, decideBy, decisions, timeline } = incident;
  const decision = decisions.at(-1);
  if (stepToDecide(incident) !== undefined) {
    if (now < decideBy + DECIDE_LATE_MS) return undefined;
    const held = timeline.findLast(({ kind }) => kind === 'held' || kind === 'decided');
    const why = held?.kind === 'held' ? ` ${held.text}` : '';
    const text = `It could not be decided in time.${why}`;
    return { outcome: 'handed_over', reason: { code: 'decision_expired', text } };
  }
  if (decision === undefined) return undefined;
  // A claim whose post was surely not sent is as good as none, however often somebody takes it anew and dies.
  const unsent = state === 'dispatching' && decision.dispatch?.sent === 'no';
  if (state === 'decided' || state === 'held' || unsent) {
    if (now < decision.expiresAt + DECIDE_LATE_MS) return undefined;
    const text = 'The decision is too old to be carried out, and nothing has carried it out.';
    return { outcome: 'handed_over', reason: { code: 'decision_expired', text } };
  }
  const { verdict, dispatch } = decision;
  if ((state !== 'running' && state !== 'verifying') || dispatch === undefined || !('tool' in verdict)) {
    return undefined;
  }
  const { job, recoveryWithinSeconds } = catalogue[verdict.tool];
  const longestMs = (job.timeLimitSeconds + recoveryWithinSeconds) * 1000;
  if (now < dispatch.claimedAt + longestMs + CHECK_LATE_MS) return undefined;
  const text = 'Nobody found out in time how the job ended and whether the problem is over.';
  return { outcome: 'unverifiable', reason: { code: 'outcome_unknown', text } };
}
