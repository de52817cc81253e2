/** Runs the whole pipeline in one process and on one made-up clock, lets go wrong what can, and judges what happened. */
import type { Alert } from '#lib/core/alert.ts';
import { durationMs } from '#lib/core/duration.ts';
import type { HumanMessage, Incident, Mode } from '#lib/core/incident.ts';
import type { StoredPolicy } from '#lib/workflow/ports.ts';
import { NOON } from '#test/builders/incidents.ts';
import { readErrorsAlarms, ringing } from '#test/chaos/alarms.ts';
import { createCalendar } from '#test/chaos/calendar.ts';
import { CALM, type Rates } from '#test/chaos/invocations.ts';
import { createJournal } from '#test/chaos/journal.ts';
import { judge } from '#test/chaos/judges.ts';
import { seeded } from '#test/chaos/randomness.ts';
import type { StartStack } from '#test/chaos/stack.ts';
import { createWorld, type Dead } from '#test/chaos/world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** How long after the last alert nothing goes wrong any more, and how long it may take then until all is done. */
const MOODY_FOR = HOUR;
const REST_WITHIN = 48 * HOUR;
/** So long people stay out of reach in that calm, where they are dead. */
const DEAD_FOR = 3 * HOUR;

export const MOODY: Rates = { crash: 0.01, failBefore: 0.01, failAfter: 0.01, hang: 0.005 };

export interface Simulation {
  readonly alerts: number;
  readonly seed: number;
  readonly stack: StartStack;
  readonly policy: StoredPolicy;
  /** What an operator pushes now and then, and takes back. */
  readonly tightened?: StoredPolicy;
  /** Milliseconds between two alerts, on average. */
  readonly every?: number;
  readonly hosts?: number;
  readonly rates?: Rates;
  /** How often a post or a message comes twice. */
  readonly duplicates?: number;
  readonly dead?: Dead;
  /** Milliseconds of real time after which no more alerts come, and what has begun is brought to its end. */
  readonly budgetMs?: number;
  /** Takes every condition from the table's writes, to see that the judges notice. */
  readonly withoutConditions?: boolean;
}

export interface Report {
  readonly violations: ReadonlyMap<string, readonly string[]>;
  /** The incidents that broken promises are about, whole. */
  readonly suspects: readonly Incident[];
  /** Alerts that were not posted any more, because the time was over. */
  readonly notPosted: number;
  readonly accepted: number;
  /** Messages that reached a human more than once. */
  readonly toldAgain: number;
  readonly simulated: number;
  readonly executions: number;
  readonly told: number;
  /** How often it was written that nobody could be told. */
  readonly undeliverable: number;
  /** Failed invocations during which an alarm rang. */
  readonly alarms: number;
  readonly deadLetters: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  /** The first reason of each decision. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Incidents that were decided once more after their processes were analysed. */
  readonly secondSteps: number;
  readonly modelCalls: number;
  /** How often two wrote one incident at the same time, and one had to read again. */
  readonly conflicts: number;
  readonly steps: number;
  /** Milliseconds of the made-up clock. */
  readonly lasted: number;
}

export async function simulate({
  alerts,
  seed,
  stack: startStack,
  policy,
  tightened,
  every = 20 * SECOND,
  hosts = Math.max(40, Math.round(alerts / 4)),
  rates = MOODY,
  duplicates = 0.3,
  dead = [],
  budgetMs = Number.POSITIVE_INFINITY,
  withoutConditions = false,
}: Simulation): Promise<Report> {
  const random = seeded(seed);
  let now = NOON;
  const clock = () => now;
  const journal = createJournal(clock);
  const calendar = createCalendar();
  // What the world still has in store; the sweeper's ticks and the functions' own steps do not count.
  let planned = 0;
  const later = (at: number, what: () => void) => {
    planned += 1;
    calendar.add(at, () => {
      planned -= 1;
      what();
    });
  };
  const stack = await startStack({
    random,
    clock,
    calendar,
    journal,
    rates,
    duplicates,
    withoutConditions,
    world: () => world,
  });
  const world = createWorld({
    random,
    clock,
    later,
    journal,
    loadIncident: stack.load,
    dead,
    hosts,
    onExecutionEnd: stack.receiveExecution,
    onRecovery: (alert) => postSeveralTimes(alert),
    onQuestion: (question) => later(now + random.below(50 * MINUTE), () => answer(question)),
  });

  const push = async (stored: StoredPolicy): Promise<void> => {
    await stack.savePolicy(stored);
    journal.write({ kind: 'policy', stored });
  };
  /** What the operator does at once, awaited before anything else happens. */
  const chores: Promise<void>[] = [];
  await push(policy);

  const simulatedEvents = new Set<string>();
  const post = (alert: Alert, attempt = 1): void => {
    const mode: Mode = simulatedEvents.has(alert.eventId) ? 'simulate' : 'live';
    stack.post(alert, mode, (answer) => {
      // An update of an event that was never seen is ignored, and says so.
      if (answer !== undefined && answer.status !== 'ignored') {
        journal.write({ kind: 'accepted', eventId: alert.eventId, incidentId: answer.incidentId });
      }
      // Zabbix tries three times.
      if (answer === undefined && attempt < 3) later(now + 10 * SECOND, () => post(alert, attempt + 1));
    });
  };

  function postSeveralTimes(alert: Alert): void {
    post(alert);
    while (random.chance(duplicates)) later(now + random.below(3 * MINUTE), () => post(alert));
  }

  function answer(question: HumanMessage): void {
    if (random.chance(0.15)) return;
    const approved = random.chance(0.75);
    stack.answerApproval(question, approved);
    if (random.chance(0.2)) stack.answerApproval(question, random.chance(0.5));
  }

  const setPaused = (paused: boolean): void =>
    stack.setPause(paused, (done) => {
      if (!done) later(now + 5 * SECOND, () => setPaused(paused));
    });

  const sweep = () => {
    if (!stack.isSweeping()) {
      stack.sweep(() => {});
    }
    calendar.add(now + MINUTE, sweep);
  };

  // The plan: problems, now and then a storm of them; some end by themselves, sometimes before they are seen; pauses.
  const began = performance.now();
  let last = now;
  let burst = 0;
  let notPosted = 0;
  const begin = (simulated: boolean, overtakes: boolean, updates: boolean, ends: boolean) => {
    if (performance.now() - began > budgetMs) {
      notPosted += 1;
      return;
    }
    const alert = world.beginProblem(simulated);
    if (simulated) simulatedEvents.add(alert.eventId);
    const endByItself = (within: number) => {
      const recovery = world.recover(alert.eventId);
      if (recovery) later(now + random.below(within), () => postSeveralTimes(recovery));
    };
    if (overtakes) {
      // The recovery may overtake the problem.
      endByItself(2 * SECOND);
      later(now + random.below(2 * SECOND), () => postSeveralTimes(alert));
      return;
    }
    postSeveralTimes(alert);
    if (updates) later(now + random.below(MINUTE), () => post({ ...alert, kind: 'update' }));
    if (ends) later(now + random.below(10 * MINUTE), () => endByItself(1));
  };
  for (let i = 0; i < alerts; i += 1) {
    if (random.chance(0.006)) burst = 60;
    burst -= 1;
    last += random.below(burst > 0 ? SECOND : 2 * every);
    const [simulated, overtakes] = [random.chance(0.04), random.chance(0.05)];
    const [updates, ends] = [random.chance(0.1), random.chance(0.3)];
    later(last, () => begin(simulated, overtakes, updates, ends));
  }
  for (let at = NOON + random.below(20 * MINUTE); at < last; at += 10 * MINUTE + random.below(20 * MINUTE)) {
    const until = at + MINUTE + random.below(5 * MINUTE);
    later(at, () => setPaused(true));
    later(until, () => setPaused(false));
  }
  if (tightened !== undefined) {
    for (let at = NOON + random.below(30 * MINUTE); at < last; at += HOUR + random.below(HOUR)) {
      later(at, () => chores.push(push(tightened)));
      later(at + 5 * MINUTE + random.below(20 * MINUTE), () => chores.push(push(policy)));
    }
  }
  later(last + MOODY_FOR, () => {
    stack.setRates(CALM);
    world.setMoody(false);
    setPaused(false);
    chores.push(push(policy));
  });
  later(last + MOODY_FOR + (dead.includes('people') ? DEAD_FOR : 0), () => world.reachPeople());
  calendar.add(now + MINUTE, sweep);

  const atRest = async () =>
    now > last + MOODY_FOR &&
    planned === 0 &&
    (await stack.left()).length === 0 &&
    (await stack.incidents()).every(
      ({ state, escalation }) =>
        state === 'closed' && escalation !== 'pending' && escalation !== 'undeliverable',
    );

  let steps = 0;
  let restCheckedAt = now;
  while (now < last + MOODY_FOR + REST_WITHIN) {
    const what = calendar.takeDue(now);
    if (what) {
      what();
      steps += 1;
      await Promise.all(chores.splice(0));
      // All that can go on by itself does so before anything else happens.
      await stack.settle();
    } else {
      if (now > last + MOODY_FOR && now - restCheckedAt > 5 * MINUTE) {
        restCheckedAt = now;
        if (await atRest()) break;
      }
      now = Math.max(now + 1, Math.min(calendar.nextAt(), stack.nextAt()));
    }
    await stack.pump();
  }

  const entries = journal.entries();
  const incidents = await stack.incidents();
  const left = await stack.left();
  const figures = stack.figures();
  await stack.stop();
  const count = (kind: (typeof entries)[number]['kind']) =>
    entries.filter((each) => each.kind === kind).length;
  const tally = (names: readonly string[]) =>
    Object.fromEntries(
      Object.entries(Object.groupBy(names, (name) => name)).map(([name, each]) => [name, each?.length ?? 0]),
    );
  const failures = entries.filter((each) => each.kind === 'failed');
  const alarms = ringing(readErrorsAlarms(), failures);
  const violations = judge({
    entries,
    alarms,
    incidents,
    left,
    alertOf: world.alertOf,
    perHour: policy.policy.limits.global.per_hour,
    repeatedWithinMs: durationMs(policy.policy.repeated_failure_within),
  });
  const broken = [...violations.values()].flat();
  const told = entries.flatMap((each) =>
    each.kind === 'told' ? [`${each.message.incidentId} ${each.message.kind} ${each.message.body}`] : [],
  );
  return {
    violations,
    suspects: incidents.filter(({ incidentId }) => broken.some((sentence) => sentence.includes(incidentId))),
    notPosted,
    accepted: new Set(entries.flatMap((each) => (each.kind === 'accepted' ? [each.eventId] : []))).size,
    simulated: incidents.filter(({ mode }) => mode === 'simulate').length,
    executions: count('execution'),
    told: told.length,
    toldAgain: told.length - new Set(told).size,
    undeliverable: count('undeliverable'),
    alarms: alarms.length,
    ...figures,
    outcomes: tally(incidents.map(({ state, outcome }) => outcome ?? state)),
    reasons: tally(
      incidents.flatMap(({ decisions }) =>
        decisions.map(({ verdict }) => `${verdict.kind}/${verdict.reasons.at(-1)?.code}`),
      ),
    ),
    secondSteps: incidents.filter(({ decisions }) => decisions.length > 1).length,
    steps,
    lasted: now - NOON,
  };
}
