/** The job API of the simulated Rundeck: lists, imports, and runs with better error codes than the webhook's. */
import * as z from 'zod';
import type { Subject } from './access-policy.ts';
import { type Answer, apiError, forbidden, json, missing, parseJson } from './answers.ts';
import { readOptions } from './arguments.ts';
import { renderExecution } from './execution.ts';
import { listExecutions } from './execution-api.ts';
import { type JobDefinition, parseJobs } from './job-definition.ts';
import { importJobs, jobResource, may, maySee, type ProjectState } from './project-state.ts';
import type { Executions } from './run-executions.ts';

const runRequest = z.object({
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).optional(),
  argString: z.string().nullish(),
  filter: z.string().nullish(),
  loglevel: z.string().nullish(),
  asUser: z.string().nullish(),
});

const render = ({ project, base }: ProjectState, job: JobDefinition, version: number) => ({
  id: job.uuid,
  name: job.name,
  group: job.group,
  project,
  description: job.description,
  href: `${base}/api/${version}/job/${job.uuid}`,
  permalink: `${base}/project/${project}/job/show/${job.uuid}`,
  scheduled: false,
  scheduleEnabled: true,
  enabled: job.executionEnabled,
});

export function listJobs(state: ProjectState, subject: Subject, version: number): Answer {
  return json(
    [...state.jobs.values()]
      .filter((job) => maySee(state, subject, job))
      .map((job) => render(state, job, version)),
  );
}

export function importJobFile(
  state: ProjectState,
  subject: Subject,
  body: string,
  query: URLSearchParams,
  version: number,
): Answer {
  if (!may(state, subject, { type: 'resource', kind: 'job' }, 'create')) {
    return forbidden(`Create for Job in Project ${state.project}`);
  }
  const listed = (list: readonly JobDefinition[]) =>
    list.map((job, index) => ({ index: index + 1, ...render(state, job, version) }));
  try {
    const there = parseJobs(body).filter(
      ({ uuid }) => query.get('dupeOption') === 'skip' && uuid !== undefined && state.jobs.has(uuid),
    );
    const stored = there.length > 0 ? [] : importJobs(state, body);
    return json({ succeeded: listed(stored), failed: [], skipped: listed(there) });
  } catch (error) {
    const why = error instanceof Error ? error.message : 'no YAML';
    return apiError(400, 'api.error.jobs.import.invalid', `Jobs Import file was not valid: ${why}`);
  }
}

export function routeJob(
  state: ProjectState,
  executions: Executions,
  parts: readonly string[],
  request: { readonly method: string; readonly body: string; readonly query: URLSearchParams },
  subject: Subject,
  version: number,
): Answer {
  const [uuid = '', what = ''] = parts;
  const { method, body, query } = request;
  const job = state.jobs.get(uuid);
  if (job === undefined) return missing(`Job ID ${uuid}`);
  if (method === 'POST' && (what === 'run' || what === 'executions')) {
    return runJob(state, executions, job, subject, body, query, version);
  }
  if (!maySee(state, subject, job)) return forbidden(`Read for Job ID ${uuid}`);
  if (what === 'executions') return listExecutions(state, subject, uuid, query, version);
  if (what === 'info') return json(render(state, job, version));
  return what === '' ? json([job]) : missing(what);
}

function runJob(
  state: ProjectState,
  executions: Executions,
  job: JobDefinition,
  subject: Subject,
  body: string,
  query: URLSearchParams,
  version: number,
): Answer {
  const parsed = runRequest.safeParse(body === '' ? {} : parseJson(body));
  if (!parsed.success) {
    return apiError(400, 'api.error.invalid.request', 'Failed to parse JSON request body');
  }
  const { data } = parsed;
  if (!may(state, subject, jobResource(job), 'run')) return forbidden(`Run for Job ID ${job.uuid}`);
  const filter = data.filter ?? query.get('filter') ?? '';
  if (filter === '' && !job.nodesSelectedByDefault) {
    return apiError(400, 'api.error.execution.failed', 'No matched nodes: nodes are not selected by default');
  }
  const began = executions.start(
    job,
    subject,
    data.options ?? readOptions(data.argString ?? query.get('argString') ?? ''),
    filter,
  );
  if (began.kind === 'started') {
    return json(renderExecution(began.execution, job, state.base, version, 'api'));
  }
  switch (began.why) {
    case 'unauthorized':
      return forbidden(`Run for Job ID ${job.uuid}`);
    case 'disabled':
      return apiError(400, 'api.error.job.disabled', began.message);
    case 'invalid':
      return apiError(400, 'api.error.job.options-invalid', began.message);
    case 'conflict':
      return apiError(409, 'api.error.execution.conflict', `Execution had a conflict: ${began.message}`);
  }
}
