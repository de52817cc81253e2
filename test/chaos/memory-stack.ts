/** Remedia's workflows around in-memory parts: fast enough for ten thousand alerts in minutes. */
import type { Incident } from '#lib/core/incident.ts';
import type { AlertMessage, CheckMessage, JobMessage } from '#lib/workflow/ports.ts';
import { isError } from '#test/chaos/alarms.ts';
import { createInvocations, type Ended } from '#test/chaos/invocations.ts';
import { noteChange, noteFailure } from '#test/chaos/journal.ts';
import type { Pipeline, Ports } from '#test/chaos/pipeline.ts';
import { realPipeline } from '#test/chaos/real-pipeline.ts';
import type { Stack, StartStack } from '#test/chaos/stack.ts';
import { createMemoryIncidents } from '#test/fakes/incidents-memory.ts';
import { createMemoryQueue, type MemoryQueue } from '#test/fakes/queues-memory.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Invocations of one function at the same time. */
const CONCURRENCY = 8;
/** Functions whose handler lets through what their workflow throws. */
const THROW = ['sweep-incidents', 'escalate-dead-letters'];

/** Makes it with Remedia's own pipeline, or with one that a test has broken. */
export function memoryStack(pipeline: Pipeline = realPipeline): StartStack {
  return async ({ random, clock, calendar, journal, rates, duplicates, withoutConditions, world }) => {
    const invocations = createInvocations({ random, clock, calendar, rates });
    const table = createMemoryIncidents({
      clock,
      between: () => invocations.onTheWay(),
      withoutConditions,
    });
    const queues = {
      decide: createMemoryQueue<AlertMessage>({ clock, visibilitySeconds: 1620 }),
      dispatch: createMemoryQueue<JobMessage>({ clock, visibilitySeconds: 270 }),
      check: createMemoryQueue<CheckMessage>({ clock, visibilitySeconds: 360, maxReceiveCount: 10 }),
    };
    let modelCalls = 0;
    let deadLetters = 0;

    function sendingTwiceNowAndThen<Message>({ send }: MemoryQueue<Message>): MemoryQueue<Message>['send'] {
      return async (message, options) => {
        await send(message, options);
        if (random.chance(duplicates)) await send(message, options);
      };
    }
    /** The real effects, watched; what a function gets of them is bound to its invocation. */
    const effects = () => ({
      ...table,
      ...world().ports,
      askModel: (question: Parameters<Ports['askModel']>[0]) => {
        modelCalls += 1;
        return world().ports.askModel(question);
      },
      changeIncident: async (incidentId: string, change: (incident: Incident) => Incident | undefined) => {
        let before: Incident | undefined;
        const result = await table.changeIncident(incidentId, (incident) => {
          before = incident;
          return change(incident);
        });
        if (result.changed && before && result.incident) noteChange(journal, before, result.incident);
        return result;
      },
      takeAllowance: async (...wanted: Parameters<typeof table.takeAllowance>) => {
        const taken = await table.takeAllowance(...wanted);
        if (taken) journal.write({ kind: 'counted', key: wanted[0] });
        return taken;
      },
      savePause: async (pause: Parameters<typeof table.savePause>[0]) => {
        await table.savePause(pause);
        journal.write({ kind: pause.paused ? 'paused' : 'resumed' });
      },
      sendToDecide: sendingTwiceNowAndThen(queues.decide),
      sendToDispatch: sendingTwiceNowAndThen(queues.dispatch),
      sendToCheck: sendingTwiceNowAndThen(queues.check),
    });

    const start = (
      name: string,
      timeoutMs: number,
      run: (ports: Ports) => Promise<unknown>,
      whenOver: (ended: Ended) => void = () => {},
    ) =>
      invocations.start(
        name,
        timeoutMs,
        (bind) => run({ ...bind(effects()), clock, narrate: () => {} }),
        (ended) => {
          if (isError(name, ended, THROW)) noteFailure(journal, name, ended);
          whenOver(ended);
        },
      );

    const bury = (queue: 'alerts' | 'jobs' | 'checks', letter: AlertMessage, attempt = 1): void =>
      start(
        'escalate-dead-letters',
        60 * SECOND,
        (ports) => pipeline.escalateDeadLetter(ports)(queue, letter),
        (ended) => {
          if (ended.kind === 'answered') return;
          // Seen again until it is done, as long as the queue keeps it.
          if (attempt < 50) calendar.add(clock() + 3 * MINUTE, () => bury(queue, letter, attempt + 1));
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

    return {
      post: (alert, mode, whenOver) =>
        start(
          'receive-alert',
          30 * SECOND,
          async (ports) => {
            const answer = await pipeline.receiveAlert(ports)({ ...alert, receivedAt: clock() }, mode);
            whenOver(answer);
          },
          ({ kind }) => {
            if (kind !== 'answered') whenOver(undefined);
          },
        ),
      receiveExecution: (executionId) =>
        start('receive-execution', 30 * SECOND, (ports) => pipeline.receiveExecution(ports)(executionId)),
      answerApproval: ({ incidentId }, approved) =>
        start('answer-approval', 30 * SECOND, (ports) =>
          pipeline.answerApproval(ports)(incidentId, approved),
        ),
      setPause: (paused, whenOver) =>
        start(
          'set-pause',
          30 * SECOND,
          (ports) => pipeline.setPause(ports)(paused),
          ({ kind }) => whenOver(kind === 'answered'),
        ),
      sweep: (whenOver) =>
        start('sweep-incidents', 60 * SECOND, (ports) => pipeline.sweep(ports)(), whenOver),
      isSweeping: () => invocations.running('sweep-incidents') > 0,
      savePolicy: table.savePolicy,
      pump: async () => {
        for (const each of consumers) while (each.readyAt() <= clock()) each.take();
      },
      nextAt: () => Math.min(...consumers.map((each) => each.readyAt())),
      settle: () => new Promise((resolve) => setImmediate(resolve)),
      setRates: invocations.setRates,
      load: table.loadIncident,
      incidents: async () => table.all(),
      left: async () => [...queues.decide.waiting(), ...queues.dispatch.waiting(), ...queues.check.waiting()],
      figures: () => ({
        faults: invocations.faults(),
        conflicts: table.conflicts(),
        modelCalls,
        deadLetters,
      }),
      stop: async () => undefined,
    } satisfies Stack;
  };
}
