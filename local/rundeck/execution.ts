/** One execution of the simulated Rundeck, and its JSON as Rundeck's API and notifications render it. */
import { joinArguments } from './arguments.ts';
import type { JobDefinition } from './job-definition.ts';

/** Rundeck's words for the states of an execution. */
export const EXECUTION_STATES = [
  'running',
  'succeeded',
  'failed',
  'aborted',
  'timedout',
  'failed-with-retry',
  'scheduled',
  'queued',
  'missed',
  'other',
] as const;
export type ExecutionStatus = (typeof EXECUTION_STATES)[number];

export interface OutputLine {
  readonly at: number;
  readonly level: 'NORMAL' | 'ERROR' | 'WARN';
  readonly log: string;
  readonly node?: string;
}

export interface SimulatedExecution {
  readonly id: number;
  readonly jobUuid: string;
  readonly project: string;
  readonly user: string;
  readonly options: Readonly<Record<string, string>>;
  readonly nodeFilter: string;
  readonly startedAt: number;
  status: ExecutionStatus;
  endedAt?: number;
  successfulNodes: string[];
  failedNodes: string[];
  readonly output: OutputLine[];
}

const moment = (at: number) => ({
  unixtime: at,
  date: new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'),
});

/** `where: 'api'` is the answer of the API; `'notification'` is the part of a notification's body. */
export function renderExecution(
  execution: SimulatedExecution,
  job: JobDefinition,
  base: string,
  apiVersion: number,
  where: 'api' | 'notification',
): Readonly<Record<string, unknown>> {
  const page = `${base}/project/${execution.project}/execution/show/${execution.id}`;
  return {
    id: execution.id,
    href: where === 'api' ? `${base}/api/${apiVersion}/execution/${execution.id}` : page,
    permalink: where === 'api' ? page : null,
    status: execution.status,
    project: execution.project,
    executionType: 'user',
    user: execution.user,
    'date-started': moment(execution.startedAt),
    ...(execution.endedAt === undefined ? {} : { 'date-ended': moment(execution.endedAt) }),
    job: {
      id: execution.jobUuid,
      averageDuration: 1_000,
      name: job.name,
      group: job.group,
      project: execution.project,
      description: job.description,
      options: execution.options,
      href: `${base}/api/${apiVersion}/job/${execution.jobUuid}`,
      permalink: `${base}/project/${execution.project}/job/show/${execution.jobUuid}`,
    },
    description: '(script)',
    argstring: joinArguments(
      Object.entries(execution.options).flatMap(([name, value]) => [`-${name}`, value]),
    ),
    serverUUID: '5111a7ed-0000-4000-8000-000000000001',
    ...(execution.successfulNodes.length === 0 ? {} : { successfulNodes: execution.successfulNodes }),
    ...(execution.failedNodes.length === 0 ? {} : { failedNodes: execution.failedNodes }),
  };
}
