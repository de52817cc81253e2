/**
 * Sixty alerts to the real Lambdas while everything goes wrong: posts and messages come twice, recoveries overtake their
 * problems, Rundeck refuses, hangs up after it began a job or never answers, functions are ended in the middle. What
 * became of it is judged later by the judges of test/chaos, from what Rundeck, the people and the table saw.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { catalogue } from '#lib/catalogue/index.ts';
import { TOOL_NAMES } from '#lib/catalogue/tool.ts';
import type { Decision, Incident } from '#lib/core/incident.ts';
import type { SimulatedRundeck } from '#local/simulated-rundeck.ts';
import type { Entry, Ordered } from '#test/chaos/journal.ts';
import { judge } from '#test/chaos/judges.ts';
import { seeded } from '#test/chaos/randomness.ts';
import { whileFunctionHas } from './lambda-api.ts';
import { closed, type House, PER_HOUR, type Post, ran, recoveryOf } from './localstack-house.ts';

const KINDS = [
  'service-problem',
  'disk-problem',
  'application-problem',
  'cpu-problem',
  'unknown-problem',
  'hostile-problem',
] as const;
/** Each is shown by the answer to one post of a job. */
const RUNDECK_FAULTS: readonly Parameters<SimulatedRundeck['setFault']>[0][] = [
  { kind: 'status', status: 503, times: 1 },
  { kind: 'status', status: 500, body: 'Internal Server Error', times: 1 },
  { kind: 'cut_after_accepting', times: 1 },
  { kind: 'hang_after_accepting', times: 1 },
  { kind: 'busy', times: 1 },
];
/** So long it is waited for all that can go on by itself; what cannot waits for the sweeper. */
const DONE_WITHIN_MS = 60_000;
/** This judge knows the simulation's policy by heart, which is not the one here. */
const OF_ANOTHER_POLICY = 'only what the policy allows runs';
/** What a job option holds that the decision left open. */
const LEFT_OPEN = 'default';

export interface Trouble {
  /** By incident id; what each was acknowledged as. */
  readonly accepted: ReadonlyMap<string, Post>;
  readonly counts: Readonly<Record<string, number>>;
  /** When it began, in milliseconds. */
  readonly since: number;
}

/** Makes the trouble; ends when all is posted, not when all is done. The same seed plans the same. */
export async function makeTrouble(house: House, { alerts, seed }: { alerts: number; seed: number }) {
  const random = seeded(seed);
  const accepted = new Map<string, Post>();
  const counts: Record<string, number> = {};
  const count = (what: string, by = 1) => {
    counts[what] = (counts[what] ?? 0) + by;
  };
  const since = Date.now();
  /** Those whose recovery is still to come. */
  const open = new Map<string, Post>();

  const take = async (body: Post) => {
    const { incidentId, status, attempts } = await house.postStubbornly(body);
    if (attempts > 1) count('posts that had to be repeated');
    if (status !== 'ignored') accepted.set(incidentId, body);
    return incidentId;
  };
  /** SQS delivers at least once: the same message again, now or later. */
  const again = async (queue: 'Alerts' | 'Jobs' | 'Checks', message: object) => {
    count('messages that came again');
    await house.sqs.send(
      new SendMessageCommand({
        QueueUrl: house.stack().outputs[`${queue}QueueUrl`],
        MessageBody: JSON.stringify(message),
        DelaySeconds: random.below(4),
      }),
    );
  };

  const one = async () => {
    const problem: Post = {
      ...(await house.sample(random.pick(KINDS))),
      // A few hosts have it again and again.
      host_host: `app-${random.below(random.chance(0.3) ? 3 : alerts)}`,
    };
    if (random.chance(0.35)) {
      count('faults of Rundeck');
      house.rundeck.setFault(random.pick(RUNDECK_FAULTS));
    }
    const recoversFirst = random.chance(0.1);
    const copies = random.chance(0.3) ? 1 + random.below(3) : 0;
    const overtakes = random.chance(0.15);
    if (recoversFirst) {
      count('recoveries before their problem');
      await take(recoveryOf(problem));
    }
    count('posts that came again', copies);
    const [incidentId = ''] = await Promise.all(Array.from({ length: copies + 1 }, () => take(problem)));
    if (random.chance(0.15)) await again('Alerts', { incidentId });
    if (random.chance(0.2)) await again('Jobs', { incidentId, step: 1 });
    if (random.chance(0.2)) await again('Checks', { incidentId, step: 1 });
    if (overtakes) {
      count('recoveries before the decision');
      await take(recoveryOf(problem));
    } else if (!recoversFirst) open.set(incidentId, problem);
  };

  let next = 0;
  const lane = async () => {
    for (let index = next++; index < alerts; index = next++) await one();
  };
  const lanes = Promise.all([lane(), lane(), lane()]);
  // A changed function is replaced: whatever its old environments are in the middle of ends there.
  for (const name of ['dispatch-job', 'decide-remediation', 'receive-alert', 'verify-outcome']) {
    await sleep(2000);
    count('functions that were replaced');
    await whileFunctionHas(name, { environment: { TROUBLE: name } }, () => sleep(1500));
  }
  await lanes;
  // Whatever was to run has run, or has failed to; then the problems are over.
  const end = Date.now() + DONE_WITHIN_MS;
  for (const incidentId of open.keys()) {
    const done = (incident: Incident) => ran(incident) || closed(incident);
    await house.until(incidentId, done, Math.max(100, end - Date.now())).catch(() => count('left for later'));
  }
  house.rundeck.setFault(undefined);
  const recoveries = [...open.values()].map(recoveryOf);
  const recover = async () => {
    for (let next = recoveries.pop(); next; next = recoveries.pop()) await take(next);
  };
  await Promise.all([recover(), recover(), recover()]);
  return { accepted, counts, since } satisfies Trouble;
}

/** Waits until everything has ended, and judges it. Answers the broken promises by judge, and what was seen. */
export async function judgeTrouble(house: House, trouble: Trouble, withinMs: number) {
  const end = Date.now() + withinMs;
  const incidents: Incident[] = [];
  for (const incidentId of trouble.accepted.keys())
    incidents.push(await house.until(incidentId, closed, Math.max(1000, end - Date.now())));
  const left = await stillQueued(house, Math.max(1000, end - Date.now()));
  const entries = [
    ...incidents.flatMap(whatTheRecordSays),
    ...whatRundeckDid(house, incidents),
    ...whatPeopleHeard(house, incidents),
  ].toSorted((a, b) => a.at - b.at || rank(a) - rank(b));
  const outcomes = Object.groupBy(incidents, ({ outcome }) => outcome ?? 'none');
  const verdicts = judge({
    entries,
    // People are there all the time.
    alarms: [],
    incidents,
    left,
    perHour: PER_HOUR,
    repeatedWithinMs: 24 * 60 * 60_000,
    alertOf: () => undefined,
  });
  return {
    broken: [
      ...[...verdicts].filter(([name]) => name !== OF_ANOTHER_POLICY),
      [OF_ANOTHER_POLICY, againstThePolicy(entries)] as const,
    ].filter(([, sentences]) => sentences.length > 0),
    seen: {
      incidents: incidents.length,
      executions: entries.filter(({ kind }) => kind === 'execution').length,
      told: entries.filter(({ kind }) => kind === 'told').length,
      outcomes: Object.fromEntries(Object.entries(outcomes).map(([name, each]) => [name, each?.length])),
    },
  };
}

/** Of the same millisecond: a claim was written before the recovery, if neither saw the other. */
const rank = ({ kind }: Entry): number =>
  ['accepted', 'moved', 'execution', 'recovery_recorded'].indexOf(kind);

function whatTheRecordSays(incident: Incident): readonly Entry[] {
  const { incidentId, eventId, openedAt, timeline, decisions } = incident;
  const recovered = timeline.find(({ kind }) => kind === 'recovered');
  return [
    { kind: 'accepted', at: openedAt, eventId, incidentId },
    ...decisions.flatMap(({ dispatch }): readonly Entry[] =>
      dispatch
        ? [{ kind: 'moved', at: dispatch.claimedAt, incidentId, from: 'decided', to: 'dispatching' }]
        : [],
    ),
    ...(recovered ? [{ kind: 'recovery_recorded', at: recovered.at, incidentId } as const] : []),
  ];
}

const posted = z.looseObject({
  remedia_decision_id: z.string(),
  remedia_incident_id: z.string(),
  remedia_event_id: z.string(),
  tool: z.enum(TOOL_NAMES),
  node: z.string(),
});

/** Every post that Rundeck made an execution of, compared with what the table says was decided. */
function whatRundeckDid({ rundeck }: House, incidents: readonly Incident[]): readonly Entry[] {
  const known = new Set(incidents.map(({ incidentId }) => incidentId));
  return rundeck.posts().flatMap(({ at, body, executionId }): readonly Entry[] => {
    if (executionId === undefined) return [];
    const fields = posted.parse(JSON.parse(body));
    const { remedia_incident_id: incidentId, remedia_decision_id: decisionId, tool, node } = fields;
    if (!known.has(incidentId)) return [];
    const decision = incidents
      .find((each) => each.incidentId === incidentId)
      ?.decisions.find((each) => each.decisionId === decisionId);
    const order: Ordered = {
      tool,
      decisionId,
      incidentId,
      eventId: fields.remedia_event_id,
      node,
      arguments: argumentsOf(fields, decision),
    };
    return [{ kind: 'execution', at, executionId, decision, order }];
  });
}

const PARAMETERS = Object.values(catalogue).flatMap(({ parameters }) => Object.keys(parameters.shape));

/** As Rundeck got them, in the order of the decision; what the decision left open is in neither. */
function argumentsOf(
  fields: Readonly<Record<string, unknown>>,
  decision: Decision | undefined,
): Ordered['arguments'] {
  const verdict = decision?.verdict;
  const decided = verdict && 'arguments' in verdict ? Object.keys(verdict.arguments) : [];
  const beyond = PARAMETERS.filter(
    (name) => !decided.includes(name) && fields[name] !== undefined && fields[name] !== LEFT_OPEN,
  );
  return Object.fromEntries([...decided, ...new Set(beyond)].map((name) => [name, String(fields[name])]));
}

/** What the samples may lead to by the policy of this house, said by hand; a hostile one leads to nothing. */
const ALLOWED: Readonly<Record<string, RegExp>> = {
  cleanup_disk: /^\/$/,
  restart_service: /^nginx\.service$/,
  restart_application: /^orders-api$/,
  analyze_processes: /^(cpu|memory|io|network)$/,
};
const againstThePolicy = (entries: readonly Entry[]): readonly string[] =>
  entries.flatMap((entry) => {
    if (entry.kind !== 'execution') return [];
    const { tool, decisionId, arguments: given } = entry.order;
    const target = String(Object.values(given)[0]);
    return ALLOWED[tool]?.test(target) ? [] : [`${decisionId} ran ${tool} ${target} against the policy`];
  });

/** A message of an incident counts when its very text arrived in the chat room. */
function whatPeopleHeard({ people }: House, incidents: readonly Incident[]): readonly Entry[] {
  const heard = people.told.map(plain);
  return incidents.flatMap(({ message, updatedAt }): readonly Entry[] => {
    if (message === undefined) return [];
    const times = heard.filter((text) => text.includes(plain(message.body))).length;
    return Array.from({ length: times }, () => ({ kind: 'told', at: updatedAt, message }));
  });
}

/** Its letters and digits: the chat's syntax marks, breaks and defuses what stands between them. */
const plain = (text: string): string => text.replace(/[^\p{L}\p{N}]+/gu, ' ').trim();

/** What is left on the queues of decisions and jobs when they have had their time; checks may be delayed for minutes. */
async function stillQueued({ sqs, stack }: House, withinMs: number): Promise<readonly string[]> {
  const end = Date.now() + withinMs;
  for (;;) {
    const left: string[] = [];
    for (const name of ['AlertsQueueUrl', 'JobsQueueUrl', 'AlertsDeadLettersUrl', 'JobsDeadLettersUrl']) {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl: stack().outputs[name],
          AttributeNames: ['ApproximateNumberOfMessages'],
        }),
      );
      const waiting = Number(Attributes?.['ApproximateNumberOfMessages'] ?? 0);
      if (waiting > 0) left.push(`${waiting} in ${name}`);
    }
    if (left.length === 0 || Date.now() > end) return left;
    await sleep(500);
  }
}
