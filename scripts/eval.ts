/** `npm run eval`: decides every case by production's own way with a real model, and says what that is worth. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { makeAskModel, modelHealth } from '#lib/adapters/ollama.ts';
import { toolSchemas } from '#lib/core/answer-format.ts';
import { EXAMPLES, SYSTEM_PROMPT } from '#lib/core/brief.ts';
import { hashOf } from '#lib/core/canonical-json.ts';
import { CASE_FILES, type EvalCase, readCases } from '#test/evals/cases.ts';
import { DECIDERS, type Decider, makeDecider, remember } from '#test/evals/deciders.ts';
import { figuresOf, type Judged } from '#test/evals/figures.ts';
import { confusionTable, figuresTable } from '#test/evals/report.ts';

const help = `Decides every case by production's own way with a real model.

  --cases FILE      a case file (repeatable); by default all of the repository
  --split NAME      only cases of this split (development, test)
  --decider NAME    ${DECIDERS.join(', ')} (repeatable); production by default
  --model NAME      by default OLLAMA_MODEL, else qwen2.5-coder:1.5b
  --json FILE       writes every case's result there
  --report FILE     writes the tables there, too
  --fresh           asks anew what an earlier run has asked

From the environment: OLLAMA_URL (http://127.0.0.1:11434), OLLAMA_NUM_THREAD, OLLAMA_TIMEOUT_SECONDS (600).`;

const { values: options } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    cases: { type: 'string', multiple: true, default: [...CASE_FILES] },
    split: { type: 'string' },
    decider: { type: 'string', multiple: true, default: ['production'] },
    model: { type: 'string', default: process.env['OLLAMA_MODEL'] ?? 'qwen2.5-coder:1.5b' },
    json: { type: 'string' },
    report: { type: 'string' },
    fresh: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(help);
  process.exit(0);
}
const deciders = options.decider.map((name) => {
  const decider = DECIDERS.find((each) => each === name);
  if (decider === undefined) fail(`--decider ${name}: expected one of ${DECIDERS.join(', ')}`);
  return decider;
});
const files = options.cases.map((file) => [file, readCases(file)] as const);
const cases = files
  .flatMap(([, found]) => found)
  .filter(({ split }) => options.split === undefined || split === options.split);
const needsModel = deciders.some((decider) => decider !== 'rules');
const url = process.env['OLLAMA_URL'] ?? 'http://127.0.0.1:11434';
const threads = Number(process.env['OLLAMA_NUM_THREAD'] ?? 0);
const timeoutMs = Number(process.env['OLLAMA_TIMEOUT_SECONDS'] ?? 600) * 1000;
const health = needsModel ? await modelHealth({ url, model: options.model, timeoutMs: 30_000 }) : undefined;
if (health?.ok === false) fail(`No model at ${url}: ${health.detail}`);
const digest = health?.digest ?? 'none';
const promptHash = hashOf({ SYSTEM_PROMPT, EXAMPLES }).slice(0, 12);
const catalogueHash = hashOf(toolSchemas()).slice(0, 12);

const settings = { url, model: options.model, timeoutMs, numThread: threads > 0 ? threads : undefined };
const store = `.remedia/evaluation/${digest.slice(0, 12)}${options.fresh ? `-${Date.now()}` : ''}.json`;
const askModel = remember(makeAskModel(settings), digest, store);

const sections: string[] = [];
const judgedBy = new Map<Decider, readonly Judged[]>();
for (const decider of deciders) judgedBy.set(decider, await run(decider, cases));

console.log('');
say(
  `model ${options.model}, digest ${digest.slice(0, 12)}, prompt ${promptHash}, catalogue ${catalogueHash}`,
);
for (const [decider, judged] of judgedBy) {
  const groups = ['all', ...files.map(([file]) => file)];
  const rows = groups.flatMap((group) => {
    const own = files.find(([file]) => file === group)?.[1];
    const some = judged.filter(({ each }) => own === undefined || own.includes(each));
    return some.length === 0 ? [] : [[group, figuresOf(some, judged)] as const];
  });
  const all = figuresOf(judged, judged);
  const { medianMs, p95Ms, promptTokens, p95Answer } = all.model;
  say(`\n## ${decider}\n\n${figuresTable(rows)}\n\n${confusionTable(all)}\n`);
  say(
    `Asked the model ${all.asked} times: median ${(medianMs / 1000).toFixed(1)} s, p95 ${(p95Ms / 1000).toFixed(1)} s, ` +
      `${promptTokens} prompt tokens, p95 of the answer ${p95Answer} tokens. Refusals: ${JSON.stringify(all.refusals)}.`,
  );
  for (const line of all.wrong) say(`- ${line}`);
}
if (options.report !== undefined) write(options.report, `${sections.join('\n')}\n`);
if (options.json !== undefined) {
  const runs = [...judgedBy].map(([decider, judged]) => ({
    decider,
    figures: figuresOf(judged, judged),
    cases: judged.map(({ result }) => result),
  }));
  const [first] = runs;
  write(
    options.json,
    `${JSON.stringify({ model: options.model, digest, promptHash, catalogueHash, ...first, runs }, null, 1)}\n`,
  );
}

async function run(decider: Decider, all: readonly EvalCase[]): Promise<readonly Judged[]> {
  const decide = makeDecider(decider, askModel);
  const judged: Judged[] = [];
  for (const each of all) {
    const result = await decide(each);
    judged.push({ each, result });
    if (process.stderr.isTTY || judged.length % 25 === 0) {
      process.stderr.write(
        `${decider}: ${judged.length}/${all.length} ${result.tool} ${each.name.slice(0, 60)}\n`,
      );
    }
  }
  return judged;
}

function say(text: string): void {
  console.log(text);
  sections.push(text);
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function fail(text: string): never {
  console.error(text);
  process.exit(2);
}
