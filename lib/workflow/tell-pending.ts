/** Tells a human what an incident has pending, and records whether that worked. */
import type { HumanMessage, Incident } from '#lib/core/incident.ts';
import {
  claimTelling,
  isUntold,
  MOST_MESSAGE_ATTEMPTS,
  noteNotTold,
  noteTold,
} from '#lib/core/incident-changes.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { ChangeIncident, Clock, Narrate, TellByJob, TellHuman } from '#lib/workflow/ports.ts';

export interface TellPorts {
  readonly changeIncident: ChangeIncident;
  readonly tellHuman: TellHuman;
  /** Absent where no team routes by Rundeck. */
  readonly tellByJob?: TellByJob | undefined;
  readonly clock: Clock;
  readonly narrate: Narrate;
}

export interface Told {
  /** `later`: it failed, or somebody else is at it; the sweeper looks after it. */
  readonly kind: 'nothing' | 'told' | 'later' | 'undeliverable';
  /** The incident as it is afterwards. */
  readonly incident: Incident;
}

/**
 * Sends the pending message, if there is one. It is claimed in the record before, so that of those who come at the same
 * time one tells; the claim ends by itself, so that a crash after it loses nothing. A crash between sending and
 * recording tells twice, minutes apart, which is better than not at all. The last attempt, and all that come after it,
 * are for who `mayGiveUp`, because it turns `undeliverable` into an alarm. Throws UpstreamError `incidents_table`.
 */
export async function tellPending(
  ports: TellPorts,
  incident: Incident,
  { mayGiveUp = false }: { readonly mayGiveUp?: boolean } = {},
): Promise<Told> {
  const { changeIncident, tellHuman, clock, narrate } = ports;
  const { incidentId, message } = incident;
  // A simulated alert must not reach anybody, whoever asks.
  if (!isUntold(incident) || message === undefined || incident.mode === 'simulate') {
    return { kind: 'nothing', incident };
  }
  const claimed = await changeIncident(incidentId, (known) =>
    mayGiveUp || (known.messageAttempts ?? 0) + 1 < MOST_MESSAGE_ATTEMPTS
      ? claimTelling(known, clock(), message)
      : undefined,
  );
  if (!claimed.changed) return { kind: 'later', incident: claimed.incident ?? incident };
  try {
    await tellHuman(message);
  } catch (error) {
    const why = error instanceof UpstreamError ? error.message : 'the sender failed';
    const { incident: after } = await changeIncident(incidentId, (known) =>
      noteNotTold(known, clock(), message, why),
    );
    narrate({ incidentId, step: 'escalation', text: `a human could not be told: ${why}` });
    const kind = after?.escalation === 'undeliverable' ? 'undeliverable' : 'later';
    return { kind, incident: after ?? incident };
  }
  const { changed, incident: after } = await changeIncident(incidentId, (known) =>
    noteTold(known, clock(), message),
  );
  narrate({ incidentId, step: 'told', text: `a human: ${message.subject}` });
  // Only by whoever recorded it: so the job runs at most once, whoever else told the same human.
  if (changed) await tellBesides(ports, incident, message);
  return { kind: 'told', incident: after ?? incident };
}

/** A human knows already, so nothing that goes wrong here is worth more than a line in the log. */
async function tellBesides(
  { tellByJob, narrate }: TellPorts,
  incident: Incident,
  message: HumanMessage,
): Promise<void> {
  const { incidentId } = incident;
  try {
    const executionId = await tellByJob?.(incident, message);
    if (executionId === undefined) return;
    narrate({ incidentId, step: 'told', text: `also by Rundeck, execution ${executionId}` });
  } catch (error) {
    const why = error instanceof UpstreamError ? error.message : 'it failed';
    narrate({ incidentId, step: 'told', text: `not also by Rundeck: ${why}` });
  }
}
