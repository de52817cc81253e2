/** Starts executions of the simulated Rundeck and carries them to their end: nodes, steps, limits, notifications. */
import type { Subject } from './access-policy.ts';
import { API_VERSION } from './answers.ts';
import { renderStep } from './arguments.ts';
import { type ExecutionStatus, renderExecution, type SimulatedExecution } from './execution.ts';
import { checkOptions, type JobDefinition, timeoutSeconds } from './job-definition.ts';
import { chooseNodes, type Node, parseNodeFilter } from './node-filter.ts';
import { notificationRequest, notificationUrls, type Trigger } from './notification.ts';
import { jobResource, may, type ProjectState } from './project-state.ts';
import type { RunStep } from './run-over-ssh.ts';

/** How a pretended execution goes. */
export interface Scenario {
  readonly afterMs?: number;
  readonly exitCode?: number;
  readonly lines?: readonly string[];
  /** It waits so before it is taken up, for `waitsMs`. */
  readonly waits?: 'queued' | 'scheduled';
  readonly waitsMs?: number;
  /** How Rundeck says that it ended, when that is not what the exit code says. */
  readonly endsAs?: 'aborted' | 'timedout' | 'failed-with-retry' | 'missed' | 'other';
}
export type ChooseScenario = (execution: SimulatedExecution, job: JobDefinition) => Scenario;

export interface ExecutionSettings {
  /** The project's nodes; `any` invents the node that an exact filter names, tagged `remedia`, or one with its tag. */
  readonly nodes?: readonly Node[] | 'any' | undefined;
  /** Runs the steps; without it executions only pretend, as the scenario says. */
  readonly runStep?: RunStep | undefined;
  readonly scenario?: ChooseScenario | undefined;
  /** Milliseconds that a pretended execution takes when its scenario does not say. */
  readonly jobMs?: number | undefined;
  readonly notificationKey?: string | undefined;
  /** Replaces where job files say that notifications go. */
  readonly notificationUrl?: string | undefined;
  /** Called after every change that is to be kept. */
  readonly save: () => void;
}

export type Start =
  | { readonly kind: 'started'; readonly execution: SimulatedExecution }
  | {
      readonly kind: 'refused';
      readonly why: 'unauthorized' | 'disabled' | 'invalid' | 'conflict';
      readonly message: string;
    };

export interface Executions {
  /** `filter` replaces the job's own; empty leaves it, and then every node of the job's filter is taken. */
  start(job: JobDefinition, subject: Subject, given: Readonly<Record<string, string>>, filter: string): Start;
  /** Whether there was something to abort. */
  abort(id: number): boolean;
  setScenario(scenario: ChooseScenario | undefined): void;
  /** Resolves when no execution is running and no notification on its way. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export function makeExecutions(state: ProjectState, settings: ExecutionSettings): Executions {
  const { print, executions } = state;
  const running = new Map<number, { readonly abort: AbortController; readonly done: Promise<void> }>();
  const notifications = new Set<Promise<void>>();
  let { scenario } = settings;

  const notify = (trigger: Trigger, execution: SimulatedExecution, job: JobDefinition) => {
    const notice = job.notification[`on${trigger}`];
    if (notice === undefined) return;
    const which = `notification ${trigger} of execution ${execution.id}`;
    for (const url of notificationUrls(settings.notificationUrl ?? notice.urls, execution)) {
      if (state.faults.take('notification') !== undefined) {
        print(`${which} is lost, as it was told`);
        continue;
      }
      const attempt = async () => {
        try {
          const request = notificationRequest(
            url,
            trigger,
            renderExecution(execution, job, state.base, API_VERSION, 'notification'),
            settings.notificationKey,
          );
          const answer = await fetch(request.url, {
            method: 'POST',
            headers: request.headers,
            body: request.body,
            redirect: 'manual',
            // Rundeck's own: one attempt, 15 s.
            signal: AbortSignal.timeout(15_000),
          });
          await answer.arrayBuffer();
          print(`${which} → ${answer.status}`);
        } catch {
          print(`${which} failed and is dropped`);
        }
      };
      const sent = attempt().finally(() => notifications.delete(sent));
      notifications.add(sent);
    }
  };

  const runNode = async (
    execution: SimulatedExecution,
    job: JobDefinition,
    node: Node,
    how: Scenario,
    signal: AbortSignal,
  ): Promise<number> => {
    const log = (line: string, level: 'NORMAL' | 'ERROR' = 'NORMAL') =>
      execution.output.push({ at: Date.now(), level, log: line, node: node.nodename });
    if (settings.runStep !== undefined) {
      for (const command of job.sequence.commands) {
        const code = await settings.runStep({
          node,
          render: (path) => renderStep(command, execution.options, path),
          signal,
          print: log,
        });
        if (code !== 0) {
          log(`Result: ${code}`, 'ERROR');
          return code;
        }
      }
      return 0;
    }
    await wait(how.afterMs ?? settings.jobMs ?? 500, signal);
    if (signal.aborted) return 255;
    for (const line of how.lines ?? [`(simulated) ${job.name} on ${node.nodename}: nothing was really run`]) {
      log(line);
    }
    return how.exitCode ?? 0;
  };

  const run = async (
    execution: SimulatedExecution,
    job: JobDefinition,
    nodes: readonly Node[],
    abort: AbortController,
  ) => {
    const how = settings.runStep === undefined ? (scenario?.(execution, job) ?? {}) : {};
    if (how.waits !== undefined) {
      execution.status = how.waits;
      await wait(how.waitsMs ?? 0, abort.signal);
      execution.status = 'running';
    }
    notify('start', execution, job);
    let timedOut = false;
    const limit = timeoutSeconds(job.timeout);
    const end = () => {
      timedOut = true;
      abort.abort();
    };
    const timer = limit === 0 ? undefined : setTimeout(end, limit * 1_000);
    if (nodes.length === 0) {
      execution.output.push({
        at: Date.now(),
        level: 'ERROR',
        log: 'No matched nodes: the node filter chose none',
      });
    }
    for (const node of nodes) {
      const code = await runNode(execution, job, node, how, abort.signal);
      (code === 0 ? execution.successfulNodes : execution.failedNodes).push(node.nodename);
      if (code !== 0) break;
    }
    clearTimeout(timer);
    const succeeded = nodes.length > 0 && execution.failedNodes.length === 0;
    const ended = timedOut
      ? 'timedout'
      : abort.signal.aborted
        ? 'aborted'
        : succeeded
          ? 'succeeded'
          : 'failed';
    execution.endedAt = Date.now();
    execution.status = how.endsAs ?? ended;
    running.delete(execution.id);
    settings.save();
    print(`execution ${execution.id} of ${job.name}: ${execution.status}`);
    notify(triggerOf(execution.status), execution, job);
  };

  const start: Executions['start'] = (job, subject, given, filter) => {
    const uuid = job.uuid ?? '';
    if (!may(state, subject, jobResource(job), 'run')) {
      return { kind: 'refused', why: 'unauthorized', message: `Unauthorized: run job ${uuid}` };
    }
    if (!job.executionEnabled) {
      return { kind: 'refused', why: 'disabled', message: 'Job execution is disabled' };
    }
    const checked = checkOptions(job, given);
    if (checked.message !== undefined) {
      return { kind: 'refused', why: 'invalid', message: `Job options were not valid: ${checked.message}` };
    }
    const most = job.multipleExecutions ? Number(job.maxMultipleExecutions ?? 0) : 1;
    const busy = executions.filter((one) => one.jobUuid === uuid && one.endedAt === undefined).length;
    if (most > 0 && busy >= most) {
      return {
        kind: 'refused',
        why: 'conflict',
        message: `Job "${job.name}" {{Job ${uuid}}}: Limit of running executions has been reached.`,
      };
    }
    const nodeFilter = filter === '' ? (job.nodefilters?.filter ?? '') : filter;
    const nodes = chooseNodes(nodeFilter, projectNodes(settings.nodes, nodeFilter)).filter((node) =>
      may(state, subject, { type: 'node', nodename: node.nodename, tags: node.tags ?? '' }, 'run'),
    );
    const execution: SimulatedExecution = {
      id: (executions.at(-1)?.id ?? 0) + 1,
      jobUuid: uuid,
      project: state.project,
      user: subject.user,
      options: checked.options,
      nodeFilter,
      startedAt: Date.now(),
      status: 'running',
      successfulNodes: [],
      failedNodes: [],
      output: [],
    };
    executions.push(execution);
    settings.save();
    const names = nodes.map((node) => node.nodename).join(', ') || 'no node';
    print(`execution ${execution.id} of ${job.name} on ${names}`);
    const abort = new AbortController();
    // Begun after it is listed as running, so that one without nodes is taken off the list again.
    const done = Promise.resolve().then(() => run(execution, job, nodes, abort));
    running.set(execution.id, { abort, done });
    return { kind: 'started', execution };
  };

  return {
    start,
    abort: (id) => {
      const ongoing = running.get(id);
      ongoing?.abort.abort();
      return ongoing !== undefined;
    },
    setScenario: (next) => {
      scenario = next;
    },
    idle: async () => {
      while (running.size + notifications.size > 0) {
        await Promise.all([...[...running.values()].map(({ done }) => done), ...notifications]);
      }
    },
    close: async () => {
      for (const { abort } of running.values()) abort.abort();
      await Promise.all([...running.values()].map(({ done }) => done));
      await Promise.all(notifications);
    },
  };
}

/** What Rundeck's notifications call the end: aborted and timed out are failures, but an attempt to be retried is not. */
function triggerOf(status: ExecutionStatus): Trigger {
  if (status === 'succeeded') return 'success';
  return status === 'failed-with-retry' ? 'retryablefailure' : 'failure';
}

function projectNodes(nodes: ExecutionSettings['nodes'], filter: string): readonly Node[] {
  if (nodes !== 'any') return nodes ?? [];
  const { name: named, tags } = parseNodeFilter(filter).include;
  if (named === undefined && tags !== undefined) {
    return [{ nodename: `any-${tags}`, hostname: 'localhost', tags, osFamily: 'unix' }];
  }
  const name = named?.replaceAll('\\.', '.') ?? '';
  return /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)
    ? [{ nodename: name, hostname: name, tags: 'remedia', osFamily: 'unix' }]
    : [];
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
