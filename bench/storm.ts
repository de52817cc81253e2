/** `npm run bench:storm`: two storms on a made-up clock; prints the figures, exits 1 when one of them is broken. */
import { catalogue } from '#lib/catalogue/index.ts';
import type { Alert } from '#lib/core/alert.ts';
import { hashOf } from '#lib/core/canonical-json.ts';
import type { Incident } from '#lib/core/incident.ts';
import { policySchema } from '#lib/core/policy.ts';
import { makeDecideRemediation } from '#lib/workflow/decide-remediation.ts';
import { makeDispatchJob, makeReconcileClaim } from '#lib/workflow/dispatch-job.ts';
import type { AlertMessage, AskModel, CheckMessage, JobMessage } from '#lib/workflow/ports.ts';
import { makeReceiveAlert } from '#lib/workflow/receive-alert.ts';
import { rememberAnswers } from '#lib/workflow/remember-answers.ts';
import { makeSweepIncidents } from '#lib/workflow/sweep-incidents.ts';
import { makeVerifyOutcome } from '#lib/workflow/verify-outcome.ts';
import { NOON } from '#test/builders/incidents.ts';
import { createCalendar } from '#test/chaos/calendar.ts';
import { createMemoryIncidents } from '#test/fakes/incidents-memory.ts';
import { createMemoryPeople } from '#test/fakes/people-memory.ts';
import { createMemoryQueue, type MemoryQueue } from '#test/fakes/queues-memory.ts';
import { createMemoryRundeck } from '#test/fakes/rundeck-memory.ts';
import { createMemoryZabbix } from '#test/fakes/zabbix-memory.ts';
import { choosesFirst } from '#test/workflow/house.ts';
import { readArguments } from '../scripts/command-line.ts';

readArguments(
  `usage: npm run bench:storm

Two storms go through the workflows in memory, on a made-up clock. Prints the figures, and ends with 1 when a promise is
broken.`,
  {},
);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const MODEL_MS = 500;
/** As deployed: functions at the same time, each with a memory of its own. */
const DECIDERS = 2;
const DISPATCHERS = 5;
const CHECKERS = 5;
const REMEMBER_SECONDS = 300;
const SHARE_OF_CALLS = 0.05;
const REST_WITHIN = 4 * 60 * MINUTE;

/** The sample policy's limits, with everything on `auto`: the most that it could do. */
const policy = policySchema.parse({
  version: 1,
  rules: [
    {
      tools: ['cleanup_disk', 'restart_service', 'analyze_processes', 'restart_application'],
      autonomy: 'auto',
    },
  ],
  allow: { paths: ['/', '/var', '/srv'], services: ['*.service'], applications: ['*'] },
  cleanup_roots: ['/tmp', '/var/log', '/srv/tmp'],
  limits: { global: { per_hour: 20 } },
  storm: { alerts: 50, within: '5m' },
});

interface Post {
  readonly at: number;
  readonly alert: Alert;
}

const problem = (facts: {
  readonly event: number;
  readonly host: string;
  readonly trigger: number;
  readonly name: string;
  readonly key: string;
  readonly tags: Readonly<Record<string, string>>;
}): Alert => ({
  formatVersion: 1,
  source: 'zabbix',
  kind: 'problem',
  eventId: String(facts.event),
  eventName: `${facts.name} on ${facts.host}`,
  severity: 3,
  tags: Object.entries(facts.tags).map(([tag, value]) => ({ tag, value })),
  hostGroups: ['Linux servers'],
  host: { host: facts.host },
  trigger: { id: String(facts.trigger), nameOrig: facts.name },
  item: { key: facts.key },
  receivedAt: 0,
});

const SUBJECTS = [
  ['/var: Disk space is low', 'vfs.fs.dependent.size[/var,pused]', { filesystem: '/var', scope: 'capacity' }],
  ['Load average is too high', 'system.cpu.load[all,avg1]', { component: 'cpu', scope: 'performance' }],
  [
    'nginx.service: Service is not running',
    'systemd.service.active_state["nginx.service"]',
    { target: 'systemd', component: 'service', scope: 'availability' },
  ],
  [
    'Container /shop is unhealthy',
    'docker.container_info.state.health["/shop"]',
    { target: 'docker', container: '/shop', scope: 'availability' },
  ],
] as const;

const subject = (index: number) => SUBJECTS[index % SUBJECTS.length] ?? SUBJECTS[0];

/** Twenty triggers, each of a host of its own, that come and go all the time: 423 problems and their 423 recoveries. */
function flapping(): readonly Post[] {
  const problems = 423;
  const apart = (30 * MINUTE) / problems;
  return Array.from({ length: problems }, (_, index) => {
    const trigger = index % 20;
    const [name, key, tags] = subject(trigger);
    const alert = problem({ event: 1000 + index, host: `web-${trigger}`, trigger, name, key, tags });
    const at = NOON + Math.floor(index * apart);
    const recovery: Alert = { ...alert, kind: 'recovery', recoveryEventId: String(9000 + index) };
    return [
      { at, alert },
      { at: at + 40 * SECOND, alert: recovery },
    ];
  }).flat();
}

/** Two hundred hosts that fall ill of the same within ten seconds. */
function outage(): readonly Post[] {
  const [name, key, tags] = SUBJECTS[2];
  return Array.from({ length: 200 }, (_, index) => ({
    at: NOON + index * 50,
    alert: problem({ event: 1000 + index, host: `app-${index}`, trigger: 5000 + index, name, key, tags }),
  }));
}

async function run(posts: readonly Post[]) {
  let now = NOON;
  const clock = () => now;
  const calendar = createCalendar();
  const table = createMemoryIncidents({ clock });
  const people = createMemoryPeople();
  const rundeck = createMemoryRundeck(clock);
  const zabbix = createMemoryZabbix();
  await table.savePolicy({ policy, hash: hashOf(policy), pushedAt: NOON, pushedBy: 'bench' });
  const queues = {
    decide: createMemoryQueue<AlertMessage>({ clock, visibilitySeconds: 540 }),
    dispatch: createMemoryQueue<JobMessage>({ clock, visibilitySeconds: 180 }),
    check: createMemoryQueue<CheckMessage>({ clock, visibilitySeconds: 180, maxReceiveCount: 10 }),
  };
  let modelCalls = 0;
  let running = 0;
  const errors: string[] = [];
  const askModel: AskModel = async (question) => {
    modelCalls += 1;
    const { promise, resolve } = Promise.withResolvers<void>();
    calendar.add(now + MODEL_MS, resolve);
    await promise;
    return choosesFirst(question);
  };
  const ports = {
    ...table,
    ...rundeck,
    ...zabbix,
    tellHuman: people.tellHuman,
    askModel,
    sendToDecide: queues.decide.send,
    sendToDispatch: queues.dispatch.send,
    sendToCheck: queues.check.send,
    clock,
    narrate: () => {},
  };
  const settings = {
    incidentLink: (id: string) => `https://remedia.test/api/v1/incidents/${id}`,
    zabbixUrl: 'https://zabbix.test',
    catalogue,
    approvalLink: () => undefined,
  };
  const start = (what: () => Promise<unknown>, whenOver: (failed: boolean) => void = () => {}) => {
    running += 1;
    what().then(
      () => {
        running -= 1;
        whenOver(false);
      },
      (error: unknown) => {
        running -= 1;
        errors.push(String(error));
        whenOver(true);
      },
    );
  };

  /** Those who take from one queue, each with what only it remembers. */
  function workers<Message>(
    count: number,
    queue: MemoryQueue<Message>,
    make: () => (message: Message) => Promise<unknown>,
  ) {
    return Array.from({ length: count }, () => {
      const handle = make();
      let busy = false;
      return {
        readyAt: () =>
          busy ? Number.POSITIVE_INFINITY : (queue.nextVisibleAt() ?? Number.POSITIVE_INFINITY),
        take: () => {
          const received = queue.receive();
          if (received === undefined) return;
          busy = true;
          start(
            () => handle(received.message),
            (failed) => {
              busy = false;
              if (!failed) received.delete();
            },
          );
        },
      };
    });
  }
  const all = [
    ...workers(DECIDERS, queues.decide, () =>
      makeDecideRemediation(
        { ...ports, askModel: rememberAnswers(askModel, { seconds: REMEMBER_SECONDS, clock }) },
        settings,
      ),
    ),
    ...workers(DISPATCHERS, queues.dispatch, () => makeDispatchJob(ports, settings)),
    ...workers(CHECKERS, queues.check, () => makeVerifyOutcome(ports, settings)),
  ];

  const receive = makeReceiveAlert(ports);
  const taken = new Set<string>();
  for (const { at, alert } of posts) {
    calendar.add(at, () => {
      if (alert.kind === 'problem') zabbix.openProblem(alert.eventId);
      else zabbix.recover(alert.eventId, now);
      start(async () => taken.add((await receive({ ...alert, receivedAt: now }, 'live')).incidentId));
    });
  }
  const sweeper = makeSweepIncidents(
    { ...ports, reconcileClaim: makeReconcileClaim(ports, settings) },
    settings,
  );
  const sweep = () => {
    start(sweeper);
    calendar.add(now + MINUTE, sweep);
  };
  calendar.add(NOON + MINUTE, sweep);

  const last = posts.reduce((latest, { at }) => Math.max(latest, at), NOON);
  const open = () => table.all().filter(isOpen);
  while (now < last + REST_WITHIN) {
    const what = calendar.takeDue(now);
    if (what !== undefined) {
      what();
      await settled();
      continue;
    }
    const ready = all.find((each) => each.readyAt() <= now);
    if (ready !== undefined) {
      ready.take();
      await settled();
      continue;
    }
    if (now > last && running === 0 && open().length === 0) break;
    now = Math.max(now + 1, Math.min(calendar.nextAt(), ...all.map((each) => each.readyAt())));
  }
  const records = table.all();
  // The storm has a record of its own, which no alert belongs to and which carries the one message.
  const incidents = records.filter(({ alert }) => alert !== undefined);
  const decided = incidents.flatMap(({ openedAt, decisions: [first] }) =>
    first ? [first.at - openedAt] : [],
  );
  return {
    incidents,
    taken: taken.size,
    modelCalls,
    remembered: incidents.filter(({ decisions }) => decisions.some(({ model }) => model?.remembered)).length,
    orders: rundeck.orders(),
    told: people.messages.length,
    longestWait: Math.max(0, ...decided),
    lasted: now - NOON,
    untold: records.filter(({ incidentId, outcome, escalation, coveredBy, message }) => {
      if (outcome !== 'handed_over' && outcome !== 'failed' && outcome !== 'unverifiable') return false;
      const told = people.messages.some(
        (each) => each.incidentId === (coveredBy ?? message?.incidentId ?? incidentId),
      );
      return !told || (coveredBy === undefined && escalation !== 'delivered');
    }).length,
    errors,
    left: open().length,
    dead: Object.values(queues).reduce((sum, queue) => sum + queue.deadLetters().length, 0),
  };
}

/** All that can go on without the clock has gone on. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

const isOpen = ({ state, escalation }: Incident) => state !== 'closed' || escalation === 'pending';

/** The most jobs within one hour of the clock. */
function mostInAnHour(orders: readonly { readonly decidedAt: number }[]): number {
  const hours = Object.values(
    Object.groupBy(orders, ({ decidedAt }) => Math.floor(decidedAt / (60 * MINUTE))),
  );
  return Math.max(0, ...hours.map((each) => each?.length ?? 0));
}

let broken = false;
for (const [name, posts] of [
  ['20 flapping triggers in 30 minutes', flapping()],
  [`200 hosts within 10 s, ${MODEL_MS} ms a model call`, outage()],
] as const) {
  const began = performance.now();
  const result = await run(posts);
  const { incidents, modelCalls, orders, errors, dead, left } = result;
  const problems = posts.filter(({ alert }) => alert.kind === 'problem').length;
  const outcomes = Object.entries(Object.groupBy(incidents, ({ state, outcome }) => outcome ?? state));
  const twice = orders.length - new Set(orders.map(({ decisionId }) => decisionId)).size;
  const perHour = policy.limits.global.per_hour;
  const checks = [
    [
      `at most ${SHARE_OF_CALLS * 100} % of the alerts cost a model call`,
      modelCalls <= posts.length * SHARE_OF_CALLS,
    ],
    [
      'nothing is lost',
      incidents.length === problems && result.taken === problems && left + dead + errors.length === 0,
    ],
    [`at most ${perHour} jobs in an hour`, mostInAnHour(orders) <= perHour],
    ['no decision runs twice', twice === 0],
    ['a human is told of whatever is not mended, of many by one message', result.untold === 0],
  ] as const;
  console.log(`${name}: ${posts.length} alerts, ${problems} problems`);
  const share = ((100 * modelCalls) / posts.length).toFixed(1);
  console.log(
    `  model calls ${modelCalls} (${share} % of the alerts), ${result.remembered} answers were shared`,
  );
  console.log(`  jobs ${orders.length}, messages to humans ${result.told}`);
  console.log(`  outcomes ${outcomes.map(([outcome, each]) => `${outcome} ${each?.length}`).join(', ')}`);
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(1);
  console.log(
    `  longest from arrival to decision ${seconds(result.longestWait)} s; all at rest after ${(result.lasted / MINUTE).toFixed(1)} min; took ${seconds(performance.now() - began)} s to simulate`,
  );
  for (const error of errors.slice(0, 5)) console.log(`  error: ${error}`);
  for (const [promise, kept] of checks) console.log(`  ${kept ? 'kept  ' : 'BROKEN'} ${promise}`);
  broken ||= checks.some(([, kept]) => !kept);
}
if (broken) process.exit(1);
