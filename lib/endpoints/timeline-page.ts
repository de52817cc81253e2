/** One incident as a page for a human at night: how it ended, what was decided and why, what ran, who knows, and when. */
import { describeContext } from '#lib/core/host-context.ts';
import type { Decision, Incident, IncidentState, Outcome, TimelineKind } from '#lib/core/incident.ts';
import { saysWhat } from '#lib/core/incident-changes.ts';
import { SEVERITY_NAMES } from '#lib/core/messages.ts';
import { type Html, html, htmlPage, linkTo } from '#lib/endpoints/html-page.ts';
import type { HttpAnswer } from '#lib/runtime/http.ts';
import { redact } from '#lib/runtime/logger.ts';

type Tone = 'good' | 'wait' | 'bad' | 'plain';
type Words = readonly [tone: Tone, words: string, explanation: string];

/** What is still going on is looked at again by the browser itself. */
const REFRESH_SECONDS = 15;

const ENDS: Readonly<Record<Outcome, Words>> = {
  verified: ['good', 'Mended', 'A job ran, and Zabbix says that the problem is over.'],
  failed: ['bad', 'Not mended', 'A job failed, could not be started, or did not help.'],
  unverifiable: [
    'bad',
    'Not known to be mended',
    'A job ran, and nobody can say whether the problem is over.',
  ],
  unknown: [
    'bad',
    'Not known whether it ran',
    'The job may have been started; it is never started a second time.',
  ],
  analysed: ['wait', 'Analysed', 'The findings are below; nothing on the host was changed.'],
  recovered_before_action: ['good', 'Over by itself', 'The problem was over before anything was done.'],
  observed: ['plain', 'Only observed', 'The policy only observes here: nothing was run.'],
  simulated: ['plain', 'Simulated', 'It went as it would have gone.'],
  ignored: ['plain', 'Ignored', 'There was nothing to do, by the policy.'],
  rejected: ['wait', 'Rejected', 'A human said no, or the post was no alert. Nothing was run.'],
  handed_over: ['wait', 'Handed over', 'A human takes over from here.'],
};
const STATES: Readonly<Record<Exclude<IncidentState, 'closed'>, Words>> = {
  received: ['wait', 'Received', 'It is not decided yet.'],
  decided: ['wait', 'Decided', 'The job is about to be started.'],
  awaiting_approval: ['wait', 'Waiting for a human', 'The link to answer is in the message that asks.'],
  held: ['wait', 'Held', 'It is tried again by itself; the reason is below.'],
  dispatching: ['wait', 'Being started', 'Rundeck is asked to run the job.'],
  running: ['wait', 'Running', 'Rundeck runs the job.'],
  verifying: ['wait', 'Being verified', 'The job ended; is the problem over?'],
};
const TOLD: Readonly<Record<Incident['escalation'], Words>> = {
  none: ['plain', 'Nobody was told', 'Nobody needed to be so far.'],
  pending: ['wait', 'A human is being told', 'The message has not been delivered yet.'],
  delivered: ['good', 'A human was told', 'The message was delivered.'],
  undeliverable: [
    'bad',
    'NOBODY COULD BE TOLD',
    'Every attempt to deliver the message failed; it is tried again every hour.',
  ],
};
const TONES: Partial<Readonly<Record<TimelineKind, Tone>>> = {
  recovered: 'good',
  approved: 'good',
  held: 'wait',
  approval_asked: 'wait',
  escalated: 'wait',
  rejected: 'bad',
  dispatch_failed: 'bad',
  escalation_failed: 'bad',
};

/** The page. `zabbixUrl` is the address of Zabbix's own pages, when it is known. */
export function timelinePage(
  incident: Incident,
  { now, zabbixUrl }: { readonly now: number; readonly zabbixUrl?: string | undefined },
): HttpAnswer {
  const { incidentId, alert, eventId, mode, state, outcome, escalation } = incident;
  const end = endOf(incident);
  const title = alert?.eventName ?? `Event ${eventId}`;
  const goesOn = state !== 'closed' || escalation === 'pending';
  const body = html`<p class="soft">Remedia · ${incidentId}</p>
<h1>${title}</h1>
${mode === 'simulate' ? html`<p class="card simulated"><b>Simulated.</b> Nothing left Remedia: no job was run, and nobody was told.</p>` : undefined}
<div class="card end ${end[0]}"><b>${end[1]}</b><p>${end[2]}</p><p class="soft">${lasted(incident, now)}</p></div>
<h2>What happened</h2>
${whatHappened(incident, zabbixUrl)}
<h2>What was decided, and why</h2>
${incident.decisions.length === 0 ? html`<p>Nothing${outcome === undefined ? ' yet' : ''}.</p>` : incident.decisions.map(decided)}
<h2>What ran</h2>
${whatRan(incident)}
<h2>Who knows</h2>
${whoKnows(incident)}
<h2>Timeline</h2>
<ol class="way">
${incident.timeline.map((entry) => step(entry, incident))}
</ol>
<p><small>Times are UTC. ${goesOn ? `This page looks again every ${REFRESH_SECONDS} s. ` : ''}The page is for reading alone: whoever has its address can read this incident until the link expires, and can change nothing.</small></p>`;
  return htmlPage(200, `${end[1]}: ${title}`, body, goesOn ? { refreshSeconds: REFRESH_SECONDS } : {});
}

/** A page for a link that opens nothing. */
export function noTimelinePage(why: 'forbidden' | 'gone'): HttpAnswer {
  return why === 'gone'
    ? htmlPage(
        404,
        'There is no such incident',
        html`<h1>There is no such incident</h1><p>The link is genuine. The incident is not there any more: closed ones are deleted after a while.</p>`,
      )
    : htmlPage(
        403,
        'This link is not valid',
        html`<h1>This link is not valid</h1><p>It has expired, or it was changed on its way. A newer message about the problem has a newer link; whoever has a token reads the incident through the API.</p>`,
      );
}

function endOf({ state, outcome }: Incident): Words {
  if (outcome !== undefined) return ENDS[outcome];
  return state === 'closed' ? ['plain', 'Closed', ''] : STATES[state];
}

function lasted({ openedAt, closedAt }: Incident, now: number): string {
  const began = `Began ${timeOf(openedAt)}`;
  return closedAt === undefined
    ? `${began}, ${spell(now - openedAt)} ago`
    : `${began}, closed ${spell(closedAt - openedAt)} later`;
}

function whatHappened(
  { alert, eventId, source, recoveredAt, zabbix }: Incident,
  zabbixUrl: string | undefined,
): Html {
  const url =
    alert && zabbixUrl !== undefined
      ? `${zabbixUrl}/tr_events.php?triggerid=${alert.trigger.id}&eventid=${eventId}`
      : undefined;
  const event = html`<dt>Event</dt><dd>${linkTo(url, `${eventId} of ${source}`)}</dd>`;
  if (alert === undefined) return html`<dl>${event}</dl>`;
  const { host, severity, opdata, item, hostGroups, tags } = alert;
  // As in Zabbix itself, two underscores begin what programs keep there.
  const shown = tags.filter(({ tag }) => !tag.startsWith('__'));
  return html`<dl>
<dt>Host</dt><dd><b>${host.host}</b>${host.name === undefined || host.name === host.host ? '' : `, ${host.name}`}${host.ip === undefined ? '' : ` (${host.ip})`}</dd>
<dt>Severity</dt><dd>${SEVERITY_NAMES[severity]}</dd>
${row('Data', opdata)}${row('Item', item.key)}
${row('Groups', hostGroups.length === 0 ? undefined : hostGroups.join(', '))}
${row('Tags', shown.length === 0 ? undefined : shown.map(({ tag, value }) => (value === '' ? tag : `${tag}: ${value}`)).join(', '))}
${row('Zabbix', zabbix && describeContext(zabbix))}
${row('Also open there', zabbix?.otherProblemNames?.join(', '))}
<dt>Over</dt><dd>${recoveredAt === undefined ? 'not as far as Zabbix says' : timeOf(recoveredAt)}</dd>
${event}
</dl>`;
}

function decided(decision: Decision): Html {
  const { verdict, model, decider, proposal, approval, policyHash } = decision;
  const answered =
    model &&
    `${model.model}${model.remembered ? ', from an answer it gave before' : `, in ${spell(model.totalMilliseconds)}`}`;
  return html`<div class="card"><b>${saysWhat(decision)}</b>
<ul>${verdict.reasons.map(({ text }) => html`<li>${text}</li>`)}</ul>
<dl>
${row('Asked', answered ?? (decider && 'no model; evidence and words alone choose here'))}
${row('Answer', proposal && (proposal.kind === 'proposal' ? callOf(proposal) : `refused (${proposal.code}): ${proposal.reason}`))}
${row('Human', approval && `${approval.by} ${approval.answer} it, ${timeOf(approval.at)}`)}
${row('Policy', policyHash?.slice(0, 12))}
</dl>
${model?.answer === undefined ? undefined : html`<details><summary>What the model wrote</summary><pre>${model.answer}</pre></details>`}</div>`;
}

function whatRan({ decisions }: Incident): Html {
  const ran = decisions.flatMap(({ verdict, dispatch }) => {
    if (dispatch === undefined || dispatch.sent === 'no' || !('tool' in verdict)) return [];
    const { executionId, executionUrl, executionStatus, claimedAt, endedAt, output, sent } = dispatch;
    const status = executionStatus ?? (sent === 'unknown' ? 'nobody knows whether it ran' : 'started');
    return [
      html`<div class="card"><b>${callOf(verdict)}</b>
<dl>
<dt>On</dt><dd>${verdict.node}</dd>
<dt>Rundeck</dt><dd>${executionId === undefined ? 'no execution is known' : linkTo(executionUrl, `execution ${executionId}`)}: ${status}</dd>
${row('Took', endedAt === undefined ? undefined : spell(endedAt - claimedAt))}
</dl>
${output === undefined ? undefined : html`<p class="soft">The end of its output:</p><pre class="tail"><span>${redact(output)}</span></pre>`}</div>`,
    ];
  });
  return ran.length === 0 ? html`<p>Nothing was run.</p>` : html`${ran}`;
}

function whoKnows({ escalation, message, coveredBy, mode }: Incident): Html {
  const [tone, words, explanation] = TOLD[mode === 'simulate' ? 'none' : escalation];
  const told = mode === 'simulate' ? undefined : message;
  if (coveredBy !== undefined)
    return html`<div class="card end wait"><b>Told together with others</b><p>By the message of ${coveredBy}.</p></div>`;
  return html`<div class="card end ${tone}"><b>${words}</b><p>${mode === 'simulate' ? 'What is only simulated reaches nobody.' : explanation}</p>
${told && html`<dl>${row('Message', told.subject)}${row('Team', told.team)}${row('Priority', told.priority)}</dl>`}</div>`;
}

function step({ at, kind, text }: Incident['timeline'][number], { openedAt, outcome }: Incident): Html {
  const tone = kind === 'closed' && outcome !== undefined ? ENDS[outcome][0] : (TONES[kind] ?? 'plain');
  const after = at - openedAt < 1000 ? '' : ` · ${spell(at - openedAt)} after it began`;
  return html`<li class="${tone}"><small><time datetime="${new Date(at).toISOString()}">${timeOf(at)}</time>${after}</small>${text}</li>
`;
}

function row(name: string, value: string | undefined): Html | undefined {
  return value === undefined ? undefined : html`<dt>${name}</dt><dd>${value}</dd>`;
}

function callOf({ tool, arguments: values }: { readonly tool: string; readonly arguments: object }): string {
  const list = Object.entries(values).map(([name, value]) => `${name}=${String(value)}`);
  return `${tool}(${list.join(', ')})`;
}

function timeOf(at: number): string {
  const text = new Date(at).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)}`;
}

/** Milliseconds as a person says them: `0.8 s`, `42 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
function spell(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}
