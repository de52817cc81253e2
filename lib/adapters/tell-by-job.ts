/** Tells a team by Rundeck's job `notify` besides, where the team asks for it: never instead of the channels of people. */
import { type PeopleSettings, readPeopleSettings } from '#lib/adapters/people.ts';
import { makeRunJob, parseWebhooks } from '#lib/adapters/rundeck.ts';
import { catalogue } from '#lib/catalogue/index.ts';
import type { HumanMessage, Incident } from '#lib/core/incident.ts';
import { TIMELINE_LINK } from '#lib/core/messages.ts';
import { traceIdOf } from '#lib/core/trace.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { JobOrder, TellByJob } from '#lib/workflow/ports.ts';

/** Nobody waits for longer for what only comes on top. */
const TIMEOUT_MS = 3_000;
/** Hundreds of messages may be due at once; a Rundeck that does not answer must hold none of them up. */
const SILENCE_MS = 60_000;
const LONGEST_MESSAGE = 300;

/**
 * Makes it from `ESCALATION_TEAMS`, whose entries may name `rundeck_notify: {url, secret}`, the webhook of that job.
 * `undefined` when no team does. After no answer nothing is posted for a minute. Throws an Error that names the settings
 * that are wrong, never their values.
 */
export function makeTellByJob(
  raw: PeopleSettings,
  { clock = Date.now, timeoutMs = TIMEOUT_MS }: { clock?: () => number; timeoutMs?: number } = {},
): TellByJob | undefined {
  const teams = new Map(
    Object.entries(readPeopleSettings(raw).teams).flatMap(([team, { rundeck_notify: entry }]) => {
      if (entry === undefined) return [];
      const webhooks = parseWebhooks(JSON.stringify({ notify: entry }));
      return [[team, makeRunJob({ webhooks, catalogue, timeoutMs })]];
    }),
  );
  if (teams.size === 0) return undefined;
  let silentUntil = 0;
  return async (incident, message) => {
    const runJob = message.team === undefined ? undefined : teams.get(message.team);
    // A question carries links that answer it; they have no place among the options of a job, which Rundeck keeps.
    if (runJob === undefined || message.kind === 'approval') return undefined;
    if (clock() < silentUntil) {
      throw new UpstreamError('rundeck', 'silent', 'it did not answer a moment ago', {
        sent: 'no',
        retry: false,
      });
    }
    try {
      return (await runJob(orderOf(incident, message))).executionId;
    } catch (error) {
      if (error instanceof UpstreamError && (error.sent === 'unknown' || error.code === 'refused')) {
        silentUntil = clock() + SILENCE_MS;
      }
      throw error;
    }
  };
}

function orderOf(incident: Incident, { subject, team, priority, links }: HumanMessage): JobOrder {
  const { incidentId, eventId, source, alert, openedAt } = incident;
  return {
    tool: 'notify',
    decisionId: `${incidentId}#${incident.decisions.at(-1)?.step ?? 1}`,
    incidentId,
    eventId,
    triggerId: alert?.trigger.id ?? 'none',
    source,
    host: alert?.host.host ?? 'none',
    // The webhook names the node that passes messages on; the alert's host may be down.
    node: 'relay',
    severity: alert?.severity ?? 0,
    arguments: {
      message: subject.slice(0, LONGEST_MESSAGE),
      ...(team !== undefined && { team }),
      ...(priority !== undefined && { priority }),
    },
    cleanupRoots: [],
    decidedAt: openedAt,
    mode: incident.mode,
    traceId: traceIdOf(incident),
    link: links.find(({ title }) => title === TIMELINE_LINK)?.url ?? 'none',
  };
}
