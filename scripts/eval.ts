/** `npm run eval`: decides every case by production's own way with a real model, and says what that is worth. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeAskModel, modelHealth } from '#lib/adapters/ollama.ts';
import { toolSchemas } from '#lib/core/answer-format.ts';
import { EXAMPLES, SYSTEM_PROMPT } from '#lib/core/brief.ts';
import type { AskModel } from '#lib/workflow/ports.ts';
import { aimAtRunningStack } from '#local/running-stack.ts';
import { CASE_FILES, type EvalCase, readCases, triggerOf } from '#test/evals/cases.ts';
import {
  CATALOGUE_HASH,
  DECIDERS,
  type DecideOne,
  type Decider,
  decideByRules,
  makeDecider,
  PROMPT_HASH,
  remember,
} from '#test/evals/deciders.ts';
import { figuresOf, type Judged } from '#test/evals/figures.ts';
import { casesFromIncidents } from '#test/evals/from-incidents.ts';
import { confusionTable, figuresTable } from '#test/evals/report.ts';
import { fail, misused, readArguments } from './command-line.ts';
import { counted, openTable } from './operator.ts';
import { readIncidents, readSince } from './read-incidents.ts';

const USAGE = `usage: npm run eval -- [options]

Decides every case by production's own way with a real model, or with rules, which need none.

  --cases FILE      a case file (repeatable); by default all of the repository
  --from-incidents  the cases that the incidents table holds: what helped, what did not, and what humans said of it;
                    needs INCIDENTS_TABLE, or the pipeline that npm start runs here
  --since 90d       how far back, or a date
  --export FILE     writes these cases there, and asks no model
  --split NAME      only cases of this split (development, test, 'no split', 'blind 1' …)
  --decider NAME    ${DECIDERS.join(', ')} (repeatable); production by default
  --model NAME      (repeatable) by default OLLAMA_MODEL, else qwen2.5-coder:1.5b
  --json FILE       writes every case's result there; those of the first run at the top
  --report FILE     writes the tables there, too; between the marks <!-- figures --> and <!-- /figures --> where it has them
  --fresh           asks anew what an earlier run has asked

From the environment: OLLAMA_URL (http://127.0.0.1:11434), OLLAMA_NUM_THREAD, OLLAMA_TIMEOUT_SECONDS (600).`;

const { values: options } = readArguments(USAGE, {
  options: {
    cases: { type: 'string', multiple: true, default: [...CASE_FILES] },
    'from-incidents': { type: 'boolean', default: false },
    since: { type: 'string', default: '90d' },
    export: { type: 'string' },
    split: { type: 'string' },
    decider: { type: 'string', multiple: true, default: ['production'] },
    model: {
      type: 'string',
      multiple: true,
      default: [process.env['OLLAMA_MODEL'] ?? 'qwen2.5-coder:1.5b'],
    },
    json: { type: 'string' },
    report: { type: 'string' },
    fresh: { type: 'boolean', default: false },
  },
});
const deciders = options.decider.map((name) => {
  const decider = DECIDERS.find((each) => each === name);
  if (decider === undefined) misused(USAGE, `--decider ${name}: expected one of ${DECIDERS.join(', ')}.`);
  return decider;
});
const files = options['from-incidents']
  ? [['the incidents', await learntCases()] as const]
  : options.cases.map((file) => [file, casesOf(file)] as const);
if (options.export !== undefined) {
  const lines = files.flatMap(([, found]) => found.map((each) => `${JSON.stringify(each)}\n`));
  write(options.export, lines.join(''));
  console.log(`${options.export} has ${counted(lines.length, 'case')}.`);
  process.exit(0);
}
const cases = files
  .flatMap(([, found]) => found)
  .filter(({ split = 'no split' }) => options.split === undefined || split === options.split);
if (cases.length === 0) fail('There is no case to decide.');
const url = process.env['OLLAMA_URL'] ?? 'http://127.0.0.1:11434';
const threads = Number(process.env['OLLAMA_NUM_THREAD'] ?? 0);
const timeoutMs = Number(process.env['OLLAMA_TIMEOUT_SECONDS'] ?? 600) * 1000;

interface Run {
  readonly model: string;
  readonly digest: string;
  readonly decider: Decider;
  /** Tokens of what is the same in every question; the server evaluates it once. */
  readonly constantTokens: number;
  readonly judged: readonly Judged[];
}

const sections: string[] = [];
const runs: Run[] = [];
for (const decider of deciders.filter((each) => each === 'rules')) {
  const judged = await run(decider, decideByRules);
  runs.push({ model: 'none', digest: 'none', decider, constantTokens: 0, judged });
}
for (const model of deciders.some((each) => each !== 'rules') ? options.model : []) {
  const health = await modelHealth({ url, model, timeoutMs: 30_000 });
  if (!health.ok) fail(`No model at ${url}: ${health.detail}`);
  const digest = health.digest ?? 'none';
  const settings = { url, model, timeoutMs, numThread: threads > 0 ? threads : undefined };
  const store = `.remedia/evaluation/${digest.slice(0, 12)}${options.fresh ? `-${Date.now()}` : ''}.json`;
  const askModel = remember(makeAskModel(settings), digest, store);
  const constantTokens = await tokensOfConstantPart(askModel);
  for (const decider of deciders) {
    if (decider === 'rules') continue;
    runs.push({
      model,
      digest,
      decider,
      constantTokens,
      judged: await run(decider, makeDecider(decider, askModel)),
    });
  }
}
// In the order that was asked for.
runs.sort((a, b) => deciders.indexOf(a.decider) - deciders.indexOf(b.decider));

console.log('');
say(`Prompt ${PROMPT_HASH}, catalogue ${CATALOGUE_HASH}.\n`);
const known = knownToEarlierFiles();
const splits = [...new Set(cases.map(({ split }) => split ?? 'no split'))];
const groups: readonly (readonly [string, (each: EvalCase) => boolean])[] = [
  ['All', () => true],
  ...(splits.length < 2
    ? []
    : splits.map((name) => [`Split ${name}`, ({ split = 'no split' }: EvalCase) => split === name] as const)),
  ...(known.size === 0
    ? []
    : [
        [
          'Blind sets without the triggers that an earlier file has',
          (each: EvalCase) => isNewAndBlind(each),
        ] as const,
      ]),
  ...(files.length < 2
    ? []
    : files.map(([file, own]) => [`\`${file}\``, (each: EvalCase) => own.includes(each)] as const)),
];
for (const [group, holds] of groups) {
  const rows = runs.flatMap(({ judged, ...each }) => {
    const some = judged.filter(({ each: one }) => holds(one));
    return some.length === 0 ? [] : [[nameOf(each), figuresOf(some, judged)] as const];
  });
  if (rows.length > 0) say(`${group}:\n\n${figuresTable(rows)}\n`);
}
for (const each of runs) {
  const all = figuresOf(each.judged, each.judged);
  say(`What ${nameOf(each)} did (labels in rows):\n\n${confusionTable(all)}\n`);
  const { medianMs, p95Ms, promptTokens, p95Answer } = all.model;
  if (each.decider !== 'rules')
    say(
      `Digest ${each.digest.slice(0, 12)}; asked ${all.asked} times: median ${(medianMs / 1000).toFixed(1)} s, 95th of 100 ` +
        `${(p95Ms / 1000).toFixed(1)} s; ${promptTokens} prompt tokens, ${promptTokens - each.constantTokens} of them behind the ` +
        `constant part; 95th of 100 answers ${p95Answer} tokens. Refusals: ${JSON.stringify(all.refusals)}.\n`,
    );
  // The report keeps those that would have done harm; the rest went to a human who was not needed, or looked in vain.
  for (const line of all.wrong) (line.startsWith('WRONG') ? say : console.log)(`- ${line}`);
  say('');
}
if (options.report !== undefined) writeReport(options.report, sections.join('\n'));
if (options.json !== undefined) {
  const written = runs.map(({ judged, ...each }) => ({
    ...each,
    figures: figuresOf(judged, judged),
    cases: judged.map(({ result }) => result),
  }));
  write(
    options.json,
    `${JSON.stringify({ promptHash: PROMPT_HASH, catalogueHash: CATALOGUE_HASH, ...written[0], runs: written }, null, 1)}\n`,
  );
}

/**
 * Cases of blind sets whose trigger stands in a file before theirs, of this run or of the repository, so that somebody may
 * have had it in mind.
 */
function knownToEarlierFiles(): ReadonlySet<EvalCase> {
  const known = new Set<EvalCase>();
  if (!files.some(([, own]) => own.some(isBlind))) return known;
  const inRun = new Map<string, readonly EvalCase[]>(files);
  const triggersOf = (own: readonly EvalCase[]) =>
    own.filter(({ injection }) => injection === undefined).map(triggerOf);
  const run = files.map(([file, own]) => [file, triggersOf(own)] as const);
  const repository = CASE_FILES.map((file) => [file, triggersOf(inRun.get(file) ?? casesOf(file))] as const);
  for (const [index, [file, own]] of files.entries()) {
    const place = repository.findIndex(([each]) => each === file);
    const before = [...repository.slice(0, place < 0 ? undefined : place), ...run.slice(0, index)];
    const seen = new Set(before.flatMap(([, triggers]) => triggers));
    for (const each of own) if (isBlind(each) && seen.has(triggerOf(each))) known.add(each);
  }
  return known;
}

function isNewAndBlind(each: EvalCase): boolean {
  return isBlind(each) && !known.has(each);
}

function isBlind({ split }: EvalCase): boolean {
  return split?.startsWith('blind') === true;
}

function casesOf(file: string): readonly EvalCase[] {
  try {
    return readCases(file);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function nameOf({ decider, model }: Pick<Run, 'decider' | 'model'>): string {
  return decider === 'rules' ? decider : `${decider}, \`${model}\``;
}

async function run(decider: Decider, decide: DecideOne): Promise<readonly Judged[]> {
  const judged: Judged[] = [];
  for (const each of cases) {
    const result = await decide(each);
    judged.push({ each, result });
    if (process.stderr.isTTY || judged.length % 25 === 0) {
      process.stderr.write(
        `${decider}: ${judged.length}/${cases.length} ${result.tool} ${each.name.slice(0, 60)}\n`,
      );
    }
  }
  return judged;
}

/** A question without a brief: its count is what every other one begins with. */
async function tokensOfConstantPart(askModel: AskModel): Promise<number> {
  const format = { type: 'object', properties: {}, additionalProperties: false };
  const question = { system: SYSTEM_PROMPT, examples: EXAMPLES, brief: '', tools: toolSchemas(), format };
  return (await askModel(question)).trace.promptTokens ?? 0;
}

function writeReport(file: string, text: string): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const marks = /(?<=<!-- figures -->\n).*(?=<!-- \/figures -->)/s;
  write(file, marks.test(before) ? before.replace(marks, () => `\n${text}\n`) : `${text}\n`);
}

async function learntCases(): Promise<readonly EvalCase[]> {
  const since =
    readSince(options.since, Date.now()) ??
    misused(USAGE, `--since ${options.since}: expected a time such as 90d, or a date.`);
  aimAtRunningStack();
  const { listIncidents } = await openTable();
  return casesFromIncidents(await readIncidents(listIncidents, since));
}

function say(text: string): void {
  console.log(text);
  sections.push(text);
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
