/** Invocations whose every effect takes its time, may fail before or after it happened, or be the last thing they do. */
import type { Clock } from '#lib/workflow/ports.ts';
import type { Calendar } from '#test/chaos/calendar.ts';
import type { Randomness } from '#test/chaos/randomness.ts';
import { type Fault, faultOf, interpose } from '#test/fakes/faulty.ts';

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
  | { readonly kind: 'answered'; readonly answer: unknown }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'crashed' };

/** What an invocation's effects go through. */
export interface Running {
  readonly name: string;
  readonly isOver: () => boolean;
  /** One effect: `fail` answers or throws what a failure looks like here. */
  readonly effect: <Answer>(
    port: string,
    call: () => Promise<Answer>,
    options?: {
      readonly fail?: (fault: Fault) => Answer;
      /** Milliseconds that the caller waits for the answer; a request that comes later has its effect all the same. */
      readonly patience?: number;
      readonly late?: () => Answer;
    },
  ) => Promise<Answer>;
  /** Resolves later, if the invocation still runs then. */
  readonly sleep: (milliseconds: number) => Promise<void>;
}

interface Invocation {
  readonly name: string;
  readonly whenOver: (result: Ended) => void;
  over: boolean;
  /** How many things of the made-up clock it waits for. */
  waits: number;
}

export interface Invocations {
  /** Starts one invocation. `run` gets a function that binds ports to it: with their calls goes wrong what can. */
  readonly start: (
    name: string,
    timeoutMs: number,
    run: (bind: <Ports extends object>(ports: Ports) => Ports, running: Running) => Promise<unknown>,
    whenOver: (result: Ended) => void,
  ) => void;
  /** The time of a request or an answer on its way, which arrives whatever becomes of who sent it. */
  readonly onTheWay: () => Promise<void>;
  readonly running: (name: string) => number;
  /** Names of the invocations that wait for nothing of the made-up clock, or for an effect that is happening. */
  readonly busy: () => readonly string[];
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
  const live = new Set<Invocation>();
  const happening: string[] = [];

  const happens = (fault: keyof Rates) => {
    if (!random.chance(rates[fault])) return false;
    faults[fault] += 1;
    return true;
  };
  const travelTime = () => random.below(happens('hang') ? HANGING_MS : LATENCY_MS);
  const wait = (milliseconds: number, owner?: Invocation) =>
    new Promise<void>((goOn) => {
      if (owner) owner.waits += 1;
      // Whoever is gone meanwhile never goes on; its stack is collected with the promise.
      calendar.add(clock() + milliseconds, () => {
        if (owner?.over) return;
        if (owner) owner.waits -= 1;
        goOn();
      });
    });
  const end = (invocation: Invocation, result: Ended) => {
    if (invocation.over) return;
    invocation.over = true;
    live.delete(invocation);
    running.set(invocation.name, (running.get(invocation.name) ?? 1) - 1);
    invocation.whenOver(result);
  };
  const crash = (invocation: Invocation) => {
    end(invocation, { kind: 'crashed' });
    return new Promise<never>(() => {});
  };
  const happen = async <Answer>(port: string, call: () => Promise<Answer>): Promise<Answer> => {
    happening.push(port);
    try {
      return await call();
    } finally {
      happening.splice(happening.indexOf(port), 1);
    }
  };

  const effectsOf =
    (invocation: Invocation): Running['effect'] =>
    async (port, call, options = {}) => {
      const { patience = Number.POSITIVE_INFINITY } = options;
      const fail =
        options.fail ??
        ((fault) => {
          throw faultOf(port, fault);
        });
      const late = options.late ?? (() => fail('after'));
      const request = travelTime();
      if (request > patience) {
        calendar.add(clock() + request, () => void happen(port, call).catch(() => {}));
        await wait(patience, invocation);
        return late();
      }
      await wait(request, invocation);
      if (happens('crash')) return crash(invocation);
      if (happens('failBefore')) return fail('before');
      const answer = await happen(port, call);
      const back = travelTime();
      await wait(Math.min(back, patience), invocation);
      if (happens('crash')) return crash(invocation);
      if (back > patience) return late();
      if (happens('failAfter')) return fail('after');
      return answer;
    };

  return {
    start: (name, timeoutMs, run, whenOver) => {
      const invocation: Invocation = { name, whenOver, over: false, waits: 0 };
      live.add(invocation);
      running.set(name, (running.get(name) ?? 0) + 1);
      calendar.add(clock() + timeoutMs, () => {
        if (!invocation.over) faults.timedOut += 1;
        end(invocation, { kind: 'crashed' });
      });
      const effect = effectsOf(invocation);
      const bind = <Ports extends object>(ports: Ports): Ports => interpose(ports, effect);
      run(bind, {
        name,
        isOver: () => invocation.over,
        effect,
        sleep: (milliseconds) => wait(milliseconds, invocation),
      }).then(
        (answer) => end(invocation, { kind: 'answered', answer }),
        (error: unknown) => end(invocation, { kind: 'threw', error }),
      );
    },
    onTheWay: () => wait(travelTime()),
    running: (name) => running.get(name) ?? 0,
    busy: () => [...happening, ...[...live].filter(({ waits }) => waits === 0).map(({ name }) => name)],
    setRates: (next) => {
      rates = next;
    },
    faults: () => ({ ...faults }),
  };
}
