/** Lets alerts that wait to be acknowledged go before those that are: on one machine both want the same thread. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of the time since somebody last asked, the thread's busy share above which it has no room. */
const BUSY = 0.8;
/** Short against what a model takes for a decision, so that nobody notices it there. Milliseconds. */
const WAIT_MS = 250;

/**
 * Resolves at once while the thread has room, else after a moment; once for each call, so that everybody gets on however
 * busy it stays.
 */
export function makeGiveWay(
  utilization: () => { readonly idle: number; readonly active: number } = () =>
    performance.eventLoopUtilization(),
  wait: (milliseconds: number) => Promise<unknown> = sleep,
): () => Promise<void> {
  let before = utilization();
  return async () => {
    const now = utilization();
    const active = now.active - before.active;
    const busy = active / (active + now.idle - before.idle);
    before = now;
    if (busy > BUSY) await wait(WAIT_MS);
  };
}
