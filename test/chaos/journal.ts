/** What really happened, in order, written down where it happens and not by the code that is judged. */
import type { Decision, HumanMessage, Incident, IncidentState } from '#lib/core/incident.ts';
import type { JobOrder, StoredPolicy } from '#lib/workflow/ports.ts';
import type { Ended } from '#test/chaos/invocations.ts';

/** What Rundeck was really asked for. */
export type Ordered = Pick<JobOrder, 'tool' | 'decisionId' | 'incidentId' | 'eventId' | 'node' | 'arguments'>;

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
  | { readonly kind: 'policy'; readonly stored: StoredPolicy }
  /** A unit of a counter was taken. */
  | { readonly kind: 'counted'; readonly key: string }
  /** Rundeck began an execution; `decision` is what the table said of it at that moment. */
  | {
      readonly kind: 'execution';
      readonly executionId: string;
      readonly order: Ordered;
      readonly decision: Decision | undefined;
    }
  /** Rundeck ended it. */
  | { readonly kind: 'ended'; readonly executionId: string; readonly succeeded: boolean }
  /** A comment was written on an event in Zabbix. */
  | { readonly kind: 'commented'; readonly eventId: string }
  /** A message reached a human. */
  | { readonly kind: 'told'; readonly message: HumanMessage }
  /** It was written that nobody could be told. */
  | { readonly kind: 'undeliverable'; readonly incidentId: string }
  /** CloudWatch counts an error of this function; `text` is what its log says. */
  | { readonly kind: 'failed'; readonly functionName: string; readonly text: string };

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

/** Writes down what a change of a record means. */
export function noteChange(journal: Journal, before: Incident, after: Incident): void {
  const { incidentId, state, recoveredAt, escalation } = after;
  if (before.state !== state) journal.write({ kind: 'moved', incidentId, from: before.state, to: state });
  if (before.recoveredAt === undefined && recoveredAt !== undefined) {
    journal.write({ kind: 'recovery_recorded', incidentId });
  }
  if (before.escalation !== escalation && escalation === 'undeliverable') {
    journal.write({ kind: 'undeliverable', incidentId });
  }
}

/** Writes down that CloudWatch counts an error. */
export function noteFailure(journal: Journal, functionName: string, ended: Ended): void {
  const text = ended.kind === 'threw' ? String(ended.error) : '';
  journal.write({ kind: 'failed', functionName, text });
}
