/** Finds out how a job ended and whether the problem is over: verified, failed or unverifiable; no data is not success. */
import type { Tool, ToolName } from '#lib/catalogue/tool.ts';
import { durationMs } from '#lib/core/duration.ts';
import { groundFindings, parseFindings } from '#lib/core/findings.ts';
import type { Decision, Incident, Outcome, Reason } from '#lib/core/incident.ts';
import {
  close,
  lookAgain,
  noteCommented,
  noteExecution,
  noteRecovery,
  reopen,
  stepToDecide,
} from '#lib/core/incident-changes.ts';
import { commentOf } from '#lib/core/messages.ts';
import {
  type ClosePorts,
  closeAndTell,
  isWorthAComment,
  type LinkSettings,
  policyIfReadable,
} from '#lib/workflow/close-and-tell.ts';
import type {
  CheckMessage,
  CommentEvent,
  EventStatus,
  Execution,
  LoadIncident,
  ReadEvent,
  ReadExecution,
  ReadOutput,
  SendToCheck,
  SendToDecide,
} from '#lib/workflow/ports.ts';
import { isUpstream } from '#lib/workflow/surroundings.ts';
import { tellPending } from '#lib/workflow/tell-pending.ts';

/** Rundeck may take a while to end a job whose own time limit has passed. */
const GRACE_MS = 120_000;
const LONGEST_DELAY_SECONDS = 60;
const SHORTEST_DELAY_SECONDS = 5;
const LONGEST_COMMENTING_MS = 60 * 60_000;
/** The sweeper looks again if the delayed check got lost. */
const DUE_AFTER_MS = 120_000;
/** Clocks and queues are not exact. */
const EARLY_MS = 1_000;

export interface VerifyPorts extends ClosePorts {
  readonly loadIncident: LoadIncident;
  /** Absent when Rundeck's API is not configured: then nobody can say how a job ended. */
  readonly readExecution?: ReadExecution | undefined;
  readonly readOutput?: ReadOutput | undefined;
  /** Absent when Zabbix's API is not configured: then only a recovery post verifies. */
  readonly readEvent?: ReadEvent | undefined;
  readonly commentEvent?: CommentEvent | undefined;
  readonly sendToCheck: SendToCheck;
  /** For the second decision, about what an analysis found. */
  readonly sendToDecide: SendToDecide;
}

export type Checked = 'gone' | 'early' | 'closed' | 'reopened';

/** Makes the workflow. Throws UpstreamError `incidents_table` or `queue`; the message then comes again. */
export function makeVerifyOutcome(
  ports: VerifyPorts,
  settings: LinkSettings & { readonly catalogue: Readonly<Record<ToolName, Tool>> },
): (message: CheckMessage) => Promise<Checked> {
  const { changeIncident, clock, narrate } = ports;

  return async ({ incidentId, step }) => {
    const incident = await ports.loadIncident(incidentId);
    if (incident === undefined || incident.mode === 'simulate') return 'gone';
    if (incident.state === 'closed') return comment(incident);
    const decision = incident.decisions.find((each) => each.step === step);
    if (decision === undefined) return 'gone';
    // The process may have died between the record and the queue; a second message of this kind does no harm.
    if (stepToDecide(incident) === 2) return sendOn(incident);
    // News of the first step, come twice, while the second one runs.
    if (incident.decisions.at(-1) !== decision) return 'early';
    if (incident.state === 'running') return checkExecution(incident, decision);
    if (incident.state === 'verifying') return checkRecovery(incident, decision);
    return 'early';
  };

  async function checkExecution(incident: Incident, decision: Decision): Promise<Checked> {
    const { incidentId } = incident;
    const now = clock();
    const startedAt = decision.dispatch?.claimedAt ?? decision.at;
    const patience = startedAt + toolOf(decision).timeLimitMs + GRACE_MS;
    const execution = await read(decision.dispatch?.executionId);
    if (execution === undefined || !hasEnded(execution.status)) {
      if (now < patience) return again(incident, decision, startedAt);
      return finish(incident, 'unverifiable', {
        code: 'outcome_unknown',
        text:
          execution === undefined
            ? 'Rundeck does not say how the job ended.'
            : `The job still has the status ${execution.status}, long after its time limit.`,
      });
    }
    const output = await outputOf(execution.id);
    const { incident: after } = await changeIncident(incidentId, (known) =>
      noteExecution(known, decision.step, {
        now,
        status: execution.status,
        ended: true,
        endedAt: execution.endedAt,
        url: execution.url,
        output,
        findings: toolOf(decision).name === 'analyze_processes' ? parseFindings(output) : undefined,
        dueAt: now + DUE_AFTER_MS,
      }),
    );
    narrate({ incidentId, step: 'execution', text: `execution ${execution.id}: ${execution.status}` });
    const current = after?.decisions.find((each) => each.step === decision.step);
    if (after === undefined || current === undefined) return 'gone';
    if (after.state === 'closed') return comment(after);
    // Another one who checked at the same time was further.
    if (after.state !== 'verifying') return 'early';
    if (execution.status !== 'succeeded') {
      return finish(after, 'failed', {
        code: 'job_failed',
        text: `The job ended as ${execution.status}.${after.recoveredAt === undefined ? '' : ' The problem is over all the same.'}`,
      });
    }
    return checkRecovery(after, current);
  }

  async function checkRecovery(incident: Incident, decision: Decision): Promise<Checked> {
    const { incidentId } = incident;
    const now = clock();
    const tool = toolOf(decision);
    if (tool.name === 'analyze_processes') return judgeFindings(incident, decision);
    const endedAt = decision.dispatch?.endedAt ?? now;
    const seen = await lookAtZabbix(incident);
    if (seen.kind === 'recovered') {
      const { incident: after } = await changeIncident(incidentId, (known) => {
        const recovered = noteRecovery(known, seen.at, now, 'api') ?? known;
        return close(recovered, { outcome: 'verified', now, text: 'The job ran and the problem is over.' });
      });
      narrate({ incidentId, step: 'closed', text: 'verified: the job ran and the problem is over' });
      return after === undefined ? 'gone' : comment(after);
    }
    if (now < endedAt + tool.recoveryWithinMs) return again(incident, decision, endedAt);
    return seen.kind === 'problem'
      ? finish(incident, 'failed', decision.step === 2 ? CHAIN_DID_NOT_HELP : PROBLEM_REMAINS)
      : finish(incident, 'unverifiable', {
          code: 'outcome_unknown',
          text: 'The job succeeded, and nobody can say whether the problem is over.',
        });
  }

  /** Once more to be decided when the findings make something possible, else to a human with what Remedia thinks. */
  async function judgeFindings(incident: Incident, decision: Decision): Promise<Checked> {
    const now = clock();
    const { incidentId, alert } = incident;
    const findings = decision.dispatch?.findings;
    if (incident.recoveredAt !== undefined) {
      return handFindingsOver(incident, [{ code: 'recovered', text: 'The problem is over.' }]);
    }
    if (findings === undefined || alert === undefined) {
      return handFindingsOver(incident, [{ code: 'no_eligible_tool', text: UNREADABLE }]);
    }
    const stored = await policyIfReadable(ports.loadPolicy);
    if (stored === undefined) {
      return handFindingsOver(incident, [{ code: 'policy_missing', text: 'No valid policy is readable.' }]);
    }
    const { policy } = stored;
    const { grounding, found, thinks } = groundFindings({ alert, policy, findings, now });
    if (found === undefined) {
      const own: Reason = { code: 'no_eligible_tool', text: thinks };
      const others = grounding.reasons.filter(({ text }) => text !== thinks);
      return handFindingsOver(incident, [own, ...others]);
    }
    const { changed, incident: after } = await changeIncident(incidentId, (known) =>
      reopen(known, { now, found, decideBy: now + durationMs(policy.decide_within) }),
    );
    if (changed) narrate({ incidentId, step: 'found', text: found });
    if (after === undefined) return 'gone';
    if (after.state === 'closed') return comment(after);
    return stepToDecide(after) === 2 ? sendOn(after) : 'early';
  }

  async function sendOn({ incidentId }: Incident): Promise<Checked> {
    await ports.sendToDecide({ incidentId });
    return 'reopened';
  }

  async function handFindingsOver(
    incident: Incident,
    reasons: readonly [Reason, ...Reason[]],
  ): Promise<Checked> {
    const text = reasons.map((each) => each.text).join(' ');
    return finish(incident, 'analysed', { code: reasons[0].code, text });
  }

  async function finish(incident: Incident, outcome: Outcome, reason: Reason): Promise<Checked> {
    // A check that came between may have led to a second step.
    const isOurs = ({ state, decisions }: Incident) =>
      state === incident.state && decisions.length === incident.decisions.length;
    const after = await closeAndTell(ports, settings, incident, outcome, reason, isOurs);
    return after === undefined ? 'gone' : comment(after);
  }

  /** Not yet: the longer it takes, the seldomer it is asked. */
  async function again(incident: Incident, { step }: Decision, since: number): Promise<Checked> {
    const now = clock();
    const { incidentId, dueAt = 0 } = incident;
    // A check that came between, by a notification or twice, must not start a second series.
    if (dueAt - DUE_AFTER_MS > now + EARLY_MS) return 'early';
    const elapsed = (now - since) / 1000;
    const delaySeconds = Math.round(
      Math.min(LONGEST_DELAY_SECONDS, Math.max(SHORTEST_DELAY_SECONDS, elapsed / 3)),
    );
    await changeIncident(incidentId, (known) =>
      known.state === 'running' || known.state === 'verifying'
        ? lookAgain(known, now, now + delaySeconds * 1000 + DUE_AFTER_MS)
        : undefined,
    );
    await ports.sendToCheck({ incidentId, step }, { delaySeconds });
    return 'early';
  }

  /** Writes on the event once; that it fails holds nothing up, for the record is what counts. */
  async function comment(incident: Incident): Promise<Checked> {
    // It says whether a human was told, so it waits for that; the sweeper sends it here again.
    const { incident: current } = await tellPending(ports, incident);
    if (ports.commentEvent === undefined || !isWorthAComment(current)) return 'closed';
    // Zabbix's own escalation goes on until the event is acknowledged, so only what is verified or told is.
    const acknowledge = current.outcome === 'verified' || current.escalation === 'delivered';
    try {
      const link = settings.incidentLink(current.incidentId, clock());
      await ports.commentEvent(current.eventId, commentOf(current, link), { acknowledge });
    } catch (error) {
      if (!isUpstream(error)) throw error;
      narrate({
        incidentId: incident.incidentId,
        step: 'comment',
        text: `Zabbix did not take the comment: ${error.message}`,
      });
      await commentLater(current, error.retry);
      return 'closed';
    }
    await changeIncident(incident.incidentId, (known) => noteCommented(known, clock()));
    return 'closed';
  }

  /** Zabbix goes on paging humans until the event is acknowledged, so a while of its absence is waited for. */
  async function commentLater(
    { incidentId, decisions, closedAt = 0 }: Incident,
    retry: boolean,
  ): Promise<void> {
    const elapsed = clock() - closedAt;
    if (!retry || elapsed > LONGEST_COMMENTING_MS) return;
    const delaySeconds = Math.round(Math.min(600, Math.max(30, elapsed / 1000)));
    await ports.sendToCheck({ incidentId, step: decisions.at(-1)?.step ?? 1 }, { delaySeconds });
  }

  async function lookAtZabbix({ eventId, recoveredAt }: Incident): Promise<EventStatus> {
    if (recoveredAt !== undefined) return { kind: 'recovered', at: recoveredAt };
    if (ports.readEvent === undefined) return { kind: 'not_found' };
    try {
      return await ports.readEvent(eventId);
    } catch (error) {
      if (!isUpstream(error)) throw error;
      return { kind: 'not_found' };
    }
  }

  async function read(executionId: string | undefined): Promise<Execution | undefined> {
    if (executionId === undefined) return undefined;
    try {
      return await ports.readExecution?.(executionId);
    } catch (error) {
      if (!isUpstream(error)) throw error;
      return undefined;
    }
  }

  async function outputOf(executionId: string): Promise<string> {
    try {
      return (await ports.readOutput?.(executionId)) ?? '';
    } catch (error) {
      if (!isUpstream(error)) throw error;
      return '';
    }
  }

  function toolOf({ verdict }: Decision) {
    const tool = settings.catalogue['tool' in verdict ? verdict.tool : 'notify'];
    return {
      name: tool.name,
      timeLimitMs: (tool.job?.timeLimitSeconds ?? 0) * 1000,
      recoveryWithinMs: tool.recoveryWithinSeconds * 1000,
    };
  }
}

const UNREADABLE = 'The findings are no list that Remedia could read, so nothing follows from them.';
const PROBLEM_REMAINS: Reason = {
  code: 'problem_remains',
  text: 'The job succeeded, and Zabbix still sees the problem.',
};
const CHAIN_DID_NOT_HELP: Reason = {
  code: 'chain_did_not_help',
  text: 'What the analysis found was acted upon, and Zabbix still sees the problem.',
};

/** Rundeck's: everything else is on its way to one of these. */
function hasEnded(status: string): boolean {
  return !['running', 'scheduled', 'queued'].includes(status);
}
