/** What really happened, in order, written down where it happens and not by the code that is judged. */
import type { HumanMessage, Incident } from '#lib/core/incident.ts';
import type { JobOrder } from '#lib/workflow/ports.ts';

export type Happening =
  /** Remedia took a post and said so. */
  | { readonly kind: 'accepted'; readonly eventId: string; readonly incidentId: string }
  /** A change was written; `before` is what it was based on. */
  | { readonly kind: 'changed'; readonly before: Incident; readonly after: Incident }
  | { readonly kind: 'paused' | 'resumed' }
  /** Rundeck began an execution. */
  | { readonly kind: 'execution'; readonly executionId: string; readonly order: JobOrder }
  /** A message reached a human. */
  | { readonly kind: 'told'; readonly message: HumanMessage }
  /** What wakes a human although no message got through: a function failed, or a dead letter. */
  | { readonly kind: 'alarm'; readonly incidentId: string; readonly text: string }
  | { readonly kind: 'commented'; readonly eventId: string };

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
