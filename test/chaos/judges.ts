/** Judges a run by what happened, never by the code's own word: each broken promise is one sentence. */
import type { Alert } from '#lib/core/alert.ts';
import type { Incident } from '#lib/core/incident.ts';
import type { StoredPolicy } from '#lib/workflow/ports.ts';
import type { Failure } from '#test/chaos/alarms.ts';
import { mayRun } from '#test/chaos/chaos-policy.ts';
import type { Entry } from '#test/chaos/journal.ts';

const HOUR = 3_600_000;
/** So long a function may go on with the policy that it has read. */
const POLICY_LAG_MS = 6_000;
/** A storm is told again after an hour, a flapping trigger after its window of an hour. */
const COVERS_MS = 1.25 * HOUR;
/**
 * Who wrote that nobody could be told may go on with others before it says so; and it may have died just before, while
 * what it wrote was on its way.
 */
const RINGS_WITHIN_MS = 2 * 60_000;

export interface Evidence {
  readonly entries: readonly Entry[];
  /** The failures during which an alarm of deploy/alarms.yml rings. */
  readonly alarms: readonly Failure[];
  readonly incidents: readonly Incident[];
  /** Messages that are still on a queue when everything has come to rest. */
  readonly left: readonly unknown[];
  /** The problem of an event, as Zabbix had it. */
  readonly alertOf: (eventId: string) => Alert | undefined;
  /** The policy's limits of executions an hour. */
  readonly perHour: number;
  /** The policy's `repeated_failure_within`, milliseconds. */
  readonly repeatedWithinMs: number;
}

type Judge = (evidence: Evidence) => readonly string[];
type Of<Kind extends Entry['kind']> = Extract<Entry, { readonly kind: Kind }>;

const isKind =
  <Kind extends Entry['kind']>(kind: Kind) =>
  (entry: Entry): entry is Of<Kind> =>
    entry.kind === kind;

const one = (noun: string, count: number) => `${count} ${noun}${count === 1 ? '' : 's'}`;

const atMostOneExecution: Judge = ({ entries }) =>
  [...Map.groupBy(entries.filter(isKind('execution')), ({ order }) => order.decisionId)]
    .filter(([, executions]) => executions.length > 1)
    .map(([decisionId, executions]) => `${decisionId} ran ${executions.length} times`);

const oneRecordPerEvent: Judge = ({ entries, incidents }) => {
  const records = Map.groupBy(incidents, ({ eventId }) => eventId);
  const accepted = new Set(entries.filter(isKind('accepted')).map(({ eventId }) => eventId));
  return [...accepted].flatMap((eventId) => {
    const count = records.get(eventId)?.length ?? 0;
    return count === 1 ? [] : [`event ${eventId} was accepted and has ${one('record', count)}`];
  });
};

const everythingEnds: Judge = ({ incidents, left }) => [
  ...incidents
    .filter(({ state, outcome }) => !(state === 'closed' && outcome !== undefined) && state !== 'held')
    .map(({ incidentId, state, outcome }) => `${incidentId} is left ${state} with the outcome ${outcome}`),
  ...incidents
    .filter(({ state, dueAt, decisions, timeline }) => {
      const reasoned = timeline.some(({ kind }) => kind === 'held') || decisions.length > 0;
      return state === 'held' && (dueAt === undefined || !reasoned);
    })
    .map(({ incidentId }) => `${incidentId} is held, and nothing says why or until when`),
  ...left.map((message) => `a message is left on a queue: ${JSON.stringify(message)}`),
];

const NEEDS_HUMAN = new Set(['failed', 'unverifiable', 'unknown', 'analysed', 'handed_over']);

const aHumanIsTold: Judge = ({ entries, incidents }) => {
  const told = Map.groupBy(entries.filter(isKind('told')), ({ message }) => message.incidentId);
  return incidents.flatMap(({ incidentId, outcome, escalation, mode, message, coveredBy, openedAt }) => {
    if (mode === 'simulate') return [];
    if (escalation === 'pending') return [`${incidentId}: the message is still to be told`];
    // One of a storm's incidents carries the message that is about them all.
    const heard = told.get(message?.incidentId ?? incidentId) ?? [];
    if (escalation === 'delivered' && !heard.some((each) => isSame(each.message.body, message?.body))) {
      return [`${incidentId} says that a human was told, and that message never arrived`];
    }
    // However long nobody could be reached: at the end they can be.
    if (escalation === 'undeliverable') return [`${incidentId} was given up, and no human was told`];
    // A question whether something may run does not say how it ended.
    const covered = coveredBy === undefined ? [] : (told.get(coveredBy) ?? []);
    const known =
      heard.some((each) => each.message.kind !== 'approval') ||
      // What stands for others does so for a while only.
      covered.some(({ at, message: { kind } }) => kind !== 'approval' && at > openedAt - COVERS_MS);
    return outcome !== undefined && NEEDS_HUMAN.has(outcome) && !known
      ? [`${incidentId} ended ${outcome}, and no human knows`]
      : [];
  });
};

/** Whoever cannot be told is woken by CloudWatch instead: at once, and by a log that names the incident until one is told. */
const anAlarmRings: Judge = ({ entries, alarms }) => {
  const sweeps = alarms.filter(({ functionName }) => functionName === 'sweep-incidents');
  const told = new Set(entries.filter(isKind('told')).map(({ message }) => message.incidentId));
  const named = sweeps.map(({ text }) => text).join(' ');
  return entries
    .filter(isKind('undeliverable'))
    .flatMap(({ at, incidentId }) => [
      ...(sweeps.some((each) => Math.abs(each.at - at) <= RINGS_WITHIN_MS)
        ? []
        : [`${incidentId} could not be told, and no alarm rang at once`]),
      ...(told.has(incidentId) || named.includes(incidentId)
        ? []
        : [`${incidentId} could not be told, and no alarm ever named it`]),
    ]);
};

/** A chat shows a text a little differently than it was written. */
function isSame(heard: string, said = ''): boolean {
  const plain = (text: string) => text.replaceAll(/[\u200b\s`']+/g, '');
  return plain(heard) === plain(said);
}

/** Whether pause or recovery had been recorded when the claim was written; what comes after it comes too late. */
const nothingRunsAgainstTheRecord: Judge = ({ entries }) => {
  const violations: string[] = [];
  let pausedSince: number | undefined;
  const recovered = new Set<string>();
  const claims = new Map<string, { readonly index: number; readonly recovered: boolean }>();
  for (const [index, entry] of entries.entries()) {
    if (entry.kind === 'paused') pausedSince ??= index;
    if (entry.kind === 'resumed') pausedSince = undefined;
    if (entry.kind === 'recovery_recorded') recovered.add(entry.incidentId);
    if (entry.kind === 'moved' && entry.to === 'dispatching') {
      claims.set(entry.incidentId, { index, recovered: recovered.has(entry.incidentId) });
    }
    if (entry.kind === 'execution') {
      const { decisionId, incidentId } = entry.order;
      const claim = claims.get(incidentId);
      if (!claim) violations.push(`${decisionId} ran without a claim`);
      if (claim?.recovered) violations.push(`${decisionId} ran although the recovery was recorded before`);
      if (claim && pausedSince !== undefined && pausedSince < claim.index) {
        violations.push(`${decisionId} ran although the pause was recorded before`);
      }
    }
  }
  return violations;
};

/** What ran is what was decided, by a verdict that lets it run, before it expired, and with a human's yes if needed. */
const onlyWhatWasDecided: Judge = ({ entries }) =>
  entries.filter(isKind('execution')).flatMap(({ at, order, decision }) => {
    const { decisionId } = order;
    if (!decision) return [`${decisionId} ran and is not recorded`];
    const { verdict } = decision;
    if (verdict.kind !== 'remediate' && verdict.kind !== 'needs_approval') {
      return [`${decisionId} ran on the verdict ${verdict.kind}`];
    }
    const same =
      verdict.tool === order.tool &&
      verdict.node === order.node &&
      asText(verdict.arguments) === asText(order.arguments);
    const permitted = verdict.kind === 'remediate' || decision.approval?.answer === 'approved';
    return [
      ...(same ? [] : [`${decisionId} ran something else than was decided`]),
      ...(permitted ? [] : [`${decisionId} ran without a human's yes`]),
      ...((decision.dispatch?.claimedAt ?? at) <= decision.expiresAt
        ? []
        : [`${decisionId} ran after it had expired`]),
    ];
  });

/** A webhook carries every value as text. */
function asText(given: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(given).map(([name, value]) => [name, String(value)]));
}

/** No policy that was in force from the claim until the job began would let it run: then it ran against the policy. */
const onlyWhatThePolicyAllows: Judge = ({ entries, alertOf }) => {
  const pushed = entries.filter(isKind('policy'));
  const claimedAt = new Map<string, number>();
  return entries.flatMap((entry) => {
    if (entry.kind === 'moved' && entry.to === 'dispatching') claimedAt.set(entry.incidentId, entry.at);
    if (entry.kind !== 'execution') return [];
    const { order, decision, at } = entry;
    const alert = alertOf(order.eventId);
    const since = (claimedAt.get(order.incidentId) ?? at) - POLICY_LAG_MS;
    const inForce = pushed.filter(
      (each, index) => each.at <= at && (pushed[index + 1]?.at ?? Number.POSITIVE_INFINITY) >= since,
    );
    const facts = {
      tool: order.tool,
      target: String(Object.values(order.arguments)[0]),
      host: alert?.host.host ?? '',
      groups: alert?.hostGroups ?? [],
    };
    const words = inForce.map(({ stored }: { readonly stored: StoredPolicy }) => mayRun(stored, facts));
    const allowed =
      words.includes('auto') || (words.includes('asked') && decision?.approval?.answer === 'approved');
    return allowed ? [] : [`${order.decisionId} ran ${facts.tool} ${facts.target} against the policy`];
  });
};

const DID_NOT_HELP = new Set(['failed', 'unverifiable', 'unknown']);

/**
 * The same that did not help on a host runs there again only on the word of a human who could know of it: by Rundeck's
 * own word, or because its incident had ended without success, before the second one was claimed.
 */
const noFailureIsRepeated: Judge = ({ entries, incidents, repeatedWithinMs }) => {
  const records = new Map(incidents.map((each) => [each.incidentId, each]));
  const failedInRundeck = new Set(
    entries
      .filter(isKind('ended'))
      .filter(({ succeeded }) => !succeeded)
      .map(({ executionId }) => executionId),
  );
  const sameAction = ({ order: { tool, node, arguments: given } }: Of<'execution'>) =>
    `${tool} ${String(Object.values(given)[0])} on ${node}`;
  const groups = Map.groupBy(entries.filter(isKind('execution')), sameAction);
  return [...groups].flatMap(([action, executions]) =>
    executions.flatMap((second, index) => {
      const { order, decision, at } = second;
      const claimedAt = decision?.dispatch?.claimedAt ?? at;
      const ignored = executions.slice(0, index).filter((first) => {
        const record = records.get(first.order.incidentId);
        const { outcome = 'none', closedAt = Number.POSITIVE_INFINITY, decisions = [] } = record ?? {};
        // How an incident ended says nothing of the analysis that it began with.
        const last = decisions.findLast(({ dispatch }) => dispatch !== undefined && dispatch.sent !== 'no');
        const ended = last?.decisionId === first.order.decisionId && DID_NOT_HELP.has(outcome);
        const approval = decision?.approval;
        const known = approval?.answer === 'approved' ? approval.at : claimedAt;
        return (
          (ended || failedInRundeck.has(first.executionId)) &&
          first.order.incidentId !== order.incidentId &&
          first.at > claimedAt - repeatedWithinMs &&
          closedAt < claimedAt &&
          (approval === undefined || closedAt > known)
        );
      });
      return ignored.length === 0
        ? []
        : [`${order.decisionId} ran ${action}, though ${ignored[0]?.order.decisionId} had failed at it`];
    }),
  );
};

/** What is only simulated reaches nothing and nobody. Its hosts are called `sim-…`, and no others are. */
const simulationHasNoEffect: Judge = ({ entries, incidents }) => {
  const simulated = incidents.filter(({ mode }) => mode === 'simulate');
  const ids = new Set(simulated.map(({ incidentId }) => incidentId));
  const events = new Set(simulated.map(({ eventId }) => eventId));
  return entries.flatMap((entry) => {
    switch (entry.kind) {
      case 'execution':
        return ids.has(entry.order.incidentId) || events.has(entry.order.eventId)
          ? [`${entry.order.incidentId} is simulated, and ran`]
          : [];
      case 'told':
        return ids.has(entry.message.incidentId)
          ? [`${entry.message.incidentId} is simulated, and was told`]
          : [];
      case 'commented':
        return events.has(entry.eventId) ? [`event ${entry.eventId} is simulated, and has a comment`] : [];
      case 'counted':
        return entry.key.includes('/sim-') ? [`the counter ${entry.key} was taken by a simulation`] : [];
      default:
        return [];
    }
  });
};

/** Counted by the clock's hours, as the counters are. */
const withinTheLimit: Judge = ({ entries, perHour }) =>
  [...Map.groupBy(entries.filter(isKind('execution')), ({ at }) => Math.floor(at / HOUR))]
    // An order may be given at the end of an hour and arrive at the beginning of the next.
    .filter(([, executions]) => executions.length > perHour + 4)
    .map(
      ([hour, executions]) =>
        `${one('execution', executions.length)} in the hour ${hour}, allowed are ${perHour}`,
    );

const JUDGES: Readonly<Record<string, Judge>> = {
  'at most one execution per decision': atMostOneExecution,
  'exactly one record per event': oneRecordPerEvent,
  'every accepted alert ends': everythingEnds,
  'a human is told': aHumanIsTold,
  'an alarm rings while none can be': anAlarmRings,
  'nothing runs after a recorded recovery or pause': nothingRunsAgainstTheRecord,
  'only what was decided runs': onlyWhatWasDecided,
  'only what the policy allows runs': onlyWhatThePolicyAllows,
  'nothing that failed is repeated without a human': noFailureIsRepeated,
  'a simulation has no effect': simulationHasNoEffect,
  'limits hold': withinTheLimit,
};

/** Broken promises by judge; a judge that found none is there with an empty list. */
export function judge(evidence: Evidence): ReadonlyMap<string, readonly string[]> {
  return new Map(Object.entries(JUDGES).map(([name, each]) => [name, each(evidence)]));
}
