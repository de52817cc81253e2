/** Makes of a model's answer a proposal that is possible here, or a refusal with a name. */
import * as z from 'zod';
import { catalogue, toolByName } from '#lib/catalogue/index.ts';
import type { Tool, ToolArguments } from '#lib/catalogue/tool.ts';
import type { Grounding } from '#lib/core/grounding.ts';
import type { Proposal, Refusal, RefusalCode } from '#lib/core/incident.ts';
import { certaintyOf, type ReadingProbabilities, weightOf } from '#lib/core/reading-certainty.ts';

interface Answer {
  readonly toolCalls: readonly { readonly name: string; readonly arguments: unknown }[];
  readonly content: string;
  readonly doneReason: string;
  readonly trace?: { readonly readings?: ReadingProbabilities };
}

/**
 * Below this share of what it reads against "anything else" the model is not sure enough. Measured with qwen2.5-coder:1.5b on 91
 * names that are no cases of the evaluation: 11 of 16 that it should not do fall below it, and 2 of 45 right actions.
 */
const LEAST_CERTAINTY = 0.65;
/** Where words of the name had to agree before the model was asked, it is a second judge: it has to be for it. */
const LEAST_BEHIND_WORDS = 0.5;
/** Where it alone says that anything is wrong. */
const LEAST_ALONE = 0.9;
/** And it must hardly have thought of anything else than a reading; of 42 that were as sure as that, the least had 0.87. */
const LEAST_WEIGHT = 0.8;

/**
 * Reads `toolCalls` if there is exactly one, else the content as JSON from the first `{` to the last `}`: small models
 * answer there, in a Markdown fence, also when told not to. A complete call counts even when the server cut the answer,
 * because its grammar allows white space to follow without end.
 */
export function readAnswer(answer: Answer, grounding: Grounding): Proposal | Refusal {
  const call = oneCall(answer);
  if ('kind' in call) return call;
  const tool = toolByName(call.name);
  if (tool === undefined) return refusal('unknown_tool', 'The model named a tool that does not exist.');
  const checked = checkArguments(tool, call.arguments);
  if ('kind' in checked) return checked;
  const { when = tool.when, needsReader = false } =
    grounding.eligible.find((each) => each.tool === tool.name) ?? {};
  if (call.says !== undefined && tool.target !== undefined && !when.some((each) => each === call.says)) {
    return refusal('ungrounded_value', `What the model reads in the alert is no reason for ${tool.name}.`);
  }
  const certainty = certaintyOf(answer.trace?.readings, when);
  if (needsReader && (call.says === undefined || weightOf(answer.trace?.readings, when) < LEAST_WEIGHT)) {
    return refusal(
      'unsure',
      `Nothing but a model reads a reason for ${tool.name}, and how sure it is, is not known.`,
    );
  }
  const least = needsReader
    ? LEAST_ALONE
    : tool.safety === 'disruptive'
      ? LEAST_BEHIND_WORDS
      : LEAST_CERTAINTY;
  if (tool.target !== undefined && certainty !== undefined && certainty < least) {
    const percent = Math.round(certainty * 100);
    return refusal(
      'unsure',
      `The model is only ${percent} % sure that the alert is a reason for ${tool.name}.`,
    );
  }
  return groundProposal(tool, checked.arguments, grounding);
}

interface Call {
  readonly name: string;
  readonly arguments: unknown;
  /** What the model reads in the alert; a tool call of the server's own kind has no place for it. */
  readonly says?: unknown;
}

function oneCall({ toolCalls, content, doneReason }: Answer): Call | Refusal {
  if (toolCalls.length > 1) return several();
  const [only] = toolCalls;
  if (only !== undefined) return only;
  const start = content.indexOf('{');
  if (start < 0) {
    if (/^\s*\[\s*\]?\s*$/.test(content) || content.trim() === '') {
      return refusal('no_call', 'The model called no tool.');
    }
    return doneReason === 'length' ? cut() : refusal('no_call', 'The model wrote text instead of a call.');
  }
  const parsed = parseObject(content.slice(start, content.lastIndexOf('}') + 1));
  if (parsed !== undefined) return callOf(parsed);
  if (countCalls(content) > 1) return several();
  if (doneReason === 'length') return cut();
  return refusal('unparseable', 'The answer of the model is no valid JSON.');
}

function callOf(parsed: Readonly<Record<string, unknown>>): Call | Refusal {
  const { name, says, ...rest } = parsed;
  if (typeof name !== 'string') return refusal('no_call', 'The JSON of the model is no call of a tool.');
  const given = Object.keys(rest);
  if (given.length > 1) return refusal('extra_argument', 'The call holds more than a name and arguments.');
  // Both words are in use for what a call is given.
  const [key = 'arguments'] = given;
  if (key !== 'arguments' && key !== 'parameters') {
    return refusal('extra_argument', 'The call holds something else than a name and arguments.');
  }
  return { name, says, arguments: rest[key] ?? {} };
}

/** Two objects side by side are no JSON; each that names a tool is a call. */
function countCalls(content: string): number {
  return [...content.matchAll(/"name"\s*:\s*"/g)].length;
}

function checkArguments(
  { parameters, harsher = {} }: Tool,
  given: unknown,
): { readonly arguments: ToolArguments } | Refusal {
  if (!isRecord(given)) return refusal('mistyped_argument', 'The arguments of the model are no object.');
  const parsed = parameters.safeParse(given);
  if (!parsed.success) return refusalOf(parsed.error.issues, given);
  const stronger = Object.entries(harsher).find(([name, value]) => given[name] === value);
  if (stronger !== undefined) {
    return refusal('ungrounded_value', `Nothing in the alert supports ${stronger[0]}: ${stronger[1]}.`);
  }
  return { arguments: scalars(parsed.data) };
}

/** The worst first: something that is not asked for, then something that is missing, then something that is wrong. */
function refusalOf(
  issues: readonly { readonly code: string; readonly path: readonly PropertyKey[] }[],
  given: Readonly<Record<string, unknown>>,
): Refusal {
  if (issues.some(({ code }) => code === 'unrecognized_keys')) {
    return refusal('extra_argument', 'The model gave an argument that the tool does not have.');
  }
  const missing = issues.find(({ path }) => !Object.hasOwn(given, String(path[0])));
  if (missing !== undefined) {
    return refusal('missing_argument', `The model left out ${String(missing.path[0])}.`);
  }
  const wrong = issues.map(({ path }) => String(path[0])).join(', ');
  return refusal('mistyped_argument', `The model gave ${wrong} in a form that is not allowed.`);
}

function groundProposal({ name }: Tool, given: ToolArguments, grounding: Grounding): Proposal | Refusal {
  if (name === catalogue.notify.name) return { kind: 'proposal', tool: name, arguments: given };
  const eligible = grounding.eligible.find((each) => each.tool === name);
  if (eligible === undefined) {
    return refusal('ungrounded_value', `The evidence of this alert does not make ${name} possible.`);
  }
  const free = Object.entries(eligible.values).find(
    ([parameter, allowed]) => !allowed.some((value) => value === given[parameter]),
  );
  return free === undefined
    ? { kind: 'proposal', tool: name, arguments: given }
    : refusal('ungrounded_value', `The model's ${free[0]} does not come from the evidence of this alert.`);
}

/** The catalogue's parameters are JSON scalars, whatever zod's type for any object says. */
function scalars(data: Readonly<Record<string, unknown>>): ToolArguments {
  return Object.fromEntries(
    Object.entries(data).filter(
      (entry): entry is [string, string | number | boolean] =>
        typeof entry[1] === 'string' || typeof entry[1] === 'number' || typeof entry[1] === 'boolean',
    ),
  );
}

const object = z.record(z.string(), z.unknown());

function parseObject(text: string): z.infer<typeof object> | undefined {
  try {
    return object.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function several(): Refusal {
  return refusal('several_calls', 'The model called several tools, and only one is asked for.');
}

function cut(): Refusal {
  return refusal('truncated', 'The answer of the model was cut before it was complete.');
}

function refusal(code: RefusalCode, reason: string): Refusal {
  return { kind: 'refusal', code, reason };
}
