/** Runs the job of one decision, at most once: claim, check again, take allowances, post to Rundeck, check the outcome later. */
import { recheck } from '#lib/core/decide.ts';
import { historyReach, MOST_INCIDENTS, summariseHistory } from '#lib/core/history.ts';
import type { Decision, Dispatch, Incident, Outcome, Reason, Verdict } from '#lib/core/incident.ts';
import {
  claim,
  lookAgain,
  noteDispatched,
  noteRecovery,
  noteSending,
  release,
} from '#lib/core/incident-changes.ts';
import type { Policy } from '#lib/core/policy.ts';
import { traceIdOf } from '#lib/core/trace.ts';
import { askZabbix, type Heard, type ZabbixPorts } from '#lib/workflow/ask-zabbix.ts';
import {
  type ClosePorts,
  closeAndTell,
  type LinkSettings,
  sendForComment,
} from '#lib/workflow/close-and-tell.ts';
import type {
  Execution,
  FindExecution,
  GiveBackAllowance,
  HostHistory,
  JobMessage,
  RunJob,
  SendToCheck,
  SendToDispatch,
  StoredPolicy,
  TakeAllowance,
} from '#lib/workflow/ports.ts';
import { isUpstream, readSurroundings, type SurroundingPorts } from '#lib/workflow/surroundings.ts';
import { giveBack, takeAllowances } from '#lib/workflow/take-allowances.ts';
import { tellPending } from '#lib/workflow/tell-pending.ts';

const HELD_MS = 60_000;
/** Longer than the queue hides a message that failed: the sweeper is only for those that got lost. */
const RETRY_DUE_MS = 5 * 60_000;
/** What Zabbix said so long ago is asked again before anything is run. */
const FRESH_MS = 10_000;
const FIRST_CHECK_SECONDS = 5;
const RUNNING_DUE_MS = 125_000;
/** Rundeck may begin a job whose post it did not answer: so long it is looked for once more. */
const SECOND_LOOK_MS = 60_000;

export interface DispatchPorts extends ClosePorts, SurroundingPorts, ZabbixPorts {
  readonly takeAllowance: TakeAllowance;
  readonly giveBackAllowance: GiveBackAllowance;
  readonly hostHistory: HostHistory;
  readonly runJob: RunJob;
  /** Absent when Rundeck's API is not configured: an unanswered post then stays `unknown`. */
  readonly findExecution?: FindExecution | undefined;
  readonly sendToCheck: SendToCheck;
}

export type Dispatched = 'gone' | 'not_claimed' | 'stopped' | 'held' | 'started' | 'failed' | 'unanswered';

type Job = Extract<Verdict, { readonly kind: 'remediate' | 'needs_approval' }>;

/** A claimed decision that may be carried out now, and the units that were taken for it. */
interface Order {
  readonly incident: Incident;
  readonly decision: Decision;
  readonly job: Job;
  readonly stored: StoredPolicy;
  readonly taken: readonly string[];
}

/**
 * Makes the workflow. Throws UpstreamError when the table or the queue fails, or when Rundeck refused for now: nothing
 * was started then, the claim is given back, and the message comes again.
 */
export function makeDispatchJob(
  ports: DispatchPorts,
  settings: LinkSettings,
): (message: JobMessage) => Promise<Dispatched> {
  const { changeIncident, clock, narrate } = ports;

  return async ({ incidentId, step }) => {
    const claimedAt = clock();
    const { changed, incident } = await changeIncident(incidentId, (known) => claim(known, step, claimedAt));
    const decision = incident?.decisions.find((each) => each.step === step);
    if (incident === undefined || decision === undefined) return 'gone';
    if (!changed) {
      await finishForOwner(incident, step);
      return 'not_claimed';
    }
    narrate({ incidentId, step: 'claimed', text: `decision ${decision.decisionId}` });
    const taken: string[] = [];
    let order: Order | Dispatched;
    try {
      order = await prepare(incident, decision, taken);
    } catch (error) {
      // Nothing has left; a claim that cannot even be given back is found by the sweeper.
      if (isUpstream(error)) await giveClaimBack(incident, decision, error.message, taken);
      throw error;
    }
    return typeof order === 'string' ? order : post(order);
  };

  /** The claim's owner may have died after its last change and before its last message. */
  async function finishForOwner(incident: Incident, step: 1 | 2): Promise<void> {
    const { incident: after } = await tellPending(ports, incident);
    if (after.state === 'running') await ports.sendToCheck({ incidentId: after.incidentId, step });
    await sendForComment(ports.sendToCheck, after);
  }

  /** Everything between the claim and the post; `taken` is filled as units are taken. */
  async function prepare(
    incident: Incident,
    decision: Decision,
    taken: string[],
  ): Promise<Order | Dispatched> {
    const { incidentId } = incident;
    const { step, verdict } = decision;
    const claimedAt = decision.dispatch?.claimedAt ?? 0;
    const now = clock();
    const [{ stored, pause, storm }, { context: zabbix }] = await Promise.all([
      readSurroundings(ports, incident.source, now),
      askAgain(incident, now),
    ]);
    const facts = {
      incident,
      decision,
      policy: stored?.policy,
      paused: pause.paused,
      stormOpen: storm.open,
      zabbix,
      now,
    };
    const first = recheck(facts);
    const again =
      first.kind === 'go' && stored !== undefined
        ? recheck({ ...facts, ...(await lookBack(incident, stored.policy, now)) })
        : first;
    if (again.kind === 'hold') return holdIt(incidentId, step, claimedAt, again.reason);
    if (again.kind === 'stop') {
      if (zabbix?.event === 'recovered') {
        await changeIncident(incidentId, (known) =>
          noteRecovery(known, zabbix.recoveredAt ?? now, now, 'api'),
        );
      }
      return stopIt(incident, decision, again.reason);
    }
    if (!isJob(verdict) || stored === undefined || verdict.tool === 'notify') {
      return stopIt(incident, decision, { code: 'tool_not_allowed', text: 'This decision has no job.' });
    }
    const allowances = await takeAllowances(ports, {
      policy: stored.policy,
      source: incident.source,
      hostKey: incident.hostKey,
      tool: verdict.tool,
      now,
    });
    if (allowances.kind === 'full') {
      // A limit has room again when the hour is over; that a host needs the same tool again so soon is for a human.
      return allowances.reason.code === 'cooldown'
        ? stopIt(incident, decision, allowances.reason)
        : holdIt(incidentId, step, claimedAt, allowances.reason);
    }
    taken.push(...allowances.keys);
    const sending = await changeIncident(incidentId, (known) => noteSending(known, step, clock(), claimedAt));
    if (!sending.changed) {
      await giveBack(ports.giveBackAllowance, taken);
      if (sending.incident?.recoveredAt !== undefined) {
        return stopIt(incident, decision, { code: 'recovered', text: 'The problem is over already.' });
      }
      // Somebody took the claim away: this invocation was silent for longer than any may be.
      return 'not_claimed';
    }
    return { incident, decision, job: verdict, stored, taken };
  }

  /** An alert may have waited in a queue, or for a human's answer: is it a problem still? */
  async function askAgain(incident: Incident, now: number): Promise<Heard> {
    const { incidentId, zabbix } = incident;
    const fresh = zabbix !== undefined && now - zabbix.at < FRESH_MS;
    if (fresh || ports.readHostContext === undefined) return { text: '' };
    const heard = await askZabbix(ports, incident);
    narrate({ incidentId, step: 'zabbix', text: heard.text });
    return heard;
  }

  /** The same may have failed on this host while this decision waited, also for a human's answer. */
  async function lookBack(incident: Incident, policy: Policy, now: number) {
    const { hostKey, mode, alert } = incident;
    if (alert === undefined) return {};
    const past = await ports.hostHistory({
      hostKey,
      mode,
      since: now - historyReach(policy),
      limit: MOST_INCIDENTS,
    });
    const history = summariseHistory({ incidents: [...past, incident], alert, now, policy });
    return { history, historyCut: past.length >= MOST_INCIDENTS };
  }

  async function post(order: Order): Promise<Dispatched> {
    const { incident, decision, job, stored, taken } = order;
    const { incidentId } = incident;
    const { step, decisionId } = decision;
    let executionId: string;
    try {
      ({ executionId } = await ports.runJob({
        tool: job.tool,
        decisionId,
        incidentId,
        eventId: incident.eventId,
        triggerId: incident.alert?.trigger.id ?? '',
        source: incident.source,
        host: incident.alert?.host.host ?? '',
        node: job.node,
        severity: incident.alert?.severity ?? 0,
        arguments: job.arguments,
        cleanupRoots: stored.policy.cleanup_roots,
        decidedAt: decision.at,
        mode: incident.mode,
        traceId: traceIdOf(incident),
        link: settings.incidentLink(incidentId, clock()),
      }));
    } catch (error) {
      // Whatever else it is, the post may have gone out.
      if (!isUpstream(error) || error.sent === 'unknown') return reconcile(incident, decision, error);
      if (error.retry) {
        await giveClaimBack(incident, decision, error.message, taken);
        throw error;
      }
      await giveBack(ports.giveBackAllowance, taken);
      narrate({ incidentId, step: 'refused', text: error.message });
      const text = `Rundeck refused the job for good (${error.message}).`;
      await finish(incident, 'failed', { code: 'job_refused', text }, holdsClaim(decision));
      return 'failed';
    }
    return started(incidentId, step, executionId);
  }

  async function started(
    incidentId: string,
    step: 1 | 2,
    executionId: string,
    url?: string | undefined,
  ): Promise<Dispatched> {
    const now = clock();
    await changeIncident(incidentId, (known) =>
      noteDispatched(known, step, { now, executionId, url, dueAt: now + RUNNING_DUE_MS }),
    );
    narrate({ incidentId, step: 'job', text: `Rundeck runs it as execution ${executionId}` });
    await ports.sendToCheck({ incidentId, step }, { delaySeconds: FIRST_CHECK_SECONDS });
    return 'started';
  }

  /** The post went out and no answer came: it is looked for, and never sent again. */
  async function reconcile(incident: Incident, decision: Decision, error: unknown): Promise<Dispatched> {
    const { incidentId } = incident;
    const why = error instanceof Error ? error.message : 'failed';
    narrate({ incidentId, step: 'unknown', text: `it may have been started (${why}); it is looked for` });
    const found = await findIt(ports.findExecution, decision);
    if (found !== undefined) return started(incidentId, decision.step, found.id, found.url);
    if (ports.findExecution === undefined) {
      await finish(incident, 'unknown', NOBODY_KNOWS, holdsClaim(decision));
      return 'unanswered';
    }
    const now = clock();
    await changeIncident(incidentId, (known) =>
      known.state === 'dispatching' ? lookAgain(known, now, now + SECOND_LOOK_MS) : undefined,
    );
    return 'unanswered';
  }

  async function holdIt(
    incidentId: string,
    step: 1 | 2,
    claimedAt: number,
    reason: Reason,
  ): Promise<Dispatched> {
    const now = clock();
    await changeIncident(incidentId, (known) =>
      release(known, step, {
        now,
        why: reason.text,
        dueAt: now + HELD_MS,
        state: 'held',
        ownClaim: claimedAt,
      }),
    );
    narrate({ incidentId, step: 'held', text: reason.text });
    return 'held';
  }

  async function stopIt(incident: Incident, decision: Decision, reason: Reason): Promise<Dispatched> {
    narrate({ incidentId: incident.incidentId, step: 'stopped', text: reason.text });
    const outcome: Outcome =
      reason.code === 'recovered'
        ? 'recovered_before_action'
        : reason.code === 'rejected_by_human'
          ? 'rejected'
          : 'handed_over';
    await finish(incident, outcome, reason, holdsClaim(decision, 'no'));
    return 'stopped';
  }

  async function finish(
    incident: Incident,
    outcome: Outcome,
    reason: Reason,
    isOurs: (known: Incident) => boolean,
  ): Promise<void> {
    const after = await closeAndTell(ports, settings, incident, outcome, reason, isOurs);
    if (after !== undefined) await sendForComment(ports.sendToCheck, after);
  }

  /** Only for the claim's owner, who knows that nothing was started. */
  async function giveClaimBack(
    { incidentId }: Incident,
    { step, dispatch }: Decision,
    why: string,
    taken: readonly string[],
  ): Promise<void> {
    if (dispatch === undefined) return;
    try {
      await giveBack(ports.giveBackAllowance, taken);
      const now = clock();
      await changeIncident(incidentId, (known) =>
        release(known, step, {
          now,
          why: `Not sent: ${why}.`,
          dueAt: now + RETRY_DUE_MS,
          state: 'decided',
          ownClaim: dispatch.claimedAt,
        }),
      );
    } catch (error) {
      if (!isUpstream(error)) throw error;
    }
  }
}

const NOBODY_KNOWS: Reason = {
  code: 'outcome_unknown',
  text: 'Rundeck did not answer, so nobody knows whether the job ran. It is not started again.',
};

/**
 * What the sweeper does with a claim whose owner has been silent for too long: given back when it is certain that
 * nothing was sent, else looked for in Rundeck, else `unknown` and a human is told. Never posts.
 * Throws UpstreamError `incidents_table` or `queue`.
 */
export function makeReconcileClaim(
  ports: ClosePorts & {
    readonly findExecution?: FindExecution | undefined;
    readonly sendToCheck: SendToCheck;
    readonly sendToDispatch: SendToDispatch;
  },
  settings: LinkSettings,
): (incident: Incident) => Promise<'released' | 'found' | 'unknown'> {
  const { changeIncident, clock, sendToCheck, sendToDispatch } = ports;
  return async (incident) => {
    const { incidentId } = incident;
    const decision = incident.decisions.findLast(({ dispatch }) => dispatch !== undefined);
    const now = clock();
    // Its owner may have come back, or somebody else may have claimed it since the incident was read.
    const isOurs = (known: Incident) =>
      decision === undefined
        ? known.state === 'dispatching'
        : holdsClaim(decision, decision.dispatch?.sent)(known);
    if (decision?.dispatch?.sent === 'no') {
      const { step } = decision;
      await changeIncident(incidentId, (known) =>
        isOurs(known)
          ? release(known, step, {
              now,
              why: 'The claim was never used.',
              dueAt: now + RETRY_DUE_MS,
              state: 'decided',
            })
          : undefined,
      );
      await sendToDispatch({ incidentId, step });
      return 'released';
    }
    const found = decision && (await findIt(ports.findExecution, decision));
    if (decision !== undefined && found !== undefined) {
      const { step } = decision;
      const { id: executionId, url } = found;
      await changeIncident(incidentId, (known) =>
        noteDispatched(known, step, { now, executionId, url, dueAt: now + RUNNING_DUE_MS }),
      );
      await sendToCheck({ incidentId, step }, { delaySeconds: FIRST_CHECK_SECONDS });
      return 'found';
    }
    const after = await closeAndTell(ports, settings, incident, 'unknown', NOBODY_KNOWS, isOurs);
    if (after !== undefined) await sendForComment(sendToCheck, after);
    return 'unknown';
  };
}

/** Whether an incident is still at this very claim, and its post as far as it is said to be. */
function holdsClaim({ step, dispatch }: Decision, sent?: Dispatch['sent']): (known: Incident) => boolean {
  return ({ state, decisions }) => {
    const current = decisions.find((each) => each.step === step)?.dispatch;
    return (
      state === 'dispatching' &&
      current?.claimedAt === dispatch?.claimedAt &&
      (sent === undefined || current?.sent === sent)
    );
  };
}

async function findIt(find: FindExecution | undefined, decision: Decision): Promise<Execution | undefined> {
  const { verdict, dispatch, decisionId } = decision;
  if (find === undefined || !isJob(verdict) || dispatch === undefined) return undefined;
  try {
    return await find({ tool: verdict.tool, decisionId, since: dispatch.claimedAt });
  } catch (error) {
    if (!isUpstream(error)) throw error;
    return undefined;
  }
}

function isJob(verdict: Verdict): verdict is Job {
  return verdict.kind === 'remediate' || verdict.kind === 'needs_approval';
}
