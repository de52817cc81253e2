/** Rundeck's job definitions: how the YAML is read, and how a job checks the options it is run with. */
import { parse } from 'yaml';
import * as z from 'zod';

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const option = z.object({
  name: z.string(),
  description: z.string().optional(),
  required: z.boolean().default(false),
  enforced: z.boolean().default(false),
  values: z.array(text).optional(),
  regex: z.string().optional(),
  value: text.optional(),
  secure: z.boolean().default(false),
});

const step = z.object({
  exec: z.string().optional(),
  script: z.string().optional(),
  args: z.string().optional(),
  scriptInterpreter: z.string().optional(),
  interpreterArgsQuoted: z.boolean().optional(),
  description: z.string().optional(),
});

const notice = z.object({
  urls: z.string(),
  format: z.string().default('xml'),
  httpMethod: z.string().default('post'),
});
const notices = z.partialRecord(
  z.enum(['onstart', 'onsuccess', 'onfailure', 'onretryablefailure', 'onavgduration']),
  notice,
);

/** Unknown keys are dropped in silence, as Rundeck does. */
const job = z.object({
  name: z.string().min(1),
  group: z.string().default(''),
  description: z.string().default(''),
  uuid: z.string().optional(),
  loglevel: z.string().default('INFO'),
  multipleExecutions: z.boolean().default(false),
  maxMultipleExecutions: text.optional(),
  executionEnabled: z.boolean().default(true),
  timeout: text.optional(),
  nodefilters: z.object({ filter: z.string().default('') }).optional(),
  nodesSelectedByDefault: z.boolean().default(true),
  options: z
    .union([
      z.array(option),
      // As a map the options are ordered by name.
      z.record(z.string(), option.omit({ name: true })).transform((map) =>
        Object.entries(map)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, rest]) => ({ name, ...rest })),
      ),
    ])
    .default([]),
  sequence: z.object({ keepgoing: z.boolean().default(false), commands: z.array(step) }),
  notification: z
    .union([
      notices,
      z.array(notices).transform((list): z.infer<typeof notices> => Object.assign({}, ...list)),
    ])
    .default({}),
});

export type JobDefinition = z.infer<typeof job>;

/** Reads a file of job definitions. Throws with zod's or YAML's text when it is none. */
export function parseJobs(yaml: string): readonly JobDefinition[] {
  return z.array(job).min(1).parse(parse(yaml));
}

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** Seconds of a job's `timeout`; 0, no time-out, for what Rundeck does not understand, such as `10 min`. */
export function timeoutSeconds(timeout: string | undefined): number {
  let seconds = 0;
  for (const word of (timeout ?? '').trim().split(/\s+/)) {
    const match = /^(\d+)([smhdw]?)$/.exec(word);
    if (match === null) return 0;
    seconds += Number(match[1]) * (SECONDS[match[2] ?? ''] ?? 0);
  }
  return seconds;
}

export interface CheckedOptions {
  /** Defaults filled in; an option that the job does not define is among them. */
  readonly options: Readonly<Record<string, string>>;
  readonly unknown: readonly string[];
  readonly errors: Readonly<Record<string, string>>;
  /** All errors, joined by a newline as Rundeck does. */
  readonly message?: string;
}

/** Checks option values as Rundeck does: the oddities (an empty value skips every check) are Rundeck's own. */
export function checkOptions(
  definition: JobDefinition,
  given: Readonly<Record<string, string>>,
): CheckedOptions {
  const options: Record<string, string> = { ...given };
  const errors: Record<string, string> = {};
  for (const { name, required, enforced, values, regex, value, secure } of definition.options) {
    if (options[name] === undefined && value !== undefined) options[name] = value;
    const actual = options[name] ?? '';
    if (actual === '') {
      if (required) errors[name] = `Option '${name}' is required.`;
    } else if (enforced && values !== undefined) {
      if (!values.includes(actual)) {
        errors[name] = secure
          ? `Option ${name} value was not valid`
          : `Option ${name} value: ${actual} was not in the allowed values: [${values.join(', ')}]`;
      }
    } else if (regex !== undefined && !new RegExp(`^(?:${regex})$`).test(actual)) {
      errors[name] = secure
        ? `Option ${name} value was not valid`
        : `Option ${name} value: ${actual} doesn't match regular expression: ${regex}`;
    }
  }
  const known = new Set(definition.options.map(({ name }) => name));
  const messages = Object.values(errors);
  return {
    options,
    unknown: Object.keys(given).filter((name) => !known.has(name)),
    errors,
    ...(messages.length === 0 ? {} : { message: messages.join('\n') }),
  };
}
