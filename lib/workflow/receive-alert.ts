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
import type { IncidentLink } from '#lib/core/messages.ts';
import type { FieldProblem, RejectedPost } from '#lib/core/parse-alert.ts';
import { stormCount } from '#lib/core/storm.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type {
  ChangeIncident,
  Clock,
  CreateIncident,
  Narrate,
  SendToCheck,
  SendToDecide,
  TakeAllowance,
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
  readonly takeAllowance: TakeAllowance;
  readonly clock: Clock;
  readonly narrate: Narrate;
}): (alert: Alert, mode: Mode, traceId?: string) => Promise<Received> {
  return async (alert, mode, traceId) => {
    const incidentId = incidentIdOf(alert.source, alert.eventId, mode);
    switch (alert.kind) {
      case 'problem':
        return problem(alert, mode, incidentId, traceId);
      case 'recovery':
        return recovery(alert, mode, incidentId, traceId);
      case 'update':
        return update(alert, incidentId);
    }
  };

  async function problem(
    alert: Alert,
    mode: Mode,
    incidentId: string,
    traceId: string | undefined,
  ): Promise<Received> {
    const { createIncident, changeIncident, sendToDecide, clock, narrate } = ports;
    const now = clock();
    const created = await createIncident(
      openIncident({ incidentId, alert, mode, now, decideWithinMs: DECIDE_WITHIN_MS, traceId }),
    );
    if (created.kind === 'created') {
      narrate({ incidentId, step: 'received', text: `${alert.eventName} on ${alert.host.host}` });
      await Promise.all([countForStorm(alert, mode), sendToDecide({ incidentId })]);
      return { incidentId, status: 'accepted' };
    }
    const { incident } = await changeIncident(incidentId, (known) => noteRepeat(known, now));
    // The crash may have come between the record and the queue; the decision is recorded once, so twice does no harm.
    if (incident?.state === 'received') await sendToDecide({ incidentId });
    narrate({ incidentId, step: 'repeated', text: 'the same event again; it keeps its one incident' });
    return { incidentId, status: 'repeated' };
  }

  /** Storms are seen on arrival. An alert that could not be counted is taken all the same. */
  async function countForStorm(alert: Alert, mode: Mode): Promise<void> {
    if (mode === 'simulate') return;
    const { key, limit, expiresAt } = stormCount(alert.source, ports.clock());
    try {
      await ports.takeAllowance(key, limit, expiresAt);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
    }
  }

  async function recovery(
    alert: Alert,
    mode: Mode,
    incidentId: string,
    traceId: string | undefined,
  ): Promise<Received> {
    const { createIncident, changeIncident, clock, narrate } = ports;
    const now = clock();
    const created = await createIncident(openRecovered({ incidentId, alert, mode, now, traceId }));
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

/** An authenticated post that is no alert. */
export interface RejectedFacts {
  readonly source: string;
  readonly mode: Mode;
  /** Of the post's bytes: the same post again is the same record. */
  readonly fingerprint: string;
  readonly problems: readonly FieldProblem[];
  readonly about: RejectedPost;
}

/**
 * Makes the workflow for an authenticated post that is no alert: recorded as `rejected`, and a human is told once a day
 * for each set of bad fields. Answers the record's id. Throws UpstreamError `incidents_table` when nothing could be
 * recorded: an answer that the post is bad would be the last word about what may have been an alert.
 */
export function makeRecordRejected(
  ports: {
    readonly createIncident: CreateIncident;
    readonly clock: Clock;
    readonly narrate: Narrate;
  },
  { incidentLink }: { readonly incidentLink: IncidentLink },
): (facts: RejectedFacts) => Promise<string> {
  return async ({ source, mode, fingerprint, problems, about }) => {
    const now = ports.clock();
    const fields = problems.map(({ field }) => field);
    const wrong = problems
      .map(({ field, expected }) => `${field === '' ? 'the body' : field}: expected ${expected}`)
      .join('; ');
    const text = `${saysWhose(about)} was refused. ${wrong}.`;
    // The record that carries the message is the mark that a human was told of this kind: one write does both or neither.
    const kind = `${fields.toSorted().join(',')}@${Math.floor(now / ONCE_MS)}`;
    const first = incidentIdOf(`${source}/rejected-kind`, kind, mode);
    const message: HumanMessage = {
      kind: 'escalation',
      incidentId: first,
      subject: `Remedia could not read a post from ${source}`,
      body: [
        `${text} Nothing was decided or done about it; please look in Zabbix.`,
        'Zabbix got the same answer. Further posts with the same fault are recorded, and not told again today.',
      ].join('\n'),
      severity: 3,
      links: [{ title: 'The record', url: incidentLink(first, now) }],
    };
    const told = await ports.createIncident(
      openRejected({
        incidentId: first,
        source,
        mode,
        now,
        text,
        // What is only simulated reaches nobody.
        ...(mode === 'live' && { message }),
      }),
    );
    if (told.kind === 'created') return recorded(first, text);
    const incidentId = incidentIdOf(`${source}/rejected`, fingerprint, mode);
    await ports.createIncident(openRejected({ incidentId, source, mode, now, text }));
    return recorded(incidentId, text);
  };

  function recorded(incidentId: string, text: string): string {
    ports.narrate({ incidentId, step: 'rejected', text });
    return incidentId;
  }
}

/** What can still be read of it, in words: alert text, quoted. */
function saysWhose({ eventId, host, eventName }: RejectedPost): string {
  const event = eventId === undefined ? 'A post' : `The post of event "${eventId}"`;
  const name = eventName === undefined ? '' : ` "${eventName}"`;
  return `${event}${name}${host === undefined ? '' : ` on "${host}"`}`;
}
