/** What Zabbix itself says of a host while an alert of it is decided, as data and as a person is told. */
import { formatDuration } from '#lib/core/duration.ts';

/** How many open problems of a host are looked at; where there are more, "so many or more" is all that is known. */
export const MOST_OTHER_PROBLEMS = 30;
const MOST_NAMES = 3;
const LONGEST_NAME = 80;
/** A change by less than this part of the greater value is none. */
const STEADY = 0.05;
const MINUTE = 60_000;

/** A part of it is absent when Zabbix was not asked for it or did not answer in time. */
export interface HostContext {
  /** When Zabbix was asked, milliseconds since the epoch. */
  readonly at: number;
  /** `unknown`: Zabbix shows no such event of this trigger (deleted, or nothing that Remedia's user may read). */
  readonly event: 'problem' | 'recovered' | 'unknown';
  readonly recoveredAt?: number;
  /** Before Remedia has ended an incident it acknowledges nothing, so somebody else did. */
  readonly acknowledged: boolean;
  readonly suppressed: 'no' | 'by_maintenance' | 'by_human';
  readonly host: 'monitored' | 'not_monitored' | 'unknown';
  readonly maintenance: boolean;
  /** Whether Zabbix's agent or interface there answers. */
  readonly reachable: 'yes' | 'no' | 'unknown';
  /** Other open problems of the host, at most `MOST_OTHER_PROBLEMS`. */
  readonly otherProblems?: number;
  /** Text of alerts: for people alone, never for the model. */
  readonly otherProblemNames?: readonly string[];
  /** Problems of this trigger within the policy's flapping window, this one included. */
  readonly sameTriggerProblems?: number;
  readonly values?: Trend;
}

/** Numbers as short text: a counter may be greater than what the table takes as a number. */
interface Trend {
  readonly trend: 'rising' | 'steady' | 'falling';
  readonly from: string;
  readonly to: string;
  readonly overMs: number;
}

/** How a value went, from its oldest to its newest reading, in any order; `undefined` of fewer than two times. */
export function trendOf(
  readings: readonly { readonly at: number; readonly value: number }[],
): Trend | undefined {
  const [first, ...rest] = readings
    .filter(({ value }) => Number.isFinite(value))
    .toSorted((one, other) => one.at - other.at);
  const last = rest.at(-1);
  if (first === undefined || last === undefined || last.at === first.at) return undefined;
  const change = last.value - first.value;
  const steady = Math.abs(change) <= STEADY * Math.max(Math.abs(first.value), Math.abs(last.value));
  return {
    trend: steady ? 'steady' : change > 0 ? 'rising' : 'falling',
    from: short(first.value),
    to: short(last.value),
    overMs: last.at - first.at,
  };
}

/** A dozen characters or so, whatever the number. */
function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** The first few names of problems, cut; text of alerts. */
export function namesForPeople(names: readonly string[]): readonly string[] {
  return names
    .slice(0, MOST_NAMES)
    .map((name) => [...name.replaceAll(CONTROL, ' ').trim()].slice(0, LONGEST_NAME).join(''));
}

const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** One sentence of facts for a person, without any text of an alert. */
export function describeContext(context: HostContext): string {
  const { event, otherProblems = 0, sameTriggerProblems = 0 } = context;
  const many = otherProblems >= MOST_OTHER_PROBLEMS ? ' or more' : '';
  const facts: readonly (readonly [boolean, string])[] = [
    [event === 'problem', 'the problem is open'],
    [event === 'recovered', 'the problem is over'],
    [event === 'unknown', "it shows Remedia's user no such event"],
    [context.acknowledged, 'somebody acknowledged it'],
    [context.suppressed === 'by_human', 'somebody suppressed it'],
    [context.suppressed === 'by_maintenance', 'maintenance suppresses it'],
    [context.maintenance, 'the host is in maintenance'],
    [context.host === 'not_monitored', 'the host is not monitored'],
    [context.host === 'unknown', "it shows Remedia's user no such host"],
    [context.reachable === 'no', 'the agent of the host does not answer'],
    [otherProblems === 1, '1 other problem is open on this host'],
    [otherProblems > 1, `${otherProblems}${many} other problems are open on this host`],
    [sameTriggerProblems > 1, `this trigger raised ${sameTriggerProblems} problems lately`],
    [context.values !== undefined, valuesInWords(context.values)],
  ];
  const said = facts.flatMap(([holds, words]) => (holds ? [words] : []));
  return `Zabbix said: ${said.join('; ')}.`;
}

function valuesInWords(values: Trend | undefined): string {
  if (values === undefined) return '';
  const { trend, from, to, overMs } = values;
  const over = formatDuration(overMs < MINUTE ? overMs : Math.round(overMs / MINUTE) * MINUTE);
  if (trend === 'steady') return `the value has been steady at about ${to} for ${over}`;
  return `the value ${trend === 'rising' ? 'rose' : 'fell'} from ${from} to ${to} in ${over}`;
}
