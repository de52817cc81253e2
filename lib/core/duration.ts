/** Durations as the policy writes them (`45s`, `30m`, `2h`, `1d`), and back again for a person to read. */

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNITS;
const isUnit = (letter: string): letter is Unit => Object.hasOwn(UNITS, letter);

/**
 * A policy's duration in milliseconds. The schema has checked the form already; text of any other form is 0, so that
 * no rule can fail open by an exception (a cooldown of 0 is refused by the schema, not by this function).
 */
export function durationMs(duration: string): number {
  const count = duration.slice(0, -1);
  const unit = duration.slice(-1);
  return /^[0-9]{1,9}$/.test(count) && isUnit(unit) ? Number(count) * UNITS[unit] : 0;
}

/** Milliseconds in the largest unit that divides them without rest, or in whole seconds: `90m`, `2h`, `45s`. */
export function formatDuration(milliseconds: number): string {
  const whole = Math.max(0, Math.round(milliseconds / 1_000)) * 1_000;
  const unit = (['d', 'h', 'm'] as const).find((each) => whole > 0 && whole % UNITS[each] === 0) ?? 's';
  return `${whole / UNITS[unit]}${unit}`;
}
