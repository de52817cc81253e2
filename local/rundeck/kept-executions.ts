/** The executions of the simulated Rundeck in a file, over a restart. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod';
import { parseJson } from './answers.ts';
import { EXECUTION_STATES, type SimulatedExecution } from './execution.ts';

const storedExecutions = z.array(
  z.object({
    id: z.int(),
    jobUuid: z.string(),
    project: z.string(),
    user: z.string(),
    options: z.record(z.string(), z.string()),
    nodeFilter: z.string(),
    startedAt: z.number(),
    status: z.enum(EXECUTION_STATES),
    endedAt: z.number().optional(),
    successfulNodes: z.array(z.string()),
    failedNodes: z.array(z.string()),
    output: z.array(
      z.object({
        at: z.number(),
        level: z.enum(['NORMAL', 'ERROR', 'WARN']),
        log: z.string(),
        node: z.string().optional(),
      }),
    ),
  }),
);

/** What is there; an execution that had not ended is aborted, as a real Rundeck does it. */
export function loadExecutions(file: string): SimulatedExecution[] {
  if (!existsSync(file)) return [];
  const stored = storedExecutions.safeParse(parseJson(readFileSync(file, 'utf8')));
  if (!stored.success) throw new Error(`${file} holds no executions of the simulated Rundeck; remove it`);
  return stored.data.map(({ endedAt, output, ...one }) => ({
    ...one,
    output: output.map(({ node, ...line }) => ({ ...line, ...(node === undefined ? {} : { node }) })),
    ...(endedAt === undefined ? { status: 'aborted', endedAt: Date.now() } : { endedAt }),
  }));
}

/** The last 1,000, in one rename, so that a crash leaves the old file or the new one. */
export function saveExecutions(file: string, executions: readonly SimulatedExecution[]): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(executions.slice(-1_000)));
  renameSync(`${file}.new`, file);
}
