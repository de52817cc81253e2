/** Ends an incident with the message that goes with it in one change, then tells it: a crash loses neither. */
import type { Incident, Outcome, Reason } from '#lib/core/incident.ts';
import { close } from '#lib/core/incident-changes.ts';
import { escalationMessage, findingsMessage, type IncidentLink } from '#lib/core/messages.ts';
import { routeOf } from '#lib/core/policy-match.ts';
import type { LoadPolicy, SendToCheck, StoredPolicy } from '#lib/workflow/ports.ts';
import { isUpstream } from '#lib/workflow/surroundings.ts';
import { type TellPorts, tellPending } from '#lib/workflow/tell-pending.ts';

export interface ClosePorts extends TellPorts {
  /** Only for the routing of the message; nothing is held up when it cannot be read. */
  readonly loadPolicy: LoadPolicy;
}

export interface LinkSettings {
  readonly incidentLink: IncidentLink;
  /** The address of Zabbix's web pages, when it is known. */
  readonly zabbixUrl?: string | undefined;
}

/** Ends of which no human needs to be told. */
const QUIET: readonly Outcome[] = ['recovered_before_action', 'verified', 'ignored', 'observed', 'simulated'];

/**
 * Answers the incident as it is afterwards. With `isOurs` it is only closed while that holds: whoever was silent for too
 * long must not end what another carries on with. Throws UpstreamError `incidents_table`.
 */
export async function closeAndTell(
  ports: ClosePorts,
  settings: LinkSettings,
  incident: Incident,
  outcome: Outcome,
  reason: Reason,
  isOurs: (known: Incident) => boolean = () => true,
): Promise<Incident | undefined> {
  const now = ports.clock();
  const stored = await policyIfReadable(ports.loadPolicy);
  const { changed, incident: after } = await ports.changeIncident(incident.incidentId, (known) => {
    if (!isOurs(known)) return undefined;
    const simulated = known.mode === 'simulate';
    const route = stored && known.alert ? routeOf(stored.policy, known.alert) : {};
    const write = outcome === 'analysed' ? findingsMessage : escalationMessage;
    return close(known, {
      outcome: simulated ? 'simulated' : outcome,
      now,
      text: reason.text,
      message:
        simulated || QUIET.includes(outcome)
          ? undefined
          : write({ incident: known, ...settings, now, ...route, reasons: [reason] }),
    });
  });
  if (after === undefined) return undefined;
  if (changed) {
    ports.narrate({ incidentId: after.incidentId, step: 'closed', text: `${outcome}: ${reason.text}` });
  }
  return (await tellPending(ports, after)).incident;
}

/** Lets the end be written on the event in Zabbix, where that says something to whoever looks there. */
export async function sendForComment(sendToCheck: SendToCheck, incident: Incident): Promise<void> {
  if (!isWorthAComment(incident)) return;
  await sendToCheck({ incidentId: incident.incidentId, step: incident.decisions.at(-1)?.step ?? 1 });
}

/** True for an end that a human who looks at the event should read there, once they were told if they must be. */
export function isWorthAComment({ state, outcome, alert, mode, timeline, escalation }: Incident): boolean {
  return (
    state === 'closed' &&
    mode === 'live' &&
    alert !== undefined &&
    outcome !== 'ignored' &&
    outcome !== 'recovered_before_action' &&
    escalation !== 'pending' &&
    // What was written while nobody could be told did not acknowledge the event.
    timeline.findLastIndex(({ kind }) => kind === 'commented') <=
      timeline.findLastIndex(({ kind }) => kind === 'escalated')
  );
}

/** The policy, or `undefined` also when it cannot be read just now. */
export async function policyIfReadable(loadPolicy: LoadPolicy): Promise<StoredPolicy | undefined> {
  try {
    return await loadPolicy();
  } catch (error) {
    if (!isUpstream(error)) throw error;
    return undefined;
  }
}
