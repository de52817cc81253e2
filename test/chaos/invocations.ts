/** Invocations whose every effect takes its time, may fail before or after it happened, or be the last thing they do. */
import type { Clock } from '#lib/workflow/ports.ts';
import type { Calendar } from '#test/chaos/calendar.ts';
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
  /** A request or an answer hangs for up to a minute, so that others overtake it and functions time out. */
  readonly hang: number;
}

export const CALM: Rates = { crash: 0, failBefore: 0, failAfter: 0, hang: 0 };

/** What a request or an answer takes, in milliseconds; hanging ones take up to the second. */
const LATENCY_MS = 40;
const HANGING_MS = 60_000;

export type Ended =
  | { readonly kind: 'answered' }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'crashed' };

interface Invocation {
  readonly name: string;
  readonly whenOver: (result: Ended) => void;
  over: boolean;
}

export interface Invocations {
  /** Starts one invocation. `run` gets a function that binds ports to it: with their calls goes wrong what can. */
  readonly start: (
    name: string,
    timeoutMs: number,
    run: (bind: <Ports extends object>(ports: Ports) => Ports) => Promise<unknown>,
    whenOver: (result: Ended) => void,
  ) => void;
  /** The time of a request or an answer on its way, which arrives whatever becomes of who sent it. */
  readonly onTheWay: () => Promise<void>;
  readonly running: (name: string) => number;
  readonly setRates: (rates: Rates) => void;
  /** What went wrong so far, by kind. */
  readonly faults: () => Readonly<Record<keyof Rates | 'timedOut', number>>;
}

export function createInvocations({
  random,
  clock,
  calendar,
  rates: firstRates,
}: {
  readonly random: Randomness;
  readonly clock: Clock;
  readonly calendar: Calendar;
  readonly rates: Rates;
}): Invocations {
  let rates = firstRates;
  const faults = { crash: 0, failBefore: 0, failAfter: 0, hang: 0, timedOut: 0 };
  const running = new Map<string, number>();

  const happens = (fault: keyof Rates) => {
    if (!random.chance(rates[fault])) return false;
    faults[fault] += 1;
    return true;
  };
  const onTheWay = (owner?: Invocation) =>
    new Promise<void>((goOn) => {
      const takes = random.below(happens('hang') ? HANGING_MS : LATENCY_MS);
      // Whoever is gone meanwhile never goes on; its stack is collected with the promise.
      calendar.add(clock() + takes, () => {
        if (!owner?.over) goOn();
      });
    });
  const end = (invocation: Invocation, result: Ended) => {
    if (invocation.over) return;
    invocation.over = true;
    running.set(invocation.name, (running.get(invocation.name) ?? 1) - 1);
    invocation.whenOver(result);
  };
  const crash = (invocation: Invocation) => {
    end(invocation, { kind: 'crashed' });
    return new Promise<never>(() => {});
  };

  const bindTo =
    (invocation: Invocation) =>
    <Ports extends object>(ports: Ports): Ports =>
      interpose(ports, async (port, call) => {
        await onTheWay(invocation);
        if (happens('crash')) return crash(invocation);
        if (happens('failBefore')) throw faultOf(port, 'before');
        const answer = await call();
        await onTheWay(invocation);
        if (happens('crash')) return crash(invocation);
        if (happens('failAfter')) throw faultOf(port, 'after');
        return answer;
      });

  return {
    start: (name, timeoutMs, run, whenOver) => {
      const invocation: Invocation = { name, whenOver, over: false };
      running.set(name, (running.get(name) ?? 0) + 1);
      calendar.add(clock() + timeoutMs, () => {
        if (!invocation.over) faults.timedOut += 1;
        end(invocation, { kind: 'crashed' });
      });
      run(bindTo(invocation)).then(
        () => end(invocation, { kind: 'answered' }),
        (error: unknown) => end(invocation, { kind: 'threw', error }),
      );
    },
    onTheWay,
    running: (name) => running.get(name) ?? 0,
    setRates: (next) => {
      rates = next;
    },
    faults: () => ({ ...faults }),
  };
}
