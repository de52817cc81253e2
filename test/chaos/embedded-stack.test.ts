/** The functions themselves keep their promises on the embedded AWS; and there, too, a judge can turn red. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

const reported = z.object({
  violations: z.record(z.string(), z.array(z.string())),
  accepted: z.number(),
  notPosted: z.number(),
  executions: z.number(),
  conflicts: z.number(),
  told: z.number(),
  undeliverable: z.number(),
  alarms: z.number(),
  steps: z.number(),
  faults: z.record(z.string(), z.number()),
});

/** In a process of its own, whose clock the simulation rules. */
function run(...given: readonly string[]): Promise<{ code: unknown; report: z.infer<typeof reported> }> {
  const script = join(import.meta.dirname, 'run.ts');
  const wanted = ['--stack', 'embedded', '--shards', '1', '--json', ...given];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, ...wanted], { maxBuffer: 2 ** 26 }, (error, stdout) => {
      const [report] = z.array(reported).safeParse(parsed(stdout)).data ?? [];
      if (report === undefined) reject(error ?? new Error(stdout));
      else resolve({ code: error?.code ?? 0, report });
    });
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const broken = ({ violations }: z.infer<typeof reported>) =>
  Object.entries(violations).flatMap(([judge, sentences]) => (sentences.length > 0 ? [judge] : []));

describe('the functions on the embedded queues and table', { timeout: 400_000 }, () => {
  it('keep every promise under faults at every call, the same for the same seed', async () => {
    const [first, second] = await Promise.all([run('--alerts', '12'), run('--alerts', '12')]);
    expect(first.code).toBe(0);
    expect(broken(first.report)).toEqual([]);
    expect(first.report.accepted).toBeGreaterThan(9);
    expect(first.report.executions).toBeGreaterThan(0);
    expect(first.report.conflicts).toBeGreaterThan(10);
    for (const kind of ['crash', 'failBefore', 'failAfter', 'hang']) {
      expect(first.report.faults[kind]).toBeGreaterThan(5);
    }
    expect(second).toEqual(first);
  });

  it('tell a human of everything with the model and Rundeck both dead', async () => {
    const { code, report } = await run('--alerts', '15', '--dead', 'model,rundeck');
    expect(broken(report)).toEqual([]);
    expect(code).toBe(0);
    expect(report.executions).toBe(0);
    expect(report.told).toBeGreaterThan(7);
  });

  it('run nothing twice however often requests, answers and connections hang', async () => {
    const { code, report } = await run('--alerts', '25', '--hang', '0.1');
    expect(broken(report)).toEqual([]);
    expect(code).toBe(0);
    expect(report.faults['hang']).toBeGreaterThan(100);
    expect(report.executions).toBeGreaterThan(2);
  });

  it('ring an alarm for each that nobody hears of, and tell it once somebody listens again', async () => {
    const { code, report } = await run('--alerts', '10', '--dead', 'model,rundeck,people');
    expect(broken(report)).toEqual([]);
    expect(code).toBe(0);
    expect(report.undeliverable).toBeGreaterThan(4);
    expect(report.told).toBeGreaterThanOrEqual(report.undeliverable);
    expect(report.alarms).toBeGreaterThan(4);
  });

  it.each([
    ['fails with less than was asked for', ['--at-least', '1'], 1],
    ['is enough where that was asked for', ['--at-least', '0'], 0],
  ] as const)('a run that its budget cuts short %s', async (_, more, expected) => {
    const { code, report } = await run('--alerts', '3', '--budget', '0s', ...more);
    expect(report.notPosted).toBe(3);
    expect(broken(report)).toEqual([]);
    expect(code).toBe(expected);
  });

  it('are caught running a decision twice when the table is asked for no conditions', async () => {
    // A short run may miss the moment that matters; several do not.
    let noticed = false;
    for (let seed = 1; seed <= 4 && !noticed; seed += 1) {
      const given = ['--alerts', '40', '--duplicates', '0.5', '--without-conditions', '--seed', String(seed)];
      const { code, report } = await run(...given);
      noticed = broken(report).includes('at most one execution per decision');
      expect(code).toBe(broken(report).length > 0 ? 1 : 0);
    }
    expect(noticed).toBe(true);
  });
});
