/** What will happen, and when, on the simulation's made-up clock. */

export interface Calendar {
  readonly add: (at: number, what: () => void) => void;
  /** Takes the earliest that is due, of two at the same time the one that was added first. */
  readonly takeDue: (now: number) => (() => void) | undefined;
  readonly nextAt: () => number;
  readonly size: () => number;
}

export function createCalendar(): Calendar {
  // The latest first, so that the earliest is taken from the end.
  const entries: { readonly at: number; readonly what: () => void }[] = [];
  const nextAt = () => entries.at(-1)?.at ?? Number.POSITIVE_INFINITY;
  return {
    add: (at, what) => {
      let low = 0;
      let high = entries.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((entries[middle]?.at ?? 0) > at) low = middle + 1;
        else high = middle;
      }
      entries.splice(low, 0, { at, what });
    },
    takeDue: (now) => (nextAt() <= now ? entries.pop()?.what : undefined),
    nextAt,
    size: () => entries.length,
  };
}
