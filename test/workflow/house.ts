/** All workflows around in-memory parts: delivers what is queued, sweeps every minute, and crashes where it is told to. */
import { catalogue } from '#lib/catalogue/index.ts';
import type { Alert } from '#lib/core/alert.ts';
import { hashOf } from '#lib/core/canonical-json.ts';
import { incidentIdOf } from '#lib/core/identity.ts';
import type { Incident, Mode } from '#lib/core/incident.ts';
import { type Policy, policySchema } from '#lib/core/policy.ts';
import { type ApprovalAnswer, makeAnswerApproval } from '#lib/workflow/answer-approval.ts';
import { makeDecideRemediation } from '#lib/workflow/decide-remediation.ts';
import { makeDispatchJob, makeReconcileClaim } from '#lib/workflow/dispatch-job.ts';
import { makeEscalateDeadLetters } from '#lib/workflow/escalate-dead-letters.ts';
import { makeSetPause, makeShowPause } from '#lib/workflow/pause.ts';
import type {
  AlertMessage,
  AskModel,
  CheckMessage,
  Clock,
  CommentEvent,
  FindExecution,
  JobMessage,
  ModelQuestion,
  Narrate,
  ReadEvent,
  ReadExecution,
  ReadHostContext,
  ReadOutput,
  RunJob,
  SendToCheck,
  SendToDecide,
  SendToDispatch,
  TellByJob,
  TellHuman,
} from '#lib/workflow/ports.ts';
import { makeReceiveAlert } from '#lib/workflow/receive-alert.ts';
import { makeReceiveExecution } from '#lib/workflow/receive-execution.ts';
import { makeSweepIncidents, type SweepResult, whySweepFailed } from '#lib/workflow/sweep-incidents.ts';
import { makeVerifyOutcome } from '#lib/workflow/verify-outcome.ts';
import { NOON } from '#test/builders/incidents.ts';
import { faultOf, interpose } from '#test/fakes/faulty.ts';
import { createMemoryIncidents, type MemoryIncidents } from '#test/fakes/incidents-memory.ts';
import { createMemoryPeople, type MemoryPeople } from '#test/fakes/people-memory.ts';
import { createMemoryQueue, type MemoryQueue } from '#test/fakes/queues-memory.ts';
import { createMemoryRundeck, type MemoryRundeck } from '#test/fakes/rundeck-memory.ts';
import { createMemoryZabbix, type MemoryZabbix } from '#test/fakes/zabbix-memory.ts';

const MINUTE = 60_000;
/** Nothing may take longer than this to come to rest. */
const LONGEST = 12 * 60 * MINUTE;

/** What happens at one effect, counted from 1 over all invocations. */
export type Mishap = 'crash before' | 'crash after' | 'fails' | 'loses its answer' | undefined;
export type Mishaps = (index: number) => Mishap;

export const policyOf = (more: Record<string, unknown> = {}): Policy =>
  policySchema.parse({
    version: 1,
    rules: [
      {
        tools: ['cleanup_disk', 'restart_service', 'analyze_processes', 'restart_application'],
        autonomy: 'auto',
      },
    ],
    allow: { paths: ['/var'], services: ['nginx.service'], applications: ['shop'] },
    cleanup_roots: ['/var/log'],
    ...more,
  });

/** Calls the first thing that the format allows: a sensible model that always acts. */
export const choosesFirst: AskModel = async ({ format }) => says(JSON.stringify(firstOf(format)));

export const says = (content: string, doneReason = 'stop') => ({
  toolCalls: [],
  content,
  doneReason,
  trace: { model: 'scripted', totalMilliseconds: 5 },
});

export const notifies: AskModel = async () =>
  says('{"name":"notify","arguments":{"message":"Please look at the disk."}}');

function firstOf(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return undefined;
  if ('anyOf' in schema && Array.isArray(schema.anyOf)) return firstOf(schema.anyOf[0]);
  if ('const' in schema) return schema.const;
  if ('enum' in schema && Array.isArray(schema.enum)) return schema.enum[0];
  if ('properties' in schema && typeof schema.properties === 'object' && schema.properties !== null) {
    return Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, firstOf(property)]),
    );
  }
  return 'text';
}

/** Builds it; `over` replaces single effects by the test's own. */
export function openHouse(options: {
  readonly policy?: Policy | 'none' | undefined;
  readonly askModel?: AskModel | undefined;
  readonly mishaps?: Mishaps | undefined;
  /** Without a model, or Zabbix's API, or Rundeck's, or a key to sign links. */
  readonly without?: readonly ('model' | 'zabbix' | 'rundeck api' | 'links')[] | undefined;
  readonly over?: (parts: Parts) => Partial<Effects>;
  /** Hears each step besides `lines`. */
  readonly narrate?: Narrate;
}) {
  const { askModel = choosesFirst, mishaps = () => undefined, without = [] } = options;
  let now = NOON;
  const clock = () => now;
  const table = createMemoryIncidents({ clock });
  const people = createMemoryPeople();
  const rundeck = createMemoryRundeck(clock);
  const zabbix = createMemoryZabbix(clock);
  const questions: ModelQuestion[] = [];
  /** Questions after what they are about was decided already. */
  const askedAgain: ModelQuestion[] = [];
  const lines: string[] = [];
  const queues = {
    decide: createMemoryQueue<AlertMessage>({ clock, visibilitySeconds: 1620 }),
    dispatch: createMemoryQueue<JobMessage>({ clock, visibilitySeconds: 270 }),
    check: createMemoryQueue<CheckMessage>({ clock, visibilitySeconds: 360, maxReceiveCount: 10 }),
  };
  const setPolicy = (policy: Policy) =>
    table.savePolicy({ policy, hash: hashOf(policy), pushedAt: NOON, pushedBy: 'test' });
  const parts: Parts = { table, people, rundeck, zabbix, clock };
  const { policy = policyOf() } = options;

  const { all: _all, plantPolicy: _plant, ...tablePorts } = table;
  const plain: Effects = {
    ...tablePorts,
    askModel: async (question: ModelQuestion) => {
      const decided = /^found: /m.test(question.brief) ? 1 : 0;
      if (table.all().some(({ decisions }) => decisions.length > decided)) askedAgain.push(question);
      questions.push(question);
      return askModel(question);
    },
    runJob: rundeck.runJob,
    readExecution: rundeck.readExecution,
    readOutput: rundeck.readOutput,
    findExecution: rundeck.findExecution,
    readEvent: zabbix.readEvent,
    commentEvent: zabbix.commentEvent,
    readHostContext: zabbix.readHostContext,
    tellHuman: people.tellHuman,
    tellByJob: async () => undefined,
    sendToDecide: queues.decide.send,
    sendToDispatch: queues.dispatch.send,
    sendToCheck: queues.check.send,
  };
  const effects: Effects = { ...plain, ...options.over?.(parts) };
  const settings = {
    incidentLink: (id: string) => `https://remedia.test/api/v1/incidents/${id}`,
    zabbixUrl: 'https://zabbix.test',
    catalogue,
    approvalLink: (_: Incident, decision: { readonly proposalHash?: string }) =>
      without.includes('links')
        ? undefined
        : { title: 'Approve or reject', url: `https://remedia.test/approve/${decision.proposalHash}` },
  };

  let index = 0;
  const used: string[] = [];
  /** Runs one invocation; after a crash nothing of it goes on: no `catch`, no `finally`. */
  async function invoke<Answer>(
    name: string,
    run: (ports: Ports) => Promise<Answer>,
  ): Promise<Ended<Answer>> {
    const crash = Promise.withResolvers<Ended<Answer>>();
    const gone = () => {
      crash.resolve({ kind: 'crashed' });
      return new Promise<never>(() => undefined);
    };
    const bound = interpose(effects, async (port, call) => {
      index += 1;
      used.push(`${name}: ${port}`);
      const mishap = mishaps(index);
      if (mishap === 'crash before') return gone();
      if (mishap === 'fails') throw faultOf(port, 'before');
      const answer = await call();
      if (mishap === 'loses its answer') throw faultOf(port, 'after');
      return mishap === 'crash after' ? gone() : answer;
    });
    const seesZabbix = !without.includes('zabbix');
    const seesRundeck = !without.includes('rundeck api');
    const ports = {
      ...bound,
      askModel: without.includes('model') ? undefined : bound.askModel,
      readEvent: seesZabbix ? bound.readEvent : undefined,
      commentEvent: seesZabbix ? bound.commentEvent : undefined,
      readHostContext: seesZabbix ? bound.readHostContext : undefined,
      readExecution: seesRundeck ? bound.readExecution : undefined,
      readOutput: seesRundeck ? bound.readOutput : undefined,
      findExecution: seesRundeck ? bound.findExecution : undefined,
      clock,
      narrate: (line: Parameters<Narrate>[0]) => {
        lines.push(`${line.step}: ${line.text}`);
        options.narrate?.(line);
      },
    };
    return Promise.race([
      run(ports).then(
        (answer): Ended<Answer> => ({ kind: 'answered', answer }),
        (error: unknown): Ended<Answer> => ({ kind: 'threw', error }),
      ),
      crash.promise,
    ]);
  }

  const decide = (message: AlertMessage) =>
    invoke('decide', (ports) => makeDecideRemediation(ports, settings)(message));
  const dispatch = (message: JobMessage) =>
    invoke('dispatch', (ports) => makeDispatchJob(ports, settings)(message));
  const check = (message: CheckMessage) =>
    invoke('check', (ports) => makeVerifyOutcome(ports, settings)(message));
  const sweep = () =>
    invoke<SweepResult>('sweep', (ports) =>
      makeSweepIncidents({ ...ports, reconcileClaim: makeReconcileClaim(ports, settings) }, settings)(),
    );
  /** What would ring in CloudWatch, and what the log says of it. */
  const alarms: { readonly at: number; readonly text: string }[] = [];
  const told = { decide: 0, dispatch: 0, check: 0 };
  const later: { readonly at: number; readonly what: () => Promise<unknown> }[] = [];

  async function deliver<Message>(
    queue: MemoryQueue<Message>,
    handle: (message: Message) => Promise<Ended<unknown>>,
  ): Promise<boolean> {
    const received = queue.receive();
    if (received === undefined) return false;
    const ended = await handle(received.message);
    if (ended.kind === 'answered') received.delete();
    return true;
  }

  async function buryDead(): Promise<boolean> {
    for (const name of ['decide', 'dispatch', 'check'] as const) {
      const letter = queues[name].deadLetters()[told[name]];
      if (letter === undefined) continue;
      const ended = await invoke('dead letter', (ports) =>
        makeEscalateDeadLetters(
          ports,
          settings,
        )({ queue: name, messageId: `m${told[name]}`, body: JSON.stringify(letter) }),
      );
      if (ended.kind === 'answered') told[name] += 1;
      else alarms.push({ at: now, text: `dead letter of ${name}` });
      return true;
    }
    return false;
  }

  /** What nobody could be told is tried for ever; a test that wants to see that says until when. */
  const open = (until: number | undefined) =>
    table
      .all()
      .filter(
        ({ dueAt, state, escalation }) =>
          dueAt !== undefined &&
          (until !== undefined || state !== 'closed' || escalation !== 'undeliverable'),
      );
  const waits = () =>
    [queues.decide.nextVisibleAt(), queues.dispatch.nextVisibleAt(), queues.check.nextVisibleAt()].filter(
      (at) => at !== undefined,
    );

  /** Delivers, sweeps and lets time pass until nothing is left to do, or until `end`. */
  async function settle(until?: number): Promise<void> {
    const end = until ?? now + LONGEST;
    for (let turn = 0; turn < 5000; turn += 1) {
      const due = later.findIndex(({ at }) => at <= now);
      if (due >= 0) {
        const [task] = later.splice(due, 1);
        await task?.what();
        continue;
      }
      if (await deliver(queues.decide, decide)) continue;
      if (await deliver(queues.dispatch, dispatch)) continue;
      if (await deliver(queues.check, check)) continue;
      if (await buryDead()) continue;
      const sweepAt = open(until).map(
        ({ dueAt = 0 }) => Math.ceil(Math.max(dueAt, now + 1) / MINUTE) * MINUTE,
      );
      const next = Math.min(...waits(), ...sweepAt, ...later.map(({ at }) => at));
      if (!Number.isFinite(next) || next > end) {
        now = Math.max(now, until ?? now);
        return;
      }
      now = Math.max(now, next);
      if (now % MINUTE !== 0) continue;
      const swept = await sweep();
      // Each but a clean sweep is an error of its function, and rings.
      if (swept.kind !== 'answered') alarms.push({ at: now, text: `sweep ${swept.kind}` });
      else {
        const text = whySweepFailed(swept.answer);
        if (text !== undefined) alarms.push({ at: now, text });
      }
    }
    throw new Error('it never comes to rest');
  }

  /** As Zabbix does: tries again until it is answered. */
  async function post(alert: Alert, mode: Mode = 'live'): Promise<string> {
    if (alert.kind === 'problem') zabbix.openProblem(alert.eventId);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const ended = await invoke('receive', (ports) => makeReceiveAlert(ports)(alert, mode));
      if (ended.kind === 'answered') break;
    }
    return incidentIdOf(alert.source, alert.eventId, mode);
  }

  return {
    ready: policy === 'none' ? Promise.resolve() : setPolicy(policy),
    setPolicy,
    table,
    people,
    rundeck,
    zabbix,
    queues,
    questions,
    askedAgain,
    lines,
    alarms,
    clock,
    /** Every effect in order: which workflow called which port. */
    used,
    invoke,
    decide,
    dispatch,
    check,
    sweep,
    settle,
    post,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    later: (inMs: number, what: () => Promise<unknown>) => later.push({ at: now + inMs, what }),
    recover: async (alert: Alert) => {
      zabbix.recover(alert.eventId, now);
      await post({ ...alert, kind: 'recovery', recoveryEventId: `${alert.eventId}1`, receivedAt: now });
    },
    answer: (answer: ApprovalAnswer) =>
      invoke('answer', (ports) => makeAnswerApproval(ports, settings)(answer)),
    notifyExecution: (executionId: string) =>
      invoke('notified', (ports) =>
        makeReceiveExecution({ ...ports, readExecution: rundeck.readExecution })(executionId),
      ),
    setPause: (paused: boolean) =>
      invoke('pause', (ports) => makeSetPause(ports)({ paused, by: 'ops', reason: 'maintenance' })),
    showPause: () => invoke('pause', (ports) => makeShowPause(ports)()),
    bury: (letter: { readonly queue: string; readonly messageId: string; readonly body: string }) =>
      invoke('dead letter', (ports) => makeEscalateDeadLetters(ports, settings)(letter)),
    incident: (incidentId: string): Incident => {
      const found = table.all().find((each) => each.incidentId === incidentId);
      if (found === undefined) throw new Error(`there is no incident ${incidentId}`);
      return found;
    },
  };
}

export type House = ReturnType<typeof openHouse>;

type Ended<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'crashed' };

interface Parts {
  readonly table: MemoryIncidents;
  readonly people: MemoryPeople;
  readonly rundeck: MemoryRundeck;
  readonly zabbix: MemoryZabbix;
  readonly clock: Clock;
}

interface Effects extends Omit<MemoryIncidents, 'all' | 'plantPolicy'> {
  readonly askModel: AskModel;
  readonly runJob: RunJob;
  readonly readExecution: ReadExecution;
  readonly readOutput: ReadOutput;
  readonly findExecution: FindExecution;
  readonly readEvent: ReadEvent;
  readonly commentEvent: CommentEvent;
  readonly readHostContext: ReadHostContext;
  readonly tellHuman: TellHuman;
  readonly tellByJob: TellByJob;
  readonly sendToDecide: SendToDecide;
  readonly sendToDispatch: SendToDispatch;
  readonly sendToCheck: SendToCheck;
}

type Optional =
  | 'askModel'
  | 'readExecution'
  | 'readOutput'
  | 'findExecution'
  | 'readEvent'
  | 'commentEvent'
  | 'readHostContext';
type Ports = Omit<Effects, Optional> & { readonly [each in Optional]: Effects[each] | undefined } & {
  readonly clock: Clock;
  readonly narrate: Narrate;
};
