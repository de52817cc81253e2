/** Every change an incident can go through, as pure functions; nothing else ever builds or alters one. */
import type { ToolName } from '#lib/catalogue/tool.ts';
import type { Alert } from '#lib/core/alert.ts';
import { describeContext, type HostContext } from '#lib/core/host-context.ts';
import { hostKeyOf } from '#lib/core/identity.ts';
import type {
  Decision,
  Dispatch,
  Findings,
  HumanMessage,
  Incident,
  Mode,
  Outcome,
  TimelineEntry,
  TimelineKind,
} from '#lib/core/incident.ts';

/** After this without a word from its function, the sweeper looks at an incident that somebody is working on. */
const LOOK_AGAIN_MS = 60_000;
/** A claim outlives the dispatch function's own time limit before anybody may doubt it. */
const CLAIM_MS = 3 * 60_000;
/** Longer than all channels of a message may take together; whoever claimed it and is silent for so long has died. */
const TELLING_MS = 60_000;
/** So often a message is tried before it counts as undeliverable. */
export const MOST_MESSAGE_ATTEMPTS = 5;
/** From then on so seldom, until somebody was told: each try rings the alarm once more. */
const TELL_AGAIN_MS = 60 * 60_000;
const LONGEST_TEXT = 500;

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu;

/** Adds one line to the timeline; text of an alert in it is cut and has no control characters. */
function note(incident: Incident, at: number, kind: TimelineKind, text: string): Incident {
  const entry: TimelineEntry = { at, kind, text: text.replace(CONTROL, ' ').slice(0, LONGEST_TEXT) };
  return { ...incident, updatedAt: at, timeline: [...incident.timeline, entry] };
}

function withoutDue({ dueAt: _gone, ...rest }: Incident): Incident {
  return rest;
}

/** The record of a problem that just arrived. Times in milliseconds. */
export function openIncident(facts: {
  readonly incidentId: string;
  readonly alert: Alert;
  readonly mode: Mode;
  readonly now: number;
  readonly decideWithinMs: number;
  readonly traceId?: string | undefined;
}): Incident {
  const { incidentId, alert, mode, now, decideWithinMs, traceId } = facts;
  return note(
    {
      incidentId,
      source: alert.source,
      eventId: alert.eventId,
      mode,
      ...(traceId !== undefined && { traceId }),
      state: 'received',
      escalation: 'none',
      alert,
      hostKey: hostKeyOf(alert.source, alert.host.host),
      openedAt: now,
      updatedAt: now,
      decideBy: now + decideWithinMs,
      dueAt: now + LOOK_AGAIN_MS,
      decisions: [],
      timeline: [],
      version: 1,
    },
    now,
    'received',
    `${alert.eventName} on ${alert.host.host}, severity ${alert.severity}.`,
  );
}

/** The record of an event of which only the recovery was ever seen: nothing is left to do, also if its problem comes late. */
export function openRecovered(facts: {
  readonly incidentId: string;
  readonly alert: Alert;
  readonly mode: Mode;
  readonly now: number;
  readonly traceId?: string | undefined;
}): Incident {
  const { incidentId, alert, mode, now, traceId } = facts;
  return note(
    {
      incidentId,
      source: alert.source,
      eventId: alert.eventId,
      mode,
      ...(traceId !== undefined && { traceId }),
      state: 'closed',
      outcome: 'recovered_before_action',
      escalation: 'none',
      hostKey: hostKeyOf(alert.source, alert.host.host),
      openedAt: now,
      updatedAt: now,
      decideBy: now,
      recoveredAt: now,
      closedAt: now,
      decisions: [],
      timeline: [],
      version: 1,
    },
    now,
    'recovered',
    'The recovery came, and its problem had never been seen.',
  );
}

/** The record of an authenticated post that is no alert: kept, so that nothing is lost, and perhaps told to a human. */
export function openRejected(facts: {
  readonly incidentId: string;
  readonly source: string;
  readonly mode: Mode;
  readonly now: number;
  readonly text: string;
  readonly message?: HumanMessage;
}): Incident {
  return note(aboutNoEvent('rejected', 'rejected', facts), facts.now, 'received', facts.text);
}

/** The record of a storm, which carries the one summary for all its alerts until it is told. */
export function openStorm(facts: {
  readonly incidentId: string;
  readonly source: string;
  readonly now: number;
  readonly message: HumanMessage;
}): Incident {
  const storm = aboutNoEvent('handed_over', 'storm', { ...facts, mode: 'live' });
  return note(storm, facts.now, 'received', facts.message.subject);
}

/** Closed from the beginning: all there is left to do is to tell somebody. */
function aboutNoEvent(
  outcome: Outcome,
  host: string,
  facts: {
    readonly incidentId: string;
    readonly source: string;
    readonly mode: Mode;
    readonly now: number;
    readonly message?: HumanMessage;
  },
): Incident {
  const { incidentId, source, mode, now, message } = facts;
  const closed: Incident = {
    incidentId,
    source,
    eventId: incidentId,
    mode,
    state: 'closed',
    outcome,
    escalation: 'none',
    hostKey: hostKeyOf(source, host),
    openedAt: now,
    updatedAt: now,
    decideBy: now,
    closedAt: now,
    decisions: [],
    timeline: [],
    version: 1,
  };
  return message ? pend(closed, message, now) : closed;
}

/** What Zabbix said of the host, or why nothing of it is known; what it goes on saying is noted once. */
export function noteZabbix(incident: Incident, said: HostContext | string, now: number): Incident {
  const { zabbix: _before, ...rest } = incident;
  const known: Incident = typeof said === 'string' ? rest : { ...rest, zabbix: said };
  const text = typeof said === 'string' ? said : describeContext(said);
  const last = incident.timeline.findLast(({ kind }) => kind === 'zabbix_asked');
  return last?.text === text ? known : note(known, now, 'zabbix_asked', text);
}

/** The same problem again: the event keeps its one record. */
export function noteRepeat(incident: Incident, now: number): Incident {
  return note(incident, now, 'repeated', 'Zabbix posted the same problem again.');
}

/** An update of the event: its severity counts from now on, and only until something was decided. */
export function noteUpdate(incident: Incident, update: Alert, now: number): Incident {
  const { alert } = incident;
  const severity = alert && incident.decisions.length === 0 && alert.severity !== update.severity;
  return note(
    severity ? { ...incident, alert: { ...alert, severity: update.severity } } : incident,
    now,
    'updated',
    severity ? `Zabbix changed the severity to ${update.severity}.` : 'Zabbix posted an update.',
  );
}

/** The recovery, from a post or from Zabbix's API. `undefined` when it is known already. */
export function noteRecovery(
  incident: Incident,
  at: number,
  now: number,
  by: 'post' | 'api',
): Incident | undefined {
  if (incident.recoveredAt !== undefined) return undefined;
  // A question that nobody needs to answer any more is withdrawn by the sweeper.
  const open = incident.state === 'awaiting_approval' ? { ...incident, dueAt: now } : incident;
  return note(
    { ...open, recoveredAt: at },
    now,
    'recovered',
    by === 'post' ? 'Zabbix says that the problem is over.' : "Zabbix's API says that the problem is over.",
  );
}

/** Not now: tried again at `dueAt`, until the decision is due. A reason that goes on is noted once. */
export function hold(incident: Incident, now: number, why: string, dueAt: number): Incident {
  const held: Incident = { ...incident, state: 'held', dueAt };
  const last = incident.timeline.at(-1);
  return last?.kind === 'held' && last.text === why
    ? { ...held, updatedAt: now }
    : note(held, now, 'held', why);
}

/** The one decision of a step, and with it the state that follows. What the incident becomes is closed by `close`. */
export function recordDecision(incident: Incident, decision: Decision, now: number): Incident {
  const { verdict, step } = decision;
  const asked = chosen(incident, decision, now);
  const decided = note(
    { ...asked, decisions: [...asked.decisions.filter((each) => each.step !== step), decision] },
    now,
    'decided',
    `${saysWhat(decision)} ${verdict.reasons.map(({ text }) => text).join(' ')}`,
  );
  return verdict.kind === 'needs_approval'
    ? { ...decided, state: 'awaiting_approval', dueAt: decision.expiresAt }
    : { ...decided, state: 'decided', dueAt: now + LOOK_AGAIN_MS };
}

/** Who made the proposal, and which; nothing where nobody had to choose. */
function chosen(incident: Incident, { decider, model, proposal }: Decision, now: number): Incident {
  const what =
    proposal === undefined
      ? 'nothing'
      : proposal.kind === 'proposal'
        ? `${proposal.tool} ${JSON.stringify(proposal.arguments)}`
        : `${proposal.code}, ${proposal.reason}`;
  if (model !== undefined) {
    const when = model.remembered ? 'before' : `in ${(model.totalMilliseconds / 1000).toFixed(1)} s`;
    return note(incident, now, 'model_asked', `${model.model} answered ${when}: ${what}`);
  }
  return decider === 'rules' && proposal !== undefined
    ? note(incident, now, 'chosen_by_rules', `No model is asked here; evidence and words alone: ${what}`)
    : incident;
}

/** The step that waits to be decided; `undefined` while none does. */
export function stepToDecide({ state, decisions }: Incident): 1 | 2 | undefined {
  if (state !== 'received' && state !== 'held') return undefined;
  const [first, second] = decisions;
  if (first === undefined) return 1;
  return second === undefined && first.dispatch?.endedAt !== undefined ? 2 : undefined;
}

/**
 * The findings of the first step's analysis make something possible: the incident waits for its second and last
 * decision. `undefined` for whoever comes later, and when there is nothing that could follow.
 */
export function reopen(
  incident: Incident,
  facts: { readonly now: number; readonly decideBy: number; readonly found: string },
): Incident | undefined {
  const { now, decideBy, found } = facts;
  const [first, second] = incident.decisions;
  if (incident.state !== 'verifying' || second !== undefined || first?.dispatch?.findings === undefined) {
    return undefined;
  }
  return note(
    { ...incident, state: 'received', decideBy, dueAt: now + LOOK_AGAIN_MS },
    now,
    'checked',
    `The analysis found: ${found}. What follows is decided now.`,
  );
}

/** What a verdict means, in a few words. */
export function saysWhat({ verdict }: Decision): string {
  switch (verdict.kind) {
    case 'remediate':
      return `Run ${callOf(verdict)} on ${verdict.node}.`;
    case 'needs_approval':
      return `Ask a human whether to run ${callOf(verdict)} on ${verdict.node}.`;
    case 'observe':
      return `Only observe: would run ${callOf(verdict)} on ${verdict.node}.`;
    case 'ignore':
      return 'Ignore.';
    case 'escalate':
      return 'Hand over to a human.';
  }
}

function callOf(verdict: {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}): string {
  const list = Object.entries(verdict.arguments).map(([name, value]) => `${name}=${String(value)}`);
  return `${verdict.tool}(${list.join(', ')})`;
}

/**
 * The end. With a message the escalation is pending in the very same change, so that a crash after it leaves a message
 * that the sweeper still sends; `undefined` when the incident is closed already.
 */
export function close(
  incident: Incident,
  facts: {
    readonly outcome: Outcome;
    readonly now: number;
    readonly text: string;
    readonly message?: HumanMessage | undefined;
    /** Who is told by another message already; see `Incident`. */
    readonly coveredBy?: string | undefined;
  },
): Incident | undefined {
  if (incident.state === 'closed') return undefined;
  const { outcome, now, text, message, coveredBy } = facts;
  const closed: Incident = {
    ...withoutMessage(withoutDue(incident)),
    state: 'closed',
    outcome,
    closedAt: now,
    ...(coveredBy !== undefined && { coveredBy }),
  };
  return note(message ? pend(closed, message, now) : closed, now, 'closed', `${outcome}: ${text}`);
}

/** A question that is still to be sent is not sent any more: there is nothing left to answer. */
function withoutMessage(incident: Incident): Incident {
  if (!isUntold(incident)) return incident;
  const { message: _message, messageAttempts: _attempts, ...rest } = withoutTellAfter(incident);
  return { ...rest, escalation: 'none' };
}

function withoutTellAfter({ tellAfter: _gone, ...rest }: Incident): Incident {
  return rest;
}

/** A message to a human that is to be told, whatever happens next. */
export function pend(incident: Incident, message: HumanMessage, now: number): Incident {
  return {
    ...withoutTellAfter(incident),
    escalation: 'pending',
    message,
    messageAttempts: 0,
    dueAt: now + LOOK_AGAIN_MS,
  };
}

/**
 * Claims the telling of this message for a while, so that of two who are at it only one tells; one that dies leaves it
 * to the sweeper. `undefined` when somebody else is at it, when it is told, or when another message is pending now.
 */
export function claimTelling(incident: Incident, now: number, message: HumanMessage): Incident | undefined {
  const { tellAfter = now } = incident;
  if (!isToBeTold(incident, message) || now < tellAfter) return undefined;
  const until = now + TELLING_MS;
  // A question that expires before that is due then.
  return {
    ...incident,
    updatedAt: now,
    tellAfter: until,
    dueAt: Math.min(until, expiryOf(incident) ?? until),
  };
}

/** True while a human still has to hear its message, also when that has failed too often to hope for the next minute. */
export function isUntold({ escalation }: Incident): boolean {
  return escalation === 'pending' || escalation === 'undeliverable';
}

/**
 * Since when nothing is left to do: an incident that is over, and whose human was told if there is one to tell.
 * `undefined` before that; such a record must not expire, however long it takes.
 */
export function doneSince(incident: Incident): number | undefined {
  const { state, closedAt, updatedAt, timeline } = incident;
  if (state !== 'closed' || isUntold(incident)) return undefined;
  const told = timeline.findLast(({ kind }) => kind === 'escalated');
  return Math.max(closedAt ?? updatedAt, told?.at ?? 0);
}

function isToBeTold(incident: Incident, wanted: HumanMessage): boolean {
  const { message } = incident;
  return isUntold(incident) && message?.kind === wanted.kind && message.body === wanted.body;
}

/** A human was really told this message. `undefined` when that was known already, or when another one is pending now. */
export function noteTold(incident: Incident, now: number, told: HumanMessage): Incident | undefined {
  if (!isToBeTold(incident, told)) return undefined;
  return note(
    dueAfterTelling({ ...withoutTellAfter(incident), escalation: 'delivered' }),
    now,
    'escalated',
    `A human was told: ${told.subject}`,
  );
}

/**
 * Telling it failed once more: tried again later, and after the last time it counts as undeliverable, which raises an
 * alarm. It is not forgotten then: a record that is due is found again, whoever died before that alarm could ring.
 */
export function noteNotTold(
  incident: Incident,
  now: number,
  message: HumanMessage,
  why: string,
): Incident | undefined {
  if (!isToBeTold(incident, message)) return undefined;
  const attempts = (incident.messageAttempts ?? 0) + 1;
  const givenUp = attempts >= MOST_MESSAGE_ATTEMPTS;
  const again = now + (givenUp ? TELL_AGAIN_MS : LOOK_AGAIN_MS * 2 ** (attempts - 1));
  const tried: Incident = {
    ...incident,
    escalation: givenUp ? 'undeliverable' : 'pending',
    messageAttempts: attempts,
    tellAfter: again,
    dueAt: Math.min(again, expiryOf(incident) ?? again),
  };
  // Of the hours after that the number of attempts is enough.
  return attempts > MOST_MESSAGE_ATTEMPTS
    ? { ...tried, updatedAt: now }
    : note(tried, now, 'escalation_failed', `Attempt ${attempts} to tell a human failed: ${why}`);
}

/** A closed incident has nothing left to do; a question stays open until it expires. */
function dueAfterTelling(incident: Incident): Incident {
  if (incident.state === 'closed') return withoutDue(incident);
  const expiresAt = expiryOf(incident);
  return expiresAt === undefined ? incident : { ...incident, dueAt: expiresAt };
}

/** When the question that an incident waits for expires. */
function expiryOf({ state, decisions }: Incident): number | undefined {
  return state === 'awaiting_approval' ? decisions.at(-1)?.expiresAt : undefined;
}

/** A human's answer to a proposal; the caller has checked who it is and that it is about this very proposal. */
export function answerApproval(
  incident: Incident,
  answer: {
    readonly step: 1 | 2;
    readonly answer: 'approved' | 'rejected';
    readonly by: string;
    readonly now: number;
  },
): Incident | undefined {
  const decision = incident.decisions.find(({ step }) => step === answer.step);
  if (incident.state !== 'awaiting_approval' || decision === undefined || decision.approval !== undefined)
    return undefined;
  const { now, by } = answer;
  const answered = withDecision(withoutMessage(incident), {
    ...decision,
    approval: { answer: answer.answer, by, at: now },
  });
  return note(
    { ...answered, state: 'decided', dueAt: now + LOOK_AGAIN_MS },
    now,
    answer.answer,
    `${by} ${answer.answer} it.`,
  );
}

/** Claims a decision for its one dispatch; `undefined` for everybody who comes second. */
export function claim(incident: Incident, step: 1 | 2, now: number): Incident | undefined {
  const decision = incident.decisions.find((each) => each.step === step);
  const claimable = incident.state === 'decided' || incident.state === 'held';
  if (incident.mode === 'simulate' || !claimable || decision === undefined || decision.dispatch !== undefined)
    return undefined;
  const dispatch: Dispatch = { claimedAt: now, sent: 'no' };
  return note(
    { ...withDecision(incident, { ...decision, dispatch }), state: 'dispatching', dueAt: now + CLAIM_MS },
    now,
    'claimed',
    'Claimed for its one dispatch.',
  );
}

/** Gives a claim back because it is certain that nothing was sent. */
export function release(
  incident: Incident,
  step: 1 | 2,
  facts: {
    readonly now: number;
    readonly why: string;
    readonly dueAt: number;
    readonly state: 'decided' | 'held';
    /**
     * `claimedAt` of the claim that its owner gives back, knowing that its post was not sent, or was refused. A claim that
     * somebody else took meanwhile is not touched. Absent for whoever only finds a claim.
     */
    readonly ownClaim?: number;
  },
): Incident | undefined {
  const decision = incident.decisions.find((each) => each.step === step);
  const { now, why, dueAt, state, ownClaim } = facts;
  if (incident.state !== 'dispatching' || decision?.dispatch === undefined) return undefined;
  const { dispatch, ...unclaimed } = decision;
  const mayRelease = ownClaim === undefined ? dispatch.sent === 'no' : dispatch.claimedAt === ownClaim;
  if (!mayRelease) return undefined;
  return note(
    { ...withDecision(incident, unclaimed), state, dueAt },
    now,
    state === 'held' ? 'held' : 'dispatch_failed',
    why,
  );
}

/**
 * From now on the post may have been sent: whoever finds this claim must never post again. Only for the owner of the
 * claim of that time, and only while the problem is not over.
 */
export function noteSending(
  incident: Incident,
  step: 1 | 2,
  now: number,
  claimedAt: number,
): Incident | undefined {
  // The recovery may have come while the claim's owner looked at everything else.
  if (incident.recoveredAt !== undefined) return undefined;
  return withDispatch(incident, step, now, (dispatch) =>
    incident.state === 'dispatching' && dispatch.sent === 'no' && dispatch.claimedAt === claimedAt
      ? { ...dispatch, sent: 'unknown' }
      : undefined,
  );
}

/** Rundeck started the job. */
export function noteDispatched(
  incident: Incident,
  step: 1 | 2,
  facts: {
    readonly now: number;
    readonly executionId: string;
    readonly url?: string | undefined;
    readonly dueAt: number;
  },
): Incident | undefined {
  const { now, executionId, url, dueAt } = facts;
  if (incident.state !== 'dispatching') return undefined;
  const changed = withDispatch(incident, step, now, (dispatch) => ({
    ...dispatch,
    sent: 'yes',
    executionId,
    ...(url !== undefined && { executionUrl: url }),
  }));
  return (
    changed &&
    note(
      { ...changed, state: 'running', dueAt },
      now,
      'dispatched',
      `Rundeck runs it as execution ${executionId}.`,
    )
  );
}

/** What Rundeck says of the execution; `ended` moves on to the check of the outcome. */
export function noteExecution(
  incident: Incident,
  step: 1 | 2,
  facts: {
    readonly now: number;
    readonly status: string;
    readonly ended: boolean;
    readonly endedAt?: number | undefined;
    readonly url?: string | undefined;
    readonly output?: string | undefined;
    readonly findings?: Findings | undefined;
    readonly dueAt: number;
  },
): Incident | undefined {
  // News of an earlier step, come twice, must not end the one that runs now.
  if (incident.state !== 'running' || incident.decisions.at(-1)?.step !== step) return undefined;
  const { now, status, ended, endedAt, url, output, findings, dueAt } = facts;
  const changed = withDispatch(incident, step, now, (dispatch) => ({
    ...dispatch,
    executionStatus: status,
    ...(url !== undefined && { executionUrl: url }),
    ...(ended && { endedAt: isPlausible(endedAt, dispatch, now) ? endedAt : now }),
    ...(output !== undefined && output !== '' && { output: output.slice(-4000) }),
    ...(findings !== undefined && { findings }),
  }));
  if (changed === undefined) return undefined;
  return ended
    ? note({ ...changed, state: 'verifying', dueAt }, now, 'execution', `The execution ended: ${status}.`)
    : { ...changed, dueAt };
}

/** Rundeck's clock may go wrong, and how long a recovery is waited for must not depend on that. */
function isPlausible(endedAt: number | undefined, { claimedAt }: Dispatch, now: number): endedAt is number {
  return endedAt !== undefined && endedAt >= claimedAt && endedAt <= now;
}

/** What a human says about a decision afterwards; a later word replaces an earlier one. `undefined` without the decision. */
export function noteReview(
  incident: Incident,
  review: {
    readonly step: 1 | 2;
    readonly answer: 'right' | 'wrong';
    readonly instead?: ToolName | undefined;
    readonly by: string;
    readonly now: number;
  },
): Incident | undefined {
  const { step, answer, instead, by, now } = review;
  const decision = incident.decisions.find((each) => each.step === step);
  if (decision === undefined) return undefined;
  const reviewed = { answer, ...(instead !== undefined && { instead }), by, at: now };
  return note(
    withDecision(incident, { ...decision, review: reviewed }),
    now,
    'reviewed',
    `${by} says of the decision of step ${step}: ${answer}${instead === undefined ? '' : `, ${instead} instead`}.`,
  );
}

/** Looked, and it is too early to tell. */
export function lookAgain(incident: Incident, now: number, dueAt: number): Incident {
  return { ...incident, updatedAt: now, dueAt };
}

/** A comment was written on the event. */
export function noteCommented(incident: Incident, now: number): Incident {
  return note(incident, now, 'commented', 'Commented on the event in Zabbix.');
}

/** Sent to the queue once more, because nobody seems to be working on it; what is held is expected to come again. */
export function noteRequeued(incident: Incident, now: number, dueAt: number): Incident {
  const due = { ...incident, dueAt };
  return incident.state === 'held'
    ? { ...due, updatedAt: now }
    : note(due, now, 'queued', 'Sent to its queue again.');
}

function withDecision(incident: Incident, decision: Decision): Incident {
  return {
    ...incident,
    decisions: incident.decisions.map((each) => (each.step === decision.step ? decision : each)),
  };
}

function withDispatch(
  incident: Incident,
  step: 1 | 2,
  now: number,
  change: (dispatch: Dispatch) => Dispatch | undefined,
): Incident | undefined {
  const decision = incident.decisions.find((each) => each.step === step);
  const dispatch = decision?.dispatch && change(decision.dispatch);
  return decision && dispatch && { ...withDecision(incident, { ...decision, dispatch }), updatedAt: now };
}
