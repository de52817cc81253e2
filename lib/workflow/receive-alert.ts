/** Takes in what Zabbix posts: one record per event, then the queue; nothing that was acknowledged can be lost. */
import type { Alert } from '#lib/core/alert.ts';
import { incidentIdOf } from '#lib/core/identity.ts';
import type { HumanMessage, Incident, Mode } from '#lib/core/incident.ts';
import {
  noteRecovery,
  noteRepeat,
  noteUpdate,
  openIncident,
  openRecovered,
  openRejected,
} from '#lib/core/incident-changes.ts';
import type { FieldProblem } from '#lib/core/parse-alert.ts';
import type {
  ChangeIncident,
  Clock,
  CreateIncident,
  Narrate,
  OncePer,
  SendToCheck,
  SendToDecide,
} from '#lib/workflow/ports.ts';

/** The policy is not read here, so that an answer takes milliseconds; the decision shortens this where the policy says so. */
const DECIDE_WITHIN_MS = 15 * 60_000;
/** One kind of invalid post is told to a human once in this time. */
const ONCE_MS = 24 * 60 * 60_000;

export interface Received {
  readonly incidentId: string;
  readonly status: 'accepted' | 'repeated' | 'recovered' | 'updated' | 'ignored';
}

/**
 * Makes the workflow. Throws UpstreamError when the table or the queue cannot take the alert: Zabbix then posts again,
 * and finds either no record, or one that is still `received` and is queued anew.
 */
export function makeReceiveAlert(ports: {
  readonly createIncident: CreateIncident;
  readonly changeIncident: ChangeIncident;
  readonly sendToDecide: SendToDecide;
  readonly sendToCheck: SendToCheck;
  readonly clock: Clock;
  readonly narrate: Narrate;
}): (alert: Alert, mode: Mode) => Promise<Received> {
  return async (alert, mode) => {
    const incidentId = incidentIdOf(alert.source, alert.eventId, mode);
    switch (alert.kind) {
      case 'problem':
        return problem(alert, mode, incidentId);
      case 'recovery':
        return recovery(alert, mode, incidentId);
      case 'update':
        return update(alert, incidentId);
    }
  };

  async function problem(alert: Alert, mode: Mode, incidentId: string): Promise<Received> {
    const { createIncident, changeIncident, sendToDecide, clock, narrate } = ports;
    const now = clock();
    const created = await createIncident(
      openIncident({ incidentId, alert, mode, now, decideWithinMs: DECIDE_WITHIN_MS }),
    );
    if (created.kind === 'created') {
      narrate({ incidentId, step: 'received', text: `${alert.eventName} on ${alert.host.host}` });
      await sendToDecide({ incidentId });
      return { incidentId, status: 'accepted' };
    }
    const { incident } = await changeIncident(incidentId, (known) => noteRepeat(known, now));
    // The crash may have come between the record and the queue; the decision is recorded once, so twice does no harm.
    if (incident?.state === 'received') await sendToDecide({ incidentId });
    narrate({ incidentId, step: 'repeated', text: 'the same event again; it keeps its one incident' });
    return { incidentId, status: 'repeated' };
  }

  async function recovery(alert: Alert, mode: Mode, incidentId: string): Promise<Received> {
    const { createIncident, changeIncident, clock, narrate } = ports;
    const now = clock();
    const created = await createIncident(openRecovered({ incidentId, alert, mode, now }));
    if (created.kind === 'created') {
      narrate({ incidentId, step: 'recovered', text: 'a recovery of an event that was never seen' });
      return { incidentId, status: 'recovered' };
    }
    const { incident } = await changeIncident(incidentId, (known) => noteRecovery(known, now, now, 'post'));
    narrate({ incidentId, step: 'recovered', text: `${alert.eventName} on ${alert.host.host} is over` });
    if (incident !== undefined) await checkSoon(incident);
    return { incidentId, status: 'recovered' };
  }

  /** Whoever waits for the recovery learns of it at once; if that fails, the check that is due anyway sees it. */
  async function checkSoon(incident: Incident): Promise<void> {
    if (incident.state !== 'running' && incident.state !== 'verifying') return;
    const step = incident.decisions.at(-1)?.step;
    if (step !== undefined) await ports.sendToCheck({ incidentId: incident.incidentId, step });
  }

  async function update(alert: Alert, incidentId: string): Promise<Received> {
    const { incident } = await ports.changeIncident(incidentId, (known) =>
      noteUpdate(known, alert, ports.clock()),
    );
    return { incidentId, status: incident === undefined ? 'ignored' : 'updated' };
  }
}

/**
 * Makes the workflow for an authenticated post that is no alert: recorded as `rejected`, and a human is told once per
 * kind of fault. Answers the record's id; never throws, for the sender must learn what is wrong with its post.
 */
export function makeRecordRejected(ports: {
  readonly createIncident: CreateIncident;
  readonly oncePer: OncePer;
  readonly clock: Clock;
  readonly narrate: Narrate;
}): (facts: {
  readonly source: string;
  readonly fingerprint: string;
  readonly problems: readonly FieldProblem[];
}) => Promise<string | undefined> {
  return async ({ source, fingerprint, problems }) => {
    const now = ports.clock();
    const kind = problems
      .map(({ field }) => field)
      .toSorted()
      .join(',');
    const text = `A post was refused: ${problems.map(({ field, expected }) => `${field === '' ? 'the body' : field}: expected ${expected}`).join('; ')}.`;
    const incidentId = incidentIdOf(`${source}/rejected`, fingerprint);
    try {
      const first = await ports.oncePer(`rejected/${source}/${kind}`.slice(0, 1000), now + ONCE_MS);
      const message: HumanMessage = {
        kind: 'escalation',
        incidentId,
        subject: `Remedia refused a post from ${source}`,
        body: `${text} Zabbix got the same answer. Posts that fail for the same fields are recorded and not told again for a day.`,
        severity: 2,
        links: [],
      };
      await ports.createIncident(openRejected({ incidentId, source, now, text, ...(first && { message }) }));
      ports.narrate({ incidentId, step: 'rejected', text });
      return incidentId;
    } catch {
      return undefined;
    }
  };
}
