/** Whether a moment lies inside one of the policy's weekly windows, on the wall clock of the window's time zone. */
import type { PolicyWindow } from '#lib/core/policy.ts';

/** The day before each day. */
const EVE: Readonly<Record<string, string>> = {
  mon: 'sun',
  tue: 'mon',
  wed: 'tue',
  thu: 'wed',
  fri: 'thu',
  sat: 'fri',
  sun: 'sat',
};

/**
 * True when `now` (milliseconds since the epoch) lies in the window. `from` belongs to it, `to` does not; a window
 * over midnight belongs to the day on which it begins. The wall clock decides, so when clocks go forward the hour that
 * does not exist is in no window, and when they go back the hour that comes twice is in its window both times.
 */
export function insideWindow(window: PolicyWindow, now: number): boolean {
  const { day, minute } = wallClock(window.time_zone, now);
  const from = minuteOfDay(window.from);
  const to = minuteOfDay(window.to);
  const begins = (on: string | undefined) =>
    window.days === undefined || window.days.some((each) => each === on);
  if (from < to) return minute >= from && minute < to && begins(day);
  return (minute >= from && begins(day)) || (minute < to && begins(EVE[day]));
}

/** No windows given means always. */
export function insideAny(windows: readonly PolicyWindow[] | undefined, now: number): boolean {
  return windows === undefined || windows.some((each) => insideWindow(each, now));
}

/** Minutes since midnight of `HH:MM`; `24:00` is the end of the day. */
function minuteOfDay(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}

function wallClock(timeZone: string, now: number): { day: string; minute: number } {
  const text = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
  }).format(now);
  // "Fri 09:05", or "Fri, 09:05" in some versions of the locale data.
  return { day: text.slice(0, 3).toLowerCase(), minute: minuteOfDay(text.slice(-5)) };
}
