/** The storm breaker: above so many alerts in so short a time nothing is acted upon, until it is calm again. */
import type { Allowance } from '#lib/core/allowances.ts';
import { durationMs } from '#lib/core/duration.ts';
import type { Policy } from '#lib/core/policy.ts';

const MINUTE = 60_000;
/** Longer than the longest window that the policy's schema takes, one hour. */
const KEPT = 2 * 60 * MINUTE;
/** Ample for whoever crashed before the unit was taken to come again. */
const EPISODE = 10 * MINUTE;
/** A storm that goes on is told again after this time. */
const TOLD_AGAIN_AFTER = 60 * MINUTE;

/**
 * The counter that every new problem takes a unit of when it arrives, before anybody decides: a storm must be seen
 * while its alerts still wait in the queue. One counter a minute, which no policy needs to be read for.
 */
export function stormCount(source: string, receivedAt: number): Allowance {
  return { key: minuteKey(source, minuteOf(receivedAt)), limit: 1_000_000, expiresAt: receivedAt + KEPT };
}

/** The counters of the policy's window that ends now, the newest first; at most 61. */
export function stormKeys(policy: Policy, source: string, now: number): readonly string[] {
  const minutes = Math.ceil(durationMs(policy.storm.within) / MINUTE);
  // The minute that runs is not full, so one more is looked at: rather a minute longer than too short.
  return Array.from({ length: minutes + 1 }, (_, index) => minuteKey(source, minuteOf(now) - index));
}

/** Whether the breaker is open, given how much is taken of each of `stormKeys`; it closes by itself. */
export function readStorm(
  policy: Policy,
  counts: ReadonlyMap<string, number>,
): { readonly open: boolean; readonly alerts: number } {
  const alerts = [...counts.values()].reduce((sum, each) => sum + each, 0);
  return { open: alerts >= policy.storm.alerts, alerts };
}

/**
 * The one unit that is taken when the summary of an open storm is recorded. When it is calm again and the unit is taken,
 * whoever sees that gives it back, so that the next storm is told at once.
 */
export function stormSummary(source: string, now: number): Allowance {
  return { key: `storm/${source}/told`, limit: 1, expiresAt: now + TOLD_AGAIN_AFTER };
}

/** Names one storm, as long as its summary is not recorded: whoever sees it at about the same time means the same one. */
export function stormEpisode(now: number): string {
  return String(Math.floor(now / EPISODE));
}

function minuteOf(at: number): number {
  return Math.floor(at / MINUTE);
}

function minuteKey(source: string, minute: number): string {
  return `storm/${source}/${new Date(minute * MINUTE).toISOString().slice(0, 16)}`;
}
