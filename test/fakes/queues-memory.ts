/** One queue in memory, like SQS's standard ones: at least once, delays, visibility time-outs, dead letters; no order. */
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { Clock, SendMessage } from '#lib/workflow/ports.ts';

const LONGEST_DELAY_SECONDS = 900;

export interface Received<Message> {
  readonly message: Message;
  readonly receiveCount: number;
  /** Takes it off the queue; afterwards it is never seen again. */
  readonly delete: () => void;
}

export interface MemoryQueue<Message> {
  readonly send: SendMessage<Message>;
  /**
   * Takes one message that is visible now and hides it until its visibility time-out has passed; `pick` chooses among
   * those visible (the first, when absent). One that was received too often goes to the dead letters instead.
   */
  readonly receive: (pick?: (count: number) => number) => Received<Message> | undefined;
  /** When the next message becomes visible; now or earlier for one that is. */
  readonly nextVisibleAt: () => number | undefined;
  /** Everything that is still on the queue, visible or not. */
  readonly waiting: () => readonly Message[];
  readonly deadLetters: () => readonly Message[];
}

export function createMemoryQueue<Message>({
  clock = Date.now,
  visibilitySeconds = 180,
  maxReceiveCount = 5,
}: {
  readonly clock?: Clock;
  readonly visibilitySeconds?: number;
  readonly maxReceiveCount?: number;
} = {}): MemoryQueue<Message> {
  let entries: { message: Message; visibleAt: number; receiveCount: number }[] = [];
  const dead: Message[] = [];
  return {
    send: async (message, { delaySeconds = 0 } = {}) => {
      if (!Number.isInteger(delaySeconds) || delaySeconds < 0 || delaySeconds > LONGEST_DELAY_SECONDS) {
        throw new UpstreamError('queue', 'invalid_delay', `a delay must be 0 to ${LONGEST_DELAY_SECONDS} s`, {
          sent: 'no',
          retry: false,
        });
      }
      entries.push({
        message: structuredClone(message),
        visibleAt: clock() + delaySeconds * 1000,
        receiveCount: 0,
      });
    },
    receive: (pick = () => 0) => {
      const spent = entries.filter(
        (each) => each.visibleAt <= clock() && each.receiveCount >= maxReceiveCount,
      );
      dead.push(...spent.map(({ message }) => message));
      entries = entries.filter((each) => !spent.includes(each));
      const visible = entries.filter((each) => each.visibleAt <= clock());
      const entry = visible[pick(visible.length)];
      if (!entry) return undefined;
      entry.receiveCount += 1;
      entry.visibleAt = clock() + visibilitySeconds * 1000;
      return {
        message: structuredClone(entry.message),
        receiveCount: entry.receiveCount,
        delete: () => {
          entries = entries.filter((each) => each !== entry);
        },
      };
    },
    nextVisibleAt: () =>
      entries.length === 0 ? undefined : Math.min(...entries.map(({ visibleAt }) => visibleAt)),
    waiting: () => structuredClone(entries.map(({ message }) => message)),
    deadLetters: () => structuredClone(dead),
  };
}
