/** One switch that stops every job, what is queued already included; and what waited while it was on. */
import type { Incident } from '#lib/core/incident.ts';
import { noteRequeued } from '#lib/core/incident-changes.ts';
import type {
  ChangeIncident,
  Clock,
  CountIncidents,
  DueIncidents,
  ListIncidents,
  LoadPause,
  Pause,
  SavePause,
  SendToDecide,
  SendToDispatch,
} from '#lib/workflow/ports.ts';

const MOST_SHOWN = 100;
const PAGE = 100;
const AT_ONCE = 10;
/** Whoever turned the switch waits for the answer, by an API that gives up after half a minute. */
const BEGIN_WITHIN_MS = 8_000;
const DUE_AFTER_MS = 120_000;

export interface PauseState {
  readonly pause: Pause;
  /** Incidents that are held, or were when the switch was turned; the newest first, at most a hundred. */
  readonly waiting: readonly Incident[];
  /** How many there are in all. */
  readonly waitingInAll: number;
  /** On a resume: how many went to their queues again. The others are left to the sweeper. */
  readonly sentAgain?: number;
}

interface PausePorts {
  readonly loadPause: LoadPause;
  readonly savePause: SavePause;
  readonly listIncidents: ListIncidents;
  readonly countIncidents: CountIncidents;
  readonly dueIncidents: DueIncidents;
  readonly changeIncident: ChangeIncident;
  readonly sendToDecide: SendToDecide;
  readonly sendToDispatch: SendToDispatch;
  readonly clock: Clock;
}

/** Says whether Remedia is paused, and what waits. Throws UpstreamError `incidents_table`. */
export function makeShowPause(ports: PausePorts): () => Promise<PauseState> {
  return async () => {
    const [pause, waiting] = await Promise.all([ports.loadPause(), whatWaits(ports)]);
    return { pause, ...waiting };
  };
}

async function whatWaits({
  listIncidents,
  countIncidents,
}: PausePorts): Promise<Pick<PauseState, 'waiting' | 'waitingInAll'>> {
  const [waiting, counted] = await Promise.all([
    listIncidents({ state: 'held', limit: MOST_SHOWN }),
    countIncidents({ state: 'held' }),
  ]);
  return { waiting, waitingInAll: Math.max(counted, waiting.length) };
}

/**
 * Pauses or resumes. On a resume everything that was held goes to its queue again, where it is decided or checked anew:
 * it may have recovered, expired or fallen under a stricter policy meanwhile. What there is no time for, or what could
 * not be sent, is due within two minutes, and the sweeper sends it. Throws UpstreamError `incidents_table` when the switch
 * cannot be turned or read.
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
    const waiting = await whatWaits(ports);
    return { pause, ...waiting, ...(!paused && { sentAgain: await sendAll(ports, now) }) };
  };
}

/** Page after page, those that are due first: whatever is held is due sooner than what was sent again. */
async function sendAll(ports: PausePorts, now: number): Promise<number> {
  const seen = new Set<string>();
  let sent = 0;
  const hasTime = () => ports.clock() - now < BEGIN_WITHIN_MS;
  while (hasTime()) {
    const due = await ports.dueIncidents({ state: 'held', now: now + DUE_AFTER_MS - 1, limit: PAGE });
    const fresh = due.filter(({ incidentId }) => !seen.has(incidentId));
    for (let from = 0; from < fresh.length && hasTime(); from += AT_ONCE) {
      const sendings = fresh.slice(from, from + AT_ONCE).map((each) => sendAgain(ports, each, now));
      const settled = await Promise.allSettled(sendings);
      sent += settled.filter(({ status }) => status === 'fulfilled').length;
    }
    for (const { incidentId } of fresh) seen.add(incidentId);
    if (due.length < PAGE || fresh.length === 0) break;
  }
  return sent;
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
