/** What a human is told: facts written by code, bounded; the model contributes at most one sentence, and it is marked. */
import { formatDuration } from '#lib/core/duration.ts';
import { describeContext } from '#lib/core/host-context.ts';
import type { Decision, HumanMessage, Incident, Notification, Reason } from '#lib/core/incident.ts';
import { saysWhat } from '#lib/core/incident-changes.ts';

const LONGEST_BODY = 6000;
const LONGEST_FINDINGS = 2500;
const LONGEST_COMMENT = 2000;
const TIMELINE_LINES = 12;
/** The title of the link to the whole timeline; every message of an incident has it. */
export const TIMELINE_LINK = 'Timeline';
/** What Zabbix calls 0 to 5. */
export const SEVERITY_NAMES = [
  'not classified',
  'information',
  'warning',
  'average',
  'high',
  'disaster',
] as const;

/** Also what turns the writing direction: a host's name must not read as another. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu;
/** New lines and tabs of findings stay. */
const CONTROL_IN_LINES = /[^\P{Cc}\n\t]+|[\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu;

interface Route {
  readonly team?: string | undefined;
  readonly priority?: HumanMessage['priority'] | undefined;
}

/** The address at which a human reads an incident, as a link that is sent at `now` (milliseconds) says it. */
export type IncidentLink = (incidentId: string, now: number) => string;

interface Facts extends Route {
  readonly incident: Incident;
  readonly incidentLink: IncidentLink;
  /** The address of Zabbix's web pages, when it is known. */
  readonly zabbixUrl?: string | undefined;
  readonly now: number;
}

/** A human must take over: what happened, what was tried, what Remedia thinks. */
export function escalationMessage(
  facts: Facts & { readonly reasons: readonly Reason[]; readonly notification?: Notification | undefined },
): HumanMessage {
  const { incident, reasons, notification } = facts;
  const why = reasons.map(({ text }) => oneLine(text)).join(' ');
  const says = notification?.message;
  return message('escalation', `Needs a human: ${problemOf(incident)}`, facts, [
    ...whatHappened(facts),
    `Why you: ${why === '' ? 'no reason was recorded.' : why}`,
    ...(says === undefined || says === '' ? [] : [`The model says: "${oneLine(says)}"`]),
    ...whatWasTried(incident),
    ...whatWasFound(incident, LONGEST_FINDINGS / 2),
    ...lastSteps(incident),
  ]);
}

/** A human may say yes or no; the links are made by the caller, who can sign them. */
export function approvalMessage(
  facts: Facts & { readonly decision: Decision; readonly links: HumanMessage['links'] },
): HumanMessage {
  const { incident, decision, now } = facts;
  const built = message('approval', `May I? ${problemOf(incident)}`, facts, [
    ...whatHappened(facts),
    `Proposal: ${oneLine(saysWhat(decision))}`,
    ...decision.verdict.reasons.map(({ text }) => oneLine(text)),
    `This question expires in ${formatDuration(decision.expiresAt - now)}; then it is handed over to a human.`,
    ...whatWasTried(incident),
    ...whatWasFound(incident, LONGEST_FINDINGS),
  ]);
  return { ...built, links: [...facts.links, ...built.links] };
}

/** What `analyze_processes` found and what Remedia makes of it, for the human who goes on from there. */
export function findingsMessage(
  facts: Facts & { readonly reasons: readonly Reason[]; readonly notification?: Notification | undefined },
): HumanMessage {
  const { incident, reasons, notification } = facts;
  const thinks = reasons.map(({ text }) => oneLine(text)).join(' ');
  const says = notification?.message;
  return message('escalation', `Findings: ${problemOf(incident)}`, facts, [
    ...whatHappened(facts),
    ...(thinks === '' ? [] : [`Remedia thinks: ${thinks}`]),
    ...(says === undefined || says === '' ? [] : [`The model says: "${oneLine(says)}"`]),
    ...whatWasTried(incident),
    ...whatWasFound(incident, LONGEST_FINDINGS),
  ]);
}

/** What stands for the incidents of a storm, where a message names its incident. */
export function stormId(source: string): string {
  return `storm/${source}`;
}

/** One summary for a whole storm. */
export function stormMessage(facts: {
  readonly source: string;
  readonly alerts: number;
  readonly within: string;
}): HumanMessage {
  const { source, alerts, within } = facts;
  return {
    kind: 'escalation',
    incidentId: stormId(source),
    subject: `Alert storm from ${source}: Remedia has stopped acting`,
    body: `${alerts} problems arrived within ${within}. Until it is calm again no job is started; every alert is recorded and handed over. This is said once.`,
    severity: 5,
    priority: 'critical',
    links: [],
  };
}

/** A message ended in a dead-letter queue and names no incident that could be looked up. */
export function deadLetterMessage(facts: {
  readonly queue: string;
  readonly messageId: string;
}): HumanMessage {
  return {
    kind: 'escalation',
    incidentId: `dead-letter/${facts.messageId}`,
    subject: `Remedia could not read a message of the queue ${oneLine(facts.queue)}`,
    body: `Message ${facts.messageId} ended in the dead-letter queue of ${oneLine(facts.queue)} and names no incident. It may have been put there by hand, or by another version of Remedia.`,
    severity: 3,
    links: [],
  };
}

/** What is written on the event in Zabbix: at most 2,000 characters, and the link is never what is cut. */
export function commentOf(incident: Incident, link: string): string {
  const last = incident.decisions.at(-1);
  const lines = [
    `Remedia: ${incident.outcome ?? incident.state}.`,
    ...(last ? [saysWhat(last), ...last.verdict.reasons.map(({ text }) => text)] : []),
    ...whatWasTried(incident),
    ...(incident.escalation === 'delivered' ? ['A human was told.'] : []),
  ];
  const text = lines
    .map(oneLine)
    .join('\n')
    .slice(0, LONGEST_COMMENT - link.length - 1);
  return `${text}\n${link}`;
}

function message(
  kind: HumanMessage['kind'],
  subject: string,
  facts: Facts,
  lines: readonly string[],
): HumanMessage {
  const { incident, incidentLink, zabbixUrl, now, team, priority } = facts;
  const triggerId = incident.alert?.trigger.id;
  const executions = incident.decisions.flatMap(({ dispatch }) => dispatch?.executionUrl ?? []);
  return {
    kind,
    incidentId: incident.incidentId,
    subject: oneLine(subject).slice(0, 200),
    body: lines.join('\n').slice(0, LONGEST_BODY),
    severity: incident.alert?.severity ?? 0,
    ...(team !== undefined && { team }),
    ...(priority !== undefined && { priority }),
    links: [
      { title: TIMELINE_LINK, url: incidentLink(incident.incidentId, now) },
      ...(zabbixUrl === undefined || triggerId === undefined
        ? []
        : [
            {
              title: 'Zabbix event',
              url: `${zabbixUrl}/tr_events.php?triggerid=${triggerId}&eventid=${incident.eventId}`,
            },
          ]),
      ...executions.map((url) => ({ title: 'Rundeck execution', url })),
    ],
  };
}

function problemOf({ alert, eventId }: Incident): string {
  return alert ? `${oneLine(alert.eventName).slice(0, 120)} on ${alert.host.host}` : `event ${eventId}`;
}

function whatHappened({ incident, now }: Facts): string[] {
  const { alert, openedAt, recoveredAt, eventId, source, zabbix } = incident;
  if (alert === undefined) return [`Event ${eventId} of ${source}.`];
  return [
    `Problem: ${oneLine(alert.eventName).slice(0, 300)}`,
    `Host: ${alert.host.host}${alert.host.ip === undefined ? '' : ` (${alert.host.ip})`}, severity ${SEVERITY_NAMES[alert.severity]}, event ${eventId} of ${source}`,
    ...(alert.opdata === undefined ? [] : [`Data: ${oneLine(alert.opdata).slice(0, 300)}`]),
    recoveredAt === undefined
      ? `It began ${formatDuration(now - openedAt)} ago and is not known to be over.`
      : 'Zabbix says that it is over.',
    ...(zabbix === undefined ? [] : [describeContext(zabbix), ...alsoOpen(zabbix.otherProblemNames ?? [])]),
  ];
}

function alsoOpen(names: readonly string[]): string[] {
  return names.length === 0
    ? []
    : [`Also open there: ${names.map((name) => `"${oneLine(name)}"`).join(', ')}`];
}

function whatWasTried({ decisions }: Incident): string[] {
  const tried = decisions.flatMap(({ decider, verdict, dispatch }) => {
    if (dispatch === undefined || dispatch.sent === 'no' || !('tool' in verdict)) return [];
    const call = `${verdict.tool} ${oneLine(JSON.stringify(verdict.arguments))} on ${verdict.node}`;
    const execution = dispatch.executionId === undefined ? '' : ` (execution ${dispatch.executionId})`;
    const status =
      dispatch.executionStatus ?? (dispatch.sent === 'unknown' ? 'nobody knows whether it ran' : 'started');
    const chosen = decider === 'rules' ? ' No model was asked: evidence and words alone chose it.' : '';
    return [`Tried: ${call}${execution}: ${status}.${chosen}`];
  });
  return tried.length === 0 ? ['Tried: nothing was run.'] : tried;
}

/** The output of an analysis that ended, as it is for people: without its line for programs. */
function whatWasFound({ decisions }: Incident, longest: number): string[] {
  return decisions.flatMap(({ verdict, dispatch }) => {
    if (!('tool' in verdict) || verdict.tool !== 'analyze_processes' || dispatch?.endedAt === undefined)
      return [];
    const { output = '', findings } = dispatch;
    const lines = output.replace(CONTROL_IN_LINES, ' ').trim().split('\n');
    const text = (findings === undefined ? lines : lines.slice(0, -1)).join('\n').slice(-longest);
    return [`Findings:\n${text === '' ? 'The job printed nothing.' : text}`];
  });
}

function lastSteps({ timeline }: Incident): string[] {
  return [
    'Steps:',
    ...timeline
      .slice(-TIMELINE_LINES)
      .map(({ at, text }) => `- ${new Date(at).toISOString().slice(11, 19)} ${oneLine(text).slice(0, 200)}`),
  ];
}

function oneLine(text: string): string {
  return text.replace(CONTROL, ' ').trim();
}
