/** Who chooses: production's model, rules that take what evidence makes possible, or the model without any grounding. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod';
import { catalogue, toolByName } from '#lib/catalogue/index.ts';
import { READINGS } from '#lib/catalogue/tool.ts';
import { toolSchemas } from '#lib/core/answer-format.ts';
import { EXAMPLES, SYSTEM_PROMPT } from '#lib/core/brief.ts';
import { hashOf } from '#lib/core/canonical-json.ts';
import type { AskModel, ModelAnswer, ModelQuestion } from '#lib/workflow/ports.ts';
import type { EvalCase } from './cases.ts';
import { type CaseResult, decideCase } from './decide-case.ts';
import { evalPolicy } from './eval-policy.ts';

/** What a model is told in every question, and what it is offered: figures hold for these alone. */
export const PROMPT_HASH = hashOf({ SYSTEM_PROMPT, EXAMPLES }).slice(0, 12);
export const CATALOGUE_HASH = hashOf(toolSchemas()).slice(0, 12);

export const DECIDERS = ['production', 'rules', 'free'] as const;
export type Decider = (typeof DECIDERS)[number];

export type DecideOne = (each: EvalCase) => Promise<CaseResult>;

/** Production with DECIDER=rules: whatever evidence and words make possible is done, the first if several. */
export const decideByRules: DecideOne = (each) => decideCase(each, undefined, evalPolicy(each.policy));

export function makeDecider(decider: Exclude<Decider, 'rules'>, askModel: AskModel): DecideOne {
  switch (decider) {
    case 'production':
      return (each) => decideCase(each, askModel, evalPolicy(each.policy));
    case 'free':
      return (each) => decideFreely(each, askModel);
  }
}

/** The same model, the same instruction and examples, and all tools with free arguments: what grounding is measured by. */
async function decideFreely(each: EvalCase, askModel: AskModel): Promise<CaseResult> {
  let question: ModelQuestion | undefined;
  const listen: AskModel = async (asked) => {
    question = asked;
    return { toolCalls: [], content: '', doneReason: 'stop', trace: { model: '', totalMilliseconds: 0 } };
  };
  // An alert about disks makes production write the constant part; the brief is then this case's own.
  const plain = await decideCase(
    {
      ...each,
      name: 'Disk is full',
      trigger_name: 'Disk is full',
      item_key: 'vfs.fs.size[/,pused]',
      tags: [],
      history: [],
    },
    listen,
    evalPolicy(),
  );
  if (plain.outcome === 'refused') return { ...plain, name: each.name };
  if (question === undefined) throw new Error('no question was made');
  const tags = each.tags.map(({ tag, value }) => `${tag}=${value}`).join(', ') || 'none';
  const brief = [
    '<alert>',
    `trigger: ${each.trigger_name ?? each.name}`,
    `item key: ${each.item_key}`,
    `tags: ${tags}`,
    '</alert>',
    `possible: ${Object.keys(catalogue).join(', ')}`,
  ].join('\n');
  const answer = await askModel({ ...question, brief, format: freeFormat(question) });
  const call = answer.toolCalls[0] ?? callIn(answer);
  const tool = toolByName(call?.name ?? '');
  const parsed = tool?.parameters.safeParse(call?.arguments);
  const valid = tool !== undefined && parsed?.success === true;
  return {
    name: each.name,
    tool: valid ? tool.name : 'notify',
    arguments: valid
      ? z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).parse(parsed.data)
      : {},
    outcome: valid ? 'free' : 'escalate',
    reasons: valid ? [] : ['unparseable'],
    model: { ...answer.trace, promptHash: hashOf(brief) },
  };
}

function freeFormat({ tools }: ModelQuestion): ModelQuestion['format'] {
  const left = Object.keys(READINGS);
  return {
    anyOf: tools.map(({ function: { name, parameters } }) => {
      const says = name === 'notify' ? ['other'] : (toolByName(name)?.when ?? left);
      const properties = {
        says: { type: 'string', enum: says },
        name: { const: name },
        arguments: parameters,
      };
      return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
    }),
  };
}

function callIn({
  content,
}: ModelAnswer): { readonly name: string; readonly arguments: unknown } | undefined {
  try {
    const json: unknown = JSON.parse(content.slice(content.indexOf('{'), content.lastIndexOf('}') + 1));
    return z.object({ name: z.string(), arguments: z.unknown() }).safeParse(json).data;
  } catch {
    return undefined;
  }
}

/**
 * Keeps every answer in a file, by the whole question and the model's digest: a run that was interrupted goes on where
 * it stopped, and a change of anything that the model is told asks anew. At temperature 0 the answer is the same.
 */
export function remember(askModel: AskModel, model: string, file: string): AskModel {
  const stored = z.record(z.string(), z.custom<ModelAnswer>(isAnswer));
  const known = new Map(
    existsSync(file) ? Object.entries(stored.parse(JSON.parse(readFileSync(file, 'utf8')))) : [],
  );
  return async (question) => {
    const key = hashOf({ question, model });
    const before = known.get(key);
    if (before !== undefined) return before;
    const answer = await askModel(question);
    known.set(key, answer);
    mkdirSync(dirname(file), { recursive: true });
    // A run that is stopped while it writes must not leave half a file to the next one.
    writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(known)));
    renameSync(`${file}.new`, file);
    return answer;
  };
}

function isAnswer(value: unknown): boolean {
  return z.object({ content: z.string(), trace: z.object({ model: z.string() }) }).safeParse(value).success;
}
