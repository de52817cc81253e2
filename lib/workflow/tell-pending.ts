/** Tells a human what an incident has pending, and records whether that worked. */
import type { Incident } from '#lib/core/incident.ts';
import { noteNotTold, noteTold } from '#lib/core/incident-changes.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { ChangeIncident, Clock, Narrate, TellHuman } from '#lib/workflow/ports.ts';

export interface TellPorts {
  readonly changeIncident: ChangeIncident;
  readonly tellHuman: TellHuman;
  readonly clock: Clock;
  readonly narrate: Narrate;
}

export interface Told {
  readonly kind: 'nothing' | 'told' | 'later' | 'undeliverable';
  /** The incident as it is afterwards. */
  readonly incident: Incident;
}

/**
 * Sends the pending message, if there is one. `undeliverable` after the last attempt, which the caller turns into an
 * alarm; before that a failure only waits for the sweeper. A crash between sending and recording tells twice, which is
 * better than not at all. Throws UpstreamError `incidents_table`.
 */
export async function tellPending(
  { changeIncident, tellHuman, clock, narrate }: TellPorts,
  incident: Incident,
): Promise<Told> {
  const { incidentId, message, escalation } = incident;
  // A simulated alert must not reach anybody, whoever asks.
  if (escalation !== 'pending' || message === undefined || incident.mode === 'simulate') {
    return { kind: 'nothing', incident };
  }
  try {
    await tellHuman(message);
  } catch (error) {
    const why = error instanceof UpstreamError ? error.message : 'the sender failed';
    const { incident: after } = await changeIncident(incidentId, (known) => noteNotTold(known, clock(), why));
    narrate({ incidentId, step: 'escalation', text: `a human could not be told: ${why}` });
    const kind = after?.escalation === 'undeliverable' ? 'undeliverable' : 'later';
    return { kind, incident: after ?? incident };
  }
  const { incident: after } = await changeIncident(incidentId, (known) => noteTold(known, clock(), message));
  narrate({ incidentId, step: 'told', text: `a human: ${message.subject}` });
  return { kind: 'told', incident: after ?? incident };
}
