/** Lets the clock of a simulation rule this process: what asks for the time, or waits, does so on the made-up clock. */
import type { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire, syncBuiltinESMExports } from 'node:module';

/** The invocation that is running, as far as time concerns it. */
export interface Timed {
  readonly isOver: () => boolean;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

interface Rule {
  readonly clock: () => number;
  readonly random: () => number;
}

const require = createRequire(import.meta.url);
const promises: { setTimeout: unknown } = require('node:timers/promises');
const real = {
  now: Date.now,
  random: Math.random,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  sleep: promises.setTimeout,
  write: process.stdout.write,
};
let rule: Rule | undefined;

/** The functions keep what they were given when they were loaded, so these never change; the rule behind them does. */
const now = () => rule?.clock() ?? real.now();

/**
 * Rules from now on: the time of the day everywhere in this process, so that the queues' delays pass with it; timers
 * and chance only within an invocation, which `current` tells; the standard output is silent. Answers what ends it.
 */
export function ruleTime<Invocation extends Timed>(
  current: AsyncLocalStorage<Invocation>,
  wanted: Rule & { readonly after: (milliseconds: number, what: () => void) => void },
): () => void {
  rule = wanted;
  Date.now = now;
  Math.random = () => (current.getStore() ? wanted.random() : real.random());
  const cancelled = new WeakSet<object>();
  const later = (what: (...given: unknown[]) => void, milliseconds = 0, ...given: unknown[]) => {
    const invocation = current.getStore();
    if (!invocation) return real.setTimeout(what, milliseconds, ...given);
    const handle = { ref: () => handle, unref: () => handle, hasRef: () => true, refresh: () => handle };
    wanted.after(milliseconds, () => {
      if (!cancelled.has(handle) && !invocation.isOver()) current.run(invocation, what, ...given);
    });
    return handle;
  };
  Object.assign(globalThis, {
    setTimeout: Object.assign(later, real.setTimeout),
    clearTimeout: (handle: unknown) => {
      if (typeof handle === 'object' && handle !== null && !('_onTimeout' in handle)) cancelled.add(handle);
      else Reflect.apply(real.clearTimeout, undefined, [handle]);
    },
  });
  promises.setTimeout = async (milliseconds: number, value: unknown, options: unknown) => {
    const invocation = current.getStore();
    if (typeof real.sleep !== 'function') return value;
    if (!invocation) return Reflect.apply(real.sleep, undefined, [milliseconds, value, options]);
    await invocation.sleep(milliseconds);
    return value;
  };
  // The functions' logs; nobody else says anything meanwhile.
  const write = () => true;
  Object.assign(process.stdout, { write });
  syncBuiltinESMExports();
  return () => {
    rule = undefined;
    Date.now = real.now;
    Math.random = real.random;
    promises.setTimeout = real.sleep;
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
    Object.assign(process.stdout, { write: real.write });
    syncBuiltinESMExports();
  };
}
