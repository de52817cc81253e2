/** What `npm run bench:intake` has measured, as tables, and whether it holds what was promised. */
import { markdownTable } from '../scripts/markdown-table.ts';
import type { FunctionCost } from './function-cost.ts';
import type { Measured } from './load.ts';

/** Acknowledged a second, at 8 and 32 connections. */
const ENOUGH_PER_SECOND = 300;
const ENOUGH_AT: readonly number[] = [8, 32];
/** CPU milliseconds of receive-alert itself. */
const FUNCTION_MS = 5;

/** Measurements of one kind of request, by the number of connections. */
export interface Kind {
  readonly name: string;
  readonly rows: readonly Measured[];
}

/** One line for each measurement. */
export function loadTable(kinds: readonly Kind[]): string {
  return markdownTable([
    ['Requests', 'Connections', 'Answered/s', 'p50 ms', 'p99 ms', 'CPU ms each', 'RSS MiB', 'Not answered'],
    ...kinds.flatMap(({ name, rows }) =>
      rows.map((each) => [
        name,
        String(each.connections),
        each.perSecond.toFixed(0),
        String(each.p50),
        String(each.p99),
        each.cpuMs.toFixed(1),
        (each.rss / 2 ** 20).toFixed(0),
        String(each.failed),
      ]),
    ),
  ]);
}

/**
 * What each part adds to the CPU time of an acknowledged alert, at one number of connections: every kind does what the
 * one before it does, and more. Throws when a kind was not measured at it.
 */
export function shareTable(kinds: readonly Kind[], connections: number, parts: readonly string[]): string {
  const cpu = kinds.map(({ name, rows }) => {
    const row = rows.find((each) => each.connections === connections);
    if (row === undefined) throw new Error(`${name} was not measured with ${connections} connections`);
    return row.cpuMs;
  });
  const whole = cpu.at(-1) ?? 0;
  return markdownTable([
    ['Part', 'CPU ms', 'Share'],
    ...parts.map((part, index) => {
      const own = (cpu[index] ?? 0) - (cpu[index - 1] ?? 0);
      return [part, own.toFixed(1), `${((100 * own) / whole).toFixed(0)} %`];
    }),
    ['All of it', whole.toFixed(1), '100 %'],
  ]);
}

/** False also when there was none. */
export function everyPostWasAcknowledged(alerts: readonly Kind[]): boolean {
  const all = alerts.flatMap(({ rows }) => rows);
  return all.length > 0 && all.every(({ failed, answered }) => failed === 0 && answered > 0);
}

/** Each promise, and whether it was kept. */
export function judgeIntake(
  alerts: readonly Kind[],
  cost: FunctionCost,
): readonly (readonly [promise: string, kept: boolean])[] {
  return [
    ['every post was acknowledged', everyPostWasAcknowledged(alerts)],
    ...alerts.flatMap(({ name, rows }) =>
      rows
        .filter(({ connections }) => ENOUGH_AT.includes(connections))
        .map(
          ({ connections, perSecond }) =>
            [
              `${name}, ${connections} connections: at least ${ENOUGH_PER_SECOND} acknowledged/s`,
              perSecond >= ENOUGH_PER_SECOND,
            ] as const,
        ),
    ),
    [`receive-alert itself takes at most ${FUNCTION_MS} ms of CPU`, cost.whole <= FUNCTION_MS],
  ];
}
