/** What really happened, in order, written down where it happens and not by the code that is judged. */
import type { Decision, HumanMessage, IncidentState } from '#lib/core/incident.ts';
import type { JobOrder } from '#lib/workflow/ports.ts';

export type Happening =
  /** Remedia took a post and said so. */
  | { readonly kind: 'accepted'; readonly eventId: string; readonly incidentId: string }
  /** A change of state was written. */
  | {
      readonly kind: 'moved';
      readonly incidentId: string;
      readonly from: IncidentState;
      readonly to: IncidentState;
    }
  /** The recovery was written into an incident for the first time. */
  | { readonly kind: 'recovery_recorded'; readonly incidentId: string }
  | { readonly kind: 'paused' | 'resumed' }
  /** Rundeck began an execution; `decision` is what the table said of it at that moment. */
  | {
      readonly kind: 'execution';
      readonly executionId: string;
      readonly order: JobOrder;
      readonly decision: Decision | undefined;
    }
  /** A message reached a human. */
  | { readonly kind: 'told'; readonly message: HumanMessage }
  /** What wakes a human although no message got through: a function failed for good. */
  | { readonly kind: 'alarm'; readonly text: string };

export type Entry = Happening & { readonly at: number };

export interface Journal {
  readonly write: (happening: Happening) => void;
  readonly entries: () => readonly Entry[];
}

export function createJournal(clock: () => number): Journal {
  const entries: Entry[] = [];
  return {
    write: (happening) => entries.push({ ...happening, at: clock() }),
    entries: () => entries,
  };
}
