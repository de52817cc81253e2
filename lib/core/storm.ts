/** The storm breaker: above so many alerts in so short a time nothing is acted upon, until it is calm again. */
import type { Allowance } from '#lib/core/allowances.ts';
import { durationMs } from '#lib/core/duration.ts';
import type { Policy } from '#lib/core/policy.ts';

const MINUTE = 60_000;
/** Longer than the longest window that the policy's schema takes, one hour, and the time before it in which a storm began. */
const KEPT = 3 * 60 * MINUTE;
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
  return keysBefore(source, minuteOf(now), windowOf(policy));
}

/** The counters that `nameStorm` reads to find out when the storm began; at most 121. */
export function stormPastKeys(policy: Policy, source: string, now: number): readonly string[] {
  return keysBefore(source, minuteOf(now), windowOf(policy) + TOLD_AGAIN_AFTER / MINUTE);
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
 * What the storm that is open now is called, given how much is taken of each of `stormPastKeys`: by the minute of arrival
 * in which it opened. Whoever sees this storm, however late and however often, calls it the same, and no other storm has
 * that name; two with no whole minute of calm between them are one. `before` is how one that has been open for an hour
 * was called just before: it is told again once that is long enough ago.
 */
export function nameStorm(
  policy: Policy,
  source: string,
  counts: ReadonlyMap<string, number>,
  now: number,
): { readonly name: string; readonly before?: string } {
  const openIn = (minute: number) => {
    const keys = keysBefore(source, minute, windowOf(policy));
    return readStorm(policy, new Map(keys.map((key) => [key, counts.get(key) ?? 0]))).open;
  };
  const last = minuteOf(now);
  const oldest = last - TOLD_AGAIN_AFTER / MINUTE;
  let began = last;
  while (began > oldest && openIn(began - 1)) began -= 1;
  if (began > oldest) return { name: textOf(began) };
  const hour = Math.floor(now / TOLD_AGAIN_AFTER);
  return { name: `hour-${hour}`, before: `hour-${hour - 1}` };
}

/** The one unit that is taken when the summary of the storm of this name is recorded. */
export function stormSummary(source: string, name: string, now: number): Allowance {
  return { key: `storm/${source}/told/${name}`, limit: 1, expiresAt: now + TOLD_AGAIN_AFTER };
}

/** How many minutes the policy's window has. */
function windowOf({ storm }: Policy): number {
  return Math.ceil(durationMs(storm.within) / MINUTE);
}

/** The minute that runs is not full, so one more is looked at: rather a minute longer than too short. */
function keysBefore(source: string, last: number, minutes: number): readonly string[] {
  return Array.from({ length: minutes + 1 }, (_, index) => minuteKey(source, last - index));
}

function minuteOf(at: number): number {
  return Math.floor(at / MINUTE);
}

function textOf(minute: number): string {
  return new Date(minute * MINUTE).toISOString().slice(0, 16);
}

function minuteKey(source: string, minute: number): string {
  return `storm/${source}/${textOf(minute)}`;
}
