/** One switch that stops every job, what is queued already included; and what waited while it was on. */
import type { Incident } from '#lib/core/incident.ts';
import { noteRequeued } from '#lib/core/incident-changes.ts';
import type {
  ChangeIncident,
  Clock,
  ListIncidents,
  LoadPause,
  Pause,
  SavePause,
  SendToDecide,
  SendToDispatch,
} from '#lib/workflow/ports.ts';

const MOST = 100;
const DUE_AFTER_MS = 120_000;

export interface PauseState {
  readonly pause: Pause;
  /** Incidents that are held, the newest first, at most a hundred. */
  readonly waiting: readonly Incident[];
}

interface PausePorts {
  readonly loadPause: LoadPause;
  readonly savePause: SavePause;
  readonly listIncidents: ListIncidents;
  readonly changeIncident: ChangeIncident;
  readonly sendToDecide: SendToDecide;
  readonly sendToDispatch: SendToDispatch;
  readonly clock: Clock;
}

/** Says whether Remedia is paused, and what waits. Throws UpstreamError `incidents_table`. */
export function makeShowPause(ports: PausePorts): () => Promise<PauseState> {
  return async () => {
    const [pause, waiting] = await Promise.all([
      ports.loadPause(),
      ports.listIncidents({ state: 'held', limit: MOST }),
    ]);
    return { pause, waiting };
  };
}

/**
 * Pauses or resumes. On a resume everything that was held goes to its queue again, where it is decided or checked anew:
 * it may have recovered, expired or fallen under a stricter policy meanwhile. Throws UpstreamError.
 */
export function makeSetPause(
  ports: PausePorts,
): (wanted: {
  readonly paused: boolean;
  readonly by: string;
  readonly reason?: string | undefined;
}) => Promise<PauseState> {
  return async ({ paused, by, reason }) => {
    const now = ports.clock();
    const pause: Pause = { paused, by, since: now, ...(reason !== undefined && { reason }) };
    await ports.savePause(pause);
    const waiting = await ports.listIncidents({ state: 'held', limit: MOST });
    if (!paused) for (const incident of waiting) await sendAgain(ports, incident, now);
    return { pause, waiting };
  };
}

/** Sends a held incident to the queue of what it waits for: its decision or its job. */
export async function sendAgain(
  ports: Pick<PausePorts, 'changeIncident' | 'sendToDecide' | 'sendToDispatch'>,
  incident: Incident,
  now: number,
): Promise<void> {
  const { incidentId } = incident;
  const undone = incident.decisions.find(({ dispatch }) => dispatch === undefined);
  await ports.changeIncident(incidentId, (known) =>
    known.state === incident.state ? noteRequeued(known, now, now + DUE_AFTER_MS) : undefined,
  );
  if (undone === undefined) await ports.sendToDecide({ incidentId });
  else await ports.sendToDispatch({ incidentId, step: undone.step });
}
