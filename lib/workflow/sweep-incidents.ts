/** Every minute: whatever is due and nobody seems to be working on is picked up again. */
import { INCIDENT_STATES, type Incident, type IncidentState } from '#lib/core/incident.ts';
import { noteRequeued } from '#lib/core/incident-changes.ts';
import { overdue } from '#lib/core/overdue.ts';
import {
  type ClosePorts,
  closeAndTell,
  type LinkSettings,
  sendForComment,
} from '#lib/workflow/close-and-tell.ts';
import { sendAgain } from '#lib/workflow/pause.ts';
import type {
  DeleteExpired,
  DueIncidents,
  SendToCheck,
  SendToDecide,
  SendToDispatch,
} from '#lib/workflow/ports.ts';
import { tellPending } from '#lib/workflow/tell-pending.ts';

const PAGE = 50;
/** One that waits for a channel's time-out must not use up the minute of the others. */
const AT_ONCE = 10;
/** After so long nothing more is begun: it must end, and say what it could not do, before its function's time is over. */
const BEGIN_WITHIN_MS = 25_000;
const DUE_AFTER_MS = 120_000;

export interface SweepResult {
  readonly swept: number;
  /** Ids of the incidents that nobody could be told about. */
  readonly undeliverable: readonly string[];
  /** Ids of those that could not be swept this time; they are due again in a minute. */
  readonly failed: readonly string[];
}

/**
 * Why a sweep must count as failed, in one sentence that names the incidents; `undefined` when all went well. Its function
 * throws this, for a failed invocation is what an alarm watches: nobody else is left to tell.
 */
export function whySweepFailed({ undeliverable, failed }: SweepResult): string | undefined {
  const sentences = [
    ...(undeliverable.length > 0
      ? [`Nobody could be told about ${undeliverable.length} incidents: ${undeliverable.join(', ')}.`]
      : []),
    ...(failed.length > 0 ? [`${failed.length} incidents could not be swept: ${failed.join(', ')}.`] : []),
  ];
  return sentences.length === 0 ? undefined : sentences.join(' ');
}

/** Makes the workflow. One incident's failure does not hold up the others; throws UpstreamError when none can be read. */
export function makeSweepIncidents(
  ports: ClosePorts & {
    readonly dueIncidents: DueIncidents;
    readonly deleteExpired: DeleteExpired;
    readonly reconcileClaim: (incident: Incident) => Promise<unknown>;
    readonly sendToDecide: SendToDecide;
    readonly sendToDispatch: SendToDispatch;
    readonly sendToCheck: SendToCheck;
  },
  settings: LinkSettings,
): () => Promise<SweepResult> {
  return async () => {
    const now = ports.clock();
    const undeliverable: string[] = [];
    const failed: string[] = [];
    let swept = 0;
    const hasTime = () => ports.clock() - now < BEGIN_WITHIN_MS;
    // Who is still to be told of something comes first: only a message that cannot be delivered rings an alarm.
    const others = INCIDENT_STATES.filter((state) => state !== 'closed');
    for (const state of ['closed', ...others] as const) await sweepState(state);
    const result = { swept, undeliverable, failed };
    if (hasTime()) {
      await ports.deleteExpired(now, PAGE).catch((error: unknown) => {
        // What has expired can wait; the names of those that nobody knows of cannot.
        if (whySweepFailed(result) === undefined) throw error;
      });
    }
    return result;

    /** Page after page: what was swept is due later. */
    async function sweepState(state: IncidentState): Promise<void> {
      const seen = new Set<string>();
      while (hasTime()) {
        const due = await ports.dueIncidents({ state, now, limit: PAGE });
        const fresh = due.filter(({ incidentId }) => !seen.has(incidentId));
        for (let from = 0; from < fresh.length && hasTime(); from += AT_ONCE) {
          await Promise.all(fresh.slice(from, from + AT_ONCE).map((each) => sweepOne(each)));
        }
        for (const { incidentId } of fresh) seen.add(incidentId);
        if (due.length < PAGE || fresh.length === 0) return;
      }
    }

    async function sweepOne(incident: Incident): Promise<void> {
      const { incidentId } = incident;
      try {
        if ((await sweep(incident, now)) === 'undeliverable') undeliverable.push(incidentId);
        swept += 1;
      } catch (error) {
        // Also a fault of ours: one incident that cannot be handled must not hold up all the others.
        const why = error instanceof Error ? error.message : 'failed';
        ports.narrate({ incidentId, step: 'sweep', text: `not swept: ${why}` });
        failed.push(incidentId);
      }
    }
  };

  async function sweep(incident: Incident, now: number): Promise<unknown> {
    const { incidentId, state } = incident;
    const late = overdue(incident, now);
    if (late !== undefined) {
      const { outcome, reason } = late;
      const isOurs = (known: Incident) => known.state === state && overdue(known, now) !== undefined;
      const after = await closeAndTell(ports, settings, incident, outcome, reason, isOurs);
      return after && sendForComment(ports.sendToCheck, after);
    }
    switch (state) {
      case 'received':
      case 'held':
      case 'decided':
        return sendAgain(ports, incident, now);
      case 'awaiting_approval':
        return sweepApproval(incident, now);
      case 'dispatching':
        return ports.reconcileClaim(incident);
      case 'running':
      case 'verifying': {
        await ports.changeIncident(incidentId, (known) =>
          known.state === state ? noteRequeued(known, now, now + DUE_AFTER_MS) : undefined,
        );
        const step = incident.decisions.at(-1)?.step ?? 1;
        return ports.sendToCheck({ incidentId, step });
      }
      case 'closed':
        return tellAtLast(incident);
    }
  }

  /** What a human answered, or Zabbix said, after the incident was read must not be overridden. */
  async function sweepApproval(incident: Incident, now: number): Promise<unknown> {
    const { recoveredAt, decisions } = incident;
    const isOurs = (known: Incident) =>
      known.state === 'awaiting_approval' &&
      known.decisions.length === decisions.length &&
      (known.recoveredAt === undefined) === (recoveredAt === undefined);
    if (recoveredAt !== undefined) {
      const text = 'The problem was over before a human answered.';
      const reason = { code: 'recovered', text } as const;
      return closeAndTell(ports, settings, incident, 'recovered_before_action', reason, isOurs);
    }
    const expiresAt = decisions.at(-1)?.expiresAt ?? 0;
    if (now < expiresAt) return (await tellPending(ports, incident, { mayGiveUp: true })).kind;
    const reason = { code: 'approval_expired', text: 'No human answered the question in time.' } as const;
    const after = await closeAndTell(ports, settings, incident, 'handed_over', reason, isOurs);
    return after && sendForComment(ports.sendToCheck, after);
  }

  async function tellAtLast(incident: Incident): Promise<unknown> {
    const { kind, incident: after } = await tellPending(ports, incident, { mayGiveUp: true });
    if (kind !== 'nothing') await sendForComment(ports.sendToCheck, after);
    return kind;
  }
}
