/** The execution API of the simulated Rundeck: state, output, abort, lists. */
import type { Subject } from './access-policy.ts';
import { type Answer, forbidden, json, missing } from './answers.ts';
import { renderExecution, type SimulatedExecution } from './execution.ts';
import { jobResource, may, maySee, type ProjectState } from './project-state.ts';
import type { Executions } from './run-executions.ts';

export function routeExecution(
  state: ProjectState,
  executions: Executions,
  parts: readonly string[],
  subject: Subject,
  query: URLSearchParams,
  version: number,
): Answer {
  const [id = '', what = ''] = parts;
  const execution = state.executions.find((one) => String(one.id) === id);
  const job = execution && state.jobs.get(execution.jobUuid);
  if (execution === undefined || job === undefined) return missing(`Execution ID ${id}`);
  if (!maySee(state, subject, job)) return forbidden(`View for Execution ID ${id}`);
  switch (what) {
    case '':
      return json(renderExecution(execution, job, state.base, version, 'api'));
    case 'output':
      return renderOutput(execution, query);
    case 'state':
      return json({
        executionId: execution.id,
        executionState: execution.status.toUpperCase(),
        completed: execution.endedAt !== undefined,
      });
    case 'abort':
      if (!may(state, subject, jobResource(job), 'kill')) return forbidden(`Kill for Execution ID ${id}`);
      return json({
        abort: { status: executions.abort(execution.id) ? 'pending' : 'failed' },
        execution: { id, status: execution.status },
      });
    default:
      return missing(what);
  }
}

function renderOutput(execution: SimulatedExecution, query: URLSearchParams): Answer {
  const last = Number(query.get('lastlines') ?? 0);
  const offset = Number(query.get('offset') ?? 0);
  const lines = last > 0 ? execution.output.slice(-last) : execution.output.slice(offset);
  const most = Number(query.get('maxlines') ?? 0);
  const shown = most > 0 && last === 0 ? lines.slice(0, most) : lines;
  const ended = execution.endedAt !== undefined;
  return json({
    id: String(execution.id),
    // Bytes in a real Rundeck; lines here. Either way a client only sends it back.
    offset: String(last > 0 ? execution.output.length : offset + shown.length),
    completed: ended,
    execCompleted: ended,
    hasFailedNodes: execution.failedNodes.length > 0,
    execState: execution.status,
    lastModified: String(execution.endedAt ?? execution.startedAt),
    execDuration: (execution.endedAt ?? Date.now()) - execution.startedAt,
    percentLoaded: 100,
    totalSize: execution.output.length,
    retryBackoff: 0,
    clusterExec: false,
    compacted: false,
    entries: shown.map((line) => ({
      time: new Date(line.at).toISOString().slice(11, 19),
      absolute_time: new Date(line.at).toISOString(),
      log: line.log,
      level: line.level,
      user: 'rundeck',
      stepctx: '1',
      ...(line.node === undefined ? {} : { node: line.node }),
    })),
  });
}

/** The executions of the project, or of one job. It asks for `read` on events. */
export function listExecutions(
  state: ProjectState,
  subject: Subject,
  jobUuid: string | undefined,
  query: URLSearchParams,
  version: number,
): Answer {
  if (!may(state, subject, { type: 'resource', kind: 'event' }, 'read')) {
    return forbidden(`Read for Events in Project ${state.project}`);
  }
  const status = query.get('status') ?? query.get('statusFilter');
  const all = state.executions
    .filter((one) => jobUuid === undefined || one.jobUuid === jobUuid)
    .filter((one) => status === null || one.status === status)
    // Rundeck orders by the end, newest first; here, as in H2, what has not ended comes last.
    .toSorted((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0) || b.id - a.id);
  const max = Number(query.get('max') ?? 20);
  const offset = Number(query.get('offset') ?? 0);
  const page = all.slice(offset, offset + max);
  return json({
    paging: { count: page.length, total: all.length, offset, max },
    executions: page.flatMap((one) => {
      const job = state.jobs.get(one.jobUuid);
      return job === undefined ? [] : [renderExecution(one, job, state.base, version, 'api')];
    }),
  });
}
