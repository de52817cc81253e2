/** Runs the whole pipeline in one process and on one made-up clock, lets go wrong what can, and judges what happened. */
import type { Alert } from '#lib/core/alert.ts';
import type { Incident } from '#lib/core/incident.ts';
import type { AlertMessage, CheckMessage, JobMessage, StoredPolicy } from '#lib/workflow/ports.ts';
import { NOON } from '#test/builders/incidents.ts';
import { createCalendar } from '#test/chaos/calendar.ts';
import { CALM, createInvocations, type Ended, type Rates } from '#test/chaos/invocations.ts';
import { createJournal } from '#test/chaos/journal.ts';
import { judge } from '#test/chaos/judges.ts';
import type { Pipeline, Ports } from '#test/chaos/pipeline.ts';
import { seeded } from '#test/chaos/randomness.ts';
import { createWorld, type Dead } from '#test/chaos/world.ts';
import { createMemoryIncidents } from '#test/fakes/incidents-memory.ts';
import { createMemoryQueue, type MemoryQueue } from '#test/fakes/queues-memory.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** How long after the last alert nothing goes wrong any more, and how long it may take then until all is done. */
const MOODY_FOR = HOUR;
const REST_WITHIN = 48 * HOUR;

/** Invocations of one function at the same time. */
const CONCURRENCY = 8;

const MOODY: Rates = { crash: 0.01, failBefore: 0.01, failAfter: 0.01, hang: 0.005 };

export interface Simulation {
  readonly alerts: number;
  readonly seed: number;
  readonly pipeline: Pipeline;
  readonly policy: StoredPolicy;
  /** Milliseconds between two alerts, on average. */
  readonly every?: number;
  readonly hosts?: number;
  readonly rates?: Rates;
  /** How often a post or a message comes twice. */
  readonly duplicates?: number;
  readonly dead?: Dead;
  /** Takes every condition from the table's writes, to see that the judges notice. */
  readonly withoutConditions?: boolean;
}

export interface Report {
  readonly violations: ReadonlyMap<string, readonly string[]>;
  /** The incidents that broken promises are about, whole. */
  readonly suspects: readonly Incident[];
  readonly accepted: number;
  readonly executions: number;
  readonly told: number;
  readonly alarms: number;
  readonly deadLetters: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  /** The first reason of each decision. */
  readonly reasons: Readonly<Record<string, number>>;
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
  pipeline,
  policy,
  every = 20 * SECOND,
  hosts = Math.max(40, Math.round(alerts / 4)),
  rates = MOODY,
  duplicates = 0.3,
  dead = [],
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
  const invocations = createInvocations({ random, clock, calendar, rates });
  const table = createMemoryIncidents({
    clock,
    between: () => invocations.onTheWay(),
    withoutConditions,
  });
  await table.savePolicy(policy);

  const queues = {
    decide: createMemoryQueue<AlertMessage>({ clock, visibilitySeconds: 360 }),
    dispatch: createMemoryQueue<JobMessage>({ clock, visibilitySeconds: 180 }),
    check: createMemoryQueue<CheckMessage>({ clock, visibilitySeconds: 180, maxReceiveCount: 10 }),
  };

  const start = (
    name: string,
    timeoutMs: number,
    run: (ports: Ports) => Promise<unknown>,
    whenOver: (ended: Ended) => void = () => {},
  ) =>
    invocations.start(
      name,
      timeoutMs,
      (bind) => run({ ...bind(effects), clock, narrate: () => {} }),
      whenOver,
    );

  const post = (alert: Alert, attempt = 1): void =>
    start(
      'receive-alert',
      30 * SECOND,
      async (ports) => {
        const { incidentId, status } = await pipeline.receiveAlert(ports)({ ...alert, receivedAt: now });
        // An update of an event that was never seen is ignored, and says so.
        if (status !== 'ignored') journal.write({ kind: 'accepted', eventId: alert.eventId, incidentId });
      },
      // Zabbix tries three times.
      ({ kind }) => {
        if (kind !== 'answered' && attempt < 3) later(now + 10 * SECOND, () => post(alert, attempt + 1));
      },
    );

  const world = createWorld({
    random,
    clock,
    later,
    journal,
    loadIncident: table.loadIncident,
    dead,
    hosts,
    onExecutionEnd: (executionId) =>
      start('receive-execution', 30 * SECOND, (ports) => pipeline.receiveExecution(ports)(executionId)),
    onRecovery: (alert) => postSeveralTimes(alert),
  });

  function postSeveralTimes(alert: Alert): void {
    post(alert);
    while (random.chance(duplicates)) later(now + random.below(3 * MINUTE), () => post(alert));
  }

  let modelCalls = 0;
  /** The real effects, watched; what a function gets of them is bound to its invocation. */
  const effects = {
    ...table,
    ...world.ports,
    askModel: (question: Parameters<typeof world.ports.askModel>[0]) => {
      modelCalls += 1;
      return world.ports.askModel(question);
    },
    changeIncident: async (incidentId: string, change: (incident: Incident) => Incident | undefined) => {
      let before: Incident | undefined;
      const result = await table.changeIncident(incidentId, (incident) => {
        before = incident;
        return change(incident);
      });
      if (!result.changed || !before || !result.incident) return result;
      const { state, recoveredAt } = result.incident;
      if (before.state !== state) journal.write({ kind: 'moved', incidentId, from: before.state, to: state });
      if (before.recoveredAt === undefined && recoveredAt !== undefined) {
        journal.write({ kind: 'recovery_recorded', incidentId });
      }
      return result;
    },
    savePause: async (pause: Parameters<typeof table.savePause>[0]) => {
      await table.savePause(pause);
      journal.write({ kind: pause.paused ? 'paused' : 'resumed' });
    },
    tellHuman: async (message: Parameters<typeof world.ports.tellHuman>[0]) => {
      await world.ports.tellHuman(message);
      if (message.kind === 'approval')
        later(now + random.below(50 * MINUTE), () => answer(message.incidentId));
    },
    sendToDecide: sendingTwiceNowAndThen(queues.decide),
    sendToDispatch: sendingTwiceNowAndThen(queues.dispatch),
    sendToCheck: sendingTwiceNowAndThen(queues.check),
  };

  function sendingTwiceNowAndThen<Message>({ send }: MemoryQueue<Message>): MemoryQueue<Message>['send'] {
    return async (message, options) => {
      await send(message, options);
      if (random.chance(duplicates)) await send(message, options);
    };
  }

  function answer(incidentId: string): void {
    if (random.chance(0.15)) return;
    const approved = random.chance(0.75);
    const click = () =>
      start('answer-approval', 30 * SECOND, async (ports) =>
        pipeline.answerApproval(ports)(incidentId, approved),
      );
    click();
    if (random.chance(0.2)) click();
  }

  const setPaused = (paused: boolean): void =>
    start(
      'set-pause',
      30 * SECOND,
      (ports) => pipeline.setPause(ports)(paused),
      ({ kind }) => {
        if (kind !== 'answered') later(now + 5 * SECOND, () => setPaused(paused));
      },
    );

  const alarm = (ended: Ended) => {
    if (ended.kind === 'threw') journal.write({ kind: 'alarm', text: String(ended.error) });
  };
  const sweep = () => {
    if (invocations.running('sweep-incidents') === 0) {
      start('sweep-incidents', 60 * SECOND, (ports) => pipeline.sweep(ports)(), alarm);
    }
    calendar.add(now + MINUTE, sweep);
  };

  let deadLetters = 0;
  const bury = (queue: 'alerts' | 'jobs' | 'checks', letter: AlertMessage, attempt = 1): void =>
    start(
      'escalate-dead-letters',
      60 * SECOND,
      (ports) => pipeline.escalateDeadLetter(ports)(queue, letter),
      (ended) => {
        if (ended.kind === 'answered') return;
        // Seen again until it is done, as long as the queue keeps it; each failure raises the alarm.
        journal.write({ kind: 'alarm', text: `dead letter of ${letter.incidentId}` });
        if (attempt < 50) later(now + 3 * MINUTE, () => bury(queue, letter, attempt + 1));
      },
    );

  function consumer<Message extends AlertMessage>(
    name: string,
    deadLetterQueue: 'alerts' | 'jobs' | 'checks',
    queue: MemoryQueue<Message>,
    timeoutMs: number,
    handle: (ports: Ports) => (message: Message) => Promise<unknown>,
  ) {
    let buried = 0;
    return {
      readyAt: () =>
        invocations.running(name) < CONCURRENCY
          ? (queue.nextVisibleAt() ?? Number.POSITIVE_INFINITY)
          : Number.POSITIVE_INFINITY,
      take: () => {
        const received = queue.receive((count) => random.below(count));
        const letters = queue.deadLetters();
        for (const letter of letters.slice(buried)) {
          deadLetters += 1;
          bury(deadLetterQueue, letter);
        }
        buried = letters.length;
        if (!received) return;
        start(
          name,
          timeoutMs,
          (ports) => handle(ports)(received.message),
          ({ kind }) => {
            // SQS may deliver once more what was deleted.
            if (kind === 'answered' && !random.chance(duplicates / 4)) received.delete();
          },
        );
      },
    };
  }
  const consumers = [
    consumer('decide-remediation', 'alerts', queues.decide, 150 * SECOND, pipeline.decideRemediation),
    consumer('dispatch-job', 'jobs', queues.dispatch, 60 * SECOND, pipeline.dispatchJob),
    consumer('verify-outcome', 'checks', queues.check, 60 * SECOND, pipeline.verifyOutcome),
  ];

  // The plan: problems, now and then a storm of them; some end by themselves, sometimes before they are seen; pauses.
  let last = now;
  let burst = 0;
  for (let i = 0; i < alerts; i += 1) {
    if (random.chance(0.006)) burst = 60;
    burst -= 1;
    last += random.below(burst > 0 ? SECOND : 2 * every);
    later(last, () => {
      const alert = world.beginProblem();
      const endByItself = (within: number) => {
        const recovery = world.recover(alert.eventId);
        if (recovery) later(now + random.below(within), () => postSeveralTimes(recovery));
      };
      if (random.chance(0.05)) {
        // The recovery may overtake the problem.
        endByItself(2 * SECOND);
        later(now + random.below(2 * SECOND), () => postSeveralTimes(alert));
        return;
      }
      postSeveralTimes(alert);
      if (random.chance(0.1)) later(now + random.below(MINUTE), () => post({ ...alert, kind: 'update' }));
      if (random.chance(0.3)) later(now + random.below(10 * MINUTE), () => endByItself(1));
    });
  }
  for (let at = NOON + random.below(20 * MINUTE); at < last; at += 10 * MINUTE + random.below(20 * MINUTE)) {
    const until = at + MINUTE + random.below(5 * MINUTE);
    later(at, () => setPaused(true));
    later(until, () => setPaused(false));
  }
  later(last + MOODY_FOR, () => {
    invocations.setRates(CALM);
    world.setMoody(false);
    setPaused(false);
  });
  calendar.add(now + MINUTE, sweep);

  const waitingMessages = () => [
    ...queues.decide.waiting(),
    ...queues.dispatch.waiting(),
    ...queues.check.waiting(),
  ];
  const atRest = () =>
    now > last + MOODY_FOR &&
    planned === 0 &&
    waitingMessages().length === 0 &&
    table.all().every(({ state, escalation }) => state === 'closed' && escalation !== 'pending');

  let steps = 0;
  let restCheckedAt = now;
  while (now < last + MOODY_FOR + REST_WITHIN) {
    const what = calendar.takeDue(now);
    if (what) {
      what();
      steps += 1;
      // All that can go on by itself does so before anything else happens.
      await new Promise((resolve) => setImmediate(resolve));
    } else {
      if (now - restCheckedAt > 5 * MINUTE) {
        restCheckedAt = now;
        if (atRest()) break;
      }
      const next = consumers.map((each) => each.readyAt());
      now = Math.max(now + 1, Math.min(calendar.nextAt(), ...next));
    }
    for (const each of consumers) while (each.readyAt() <= now) each.take();
  }

  const entries = journal.entries();
  const incidents = table.all();
  const count = (kind: (typeof entries)[number]['kind']) =>
    entries.filter((each) => each.kind === kind).length;
  const tally = (names: readonly string[]) =>
    Object.fromEntries(
      Object.entries(Object.groupBy(names, (name) => name)).map(([name, each]) => [name, each?.length ?? 0]),
    );
  const violations = judge({
    entries,
    incidents,
    left: waitingMessages(),
    perHour: policy.policy.limits.global.per_hour,
  });
  const broken = [...violations.values()].flat();
  return {
    violations,
    suspects: incidents.filter(({ incidentId }) => broken.some((sentence) => sentence.includes(incidentId))),
    accepted: new Set(entries.flatMap((each) => (each.kind === 'accepted' ? [each.eventId] : []))).size,
    executions: count('execution'),
    told: count('told'),
    alarms: count('alarm'),
    deadLetters,
    faults: invocations.faults(),
    outcomes: tally(incidents.map(({ state, outcome }) => outcome ?? state)),
    reasons: tally(
      incidents.flatMap(({ decisions }) =>
        decisions.map(({ verdict }) => `${verdict.kind}/${verdict.reasons.at(-1)?.code}`),
      ),
    ),
    modelCalls,
    conflicts: table.conflicts(),
    steps,
    lasted: now - NOON,
  };
}
