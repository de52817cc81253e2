/** The pipeline under faults of every kind keeps its promises; and each judge of them can turn red. */
import { describe, expect, it } from 'vitest';
import { isError, readErrorsAlarms, ringing } from '#test/chaos/alarms.ts';
import { chaosPolicy } from '#test/chaos/chaos-policy.ts';
import { memoryStack } from '#test/chaos/memory-stack.ts';
import type { Pipeline, Ports } from '#test/chaos/pipeline.ts';
import { realPipeline } from '#test/chaos/real-pipeline.ts';
import { simulate } from '#test/chaos/simulate.ts';
import type { Dead } from '#test/chaos/world.ts';

const run = (over: Partial<Parameters<typeof simulate>[0]>) =>
  simulate({
    alerts: 200,
    seed: 1,
    stack: memoryStack(),
    policy: chaosPolicy(),
    tightened: chaosPolicy({ tightened: true }),
    ...over,
  });

const broken = (violations: ReadonlyMap<string, readonly string[]>) =>
  [...violations].filter(([, sentences]) => sentences.length > 0).map(([judge]) => judge);

/** A short run may miss the moment that matters; several do not. */
async function noticedBy(judge: string, over: Parameters<typeof run>[0]): Promise<boolean> {
  for (let seed = 1; seed <= 6; seed += 1) {
    const { violations } = await run({ alerts: 100, ...over, seed });
    if (broken(violations).includes(judge)) return true;
  }
  return false;
}

describe('200 alerts under crashes, lost answers, hanging requests, duplicates and reordering', () => {
  it('keep every promise, and really meet faults', async () => {
    const report = await run({});
    expect(report.violations).toEqual(new Map([...report.violations.keys()].map((judge) => [judge, []])));
    expect(report.accepted).toBeGreaterThan(190);
    expect(report.executions).toBeGreaterThan(20);
    expect(report.simulated).toBeGreaterThan(2);
    expect(report.secondSteps).toBeGreaterThan(0);
    expect(report.conflicts).toBeGreaterThan(50);
    for (const count of Object.values(report.faults)) expect(count).toBeGreaterThan(0);
  });

  it('tell everything once when nothing dies, however much comes twice or late', async () => {
    const rates = { crash: 0, failBefore: 0, failAfter: 0, hang: 0 };
    const report = await run({ rates, duplicates: 0.5 });
    expect(broken(report.violations)).toEqual([]);
    expect(report.told).toBeGreaterThan(50);
    expect(report.toldAgain).toBe(0);
  });

  it('end within a budget of time: what is over it is not posted, and all that was ends', async () => {
    const report = await run({ budgetMs: 0 });
    expect(broken(report.violations)).toEqual([]);
    expect(report).toMatchObject({ accepted: 0, notPosted: 200 });
  });

  it('are the same run for the same seed', async () => {
    expect(await run({ alerts: 40 })).toEqual(await run({ alerts: 40 }));
  });

  it.each([[['model']], [['rundeck']], [['model', 'rundeck']]] satisfies [Dead][])(
    'still end with a human told when %s is dead',
    async (dead) => {
      const report = await run({ alerts: 60, dead });
      expect(broken(report.violations)).toEqual([]);
      expect(report.told).toBeGreaterThan(30);
    },
  );

  it.each([[['people']], [['model', 'rundeck', 'people']]] satisfies [Dead][])(
    'ring an alarm for each that nobody hears of when %s are dead, and tell it once somebody listens again',
    async (dead) => {
      for (const seed of [1, 2, 3]) {
        const report = await run({ alerts: 60, dead, seed });
        expect(broken(report.violations)).toEqual([]);
        expect(report.undeliverable).toBeGreaterThan(20);
        expect(report.told).toBeGreaterThan(20);
        expect(report.alarms).toBeGreaterThan(20);
      }
    },
  );
});

describe('the alarms of failed invocations', () => {
  it('are those that are deployed: the sweeper’s and that of dead letters ring at the first', () => {
    const alarms = readErrorsAlarms();
    const of = (threshold: number) =>
      alarms.filter((each) => each.threshold === threshold).map(({ functionName }) => functionName);
    expect(of(1)).toEqual(['escalate-dead-letters', 'sweep-incidents']);
    expect(of(3)).toContain('receive-alert');
  });

  it('ring for a period with enough failures, and for no other', () => {
    const alarms = [
      { functionName: 'a', periodMs: 60_000, threshold: 2 },
      { functionName: 'b', periodMs: 900_000, threshold: 1 },
    ];
    const failures = [
      { at: 59_999, functionName: 'a', text: 'alone in its minute' },
      { at: 60_000, functionName: 'a', text: 'first' },
      { at: 119_999, functionName: 'a', text: 'second' },
      { at: 0, functionName: 'b', text: 'enough' },
      { at: 0, functionName: 'c', text: 'unwatched' },
    ];
    expect(ringing(alarms, failures).map(({ text }) => text)).toEqual(['first', 'second', 'enough']);
  });

  it('count a process that died, and what a handler lets through', () => {
    const threw = { kind: 'threw', error: new Error('no') } as const;
    expect(isError('a', { kind: 'crashed' }, [])).toBe(true);
    expect(isError('a', threw, ['a'])).toBe(true);
    expect(isError('a', threw, ['b'])).toBe(false);
    expect(isError('a', { kind: 'answered', answer: undefined }, ['a'])).toBe(false);
  });
});

describe('a judge notices', () => {
  it('a table that writes without conditions', async () => {
    expect(
      await noticedBy('at most one execution per decision', { withoutConditions: true, duplicates: 0.5 }),
    ).toBe(true);
  });

  /** Remedia with one part that does not do what it should. */
  const sabotaged = (part: Partial<Pipeline>): Pipeline => ({ ...realPipeline, ...part });
  const deaf = (ports: Ports): Ports => ({ ...ports, loadPause: async () => ({ paused: false }) });

  const forgetful = (ports: Ports): Ports => ({ ...ports, hostHistory: async () => [] });

  it.each([
    [
      'an alert that is acknowledged and not recorded',
      'exactly one record per event',
      30,
      sabotaged({
        receiveAlert: (ports) =>
          realPipeline.receiveAlert({
            ...ports,
            createIncident: async (incident) => ({ kind: 'created', incident }),
          }),
      }),
    ],
    [
      'a sweeper that does nothing',
      'every accepted alert ends',
      60,
      sabotaged({ sweep: () => async () => undefined }),
    ],
    [
      'messages that are said to be told and are not',
      'a human is told',
      60,
      sabotaged({
        decideRemediation: (ports) =>
          realPipeline.decideRemediation({ ...ports, tellHuman: async () => undefined }),
      }),
    ],
    [
      'a sweeper that does not say what it could not do',
      'an alarm rings while none can be',
      60,
      sabotaged({
        sweep: (ports) => () =>
          realPipeline
            .sweep(ports)()
            .catch(() => undefined),
      }),
    ],
    [
      'a sweeper that forgets whom it has given up',
      'a human is told',
      60,
      sabotaged({
        sweep: (ports) =>
          realPipeline.sweep({
            ...ports,
            changeIncident: (incidentId, change) =>
              ports.changeIncident(incidentId, (known) => {
                const { dueAt, ...rest } = change(known) ?? { dueAt: undefined };
                if (!('escalation' in rest)) return undefined;
                return rest.escalation === 'undeliverable' || dueAt === undefined ? rest : { ...rest, dueAt };
              }),
          }),
      }),
    ],
    [
      'a dispatch that does not look at the pause',
      'nothing runs after a recorded recovery or pause',
      150,
      sabotaged({ dispatchJob: (ports) => realPipeline.dispatchJob(deaf(ports)) }),
    ],
    [
      'a job that gets other arguments than were decided',
      'only what was decided runs',
      60,
      sabotaged({
        dispatchJob: (ports) =>
          realPipeline.dispatchJob({
            ...ports,
            runJob: (order) => ports.runJob({ ...order, arguments: { path: '/' } }),
          }),
      }),
    ],
    [
      'a dispatch that goes on with the policy of before',
      'only what the policy allows runs',
      200,
      sabotaged({
        dispatchJob: (ports) => realPipeline.dispatchJob({ ...ports, loadPolicy: async () => chaosPolicy() }),
        decideRemediation: (ports) =>
          realPipeline.decideRemediation({ ...ports, loadPolicy: async () => chaosPolicy() }),
      }),
    ],
    [
      'a history that nobody looks at',
      'nothing that failed is repeated without a human',
      300,
      sabotaged({
        decideRemediation: (ports) => realPipeline.decideRemediation(forgetful(ports)),
        dispatchJob: (ports) => realPipeline.dispatchJob(forgetful(ports)),
      }),
    ],
    [
      'a simulation that is none',
      'a simulation has no effect',
      100,
      sabotaged({
        receiveAlert: (ports) =>
          realPipeline.receiveAlert({
            ...ports,
            createIncident: (incident) => ports.createIncident({ ...incident, mode: 'live' }),
          }),
      }),
    ],
    [
      'counters that never end',
      'limits hold',
      200,
      sabotaged({
        dispatchJob: (ports) => realPipeline.dispatchJob({ ...ports, takeAllowance: async () => true }),
      }),
    ],
  ])('%s', async (what, judge, alerts, pipeline) => {
    // What waits for a human's answer meets a pause more often than what runs at once.
    const policy = chaosPolicy({ askAlways: judge.includes('pause') });
    const dead: Dead = what.startsWith('a sweeper that') ? ['people'] : [];
    expect(await noticedBy(judge, { stack: memoryStack(pipeline), alerts, policy, dead })).toBe(true);
  });
});
