/** Invocations that take turns: one effect at a time, in an order that the seed decides, and a crash between any two. */
import type { Clock } from '#lib/workflow/ports.ts';
import type { Randomness } from '#test/chaos/randomness.ts';
import { faultOf, interpose } from '#test/fakes/faulty.ts';

/** How often, per effect, what goes wrong. */
export interface Rates {
  /** The process is gone: nothing of it runs any more, no `catch`, no `finally`. */
  readonly crash: number;
  /** The call fails, having had no effect. */
  readonly failBefore: number;
  /** The call fails, having had its effect. */
  readonly failAfter: number;
}

export const CALM: Rates = { crash: 0, failBefore: 0, failAfter: 0 };

interface Invocation {
  readonly name: string;
  readonly startedAt: number;
  readonly endsBy: number;
  readonly whenOver: (result: Ended) => void;
  over: boolean;
}

export type Ended =
  | { readonly kind: 'answered' }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'crashed' };

export interface Invocations {
  /**
   * Starts one invocation. `run` gets a function that binds ports to it: every call of a bound port waits for its turn
   * before and after its effect, and may fail or be the invocation's last.
   */
  readonly start: (
    name: string,
    timeoutMs: number,
    run: (bind: <Ports extends object>(ports: Ports) => Ports) => Promise<unknown>,
    whenOver: (result: Ended) => void,
  ) => void;
  /** A turn that belongs to no invocation: it always comes, as a request does that is already on the wire. */
  readonly turn: () => Promise<void>;
  /** Lets one of those that wait go on; false when nobody waits. */
  readonly step: () => Promise<boolean>;
  readonly running: (name: string) => number;
  readonly setRates: (rates: Rates) => void;
  /** What went wrong so far, by kind. */
  readonly faults: () => Readonly<Record<keyof Rates | 'timedOut', number>>;
}

export function createInvocations({
  random,
  clock,
  rates: firstRates,
}: {
  readonly random: Randomness;
  readonly clock: Clock;
  readonly rates: Rates;
}): Invocations {
  let rates = firstRates;
  const faults = { crash: 0, failBefore: 0, failAfter: 0, timedOut: 0 };
  const waiting: { readonly owner: Invocation | undefined; readonly goOn: () => void }[] = [];
  let running: Invocation[] = [];

  const wait = (owner: Invocation | undefined) =>
    new Promise<void>((goOn) => {
      waiting.push({ owner, goOn });
    });
  const end = (invocation: Invocation, result: Ended) => {
    if (invocation.over) return;
    invocation.over = true;
    running = running.filter((each) => each !== invocation);
    invocation.whenOver(result);
  };
  /** Never settles: what waits for it is gone, and its stack is collected with it. */
  const crash = (invocation: Invocation) => {
    end(invocation, { kind: 'crashed' });
    return new Promise<never>(() => {});
  };
  const crashes = () => {
    if (!random.chance(rates.crash)) return false;
    faults.crash += 1;
    return true;
  };

  const bindTo =
    (invocation: Invocation) =>
    <Ports extends object>(ports: Ports): Ports =>
      interpose(ports, async (port, call) => {
        await wait(invocation);
        if (crashes()) return crash(invocation);
        if (random.chance(rates.failBefore)) {
          faults.failBefore += 1;
          throw faultOf(port, 'before');
        }
        const answer = await call();
        await wait(invocation);
        if (crashes()) return crash(invocation);
        if (random.chance(rates.failAfter)) {
          faults.failAfter += 1;
          throw faultOf(port, 'after');
        }
        return answer;
      });

  return {
    start: (name, timeoutMs, run, whenOver) => {
      const now = clock();
      const invocation: Invocation = { name, startedAt: now, endsBy: now + timeoutMs, whenOver, over: false };
      running.push(invocation);
      run(bindTo(invocation)).then(
        () => end(invocation, { kind: 'answered' }),
        (error: unknown) => end(invocation, { kind: 'threw', error }),
      );
    },
    turn: () => wait(undefined),
    step: async () => {
      for (const invocation of running.filter(({ endsBy }) => endsBy <= clock())) {
        faults.timedOut += 1;
        end(invocation, { kind: 'crashed' });
      }
      // A turn of an invocation that is over never comes.
      for (let i = waiting.length - 1; i >= 0; i -= 1) if (waiting[i]?.owner?.over) waiting.splice(i, 1);
      const [chosen] = waiting.splice(random.below(waiting.length), 1);
      chosen?.goOn();
      // All that can go on without another turn does so before anybody else gets one.
      await new Promise((resolve) => setImmediate(resolve));
      return chosen !== undefined;
    },
    running: (name) => running.filter((each) => each.name === name).length,
    setRates: (next) => {
      rates = next;
    },
    faults: () => ({ ...faults }),
  };
}
