/** What every Rundeck behind the four ports does, the one in memory and the real adapter alike. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { FindExecution, JobOrder, ReadExecution, ReadOutput, RunJob } from '#lib/workflow/ports.ts';
import type { PostFault } from '#test/fakes/rundeck-memory.ts';

export interface RundeckUnderContract {
  readonly runJob: RunJob;
  readonly readExecution: ReadExecution;
  readonly readOutput: ReadOutput;
  readonly findExecution: FindExecution;
  /** How many executions there are. */
  readonly started: () => number;
  readonly failNext: (fault: PostFault) => Promise<void>;
  /** Undoes what `failNext` left behind. */
  readonly mend: () => Promise<void>;
  readonly endAs: (status: 'running' | 'succeeded' | 'failed', output?: readonly string[]) => void;
  /** Until every execution that is to end has ended. */
  readonly settled: () => Promise<void>;
  readonly close: () => Promise<void>;
}

let sequence = 0;
const anOrder = (): JobOrder => {
  sequence += 1;
  const incidentId = `inc_${sequence.toString(16).padStart(24, '0')}`;
  return {
    tool: 'restart_service',
    decisionId: `${incidentId}#1`,
    incidentId,
    eventId: String(1_000 + sequence),
    triggerId: '13926',
    source: 'zabbix',
    host: 'web-01',
    node: 'web-01',
    severity: 4,
    arguments: { service_name: 'nginx.service' },
    cleanupRoots: [],
    decidedAt: 1_767_225_600_000,
    mode: 'live',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    link: 'http://127.0.0.1:3000/api/v1/incidents/x',
  };
};

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

export function rundeckContract(name: string, open: () => Promise<RundeckUnderContract>): void {
  describe(`Rundeck: ${name}`, () => {
    let rundeck: RundeckUnderContract;
    beforeAll(async () => {
      rundeck = await open();
    });
    beforeEach(() => rundeck.endAs('succeeded', ['done']));
    afterAll(() => rundeck.close());

    it('one post is one execution, which can be read with its decision, end and output', async () => {
      const before = rundeck.started();
      const order = anOrder();
      const { executionId } = await rundeck.runJob(order);
      await rundeck.settled();
      expect(rundeck.started()).toBe(before + 1);
      const execution = await rundeck.readExecution(executionId);
      expect(execution).toMatchObject({ id: executionId, status: 'succeeded', decisionId: order.decisionId });
      expect(execution?.endedAt).toBeTypeOf('number');
      expect(await rundeck.readOutput(executionId)).toBe('done');
    });

    it('an execution that goes on is running and has no end', async () => {
      rundeck.endAs('running');
      const { executionId } = await rundeck.runJob(anOrder());
      const execution = await rundeck.readExecution(executionId);
      expect(execution?.status).toBe('running');
      expect(execution?.endedAt).toBeUndefined();
    });

    it('a job that fails says so', async () => {
      rundeck.endAs('failed', ['first', 'last']);
      const { executionId } = await rundeck.runJob(anOrder());
      await rundeck.settled();
      expect(await rundeck.readExecution(executionId)).toMatchObject({ status: 'failed' });
      expect(await rundeck.readOutput(executionId)).toContain('first\nlast');
    });

    it('an execution that nobody knows is undefined', async () => {
      expect(await rundeck.readExecution('999999')).toBeUndefined();
      expect(await rundeck.readOutput('999999')).toBe('');
    });

    it.each([
      ['refused', 'no', true],
      ['busy', 'no', true],
      ['unauthorized', 'no', false],
    ] as const)('a post that is %s starts nothing', async (fault, sent, retry) => {
      const before = rundeck.started();
      const order = anOrder();
      await rundeck.failNext(fault);
      const error = await failure(rundeck.runJob(order));
      await rundeck.mend();
      expect(error).toBeInstanceOf(UpstreamError);
      expect(error).toMatchObject({ upstream: 'rundeck', code: fault, sent, retry });
      expect(rundeck.started()).toBe(before);
      const { tool, decisionId } = order;
      expect(await rundeck.findExecution({ tool, decisionId, since: 0 })).toBeUndefined();
    });

    it('a post without an answer is unknown, and its execution is found by the decision', async () => {
      const order = anOrder();
      await rundeck.failNext('unanswered');
      const error = await failure(rundeck.runJob(order));
      await rundeck.mend();
      expect(error).toMatchObject({ upstream: 'rundeck', sent: 'unknown' });
      await rundeck.settled();
      const { tool, decisionId } = order;
      const found = await rundeck.findExecution({ tool, decisionId, since: 0 });
      expect(found).toMatchObject({ decisionId, status: 'succeeded' });
    });

    it('finds an execution while it runs', async () => {
      rundeck.endAs('running');
      const order = anOrder();
      const { executionId } = await rundeck.runJob(order);
      const { tool, decisionId } = order;
      expect(await rundeck.findExecution({ tool, decisionId, since: 0 })).toMatchObject({ id: executionId });
    });
  });
}
