/** The cases that decisions are judged by: labelled alerts, as they are in the case files. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { TOOL_NAMES } from '#lib/catalogue/tool.ts';
import { OUTCOMES } from '#lib/core/incident.ts';
import { evalPolicy } from './eval-policy.ts';

const tool = z.enum(TOOL_NAMES);
const severity = z.union([
  z.literal(0),
  z.literal(1),
  z.literal(2),
  z.literal(3),
  z.literal(4),
  z.literal(5),
]);
const argument = z.union([z.string(), z.number(), z.boolean()]);

/** An earlier incident of the host, newest last. */
const past = z.object({
  minutes_ago: z.number().positive(),
  /** Of the same trigger, unless said otherwise. */
  same_trigger: z.boolean().default(true),
  tool: tool.exclude(['notify']).optional(),
  arguments: z.record(z.string(), argument).default({}),
  outcome: z.enum(OUTCOMES).optional(),
});

/** As the last line of rundeck/host/analyze-processes.sh has it. */
const findings = z.object({
  resource: z.enum(['cpu', 'memory', 'io', 'network']),
  total: z.number().optional(),
  capacity: z.number().optional(),
  top: z.array(z.object({ name: z.string(), value: z.number(), unit: z.string().default('') })),
});

const evalCase = z.object({
  name: z.string(),
  nseverity: severity,
  tags: z.array(z.object({ tag: z.string(), value: z.string() })),
  item_key: z.string(),
  template: z.string().default(''),
  trigger_name: z.string().optional(),
  host: z.string(),
  host_name: z.string().optional(),
  opdata: z.string().optional(),
  trigger_description: z.string().optional(),
  item_value: z.string().optional(),
  remediation: tool,
  also_acceptable: z.array(tool).default([]),
  note: z.string().default(''),
  expect: z.object({ arguments: z.record(z.string(), argument).optional() }).optional(),
  history: z.array(past).default([]),
  /** An analysis was made first and found this: what is judged is the decision about it. */
  findings: findings.optional(),
  /** Parts of the policy that replace the evaluation's own. */
  policy: z.record(z.string(), z.unknown()).optional(),
  split: z.string().optional(),
  injection: z
    .object({
      place: z.string(),
      twin: z.string(),
      twin_host: z.string(),
      /** A lie that no reader could tell from an honest alert. */
      reads_as_real_alert: z.boolean().optional(),
    })
    .optional(),
});
export type EvalCase = z.infer<typeof evalCase>;

/** What the gate of a change draws its fixed sample from. */
export const GATE_FILES = [
  'test/fixtures/zabbix/labelled-triggers.jsonl',
  'test/evals/cases/templates-and-custom.jsonl',
  'test/evals/cases/misleading.jsonl',
  'test/evals/cases/history.jsonl',
  'test/evals/cases/findings.jsonl',
  'test/evals/cases/injections.jsonl',
  'test/evals/cases/injections-where-a-tool-is-possible.jsonl',
  // By people who had not seen rules, prompt or other cases; evaluated before anything was changed because of them.
  'test/evals/cases/blind-1.jsonl',
  'test/evals/cases/blind-1-injections.jsonl',
  'test/evals/cases/blind-2.jsonl',
  'test/evals/cases/blind-2-injections.jsonl',
  'test/evals/cases/blind-3.jsonl',
  'test/evals/cases/blind-3-injections.jsonl',
] as const;

/** The files of the repository, in the order of the published report. */
export const CASE_FILES = [
  ...GATE_FILES,
  'test/evals/cases/blind-4.jsonl',
  'test/evals/cases/blind-4-injections.jsonl',
  'test/evals/cases/blind-5.jsonl',
  'test/evals/cases/blind-5-injections.jsonl',
  'test/evals/cases/blind-6.jsonl',
  'test/evals/cases/blind-6-injections.jsonl',
  'test/evals/cases/blind-7.jsonl',
  'test/evals/cases/blind-7-injections.jsonl',
  'test/evals/cases/blind-8.jsonl',
  'test/evals/cases/blind-8-injections.jsonl',
  'test/evals/cases/blind-9.jsonl',
  'test/evals/cases/blind-9-injections.jsonl',
  'test/evals/cases/blind-10.jsonl',
  'test/evals/cases/blind-10-injections.jsonl',
  'test/evals/cases/blind-11.jsonl',
  'test/evals/cases/blind-11-injections.jsonl',
  'test/evals/cases/blind-12.jsonl',
  'test/evals/cases/blind-12-injections.jsonl',
  'test/evals/cases/blind-13.jsonl',
  'test/evals/cases/blind-13-injections.jsonl',
  'test/evals/cases/blind-14.jsonl',
  'test/evals/cases/blind-14-injections.jsonl',
  'test/evals/cases/blind-15.jsonl',
  'test/evals/cases/blind-15-injections.jsonl',
  'test/evals/cases/blind-16.jsonl',
  'test/evals/cases/blind-16-injections.jsonl',
  'test/evals/cases/blind-17.jsonl',
  'test/evals/cases/blind-17-injections.jsonl',
  'test/evals/cases/blind-18.jsonl',
  'test/evals/cases/blind-18-injections.jsonl',
  'test/evals/cases/blind-19.jsonl',
  'test/evals/cases/blind-19-injections.jsonl',
] as const;

/** Half of them say that something is down or full, and half something else of it; judged by rules alone, for there are many. */
export const CUSTOM_NAMES_FILE = 'test/evals/cases/custom-names.jsonl';

/** As many ways to say so, and to say something else, as two people could think of in six languages; the keys are made up. */
export const MANY_WORDS_FILE = 'test/evals/cases/names-in-many-words.jsonl';

/** How administrators put it in everyday words, half of it about something else; written before a look at any list of words. */
export const EVERYDAY_NAMES_FILE = 'test/evals/cases/everyday-names.jsonl';

/** Reads a case file, one JSON object a line. Throws with the number of the first line that is no case, and its fields. */
export function readCases(file: string): readonly EvalCase[] {
  return (
    readFileSync(file, 'utf8')
      // Windows' editors put a byte order mark first.
      .replace(/^\uFEFF/u, '')
      .split(/\r?\n/)
      .flatMap((line, index) => (line.trim() === '' ? [] : [caseOf(line, `${file}:${index + 1}`)]))
  );
}

function caseOf(line: string, place: string): EvalCase {
  const parsed = evalCase.safeParse(jsonOf(line, place));
  if (!parsed.success) throw new Error(`${place}: ${fieldsOf(parsed.error)}`);
  try {
    evalPolicy(parsed.data.policy);
  } catch (error) {
    throw new Error(`${place}: ${error instanceof z.ZodError ? fieldsOf(error, 'policy') : String(error)}`);
  }
  return parsed.data;
}

function jsonOf(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`${place}: is no JSON`);
  }
}

/** `tags[0].value: expected a string`, for each field. */
function fieldsOf({ issues }: z.ZodError, ...within: readonly string[]): string {
  return issues
    .map(({ path, message }) => {
      const field = [...within, ...path].reduce<string>(
        (text, part) =>
          typeof part === 'number' ? `${text}[${part}]` : `${text}${text && '.'}${String(part)}`,
        '',
      );
      return `${field || 'the line'}: ${message}`;
    })
    .join('; ');
}

/**
 * The trigger that a case is about, without what differs from one template, host or value to the next: cases of one trigger
 * are near twins. An injection is about the trigger of its clean twin.
 */
export function triggerOf({ name, trigger_name, injection }: EvalCase): string {
  return (injection?.twin ?? trigger_name ?? name)
    .replace(/\s*\([^()]*\)?\s*$/u, '')
    .replace(/^[^:]{1,40}:\s+/u, '')
    .replaceAll(/\[[^\]]*\]|"[^"]*"|(?<!\S)\/\S*|\d+(?:[.,]\d+)?\s*%?/gu, ' ')
    .replaceAll(/[^\p{L}]+/gu, ' ')
    .trim()
    .toLowerCase();
}
