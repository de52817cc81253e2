/** A Rundeck in memory: the four ports of it, and what a test makes it do. */
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type {
  Execution,
  FindExecution,
  JobOrder,
  ReadExecution,
  ReadOutput,
  RunJob,
} from '#lib/workflow/ports.ts';

/** How the next post goes wrong: the four ways that a workflow must tell apart. */
export type PostFault = 'refused' | 'busy' | 'unauthorized' | 'unanswered';

const FAULTS: Readonly<Record<PostFault, () => UpstreamError>> = {
  refused: () => new UpstreamError('rundeck', 'refused', 'no connection', { sent: 'no', retry: true }),
  busy: () => new UpstreamError('rundeck', 'busy', 'limit of executions', { sent: 'no', retry: true }),
  unauthorized: () =>
    new UpstreamError('rundeck', 'unauthorized', 'token unknown', { sent: 'no', retry: false }),
  unanswered: () =>
    new UpstreamError('rundeck', 'unanswered', 'no answer', { sent: 'unknown', retry: false }),
};

export interface MemoryRundeck {
  readonly runJob: RunJob;
  readonly readExecution: ReadExecution;
  readonly readOutput: ReadOutput;
  readonly findExecution: FindExecution;
  /** Every order that became an execution, in order. */
  orders(): readonly JobOrder[];
  /** The next post fails so; `unanswered` creates the execution all the same. */
  failNext(fault: PostFault): void;
  /** Executions that start from now on end at once with this status, or stay `running`. */
  endAs(status: 'running' | 'succeeded' | 'failed', output?: readonly string[]): void;
}

export function createMemoryRundeck(now: () => number = Date.now): MemoryRundeck {
  const orders: JobOrder[] = [];
  const executions = new Map<string, Execution & { readonly startedAt: number; readonly output: string }>();
  let fault: PostFault | undefined;
  let ending: { readonly status: string; readonly output: string } = { status: 'succeeded', output: '' };
  return {
    runJob: async (order) => {
      const wrong = fault;
      fault = undefined;
      if (wrong !== undefined && wrong !== 'unanswered') throw FAULTS[wrong]();
      orders.push(order);
      const id = String(orders.length);
      executions.set(id, {
        id,
        status: ending.status,
        decisionId: order.decisionId,
        startedAt: now(),
        output: ending.output,
        ...(ending.status === 'running' ? {} : { endedAt: now() }),
      });
      if (wrong !== undefined) throw FAULTS[wrong]();
      return { executionId: id };
    },
    readExecution: async (executionId) => {
      const found = executions.get(executionId);
      if (found === undefined) return undefined;
      const { output: _output, startedAt: _startedAt, ...execution } = found;
      return execution;
    },
    readOutput: async (executionId) => executions.get(executionId)?.output ?? '',
    findExecution: async ({ decisionId, since }) => {
      const found = [...executions.values()].find(
        (one) => one.decisionId === decisionId && one.startedAt >= since,
      );
      if (found === undefined) return undefined;
      const { output: _output, startedAt: _startedAt, ...execution } = found;
      return execution;
    },
    orders: () => orders,
    failNext: (next) => {
      fault = next;
    },
    endAs: (status, output = []) => {
      ending = { status, output: output.join('\n') };
    },
  };
}
