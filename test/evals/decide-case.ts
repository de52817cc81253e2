/** One case through production's own way: a post, parsed, recorded, decided by the workflow in simulate mode. */
import { catalogue } from '#lib/catalogue/index.ts';
import type { ToolArguments, ToolName } from '#lib/catalogue/tool.ts';
import { hashOf } from '#lib/core/canonical-json.ts';
import { hostKeyOf, incidentIdOf } from '#lib/core/identity.ts';
import type { Decision, Incident, Mode, ModelTrace, Proposal, Refusal } from '#lib/core/incident.ts';
import { claim, noteDispatched, recordDecision } from '#lib/core/incident-changes.ts';
import { parseAlert } from '#lib/core/parse-alert.ts';
import type { Policy } from '#lib/core/policy.ts';
import { makeDecideRemediation } from '#lib/workflow/decide-remediation.ts';
import type { AskModel } from '#lib/workflow/ports.ts';
import { makeReceiveAlert } from '#lib/workflow/receive-alert.ts';
import { makeVerifyOutcome } from '#lib/workflow/verify-outcome.ts';
import { createMemoryIncidents } from '#test/fakes/incidents-memory.ts';
import type { EvalCase } from './cases.ts';

/** What Remedia would finally do about a case. */
export interface CaseResult {
  readonly name: string;
  /** What is done without a human: `notify` wherever it abstains, only observes, or waits for somebody's yes. */
  readonly tool: ToolName;
  readonly arguments: ToolArguments;
  /** The kind of the verdict: `remediate`, `needs_approval`, `observe`, `escalate`; `refused` where the case is no alert. */
  readonly outcome: string;
  /** What a policy that observes or asks keeps from being done. */
  readonly withheld?: { readonly tool: ToolName; readonly arguments: ToolArguments };
  readonly reasons: readonly string[];
  /** Absent when the model was not asked. */
  readonly model?: ModelTrace | undefined;
  readonly proposal?: Proposal | Refusal | undefined;
}

const NOW = Date.UTC(2026, 10, 28, 12);
const SOURCE = 'evaluation';
const nothing = async () => undefined;

/** The post that Zabbix would send. */
function postOf(each: EvalCase): unknown {
  return {
    format_version: '1',
    event_id: '700001',
    event_source: '0',
    event_value: '1',
    event_update_status: '0',
    event_name: each.name,
    event_nseverity: String(each.nseverity),
    event_tags: JSON.stringify(each.tags),
    event_opdata: each.opdata ?? '',
    host_host: each.host,
    host_name: each.host_name ?? each.host,
    host_groups: 'Evaluation',
    trigger_id: '25000',
    trigger_name_orig: each.trigger_name ?? each.name,
    trigger_description: each.trigger_description ?? '',
    item_key: each.item_key,
    item_key_orig: each.item_key,
    ...(each.item_value !== undefined && { item_value: each.item_value }),
  };
}

/** Without `askModel` rules alone choose. Throws when the model could not be asked. */
export async function decideCase(
  each: EvalCase,
  askModel: AskModel | undefined,
  policy: Policy,
): Promise<CaseResult> {
  const parsed = parseAlert(postOf(each), { source: SOURCE, receivedAt: NOW });
  if (parsed.kind === 'invalid') {
    // Intake answers 400 and tells a human; nothing is decided about a post that Zabbix cannot have sent.
    const reasons = parsed.problems.map(({ field }) => `invalid ${field}`);
    return { name: each.name, tool: 'notify', arguments: {}, outcome: 'refused', reasons };
  }
  if (parsed.kind !== 'alert') throw new Error(`${each.name}: ${JSON.stringify(parsed)}`);
  const { alert } = parsed;
  const incidents = createMemoryIncidents({ clock: () => NOW });
  incidents.plantPolicy({ policy, hash: hashOf(policy), pushedAt: NOW, pushedBy: 'evaluation' });
  // Nothing is looked at in a simulation, so nothing is ever found in one; no port here has any effect.
  const mode = each.findings === undefined ? 'simulate' : 'live';
  for (const [index, past] of each.history.entries()) {
    await incidents.createIncident(pastIncident(past, index, alert, mode));
  }
  const ports = {
    ...incidents,
    askModel,
    sendToDecide: nothing,
    sendToDispatch: nothing,
    sendToCheck: nothing,
    tellHuman: nothing,
    clock: () => NOW,
    narrate: () => undefined,
  };
  const { incidentId } = await makeReceiveAlert(ports)(alert, mode);
  const settings = { incidentLink: () => 'http://127.0.0.1', approvalLink: () => undefined, catalogue };
  if (each.findings !== undefined) {
    await incidents.changeIncident(incidentId, (known) => analysing(known, each.findings?.resource ?? 'cpu'));
    const verify = makeVerifyOutcome(
      {
        ...ports,
        readExecution: async (id) => ({ id, status: 'succeeded', endedAt: NOW }),
        readOutput: async () =>
          JSON.stringify({ tool: 'analyze_processes', result: 'analyzed', exit: 0, ...each.findings }),
      },
      settings,
    );
    await verify({ incidentId, step: 1 });
  }
  await makeDecideRemediation(ports, settings)({ incidentId });
  const incident = await incidents.loadIncident(incidentId);
  const decision = incident?.decisions.at(-1);
  if (incident?.state === 'closed' && decision?.step === 1 && each.findings !== undefined) {
    return {
      name: each.name,
      tool: 'notify',
      arguments: {},
      outcome: 'escalate',
      reasons: ['no_eligible_tool'],
    };
  }
  if (decision === undefined) throw new Error(`${each.name}: the model could not be asked`);
  const { verdict, proposal, model } = decision;
  const acts = verdict.kind === 'remediate';
  return {
    name: each.name,
    tool: acts ? verdict.tool : 'notify',
    arguments: acts ? verdict.arguments : {},
    outcome: verdict.kind,
    ...(!acts && 'tool' in verdict && { withheld: { tool: verdict.tool, arguments: verdict.arguments } }),
    reasons: verdict.reasons.map(({ code }) => code),
    model,
    proposal,
  };
}

/** The first step of a chain, as production records it: an analysis that runs. */
function analysing(incident: Incident, resource: string): Incident | undefined {
  const decision: Decision = {
    decisionId: `${incident.incidentId}#1`,
    step: 1,
    at: NOW,
    verdict: {
      kind: 'remediate',
      tool: 'analyze_processes',
      arguments: { resource_type: resource },
      node: incident.alert?.host.host ?? '',
      autonomy: 'auto',
      reasons: [],
    },
    expiresAt: NOW + 900_000,
  };
  const claimed = claim(recordDecision(incident, decision, NOW), 1, NOW);
  return claimed && noteDispatched(claimed, 1, { now: NOW, executionId: '1', dueAt: NOW });
}

function pastIncident(
  past: EvalCase['history'][number],
  index: number,
  alert: NonNullable<Incident['alert']>,
  mode: Mode,
): Incident {
  const eventId = String(600_000 + index);
  const at = NOW - past.minutes_ago * 60_000;
  const incidentId = incidentIdOf(SOURCE, eventId, mode);
  const { tool } = past;
  return {
    incidentId,
    source: SOURCE,
    eventId,
    mode,
    state: 'closed',
    ...(past.outcome !== undefined && { outcome: past.outcome }),
    escalation: 'none',
    alert: { ...alert, eventId, trigger: past.same_trigger ? alert.trigger : { id: '25999' } },
    hostKey: hostKeyOf(SOURCE, alert.host.host),
    openedAt: at,
    updatedAt: at,
    decideBy: at + 900_000,
    decisions:
      tool === undefined
        ? []
        : [
            {
              decisionId: `${incidentId}#1`,
              step: 1,
              at,
              verdict: {
                kind: 'remediate',
                tool,
                arguments: past.arguments,
                node: alert.host.host,
                autonomy: 'auto',
                reasons: [],
              },
              expiresAt: at + 900_000,
              dispatch: { claimedAt: at, sent: 'yes' },
            },
          ],
    timeline: [],
    version: 1,
  };
}
