/** Tells a human about every message that nobody could handle: the last net before silence. */
import { deadLetterMessage } from '#lib/core/messages.ts';
import { type ClosePorts, closeAndTell, type LinkSettings } from '#lib/workflow/close-and-tell.ts';
import type { LoadIncident } from '#lib/workflow/ports.ts';
import { tellPending } from '#lib/workflow/tell-pending.ts';

export interface DeadLetter {
  readonly queue: string;
  readonly messageId: string;
  /** As it came, readable or not. */
  readonly body: string;
}

/**
 * Makes the workflow. An incident it names is closed with the message pending, so that the sweeper goes on trying; a
 * message that names none has only this one chance: then it throws, stays in the queue, and its age raises an alarm.
 */
export function makeEscalateDeadLetters(
  ports: ClosePorts & { readonly loadIncident: LoadIncident },
  settings: LinkSettings,
): (letter: DeadLetter) => Promise<'told' | 'later' | 'closed_already'> {
  return async ({ queue, messageId, body }) => {
    const incidentId = incidentOf(body);
    const incident = incidentId === undefined ? undefined : await ports.loadIncident(incidentId);
    if (incident === undefined) {
      await ports.tellHuman(deadLetterMessage({ queue, messageId }));
      return 'told';
    }
    if (incident.state === 'closed') {
      const { kind } = await tellPending(ports, incident);
      return kind === 'nothing' ? 'closed_already' : kind === 'told' ? 'told' : 'later';
    }
    await closeAndTell(ports, settings, incident, 'handed_over', {
      code: 'not_handled',
      text: `Remedia failed with it again and again (queue ${queue}).`,
    });
    return 'told';
  };
}

function incidentOf(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null || !('incidentId' in parsed)) return undefined;
    const { incidentId } = parsed;
    return typeof incidentId === 'string' && /^(inc|sim)_[0-9a-f]{24}$/.test(incidentId)
      ? incidentId
      : undefined;
  } catch {
    return undefined;
  }
}
