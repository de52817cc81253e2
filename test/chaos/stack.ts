/** One way to run all of Remedia under the simulation: its workflows in memory, or its functions on the embedded AWS. */
import type { Alert } from '#lib/core/alert.ts';
import type { HumanMessage, Incident, Mode } from '#lib/core/incident.ts';
import type { Clock, LoadIncident, StoredPolicy } from '#lib/workflow/ports.ts';
import type { Calendar } from '#test/chaos/calendar.ts';
import type { Ended, Rates } from '#test/chaos/invocations.ts';
import type { Journal } from '#test/chaos/journal.ts';
import type { Randomness } from '#test/chaos/randomness.ts';
import type { World } from '#test/chaos/world.ts';

/** What the simulation hands to a stack. */
export interface Surroundings {
  readonly random: Randomness;
  readonly clock: Clock;
  readonly calendar: Calendar;
  readonly journal: Journal;
  readonly rates: Rates;
  /** How often a message comes twice. */
  readonly duplicates: number;
  /** Takes the conditions from the table's writes, to see that the judges notice. */
  readonly withoutConditions: boolean;
  /** Made after the stack, which it must be able to read. */
  readonly world: () => World;
}

export interface Stack {
  /** Each starts one invocation; what of it may be tried again, its caller tries again. */
  readonly post: (alert: Alert, mode: Mode, whenOver: (answer: Accepted | undefined) => void) => void;
  readonly receiveExecution: (executionId: string) => void;
  readonly answerApproval: (question: HumanMessage, approved: boolean) => void;
  readonly setPause: (paused: boolean, whenOver: (done: boolean) => void) => void;
  readonly sweep: (whenOver: (ended: Ended) => void) => void;
  readonly isSweeping: () => boolean;
  /** As an operator does it: at once, and without a fault. */
  readonly savePolicy: (stored: StoredPolicy) => Promise<void>;
  /** Starts whatever the queues have ready now. */
  readonly pump: () => Promise<void>;
  /** When the queues may have something. */
  readonly nextAt: () => number;
  /** Resolves when nothing goes on by itself any more, before the made-up clock does. */
  readonly settle: () => Promise<void>;
  readonly setRates: (rates: Rates) => void;
  /** Reads the table behind Remedia's back. */
  readonly load: LoadIncident;
  readonly incidents: () => Promise<readonly Incident[]>;
  /** Messages that are still on a queue. */
  readonly left: () => Promise<readonly unknown[]>;
  readonly figures: () => {
    readonly faults: Readonly<Record<string, number>>;
    readonly conflicts: number;
    readonly modelCalls: number;
    readonly deadLetters: number;
  };
  readonly stop: () => Promise<void>;
}

export interface Accepted {
  readonly incidentId: string;
  readonly status: string;
}

export type StartStack = (surroundings: Surroundings) => Promise<Stack>;
