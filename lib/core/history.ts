/** What happened on this host before, as the model is told it and as the decision needs it. */
import { catalogue } from '#lib/catalogue/index.ts';
import type { ToolArguments, ToolName } from '#lib/catalogue/tool.ts';
import type { Alert } from '#lib/core/alert.ts';
import { durationMs } from '#lib/core/duration.ts';
import type { Incident, Outcome } from '#lib/core/incident.ts';
import type { Policy } from '#lib/core/policy.ts';

const MAX_ENTRIES = 10;

/** One earlier incident of the host; `trigger` and `eventName` are text of an alert. */
export interface HistoryEntry {
  readonly incidentId: string;
  readonly at: number;
  readonly trigger: string;
  readonly eventName: string;
  readonly tool?: ToolName;
  readonly arguments?: ToolArguments;
  readonly outcome?: Outcome;
  readonly sameTrigger: boolean;
}

/** A job that was, or may have been, really started. */
export interface PastAction {
  readonly incidentId: string;
  readonly step: 1 | 2;
  readonly at: number;
  /** When it was known how it ended; `at` as long as it is not. */
  readonly knownAt: number;
  readonly tool: ToolName;
  readonly arguments: ToolArguments;
}

export interface History {
  /** Newest first, at most ten, without the incident that is being decided. */
  readonly entries: readonly HistoryEntry[];
  /** Problems of this trigger on this host within the policy's flapping window, this one included. */
  readonly sameTriggerProblems: number;
  /** Other problems of this host of which nobody knows that they are over. */
  readonly openProblems: number;
  /** Actions of other incidents that did not verifiably help, within `repeated_failure_within`. */
  readonly failedActions: readonly PastAction[];
  /** What earlier steps of this very incident did. */
  readonly chain: readonly PastAction[];
}

/** How many of a host's incidents are looked at; where there are more within `historyReach`, nothing is done. */
export const MOST_INCIDENTS = 1000;

/** What a job and the look at what it did may take, besides all waiting. */
const JOB_MS = 30 * 60_000;

/**
 * How far back `summariseHistory` needs the host's incidents, in milliseconds. An incident may have been opened long before
 * its action: each of two steps may wait for its decision, and for a human's answer.
 */
export function historyReach(policy: Policy): number {
  const waits = durationMs(policy.decide_within) + durationMs(policy.approval.expires_after) + JOB_MS;
  return Math.max(durationMs(policy.flapping.within), durationMs(policy.repeated_failure_within) + 2 * waits);
}

/**
 * Summarises the host's incidents, in any order and with or without the one being decided (told by source and event
 * id). Where one comes twice its newest version counts, for the index of the table may lag behind the record.
 */
export function summariseHistory(facts: {
  readonly incidents: readonly Incident[];
  readonly alert: Alert;
  readonly now: number;
  readonly policy: Policy;
}): History {
  const { alert, now, policy } = facts;
  const newest = new Map<string, Incident>();
  for (const incident of facts.incidents) {
    const known = newest.get(incident.incidentId);
    if (known === undefined || known.version < incident.version) newest.set(incident.incidentId, incident);
  }
  const isThis = (each: Incident) => each.source === alert.source && each.eventId === alert.eventId;
  const all = [...newest.values()].sort((a, b) => b.openedAt - a.openedAt);
  const others = all.filter((each) => !isThis(each));
  const sameTrigger = (each: Incident) => each.alert?.trigger.id === alert.trigger.id;
  const since = (duration: string) => now - durationMs(duration);

  return {
    entries: others.slice(0, MAX_ENTRIES).flatMap((each) => entryOf(each, sameTrigger(each))),
    sameTriggerProblems:
      1 + others.filter((each) => sameTrigger(each) && each.openedAt > since(policy.flapping.within)).length,
    openProblems: others.filter((each) => each.recoveredAt === undefined && each.outcome !== 'verified')
      .length,
    failedActions: others
      .flatMap(failedActionsOf)
      .filter((each) => each.at > since(policy.repeated_failure_within)),
    chain: all.filter(isThis).flatMap(actionsOf),
  };
}

function entryOf(incident: Incident, sameTrigger: boolean): HistoryEntry[] {
  const { alert, incidentId, openedAt, outcome } = incident;
  if (alert === undefined) return [];
  const verdict = incident.decisions.at(-1)?.verdict;
  const proposed = verdict !== undefined && 'tool' in verdict;
  return [
    {
      incidentId,
      at: openedAt,
      trigger: alert.trigger.nameOrig ?? alert.trigger.id,
      eventName: alert.eventName,
      ...(proposed && { tool: verdict.tool, arguments: verdict.arguments }),
      ...(outcome !== undefined && { outcome }),
      sameTrigger,
    },
  ];
}

/** `unknown` counts as done: the post may have had its effect. */
function actionsOf(incident: Incident): PastAction[] {
  return incident.decisions.flatMap(({ step, verdict, dispatch }) =>
    'tool' in verdict && dispatch !== undefined && dispatch.sent !== 'no'
      ? [
          {
            incidentId: incident.incidentId,
            step,
            at: dispatch.claimedAt,
            knownAt: incident.closedAt ?? dispatch.claimedAt,
            tool: verdict.tool,
            arguments: verdict.arguments,
          },
        ]
      : [],
  );
}

/** Of a chain the last step owns the outcome; what came before it did not help, but looking was not meant to. */
function failedActionsOf(incident: Incident): PastAction[] {
  const actions = actionsOf(incident);
  const last = actions.at(-1);
  const failed = (['failed', 'unverifiable', 'unknown'] as const).some((each) => each === incident.outcome);
  return actions.filter((each) => (each === last ? failed : catalogue[each.tool].safety !== 'read_only'));
}
