/** Decides about one incident: history, grounding, the choice of a model or of rules, one recorded verdict, its first effect. */
import { cooldownKey } from '#lib/core/allowances.ts';
import { answerFormat, toolSchemas } from '#lib/core/answer-format.ts';
import { buildBrief, EXAMPLES, SYSTEM_PROMPT } from '#lib/core/brief.ts';
import { hashOf } from '#lib/core/canonical-json.ts';
import { chooseByRules, groundWithoutReader } from '#lib/core/choose-by-rules.ts';
import { decide, decideWithoutModel } from '#lib/core/decide.ts';
import { durationMs } from '#lib/core/duration.ts';
import { groundFindings } from '#lib/core/findings.ts';
import { type Grounding, ground } from '#lib/core/grounding.ts';
import { type History, historyReach, MOST_INCIDENTS, summariseHistory } from '#lib/core/history.ts';
import type { HostContext } from '#lib/core/host-context.ts';
import { decisionIdOf, incidentIdOf } from '#lib/core/identity.ts';
import type {
  Decider,
  Decision,
  Incident,
  ModelTrace,
  Proposal,
  Reason,
  ReasonCode,
  Refusal,
  Verdict,
} from '#lib/core/incident.ts';
import {
  close,
  hold,
  noteRecovery,
  noteZabbix,
  openStorm,
  pend,
  recordDecision,
  saysWhat,
  stepToDecide,
} from '#lib/core/incident-changes.ts';
import {
  approvalMessage,
  escalationMessage,
  findingsMessage,
  stormId,
  stormMessage,
} from '#lib/core/messages.ts';
import type { Policy } from '#lib/core/policy.ts';
import { routeOf } from '#lib/core/policy-match.ts';
import { proposalHash } from '#lib/core/proposal-hash.ts';
import { readAnswer } from '#lib/core/read-answer.ts';
import { nameStorm, stormPastKeys, stormSummary } from '#lib/core/storm.ts';
import type { UpstreamError } from '#lib/core/upstream-error.ts';
import { IN_MAINTENANCE, whatForbids, withZabbix } from '#lib/core/word-of-zabbix.ts';
import { askZabbix, type ZabbixPorts } from '#lib/workflow/ask-zabbix.ts';
import {
  type ClosePorts,
  closeAndTell,
  type LinkSettings,
  sendForComment,
} from '#lib/workflow/close-and-tell.ts';
import type {
  AlertMessage,
  AskModel,
  CreateIncident,
  HostHistory,
  LoadIncident,
  SendToCheck,
  SendToDecide,
  SendToDispatch,
  StoredPolicy,
  TakeAllowance,
} from '#lib/workflow/ports.ts';
import { isUpstream, readSurroundings, type SurroundingPorts } from '#lib/workflow/surroundings.ts';
import { tellPending } from '#lib/workflow/tell-pending.ts';

/** How far back the item's values are looked at. */
const VALUES_MS = 30 * 60_000;
const HELD_MS = 60_000;
/** A model that is down, not busy, is waited for so long; then a human is told without it. */
const DOWN_MS = 90_000;
const SHORTEST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 60_000;
/** However late it was decided: so long a queued job may take to be dispatched. */
const LEAST_VALID_MS = 60_000;
const MODEL_BUSY = 'The model is busy.';
const MODEL_DOWN = 'The model does not answer for now.';

export interface DecidePorts extends ClosePorts, SurroundingPorts, ZabbixPorts {
  readonly loadIncident: LoadIncident;
  readonly createIncident: CreateIncident;
  readonly hostHistory: HostHistory;
  /** `undefined`: no model is asked, rules alone choose (DECIDER=rules). */
  readonly askModel: AskModel | undefined;
  readonly takeAllowance: TakeAllowance;
  readonly sendToDecide: SendToDecide;
  readonly sendToDispatch: SendToDispatch;
  readonly sendToCheck: SendToCheck;
}

export interface DecideSettings extends LinkSettings {
  /** The signed link by which a human answers; `undefined` where none can be made. */
  readonly approvalLink: (
    incident: Incident,
    decision: Decision,
  ) => { readonly title: string; readonly url: string } | undefined;
}

/** What became of one message. */
export type Decided =
  /** `done`: nothing was left to decide, and what follows from the record was done again. */
  | { readonly kind: 'gone' | 'done' | 'held' | 'closed' }
  | { readonly kind: 'decided'; readonly decision: Decision };

/** What the policy and the evidence say about one incident, before a model is asked. */
interface Case {
  readonly incident: Incident;
  /** 2: about what an analysis of the first step found. */
  readonly step: 1 | 2;
  readonly alert: NonNullable<Incident['alert']>;
  readonly stored: StoredPolicy;
  readonly history: History;
  readonly grounding: Grounding;
  readonly found?: string | undefined;
  readonly decideBy: number;
  /** What Zabbix said, or why nothing of it is known; absent when it was not asked. */
  readonly zabbix?: HostContext | string;
}

interface Made {
  readonly verdict: Verdict;
  readonly proposal?: Proposal | Refusal;
  readonly model?: ModelTrace;
  readonly coveredBy?: string | undefined;
}

/**
 * Makes the workflow. Throws UpstreamError `incidents_table` or `queue`, after which the message comes again: a recorded
 * decision is then carried on with, and the model is not asked a second time. Whatever the model does, it never throws.
 */
export function makeDecideRemediation(
  ports: DecidePorts,
  settings: DecideSettings,
): (message: AlertMessage) => Promise<Decided> {
  const { askModel, changeIncident, clock, narrate } = ports;
  const decider: Decider = askModel === undefined ? 'rules' : 'model';

  return async ({ incidentId }) => {
    const incident = await ports.loadIncident(incidentId);
    if (incident === undefined) return { kind: 'gone' };
    const step = stepToDecide(incident);
    if (step === undefined) return carryOn(incident);
    const { alert, source } = incident;
    const now = clock();
    if (alert === undefined) {
      return end(incident, 'handed_over', 'not_handled', 'Its record has no alert that could be decided.');
    }
    if (incident.recoveredAt !== undefined) {
      if (step === 2) return end(incident, 'analysed', 'recovered', 'The problem is over.');
      const text = 'The problem was over before anything was decided.';
      return end(incident, 'recovered_before_action', 'recovered', text);
    }
    const { stored, pause, storm } = await readSurroundings(ports, source, now);
    // The second step has a time of its own, which was told by the policy when it began.
    const decideBy = Math.min(
      incident.decideBy,
      stored && step === 1 ? incident.openedAt + durationMs(stored.policy.decide_within) : incident.decideBy,
    );
    if (now >= decideBy) {
      const why = sinceDecided(incident).findLast(({ kind }) => kind === 'held')?.text;
      const text = `It could not be decided in time.${why === undefined ? '' : ` ${why}`}`;
      const code = why === IN_MAINTENANCE.text ? IN_MAINTENANCE.code : 'decision_expired';
      return end(incident, 'handed_over', code, text);
    }
    if (stored === undefined) {
      const why = 'No valid policy is readable, which counts as paused.';
      return holdIt(incident, why, Math.min(now + HELD_MS, decideBy));
    }
    // A simulation has no effects that a pause could hold back.
    if (pause.paused && incident.mode === 'live') {
      const why = `Paused by ${pause.by ?? 'somebody'}.`;
      return holdIt(incident, why, Math.min(now + HELD_MS, decideBy));
    }
    const past = await ports.hostHistory({
      hostKey: incident.hostKey,
      mode: incident.mode,
      since: now - historyReach(stored.policy),
      limit: MOST_INCIDENTS,
    });
    const { policy } = stored;
    // The index may lag behind the record, and what this incident did already must count.
    const own = summariseHistory({ incidents: [...past, incident], alert, now, policy });
    const findings = step === 2 ? incident.decisions[0]?.dispatch?.findings : undefined;
    const { grounding: possible, found } = findings
      ? groundFindings({ alert, policy, findings, now })
      : { grounding: ground({ alert, policy, now }), found: undefined };
    const grounding = decider === 'rules' ? groundWithoutReader(possible) : possible;
    const historyCut = past.length >= MOST_INCIDENTS;
    const ownFacts = { alert, grounding, history: own, historyCut, policy, stormOpen: storm.open, now };
    const heard = isPlain(decideWithoutModel(ownFacts)) ? undefined : await hear(incident, policy, now);
    const { context: zabbix } = heard ?? {};
    if (zabbix?.event === 'recovered') return endRecovered(incident, zabbix);
    const known: Case = {
      incident,
      step,
      alert,
      stored,
      history: withZabbix(own, zabbix),
      grounding,
      found,
      decideBy,
      ...(heard !== undefined && { zabbix: zabbix ?? heard.text }),
    };
    const { history } = known;
    narrate({ incidentId, step: 'history', text: inWords(history) });
    // As a pause does: the people there may have mended it before the alert's time is over.
    if (incident.mode === 'live' && zabbix && whatForbids(zabbix)?.code === IN_MAINTENANCE.code) {
      return holdIt(incident, IN_MAINTENANCE.text, Math.min(now + HELD_MS, decideBy), zabbix);
    }
    const facts = { ...ownFacts, history, zabbix };
    const early = decideWithoutModel(facts);
    if (early !== undefined) {
      if (hasReason(early, 'storm')) {
        // Before anything refers to it; and it is told, whatever becomes of this incident.
        if (incident.mode === 'live') await tellStorm(source, storm.alerts, policy, now);
        // The summary does not hold what an analysis found; that is told in any case.
        return record(known, { verdict: early, coveredBy: step === 1 ? stormId(source) : undefined });
      }
      return record(known, {
        verdict: early,
        // What was found is told in any case.
        coveredBy: step === 1 ? coveredByOther(early, incident, past, policy, now) : undefined,
      });
    }
    const asked = await ask(known);
    if (asked.kind === 'wait') return waitForModel(known, asked.why);
    const { proposal } = asked.made;
    const coolingDown = await isCoolingDown(incident, proposal);
    return record(known, { ...asked.made, verdict: decide({ ...facts, proposal, decider, coolingDown }) });
  };

  /** Whether the proposed tool ran on this host so short a while ago that the dispatch would not let it run again. */
  async function isCoolingDown({ hostKey }: Incident, proposal: Proposal | Refusal): Promise<boolean> {
    if (proposal.kind !== 'proposal' || proposal.tool === 'notify') return false;
    const key = cooldownKey(hostKey, proposal.tool);
    return ((await ports.readAllowances([key])).get(key) ?? 0) > 0;
  }

  async function ask({
    incident,
    alert,
    history,
    grounding,
    found,
  }: Case): Promise<
    | { readonly kind: 'wait'; readonly why: string }
    | { readonly kind: 'asked'; readonly made: { proposal: Proposal | Refusal; model?: ModelTrace } }
  > {
    const { incidentId } = incident;
    if (askModel === undefined) {
      const proposal = chooseByRules(grounding);
      const text = proposal.kind === 'proposal' ? proposal.tool : proposal.reason;
      narrate({ incidentId, step: 'rules', text: `no model is asked; evidence and words alone: ${text}` });
      return { kind: 'asked', made: { proposal } };
    }
    const brief = buildBrief({ alert, history, grounding, found, now: clock() });
    if (brief.kind === 'refusal') return { kind: 'asked', made: { proposal: brief } };
    const question = {
      system: SYSTEM_PROMPT,
      examples: EXAMPLES,
      brief: brief.text,
      tools: toolSchemas(),
      format: answerFormat(grounding),
    };
    const choices = [...grounding.eligible.map(({ tool }) => tool), 'notify'].join(', ');
    narrate({ incidentId, step: 'asking', text: `the model, which may choose ${choices}` });
    try {
      const answer = await askModel(question);
      const model = { ...answer.trace, promptHash: hashOf(question) };
      return { kind: 'asked', made: { proposal: readAnswer(answer, grounding), model } };
    } catch (error) {
      if (!isUpstream(error)) throw error;
      narrate({ incidentId, step: 'model', text: error.message });
      const why = whyWait(incident, error, clock());
      return why === undefined
        ? { kind: 'asked', made: { proposal: refusalOf(error) } }
        : { kind: 'wait', why };
    }
  }

  /** Held, and sent anew with a growing delay: a busy model is no fault of the message. */
  async function waitForModel({ incident, decideBy }: Case, why: string): Promise<Decided> {
    const { incidentId } = incident;
    const now = clock();
    const since = heldSince(incident, why) ?? now;
    const delay = Math.min(Math.max((now - since) / 2, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
    const held = await holdIt(incident, why, Math.min(now + delay + HELD_MS, decideBy));
    await ports.sendToDecide({ incidentId }, { delaySeconds: Math.ceil(delay / 1000) });
    return held;
  }

  /** Zabbix's word on the host, of which a storm or an alert that is ignored anyway makes no use. */
  async function hear(incident: Incident, policy: Policy, now: number) {
    const heard = await askZabbix(ports, incident, {
      problemsSince: now - durationMs(policy.flapping.within),
      valuesSince: now - VALUES_MS,
    });
    narrate({ incidentId: incident.incidentId, step: 'zabbix', text: heard.text });
    return heard;
  }

  /** Its recovery post may still be on its way, or may have got lost. */
  async function endRecovered(incident: Incident, zabbix: HostContext): Promise<Decided> {
    const now = clock();
    await changeIncident(incident.incidentId, (known) =>
      stepToDecide(known) === stepToDecide(incident)
        ? noteRecovery(noteZabbix(known, zabbix, now), zabbix.recoveredAt ?? now, now, 'api')
        : undefined,
    );
    if (stepToDecide(incident) === 2) return end(incident, 'analysed', 'recovered', 'The problem is over.');
    const text = 'The problem was over before anything was decided.';
    return end(incident, 'recovered_before_action', 'recovered', text);
  }

  async function holdIt(
    incident: Incident,
    why: string,
    dueAt: number,
    zabbix?: HostContext,
  ): Promise<Decided> {
    const now = clock();
    await changeIncident(incident.incidentId, (known) =>
      stepToDecide(known) === stepToDecide(incident)
        ? hold(heardFirst(known, why, zabbix, now), now, why, dueAt)
        : undefined,
    );
    narrate({ incidentId: incident.incidentId, step: 'held', text: why });
    return { kind: 'held' };
  }

  /** Records the verdict once; whoever comes second carries on with what the first one recorded. */
  async function record({ incident, step, stored, decideBy, zabbix }: Case, made: Made): Promise<Decided> {
    const now = clock();
    const { incidentId } = incident;
    const { policy, hash } = stored;
    const { verdict, proposal, model } = made;
    const decisionId = decisionIdOf(incidentId, step);
    const decision: Decision = {
      decisionId,
      step,
      at: now,
      verdict,
      ...(proposal !== undefined && { proposal }),
      ...(model !== undefined && { model }),
      ...(decider === 'rules' && { decider }),
      policyHash: hash,
      ...('tool' in verdict && { proposalHash: proposalHash({ decisionId, ...verdict }) }),
      expiresAt:
        verdict.kind === 'needs_approval'
          ? now + durationMs(policy.approval.expires_after)
          : Math.max(decideBy, now + LEAST_VALID_MS),
    };
    const { changed, incident: after } = await changeIncident(incidentId, (known) =>
      stepToDecide(known) === step
        ? follow(
            recordDecision(zabbix === undefined ? known : noteZabbix(known, zabbix, now), decision, now),
            decision,
            made,
            policy,
            now,
          )
        : undefined,
    );
    if (after === undefined) return { kind: 'gone' };
    if (changed) {
      const why = verdict.reasons.map(({ text }) => text).join(' ');
      narrate({ incidentId, step: 'decided', text: `${saysWhat(decision)} ${why}` });
    }
    await carryOn(after);
    return changed ? { kind: 'decided', decision } : { kind: 'done' };
  }

  /** The state that a verdict leads to, in the very change that records it: a crash leaves all of it or nothing. */
  function follow(
    decided: Incident,
    decision: Decision,
    { coveredBy }: Made,
    policy: Policy,
    now: number,
  ): Incident | undefined {
    const { verdict } = decision;
    if (decided.mode === 'simulate') {
      const text = `Nothing left Remedia. It would have said: ${saysWhat(decision)}`;
      return close(decided, { outcome: 'simulated', now, text });
    }
    const { incidentLink, zabbixUrl } = settings;
    const route = decided.alert ? routeOf(policy, decided.alert) : {};
    const facts = { incident: decided, incidentLink, zabbixUrl, now, ...route };
    if (decided.recoveredAt !== undefined) {
      const text = 'The problem was over while it was decided.';
      if (decision.step === 1) return close(decided, { outcome: 'recovered_before_action', now, text });
      const message = findingsMessage({ ...facts, reasons: [{ code: 'recovered', text }] });
      return close(decided, { outcome: 'analysed', now, text, message });
    }
    const acts = verdict.kind === 'remediate' || verdict.kind === 'needs_approval';
    if (decision.step === 2 && !acts) {
      const would: Reason = {
        code: verdict.reasons[0]?.code ?? 'no_eligible_tool',
        text: saysWhat(decision),
      };
      const own = () =>
        findingsMessage({
          ...facts,
          reasons: verdict.kind === 'observe' ? [would, ...verdict.reasons] : verdict.reasons,
          ...(verdict.kind === 'escalate' && { notification: verdict.notification }),
        });
      return close(decided, {
        outcome: 'analysed',
        now,
        text: 'The findings are with a human.',
        message: coveredBy === undefined ? own() : undefined,
        coveredBy,
      });
    }
    switch (verdict.kind) {
      case 'remediate':
        return decided;
      case 'needs_approval': {
        const link = settings.approvalLink(decided, decision);
        const links = link === undefined ? [] : [link];
        return pend(decided, approvalMessage({ ...facts, decision, links }), now);
      }
      case 'observe':
        return close(decided, { outcome: 'observed', now, text: 'The policy only observes here.' });
      case 'ignore':
        return close(decided, { outcome: 'ignored', now, text: 'Nothing to do.' });
      case 'escalate': {
        const { reasons, notification } = verdict;
        const own = () => escalationMessage({ ...facts, ...notification, reasons, notification });
        return close(decided, {
          outcome: 'handed_over',
          now,
          text: 'A human takes over.',
          message: coveredBy === undefined ? own() : undefined,
          coveredBy,
        });
      }
    }
  }

  /** The effects that follow from the record alone; each may come twice and does no harm then. */
  async function carryOn(incident: Incident): Promise<Decided> {
    const { incidentId, state } = incident;
    const waiting = incident.decisions.findLast(({ dispatch }) => dispatch === undefined);
    if (waiting !== undefined && (state === 'decided' || state === 'held')) {
      await ports.sendToDispatch({ incidentId, step: waiting.step });
      narrate({ incidentId, step: 'queued', text: 'for its job' });
      return { kind: 'done' };
    }
    await sendForComment(ports.sendToCheck, (await tellPending(ports, incident)).incident);
    return { kind: 'done' };
  }

  /** One summary for a storm, in a record of its own: a crash may tell it twice, and never leaves it untold. */
  async function tellStorm(source: string, alerts: number, policy: Policy, now: number): Promise<void> {
    const counts = await ports.readAllowances(stormPastKeys(policy, source, now));
    const { name, before = name } = nameStorm(policy, source, counts, now);
    const marks = [name, before].map((each) => stormSummary(source, each, now).key);
    const told = await ports.readAllowances([...new Set(marks)]);
    if ([...told.values()].some((taken) => taken > 0)) return;
    const { kind, incident } = await ports.createIncident(
      openStorm({
        incidentId: incidentIdOf(`${source}/storm`, name),
        source,
        now,
        message: stormMessage({ source, alerts, within: policy.storm.within }),
      }),
    );
    const { key, limit, expiresAt } = stormSummary(source, name, now);
    await ports.takeAllowance(key, limit, expiresAt);
    if (kind === 'created') await tellPending(ports, incident);
  }

  async function end(
    incident: Incident,
    outcome: 'handed_over' | 'recovered_before_action' | 'analysed',
    code: ReasonCode,
    text: string,
  ): Promise<Decided> {
    // Another may have decided it meanwhile.
    const isOurs = (known: Incident) => stepToDecide(known) === stepToDecide(incident);
    const after = await closeAndTell(ports, settings, incident, outcome, { code, text }, isOurs);
    if (after !== undefined) await sendForComment(ports.sendToCheck, after);
    return { kind: 'closed' };
  }
}

/** What happened since the last decision: each step has its own patience. */
function sinceDecided({ timeline }: Incident): Incident['timeline'] {
  return timeline.slice(timeline.findLastIndex(({ kind }) => kind === 'decided') + 1);
}

/** Since when the same reason holds up the decision of this step. */
function heldSince(incident: Incident, why: string): number | undefined {
  return sinceDecided(incident).find(({ kind, text }) => kind === 'held' && text === why)?.at;
}

/** Why it is worth waiting for the model, or `undefined` when a human must be told without it. */
function whyWait(incident: Incident, { code, retry }: UpstreamError, now: number): string | undefined {
  if (code === 'busy') return MODEL_BUSY;
  // A time-out is longer than any sound evaluation takes, and another try would only add to the load.
  if (!retry || code === 'timed_out') return undefined;
  const since = heldSince(incident, MODEL_DOWN) ?? now;
  return now - since < DOWN_MS ? MODEL_DOWN : undefined;
}

/** The name of an upstream's failure as a refusal. */
function refusalOf({ code, message }: UpstreamError): Refusal {
  const named = (['model_missing', 'timed_out', 'prompt_too_large'] as const).find((each) => each === code);
  return {
    kind: 'refusal',
    code: named ?? 'model_unavailable',
    reason: `The model did not answer (${message}).`,
  };
}

/** While it is held, Zabbix's word is noted once and not every minute. */
function heardFirst(incident: Incident, why: string, zabbix: HostContext | undefined, now: number): Incident {
  const held = incident.timeline.some(({ kind, text }) => kind === 'held' && text === why);
  return zabbix === undefined || held ? incident : noteZabbix(incident, zabbix, now);
}

/** A verdict that nothing from Zabbix can change or explain better. */
function isPlain(verdict: Verdict | undefined): boolean {
  return verdict?.kind === 'ignore' || (verdict !== undefined && hasReason(verdict, 'storm'));
}

function hasReason(verdict: Verdict, code: Verdict['reasons'][number]['code']): boolean {
  return verdict.reasons.some((each) => each.code === code);
}

/** A trigger that flaps on a host is told once in the policy's window; the others are covered by that message. */
function coveredByOther(
  verdict: Verdict,
  incident: Incident,
  past: readonly Incident[],
  policy: Policy,
  now: number,
): string | undefined {
  if (!hasReason(verdict, 'flapping')) return undefined;
  const since = now - durationMs(policy.flapping.within);
  return past.find(
    (each) =>
      each.incidentId !== incident.incidentId &&
      each.openedAt > since &&
      each.alert?.trigger.id === incident.alert?.trigger.id &&
      each.coveredBy === undefined &&
      (each.escalation === 'pending' || each.escalation === 'delivered') &&
      each.decisions.some((decision) => hasReason(decision.verdict, 'flapping')),
  )?.incidentId;
}

function inWords({ entries, openProblems, sameTriggerProblems }: History): string {
  const last = entries[0];
  return [
    `${entries.length} earlier incidents of this host`,
    `${openProblems} other open problems`,
    ...(sameTriggerProblems > 1 ? [`this trigger ${sameTriggerProblems} times`] : []),
    ...(last?.tool === undefined ? [] : [`last ${last.tool}: ${last.outcome ?? 'open'}`]),
  ].join(', ');
}
