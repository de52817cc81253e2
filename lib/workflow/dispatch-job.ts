/** Runs the job of one decision, at most once: claim, check again, take allowances, post to Rundeck, check the outcome later. */
import { recheck } from '#lib/core/decide.ts';
import type { Decision, Incident, Outcome, Reason, Verdict } from '#lib/core/incident.ts';
import {
  claim,
  close,
  noteDispatched,
  noteNotSent,
  noteSending,
  release,
} from '#lib/core/incident-changes.ts';
import { escalationMessage } from '#lib/core/messages.ts';
import { routeOf } from '#lib/core/policy-match.ts';
import type { UpstreamError } from '#lib/core/upstream-error.ts';
import type {
  FindExecution,
  GiveBackAllowance,
  JobMessage,
  LoadIncident,
  RunJob,
  SendToCheck,
  StoredPolicy,
  TakeAllowance,
} from '#lib/workflow/ports.ts';
import { isUpstream, readSurroundings, type SurroundingPorts } from '#lib/workflow/surroundings.ts';
import { giveBack, takeAllowances } from '#lib/workflow/take-allowances.ts';
import { type TellPorts, tellPending } from '#lib/workflow/tell-pending.ts';

const HELD_MS = 60_000;
const FIRST_CHECK_SECONDS = 5;
const RUNNING_DUE_MS = 120_000;

export interface DispatchPorts extends TellPorts, SurroundingPorts {
  readonly loadIncident: LoadIncident;
  readonly takeAllowance: TakeAllowance;
  readonly giveBackAllowance: GiveBackAllowance;
  readonly runJob: RunJob;
  /** Absent when Rundeck's API is not configured: an unanswered post then stays `unknown`. */
  readonly findExecution?: FindExecution | undefined;
  readonly sendToCheck: SendToCheck;
}

export interface DispatchSettings {
  readonly publicBaseUrl: string;
  readonly zabbixUrl?: string | undefined;
}

export type Dispatched = 'gone' | 'not_claimed' | 'stopped' | 'held' | 'started' | 'failed' | 'unknown';

type Job = Extract<Verdict, { readonly kind: 'remediate' | 'needs_approval' }>;

/**
 * Makes the workflow. Throws UpstreamError when the table or the queue fails, or when Rundeck refused for now: nothing
 * was started then, the claim is given back, and the message comes again.
 */
export function makeDispatchJob(
  ports: DispatchPorts,
  settings: DispatchSettings,
): (message: JobMessage) => Promise<Dispatched> {
  const { changeIncident, clock, narrate } = ports;

  return async ({ incidentId, step }) => {
    const { changed, incident } = await changeIncident(incidentId, (known) => claim(known, step, clock()));
    if (incident === undefined) return 'gone';
    const decision = decisionOf(incident, step);
    if (!changed || decision === undefined) {
      // The claim's owner may have died between Rundeck's answer and the queue.
      if (incident.state === 'running') await ports.sendToCheck({ incidentId, step });
      return 'not_claimed';
    }
    narrate({ incidentId, step: 'claimed', text: `decision ${decision.decisionId}` });

    let kept: readonly string[] = [];
    try {
      const now = clock();
      const { stored, pause, storm } = await readSurroundings(ports, incident.source, now);
      const again = recheck({
        incident,
        decision,
        policy: stored?.policy,
        paused: pause.paused,
        stormOpen: storm.open,
        now,
      });
      if (again.kind === 'hold') return await holdIt(incidentId, step, again.reason);
      const { verdict } = decision;
      if (again.kind === 'stop' || !isJob(verdict) || stored === undefined || verdict.tool === 'notify') {
        const reason: Reason =
          again.kind === 'stop'
            ? again.reason
            : { code: 'autonomy_observe', text: 'This decision has no job.' };
        return await stopIt(incident, stored, reason);
      }
      const taken = await takeAllowances(ports, {
        policy: stored.policy,
        source: incident.source,
        hostKey: incident.hostKey,
        tool: verdict.tool,
        now,
      });
      if (taken.kind === 'full') return await holdIt(incidentId, step, taken.reason);
      kept = taken.keys;
      const sending = await changeIncident(incidentId, (known) => noteSending(known, step, clock()));
      if (!sending.changed) return 'not_claimed';
      return await post(incident, decision, verdict, stored, kept);
    } catch (error) {
      if (!isUpstream(error)) throw error;
      // Until the post nothing has left; a claim that cannot even be given back is found by the sweeper.
      await giveItBack(incidentId, step, error, kept);
      throw error;
    }
  };

  async function post(
    incident: Incident,
    decision: Decision,
    verdict: Job,
    stored: StoredPolicy,
    kept: readonly string[],
  ): Promise<Dispatched> {
    const { incidentId } = incident;
    const { step, decisionId } = decision;
    try {
      const { executionId } = await ports.runJob({
        tool: verdict.tool,
        decisionId,
        incidentId,
        eventId: incident.eventId,
        triggerId: incident.alert?.trigger.id ?? '',
        source: incident.source,
        host: incident.alert?.host.host ?? '',
        node: verdict.node,
        severity: incident.alert?.severity ?? 0,
        arguments: verdict.arguments,
        cleanupRoots: stored.policy.cleanup_roots,
        decidedAt: decision.at,
        mode: incident.mode,
        link: `${settings.publicBaseUrl}/api/v1/incidents/${incidentId}`,
      });
      return await started(incidentId, step, executionId);
    } catch (error) {
      if (!isUpstream(error) || error.upstream !== 'rundeck') throw error;
      if (error.sent === 'unknown') return reconcile(incident, decision, stored);
      await giveBack(ports.giveBackAllowance, kept);
      if (error.retry) {
        await changeIncident(incidentId, (known) => noteNotSent(known, step, clock()));
        throw error;
      }
      narrate({ incidentId, step: 'refused', text: error.message });
      await finish(incident, stored, 'failed', {
        code: 'job_refused',
        text: `Rundeck refused the job for good: ${error.message}.`,
      });
      return 'failed';
    }
  }

  async function started(incidentId: string, step: 1 | 2, executionId: string): Promise<Dispatched> {
    const now = clock();
    await changeIncident(incidentId, (known) =>
      noteDispatched(known, step, { now, executionId, dueAt: now + RUNNING_DUE_MS }),
    );
    narrate({ incidentId, step: 'job', text: `Rundeck runs it as execution ${executionId}` });
    await ports.sendToCheck({ incidentId, step }, { delaySeconds: FIRST_CHECK_SECONDS });
    return 'started';
  }

  /** The post went out and no answer came: it is looked for, and never sent again. */
  async function reconcile(
    incident: Incident,
    decision: Decision,
    stored: StoredPolicy | undefined,
  ): Promise<Dispatched> {
    const found = await findIt(ports.findExecution, decision);
    if (found !== undefined) return started(incident.incidentId, decision.step, found);
    narrate({
      incidentId: incident.incidentId,
      step: 'unknown',
      text: 'Rundeck did not answer; nobody knows whether the job runs',
    });
    await finish(incident, stored, 'unknown', {
      code: 'outcome_unknown',
      text: 'Rundeck did not answer, so nobody knows whether the job ran. It is not started again.',
    });
    return 'unknown';
  }

  async function holdIt(incidentId: string, step: 1 | 2, reason: Reason): Promise<Dispatched> {
    const now = clock();
    await changeIncident(incidentId, (known) =>
      release(known, step, { now, why: reason.text, dueAt: now + HELD_MS, state: 'held' }),
    );
    narrate({ incidentId, step: 'held', text: reason.text });
    return 'held';
  }

  async function stopIt(
    incident: Incident,
    stored: StoredPolicy | undefined,
    reason: Reason,
  ): Promise<Dispatched> {
    narrate({ incidentId: incident.incidentId, step: 'stopped', text: reason.text });
    const outcome = reason.code === 'recovered' ? 'recovered_before_action' : 'handed_over';
    await finish(incident, stored, outcome, reason);
    return 'stopped';
  }

  async function finish(
    incident: Incident,
    stored: StoredPolicy | undefined,
    outcome: Outcome,
    reason: Reason,
  ): Promise<void> {
    const after = await closeAndTell(ports, settings, incident, stored, outcome, reason);
    const step = incident.decisions.at(-1)?.step;
    if (after && step !== undefined) await ports.sendToCheck({ incidentId: incident.incidentId, step });
  }

  async function giveItBack(
    incidentId: string,
    step: 1 | 2,
    error: UpstreamError,
    kept: readonly string[],
  ): Promise<void> {
    try {
      const now = clock();
      const { changed } = await changeIncident(incidentId, (known) =>
        release(known, step, {
          now,
          why: `Not sent: ${error.message}.`,
          dueAt: now + HELD_MS,
          state: 'decided',
        }),
      );
      if (changed && error.upstream !== 'rundeck') await giveBack(ports.giveBackAllowance, kept);
    } catch (second) {
      if (!isUpstream(second)) throw second;
    }
  }
}

/**
 * What the sweeper does with a claim whose owner has been silent for too long: given back when it is certain that
 * nothing was sent, else looked for in Rundeck, else `unknown` and a human is told. Never posts.
 */
export function makeReconcileClaim(
  ports: TellPorts &
    SurroundingPorts & {
      readonly findExecution?: FindExecution | undefined;
      readonly sendToCheck: SendToCheck;
      readonly sendToDispatch: (message: JobMessage) => Promise<void>;
    },
  settings: DispatchSettings,
): (incident: Incident) => Promise<'released' | 'found' | 'unknown'> {
  const { changeIncident, clock } = ports;
  return async (incident) => {
    const { incidentId } = incident;
    const decision = incident.decisions.findLast(({ dispatch }) => dispatch !== undefined);
    if (decision?.dispatch?.sent === 'no') {
      const now = clock();
      await changeIncident(incidentId, (known) =>
        release(known, decision.step, {
          now,
          why: 'The claim was never used.',
          dueAt: now + HELD_MS,
          state: 'decided',
        }),
      );
      await ports.sendToDispatch({ incidentId, step: decision.step });
      return 'released';
    }
    const found = decision && (await findIt(ports.findExecution, decision));
    if (decision !== undefined && found !== undefined) {
      const now = clock();
      await changeIncident(incidentId, (known) =>
        noteDispatched(known, decision.step, { now, executionId: found, dueAt: now + RUNNING_DUE_MS }),
      );
      await ports.sendToCheck({ incidentId, step: decision.step });
      return 'found';
    }
    const { stored } = await readSurroundings(ports, incident.source, clock());
    await closeAndTell(ports, settings, incident, stored, 'unknown', {
      code: 'outcome_unknown',
      text: 'The job may or may not have been started; it is not started again.',
    });
    return 'unknown';
  };
}

/** Closes with the message in the same change, then tells it. Answers the incident as it is afterwards. */
export async function closeAndTell(
  ports: TellPorts,
  settings: DispatchSettings,
  incident: Incident,
  stored: StoredPolicy | undefined,
  outcome: Outcome,
  reason: Reason,
): Promise<Incident | undefined> {
  const now = ports.clock();
  const route = stored && incident.alert ? routeOf(stored.policy, incident.alert) : {};
  const { changed, incident: after } = await ports.changeIncident(incident.incidentId, (known) =>
    close(known, {
      outcome,
      now,
      text: reason.text,
      message:
        outcome === 'recovered_before_action' || known.mode === 'simulate'
          ? undefined
          : escalationMessage({ incident: known, ...settings, now, ...route, reasons: [reason] }),
    }),
  );
  if (after !== undefined) {
    if (changed)
      ports.narrate({ incidentId: after.incidentId, step: 'closed', text: `${outcome}: ${reason.text}` });
    await tellPending(ports, after);
  }
  return after;
}

async function findIt(find: FindExecution | undefined, decision: Decision): Promise<string | undefined> {
  const { verdict, dispatch, decisionId } = decision;
  if (find === undefined || !isJob(verdict) || dispatch === undefined) return undefined;
  try {
    return (await find({ tool: verdict.tool, decisionId, since: dispatch.claimedAt }))?.id;
  } catch (error) {
    if (!isUpstream(error)) throw error;
    return undefined;
  }
}

function decisionOf(incident: Incident, step: 1 | 2): Decision | undefined {
  return incident.decisions.find((each) => each.step === step);
}

function isJob(verdict: Verdict): verdict is Job {
  return verdict.kind === 'remediate' || verdict.kind === 'needs_approval';
}
