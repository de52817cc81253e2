/**
 * `npm run test:chaos -- --alerts N --seed S`: long simulated runs of the workflows in memory and of the functions on the
 * embedded AWS; prints what happened, exits 1 on a broken promise.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as z from 'zod';
import { durationMs } from '#lib/core/duration.ts';
import { chaosPolicy } from '#test/chaos/chaos-policy.ts';
import { embeddedStack } from '#test/chaos/embedded/embedded-stack.ts';
import { memoryStack } from '#test/chaos/memory-stack.ts';
import { MOODY, type Report, simulate } from '#test/chaos/simulate.ts';
import type { Dead } from '#test/chaos/world.ts';
import { misused, readArguments } from '../../scripts/command-line.ts';

const USAGE = `usage: npm run test:chaos -- [--alerts N] [--seed S] [--stack memory|embedded|both] [--embedded N]
  [--budget 20m] [--at-least N] [--shards N] [--duplicates 0.3] [--hang 0.005] [--dead model,rundeck,people]
  [--without-conditions] [--show-suspects] [--json]

Sends alerts (1000) through Remedia under faults of every kind, and judges what happened. Both stacks run unless one is
named: the workflows in memory, and the functions on the embedded AWS.
  --seed        the same seed is the same run (1)
  --embedded    so many alerts on the embedded AWS; as many as in memory by default
  --budget      after so long (s, m or h) no more alerts are posted there; what has begun is brought to its end. A run that
                is cut short fails, unless --at-least so many alerts were posted. By default it takes as long as it takes
  --shards      so many simulations share the alerts of the embedded AWS, each in a process, with a table, queues and a seed
                of its own (2)
  --duplicates  how often a post or a message comes twice (0.3)
  --hang        how often a request or an answer takes up to a minute (0.005)
  --dead        what never answers; people come back three hours after all else is calm
  --without-conditions  takes the conditions from the table's writes: this must turn red
  --show-suspects       prints the incidents that broken promises are about
Ends with 0 when every promise was kept, with 1 when one was broken or the run was cut short, and with 2 when it does not
know how it was called.`;

const options = {
  alerts: { type: 'string', default: '1000' },
  'at-least': { type: 'string' },
  budget: { type: 'string' },
  dead: { type: 'string', default: '' },
  duplicates: { type: 'string', default: '0.3' },
  embedded: { type: 'string' },
  hang: { type: 'string', default: String(MOODY.hang) },
  json: { type: 'boolean', default: false },
  seed: { type: 'string', default: '1' },
  shards: { type: 'string', default: '2' },
  'show-suspects': { type: 'boolean', default: false },
  stack: { type: 'string', default: 'both' },
  'without-conditions': { type: 'boolean', default: false },
} as const;

const whole = z.coerce.number<string>().int();
const wanted = z
  .object({
    alerts: whole.min(1),
    'at-least': whole.min(0).optional(),
    budget: z
      .string()
      .regex(/^\d+[smh]$/, 'a duration, such as 100s or 20m')
      .optional(),
    dead: z
      .string()
      .transform((list) => list.split(',').filter(Boolean))
      .pipe(z.array(z.enum(['model', 'rundeck', 'people']))),
    duplicates: z.coerce.number<string>().min(0).max(0.9),
    embedded: whole.min(1).optional(),
    hang: z.coerce.number<string>().min(0).max(0.5),
    json: z.boolean(),
    seed: whole,
    shards: whole.min(1).max(16),
    'show-suspects': z.boolean(),
    stack: z.enum(['memory', 'embedded', 'both']),
    'without-conditions': z.boolean(),
  })
  .refine((each) => each['at-least'] === undefined || each.budget !== undefined, {
    path: ['at-least'],
    message: 'nothing cuts a run short without --budget',
  })
  .safeParse(readArguments(USAGE, { options }).values);
if (!wanted.success) {
  const [issue] = wanted.error.issues;
  misused(USAGE, `--${issue?.path.join('.')}: ${issue?.message}.`);
}
const { alerts, seed, stack, embedded = alerts, shards, duplicates, hang, dead, json } = wanted.data;
const withoutConditions = wanted.data['without-conditions'];
const { budget } = wanted.data;
const enough = Math.min(wanted.data['at-least'] ?? embedded, embedded);

const reports: Report[] = [];
if (stack !== 'embedded') {
  const say = begin(`${alerts} alerts, seed ${seed}, the workflows in memory`);
  const report = await run({ stack: memoryStack(), alerts });
  say(report);
}
if (stack !== 'memory') {
  const parts = Math.min(shards, embedded);
  const say = begin(
    `${embedded} alerts, seed ${seed}, the functions on the embedded AWS${parts > 1 ? `, in ${parts} parts` : ''}`,
  );
  const counts = Array.from({ length: parts }, (_, part) => Math.ceil((embedded - part) / parts));
  const results =
    parts === 1
      ? [
          await run({
            stack: embeddedStack,
            alerts: embedded,
            ...(budget !== undefined && { budgetMs: durationMs(budget) }),
          }),
        ]
      : await Promise.all(counts.map((count, part) => runInProcess(count, seed + 1_000 * part)));
  for (const report of results) say(report);
}
if (json) console.log(JSON.stringify(reports.map(plain)));
const posted = embedded - reports.reduce((sum, { notPosted }) => sum + notPosted, 0);
const cutShort = posted < enough;
if (cutShort) {
  console.error(
    `CUT SHORT by --budget ${budget}: ${posted} alerts were posted on the embedded AWS, and ${enough} were wanted.`,
  );
}
if (cutShort || reports.some(({ violations }) => [...violations.values()].some((each) => each.length > 0))) {
  process.exit(1);
}

function run(over: Pick<Parameters<typeof simulate>[0], 'stack' | 'alerts' | 'budgetMs'>): Promise<Report> {
  return simulate({
    seed,
    policy: chaosPolicy(),
    tightened: chaosPolicy({ tightened: true }),
    duplicates,
    rates: { ...MOODY, hang },
    dead: dead satisfies Dead,
    withoutConditions,
    ...over,
  });
}

/** The clock of a process is ruled by one simulation, so another one needs another process. */
async function runInProcess(count: number, ofSeed: number): Promise<Report> {
  const file = process.argv[1] ?? '';
  const given = [
    '--stack',
    'embedded',
    '--shards',
    '1',
    '--json',
    '--alerts',
    String(count),
    '--seed',
    String(ofSeed),
  ];
  const more = [
    // What is enough is for all parts together.
    ...(budget === undefined ? [] : ['--budget', budget, '--at-least', '0']),
    '--duplicates',
    String(duplicates),
    '--hang',
    String(hang),
    '--dead',
    dead.join(','),
  ];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [file, ...given, ...more, ...(withoutConditions ? ['--without-conditions'] : [])],
    { maxBuffer: 2 ** 28 },
  ).catch((error: { readonly code?: number; readonly stdout: string }) => {
    // Broken promises are told by the exit code too.
    if (error.code !== 1) throw error;
    return error;
  });
  const [report] = z.array(z.custom<Plain>()).parse(JSON.parse(stdout));
  if (report === undefined) throw new Error('a part of the simulation reported nothing');
  return { ...report, violations: new Map(Object.entries(report.violations)) };
}

type Plain = Omit<Report, 'violations'> & {
  readonly violations: Readonly<Record<string, readonly string[]>>;
};

function plain(report: Report): Plain {
  return { ...report, violations: Object.fromEntries(report.violations) };
}

/** Says what is run, and then what came of it. */
function begin(what: string): (report: Report) => void {
  const began = performance.now();
  if (!json) console.log(what);
  return (report) => {
    reports.push(report);
    if (!json) print(report, (performance.now() - began) / 1000);
  };
}

function print(report: Report, seconds: number): void {
  const { violations, suspects, faults, outcomes, reasons, lasted, notPosted, ...counts } = report;
  console.log(
    `  in ${seconds.toFixed(1)} s, while the made-up clock went on by ${(lasted / 3_600_000).toFixed(1)} h`,
  );
  if (notPosted > 0) console.log(`  the time was over: ${notPosted} alerts were NOT posted`);
  for (const part of [counts, faults, outcomes, reasons]) {
    console.log(
      `  ${Object.entries(part)
        .map(([name, count]) => `${name} ${count}`)
        .join(', ')}`,
    );
  }
  for (const [judge, broken] of violations) {
    console.log(`  ${broken.length === 0 ? 'holds' : 'BROKEN'}: ${judge}`);
    for (const sentence of broken.slice(0, 10)) console.log(`    ${sentence}`);
    if (broken.length > 10) console.log(`    and ${broken.length - 10} more`);
  }
  if (wanted.data?.['show-suspects']) console.log(JSON.stringify(suspects, undefined, 2));
}
