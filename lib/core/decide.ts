/** What Remedia does about an alert: exactly one verdict, always with reasons; and the second look before a job runs. */
import { catalogue } from '#lib/catalogue/index.ts';
import type { JobToolName, Tool, ToolArguments } from '#lib/catalogue/tool.ts';
import type { Alert } from '#lib/core/alert.ts';
import { cooldownOf } from '#lib/core/allowances.ts';
import { bestArguments } from '#lib/core/choose-by-rules.ts';
import { evidenceOf } from '#lib/core/evidence.ts';
import type { History, PastAction } from '#lib/core/history.ts';
import type { HostContext } from '#lib/core/host-context.ts';
import type {
  Decider,
  Decision,
  Incident,
  Notification,
  Proposal,
  Reason,
  ReasonCode,
  Refusal,
  Verdict,
} from '#lib/core/incident.ts';
import { oneSentence } from '#lib/core/one-sentence.ts';
import type { Policy } from '#lib/core/policy.ts';
import { matchPolicy, nodeOf, routeOf, valueAllowed } from '#lib/core/policy-match.ts';
import { proposalHash } from '#lib/core/proposal-hash.ts';
import { whatForbids } from '#lib/core/word-of-zabbix.ts';

/** What the evidence makes possible, as far as the decision needs it. */
interface Possible {
  readonly eligible: readonly {
    readonly tool: JobToolName;
    readonly values: Readonly<Record<string, readonly string[]>>;
    readonly sufficient?: true;
    readonly needsReader?: true;
  }[];
  readonly node: string;
  readonly reasons: readonly Reason[];
}

interface DecisionFacts {
  readonly alert: Alert;
  /** `undefined`: the model was not asked, because `decideWithoutModel` had the verdict already. */
  readonly proposal: Proposal | Refusal | undefined;
  /** Who made the proposal; a model when it is not given. */
  readonly decider?: Decider;
  readonly grounding: Possible;
  readonly history: History;
  /** Older incidents of the host were left out, so nobody knows whether the same failed a while ago. */
  readonly historyCut?: boolean;
  readonly policy: Policy;
  readonly stormOpen: boolean;
  /** Whether the cooldown of the proposed tool runs on this host; it does not when it is not given. */
  readonly coolingDown?: boolean;
  /** What Zabbix says now; `undefined` when it was not asked or did not answer. */
  readonly zabbix?: HostContext | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * What needs no model to be said, else `undefined`: asking it would only cost time. The same verdict comes out of
 * `decide()`, whatever the model proposes.
 */
export function decideWithoutModel(facts: Omit<DecisionFacts, 'proposal'>): Verdict | undefined {
  const { alert, grounding, history, policy } = facts;
  if (alert.kind !== 'problem') {
    const text = `A ${alert.kind} post is no problem.`;
    return { kind: 'ignore', reasons: [{ code: 'not_a_trigger_event', text }] };
  }
  if (alert.severity < policy.minimum_severity) {
    const text = `Severity ${alert.severity} is below the policy's minimum ${policy.minimum_severity}.`;
    return { kind: 'ignore', reasons: [{ code: 'informational', text }] };
  }
  if (facts.stormOpen) {
    return escalate('storm', 'So many alerts arrive that Remedia has stopped acting until it is calm again.');
  }
  const forbidden = facts.zabbix && whatForbids(facts.zabbix);
  if (forbidden !== undefined) return { kind: 'escalate', reasons: [forbidden] };
  if (history.sameTriggerProblems >= policy.flapping.problems) {
    return escalate(
      'flapping',
      `This trigger raised ${history.sameTriggerProblems} problems on this host within ${policy.flapping.within}.`,
    );
  }
  if (facts.historyCut === true && grounding.eligible.length > 0) {
    return escalate('flapping', HISTORY_CUT);
  }
  if (grounding.eligible.length === 0) {
    return grounding.reasons.length === 0
      ? escalate('no_eligible_tool', 'No tool fits the evidence of this alert.')
      : { kind: 'escalate', reasons: grounding.reasons };
  }
  return undefined;
}

/**
 * Pure and total: every input has exactly one verdict. It trusts neither the proposal nor the grounding: tool, values
 * and node are checked against the policy again, so that a fault elsewhere cannot widen what is done.
 */
export function decide(facts: DecisionFacts): Verdict {
  const { alert, proposal, policy } = facts;
  const early = decideWithoutModel(facts);
  if (early !== undefined) return early;
  if (proposal === undefined) return escalate('no_call', 'The model was not asked.');
  if (proposal.kind === 'refusal') {
    const look = proposal.code === 'unsure' ? lookFirst(facts) : undefined;
    return look?.kind === 'remediate' ? look : escalate(proposal.code, proposal.reason);
  }
  if (proposal.tool === 'notify') {
    const look = lookFirst(facts);
    if (look?.kind === 'remediate') return look;
    return {
      kind: 'escalate',
      reasons: [{ code: 'model_asks_for_human', text: 'The model says that a human should look.' }],
      notification: notificationOf(proposal.arguments, policy, alert),
    };
  }
  return decideJob(facts, proposal.tool, proposal.arguments);
}

/**
 * A small model that is asked whether "lack of memory" calls for anything often says no. To look changes nothing, and the
 * human it asks for gets what was found along with the alert. Where the policy does not let it look by itself, that human
 * is told without.
 */
function lookFirst(facts: DecisionFacts): Verdict | undefined {
  const look = facts.grounding.eligible.find(({ sufficient }) => sufficient);
  if (look === undefined) return undefined;
  return decideJob(facts, look.tool, bestArguments(look), {
    code: 'evidence_suffices',
    text: `${
      facts.decider === 'rules'
        ? 'Without a model it is not clear what to do'
        : 'The model would leave it to a human'
    }; the evidence is enough to look first, which changes nothing.`,
  });
}

function decideJob(
  { alert, decider, grounding, history, policy, coolingDown = false, now }: DecisionFacts,
  tool: JobToolName,
  proposed: ToolArguments,
  why: Reason = decider === 'rules'
    ? { code: 'chosen_by_rules', text: `No model was asked: evidence and words alone chose ${tool}.` }
    : { code: 'chosen_by_model', text: `The model chose ${tool} among what the evidence allows.` },
): Verdict {
  const match = matchPolicy({ policy, alert, tool, now });
  if (match.kind === 'refused') return { kind: 'escalate', reasons: match.reasons };

  const eligible = grounding.eligible.find((each) => each.tool === tool);
  const { target: wanted, parameters } = catalogue[tool];
  const { parameter, subject } = wanted;
  const target = String(proposed[parameter]);
  if (eligible === undefined) {
    return escalate('tool_not_allowed', `The evidence of this alert does not make ${tool} possible.`);
  }
  if (decider === 'rules' && eligible.needsReader === true) {
    return escalate('no_eligible_tool', `For ${tool} a model has to read the alert, and none was asked.`);
  }
  if (!parameters.safeParse(proposed).success) {
    return escalate('mistyped_argument', `These are no arguments of ${tool}.`);
  }
  if (isHarsher(catalogue[tool], proposed)) {
    return escalate('ungrounded_value', `No evidence can ask for a harsher ${tool} than the usual one.`);
  }
  if (!groundedIn(eligible.values, proposed, parameter)) {
    return escalate('ungrounded_value', `A value for ${tool} does not come from the evidence of this alert.`);
  }
  if (!valueAllowed(policy, subject, target)) {
    return escalate('value_not_allowed', `The policy's list does not hold this ${subject}.`);
  }
  const node = nodeOf(policy, alert);
  if (node === undefined || node !== grounding.node) {
    return escalate('host_not_allowed', "The alert's host gives no valid name of a Rundeck node.");
  }

  const identical = isSameAction(tool, target);
  const looked = history.chain.filter((past) => catalogue[past.tool].safety === 'read_only');
  if (history.chain.length > 1 || history.chain.length > looked.length || looked.some(identical)) {
    return escalate('chain_did_not_help', 'What was done about this problem before did not end it.');
  }
  if (looked.length > 0 && policy.after_analysis === 'never') {
    return escalate('tool_not_allowed', NOTHING_FOLLOWS);
  }
  const repeated = repeatedFailure(history.failedActions.filter(identical), policy);
  if (repeated !== undefined) return { kind: 'escalate', reasons: [repeated] };

  // Where nothing runs, nothing has to cool down.
  if (coolingDown && match.autonomy !== 'observe') {
    const text = `${tool} ran on this host within its cooldown of ${cooldownOf(policy, tool)}, and there is a problem again.`;
    return escalate('cooldown', text);
  }

  const asks = looked.length > 0 && policy.after_analysis === 'approve' && match.autonomy === 'auto';
  const consent: Reason = {
    code: 'autonomy_approve',
    text: 'The policy wants a human to say yes to what follows on an analysis.',
  };
  const reasons: readonly Reason[] = [why, ...(asks ? [consent] : match.reasons)];
  const order = { tool, arguments: proposed, node, reasons };
  switch (asks ? 'approve' : match.autonomy) {
    case 'observe':
      return { kind: 'observe', autonomy: 'observe', ...order };
    case 'approve':
      return { kind: 'needs_approval', autonomy: 'approve', ...order };
    case 'auto':
      return { kind: 'remediate', autonomy: 'auto', ...order };
  }
}

const HISTORY_CUT = 'So much happens on this host that its history cannot be seen whole.';

function isSameAction(tool: JobToolName, target: string): (past: PastAction) => boolean {
  const { parameter } = catalogue[tool].target;
  return (past) => past.tool === tool && past.arguments[parameter] === target;
}

function repeatedFailure(failed: readonly PastAction[], policy: Policy): Reason | undefined {
  if (failed.length === 0) return undefined;
  const within = policy.repeated_failure_within;
  const times = failed.length === 1 ? 'once' : `${failed.length} times`;
  const text = `The same action did not help on this host ${times} within ${within}, so it is not tried again.`;
  return { code: 'repeated_failure', text };
}

function isHarsher({ harsher = {} }: Tool, proposed: ToolArguments): boolean {
  return Object.entries(harsher).some(([name, value]) => proposed[name] === value);
}

/** Every parameter that evidence fills, and at least the target, must hold one of its values. */
function groundedIn(
  values: Readonly<Record<string, readonly string[]>>,
  proposed: ToolArguments,
  parameter: string,
): boolean {
  return (
    Object.hasOwn(values, parameter) &&
    Object.entries(values).every(([name, allowed]) => allowed.some((value) => value === proposed[name]))
  );
}

/** The policy's routing comes first; of the model's wishes only a team that the routing knows, and a priority. */
function notificationOf(wished: ToolArguments, policy: Policy, alert: Alert): Notification {
  const route = routeOf(policy, alert);
  const known = policy.routing.find((each) => each.team !== undefined && each.team === wished['team']);
  const team = route.team ?? known?.team;
  const priority =
    route.priority ??
    (['low', 'normal', 'high', 'critical'] as const).find((each) => each === wished['priority']);
  const { message } = wished;
  return {
    message: oneSentence(typeof message === 'string' ? message : ''),
    ...(team !== undefined && { team }),
    ...(priority !== undefined && { priority }),
  };
}

/** `hold`: not now, but perhaps later. `stop`: never any more. */
export type Recheck =
  | { readonly kind: 'go' }
  | { readonly kind: 'stop'; readonly reason: Reason }
  | { readonly kind: 'hold'; readonly reason: Reason };

/**
 * The second look, right before a job is started: time has passed since the decision, and a human may have paused
 * Remedia, tightened the policy or not have answered. `policy` is the one that holds now, `undefined` when none is
 * readable. What can never run any more stops even during a pause.
 */
export function recheck(facts: {
  readonly incident: Incident;
  readonly decision: Decision;
  readonly policy: Policy | undefined;
  readonly paused: boolean;
  /** The storm breaker's state; calm when it is not given. */
  readonly stormOpen?: boolean;
  /** What Zabbix says now; `undefined` when it was not asked or did not answer. */
  readonly zabbix?: HostContext | undefined;
  /** What has become known of the host since, as `DecisionFacts` has it; `undefined` when it was not looked at. */
  readonly history?: History | undefined;
  readonly historyCut?: boolean;
  readonly now: number;
}): Recheck {
  const { incident, decision, policy, zabbix, now } = facts;
  const { verdict, approval } = decision;
  if (incident.recoveredAt !== undefined || zabbix?.event === 'recovered')
    return stop('recovered', 'The problem is over already.');
  if (now >= decision.expiresAt)
    return stop('decision_expired', 'The decision is too old to be carried out.');
  if (verdict.kind !== 'remediate' && verdict.kind !== 'needs_approval') {
    return stop('autonomy_observe', `A decision to ${verdict.kind} starts no job.`);
  }
  if (approval?.answer === 'rejected') return stop('rejected_by_human', 'A human said no.');
  if (verdict.kind === 'needs_approval' && approval === undefined) {
    return stop('autonomy_approve', 'No human has said yes.');
  }
  const hash = decision.proposalHash;
  const unbound = hash === undefined && verdict.kind === 'remediate';
  if (!unbound && hash !== proposalHash({ decisionId: decision.decisionId, ...verdict })) {
    return stop('value_not_allowed', 'The recorded decision is not the one that was made.');
  }
  if (policy === undefined) return hold('policy_missing', 'No valid policy is readable.');
  const tightened = whatTightened(policy, incident, decision, now);
  if (tightened !== undefined) return { kind: 'stop', reason: tightened };
  const { history } = facts;
  const failed =
    history &&
    verdict.tool !== 'notify' &&
    whatFailed(history, policy, verdict.tool, verdict.arguments, approval);
  if (failed) return { kind: 'stop', reason: failed };
  if (facts.historyCut === true && approval === undefined) return stop('flapping', HISTORY_CUT);
  const forbidden = zabbix && whatForbids(zabbix, approval !== undefined);
  if (forbidden !== undefined) {
    return { kind: forbidden.code === 'in_maintenance' ? 'hold' : 'stop', reason: forbidden };
  }
  if (facts.paused) return hold('paused', 'Remedia is paused.');
  if (facts.stormOpen === true)
    return hold('storm', 'So many alerts arrive that Remedia has stopped acting.');
  return { kind: 'go' };
}

const NOTHING_FOLLOWS = 'The policy lets nothing follow on an analysis.';

/** The first thing that the policy of now no longer allows, if any. */
function whatTightened(
  policy: Policy,
  { alert }: Incident,
  { verdict, approval, step }: Decision,
  now: number,
): Reason | undefined {
  const tightened = (text: string): Reason => ({ code: 'policy_tightened', text });
  if (alert === undefined || !('tool' in verdict) || verdict.tool === 'notify') {
    return tightened('There is no alert or no job that the policy could be asked about.');
  }
  const { tool } = verdict;
  if (alert.severity < policy.minimum_severity) return tightened('The policy now ignores this severity.');
  // What an analysis found was found by a job of Linux.
  const platform = step === 2 ? 'linux' : evidenceOf(alert).platform;
  if (!policy.platforms.some((each) => each === platform)) {
    return tightened(`The policy's platforms no longer hold ${platform}.`);
  }
  const match = matchPolicy({ policy, alert, tool, now });
  if (match.kind === 'refused') {
    const [first] = match.reasons;
    return first.code === 'outside_window'
      ? first
      : tightened(`The policy no longer allows this. ${first.text}`);
  }
  const follows = step === 2 ? policy.after_analysis : 'as_tool';
  if (follows === 'never') return tightened(NOTHING_FOLLOWS);
  if (match.autonomy === 'observe') return tightened(`The policy now only observes ${tool} here.`);
  if ((match.autonomy === 'approve' || follows === 'approve') && approval === undefined) {
    return tightened(`The policy now wants a human's consent for ${tool} here.`);
  }
  const { parameter, subject } = catalogue[tool].target;
  const target = verdict.arguments[parameter];
  if (typeof target !== 'string' || !valueAllowed(policy, subject, target)) {
    return tightened(`The policy's list no longer holds this ${subject}.`);
  }
  return nodeOf(policy, alert) === verdict.node
    ? undefined
    : tightened("The policy now names another node for the alert's host.");
}

/** Whether the same failed on this host after the decision, and after whoever said yes to it could have known. */
function whatFailed(
  { failedActions }: History,
  policy: Policy,
  tool: JobToolName,
  given: ToolArguments,
  approval: Decision['approval'],
): Reason | undefined {
  const identical = isSameAction(tool, String(given[catalogue[tool].target.parameter]));
  const news = (past: PastAction) => approval === undefined || past.knownAt > approval.at;
  return repeatedFailure(
    failedActions.filter((past) => identical(past) && news(past)),
    policy,
  );
}

function escalate(code: ReasonCode, text: string): Verdict {
  return { kind: 'escalate', reasons: [{ code, text }] };
}

function stop(code: ReasonCode, text: string): Recheck {
  return { kind: 'stop', reason: { code, text } };
}

function hold(code: ReasonCode, text: string): Recheck {
  return { kind: 'hold', reason: { code, text } };
}
