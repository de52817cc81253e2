/** GET /api/v1/incidents and /api/v1/incidents/{id}: what Remedia knows, decided and did; JSON, or by a signed link a page. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { hostKeyOf } from '#lib/core/identity.ts';
import { INCIDENT_STATES, type Incident, type IncidentState, OUTCOMES } from '#lib/core/incident.ts';
import { readCursor, readPage, writeCursor } from '#lib/endpoints/incident-page.ts';
import { noTimelinePage, timelinePage } from '#lib/endpoints/timeline-page.ts';
import { bearerGate, type HttpAnswer, type HttpRequest, httpHandler, problem } from '#lib/runtime/http.ts';
import { mayReadIncident } from '#lib/runtime/incident-link.ts';
import { type Log, redact } from '#lib/runtime/logger.ts';
import type { HostHistory, ListIncidents, LoadIncident } from '#lib/workflow/ports.ts';

const MOST = 100;
const INCIDENT_ID = /^(inc|sim)_[0-9a-f]{24}$/;

type ReadIncidents = (until: number | undefined, limit: number) => Promise<readonly Incident[]>;

/** The endpoint as a Lambda handler. */
export function makeIncidentEndpoint(parts: {
  readonly tokens: readonly string[];
  readonly loadIncident: LoadIncident;
  readonly listIncidents: ListIncidents;
  readonly hostHistory: HostHistory;
  readonly source: string;
  /** What the links to the pages are signed with; without it there are no pages. */
  readonly linkKey: string | undefined;
  readonly zabbixUrl?: string | undefined;
  readonly clock: () => number;
  readonly log: Log;
}): (event: APIGatewayProxyEvent, context: unknown) => Promise<APIGatewayProxyResult> {
  const { tokens, loadIncident, linkKey, zabbixUrl, clock, log } = parts;
  const mayCall = bearerGate(tokens);

  const one = async (id: string): Promise<HttpAnswer> => {
    const incident = INCIDENT_ID.test(id) ? await loadIncident(id) : undefined;
    return incident === undefined
      ? problem(404, 'Not Found', 'There is no such incident; its id begins with inc_ or sim_.')
      : { status: 200, json: withoutSecrets(incident) };
  };

  const page = async ({ path: { id = '' }, query }: HttpRequest): Promise<HttpAnswer> => {
    const now = clock();
    if (!mayReadIncident(linkKey, id, query, now)) return noTimelinePage('forbidden');
    const incident = await loadIncident(id);
    return incident === undefined ? noTimelinePage('gone') : timelinePage(incident, { now, zabbixUrl });
  };

  const list = async ({ query }: HttpRequest): Promise<HttpAnswer> => {
    const { limit = '50', state, status = state, host, since = '0', cursor } = query;
    const errors: { field: string; expected: string }[] = [];
    const count = Number(limit);
    if (!Number.isInteger(count) || count < 1 || count > MOST)
      errors.push({ field: 'limit', expected: `a number from 1 to ${MOST}` });
    const known = INCIDENT_STATES.find((each) => each === status);
    const outcome = OUTCOMES.find((each) => each === status);
    if (status !== undefined && known === undefined && outcome === undefined)
      errors.push({
        field: 'status' in query ? 'status' : 'state',
        expected: `one of ${[...INCIDENT_STATES, ...OUTCOMES].join(', ')}`,
      });
    const from = /^[0-9]+$/.test(since) ? Number(since) : Date.parse(since);
    if (Number.isNaN(from)) errors.push({ field: 'since', expected: 'a time such as 2026-03-01T12:00:00Z' });
    const start = cursor === undefined ? undefined : readCursor(cursor);
    if (cursor !== undefined && start === undefined)
      errors.push({ field: 'cursor', expected: 'what an earlier answer had as `next`' });
    if (errors.length > 0) return problem(400, 'Bad Request', 'The list cannot be made.', { errors });
    const wantedState = known ?? (outcome && 'closed');
    const { incidents, next } = await readPage({
      read: host === undefined ? readStates(wantedState) : readHost(host, from),
      wanted: (each) =>
        (wantedState === undefined || each.state === wantedState) &&
        (outcome === undefined || each.outcome === outcome),
      since: from,
      limit: count,
      start,
    });
    return {
      status: 200,
      json: { incidents: incidents.map(shortly), ...(next !== undefined && { next: writeCursor(next) }) },
    };
  };

  const readHost =
    (host: string, since: number): ReadIncidents =>
    (until, limit) =>
      parts.hostHistory({ hostKey: hostKeyOf(parts.source, host), mode: 'live', since, until, limit });

  /** Of all states when none is wanted; then only as many of the newest as are complete in their order. */
  const readStates =
    (state: IncidentState | undefined): ReadIncidents =>
    async (until, limit) => {
      const states = state === undefined ? INCIDENT_STATES : [state];
      const lists = await Promise.all(
        states.map((each) => parts.listIncidents({ state: each, until, limit })),
      );
      return lists
        .flat()
        .sort((a, b) => b.openedAt - a.openedAt)
        .slice(0, limit);
    };

  return httpHandler({
    methods: ['GET'],
    gates: [(request) => (isLink(request) ? undefined : mayCall(request))],
    log,
    handle: (request) => {
      if (isLink(request)) return page(request);
      const { id } = request.path;
      return id === undefined ? list(request) : one(id);
    },
  });
}

/** A browser sends no token, a program no signature. */
function isLink({ headers, path, query }: HttpRequest): boolean {
  return path['id'] !== undefined && 'signature' in query && headers['authorization'] === undefined;
}

/** Whoever may read must not be able to approve: the link in a message is signed for the person it was sent to. */
function withoutSecrets(incident: Incident): Incident {
  const { message } = incident;
  if (message === undefined) return incident;
  const links = message.links.map(({ title, url }) => ({ title, url: redact(url) }));
  return { ...incident, message: { ...message, body: redact(message.body), links } };
}

function shortly(incident: Incident) {
  const { incidentId, eventId, state, outcome, escalation, openedAt, closedAt, alert } = incident;
  return {
    incidentId,
    eventId,
    state,
    ...(outcome !== undefined && { outcome }),
    escalation,
    openedAt: new Date(openedAt).toISOString(),
    ...(closedAt !== undefined && { closedAt: new Date(closedAt).toISOString() }),
    ...(alert && { host: alert.host.host, eventName: alert.eventName, severity: alert.severity }),
  };
}
