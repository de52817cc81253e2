/** The alarms of deploy/alarms.yml that watch failed invocations, and when they would ring. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';
import type { Ended } from '#test/chaos/invocations.ts';

export interface ErrorsAlarm {
  readonly functionName: string;
  readonly periodMs: number;
  readonly threshold: number;
}

/** What CloudWatch counts as one error of a function. */
export interface Failure {
  readonly at: number;
  readonly functionName: string;
  /** What the log says of it; empty when the process was gone. */
  readonly text: string;
}

const PREFIX = `\${self:custom.prefix}-`;
/** An alarm of any other shape would have to be understood here first. */
const errorsAlarm = z.object({
  Namespace: z.literal('AWS/Lambda'),
  MetricName: z.literal('Errors'),
  Dimensions: z.tuple([z.object({ Name: z.literal('FunctionName'), Value: z.string().startsWith(PREFIX) })]),
  Statistic: z.literal('Sum'),
  Period: z.int(),
  EvaluationPeriods: z.literal(1),
  Threshold: z.int(),
  ComparisonOperator: z.literal('GreaterThanOrEqualToThreshold'),
});
const template = z.object({
  Resources: z.record(z.string(), z.object({ Properties: z.looseObject({ MetricName: z.string() }) })),
});

/** Of one function each, as they are deployed. */
export function readErrorsAlarms(): readonly ErrorsAlarm[] {
  const text = readFileSync(new URL('../../deploy/alarms.yml', import.meta.url), 'utf8');
  return Object.values(template.parse(parse(text)).Resources)
    .map(({ Properties }) => Properties)
    .filter(({ MetricName }) => MetricName === 'Errors')
    .map((properties) => {
      const { Dimensions, Period, Threshold } = errorsAlarm.parse(properties);
      const functionName = Dimensions[0].Value.slice(PREFIX.length);
      return { functionName, periodMs: Period * 1000, threshold: Threshold };
    });
}

/**
 * Whether an invocation counts as an error: its process died, or its handler threw. Handlers of HTTP answer 500 instead,
 * and those of a queue give their message back; `throws` names the others.
 */
export function isError(functionName: string, { kind }: Ended, throws: readonly string[]): boolean {
  return kind === 'crashed' || (kind === 'threw' && throws.includes(functionName));
}

/** The failures during which their function's alarm rings: all of a period that has enough of them. */
export function ringing(alarms: readonly ErrorsAlarm[], failures: readonly Failure[]): readonly Failure[] {
  return alarms.flatMap(({ functionName, periodMs, threshold }) =>
    [
      ...Map.groupBy(
        failures.filter((each) => each.functionName === functionName),
        ({ at }) => Math.floor(at / periodMs),
      ).values(),
    ].flatMap((period) => (period.length >= threshold ? period : [])),
  );
}
