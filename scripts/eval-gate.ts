/** `npm run eval:gate`: a fixed part of the cases with a real model; fails on a wrong disruptive action, or below the published figures. */
import { writeFileSync } from 'node:fs';
import { makeAskModel, modelHealth } from '#lib/adapters/ollama.ts';
import { GATE_FILES, readCases } from '#test/evals/cases.ts';
import { CATALOGUE_HASH, makeDecider, PROMPT_HASH, remember } from '#test/evals/deciders.ts';
import { figuresOf, type Judged } from '#test/evals/figures.ts';
import { failuresOf, gateSample, PUBLISHED_FILE, publishedOf, readPublished } from '#test/evals/gate.ts';
import { figuresTable } from '#test/evals/report.ts';
import { fail, readArguments, readNumber } from './command-line.ts';

const USAGE = `usage: npm run eval:gate -- [--sample N] [--minutes N] [--fresh] [--publish]

Decides a fixed part of the cases with the Ollama at OLLAMA_URL, and ends with 1 on one wrong disruptive action, or when the
share of acceptable decisions or of right actions is below the 95 % interval of the published one, which is in
${PUBLISHED_FILE}. Without OLLAMA_URL it skips, aloud.

  --sample N   so many cases, 60 by default
  --minutes N  begins no case after so many minutes, 9 by default; with fewer than half of the cases it fails
  --fresh      asks anew what an earlier run has asked
  --publish    writes what was measured now to ${PUBLISHED_FILE}

From the environment: OLLAMA_URL, OLLAMA_MODEL (qwen2.5-coder:1.5b), OLLAMA_NUM_THREAD, OLLAMA_TIMEOUT_SECONDS (600).`;

const { values: options } = readArguments(USAGE, {
  options: {
    sample: { type: 'string', default: '60' },
    minutes: { type: 'string', default: '9' },
    fresh: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
  },
});
const began = performance.now();
const sample = readNumber(USAGE, '--sample', options.sample, [1, 100_000]);
const until = began + readNumber(USAGE, '--minutes', options.minutes, [1, 10_000]) * 60_000;
const url = process.env['OLLAMA_URL'];
if (!url) {
  console.error('SKIPPED, nothing was measured: set OLLAMA_URL (and OLLAMA_MODEL) to a real Ollama.');
  process.exit(process.env['REMEDIA_REQUIRE_REAL'] === '1' ? 1 : 0);
}
const model = process.env['OLLAMA_MODEL'] ?? 'qwen2.5-coder:1.5b';
const threads = Number(process.env['OLLAMA_NUM_THREAD'] ?? 0);
const timeoutMs = Number(process.env['OLLAMA_TIMEOUT_SECONDS'] ?? 600) * 1000;
const health = await modelHealth({ url, model, timeoutMs: 30_000 });
if (!health.ok) fail(`No model at ${url}: ${health.detail}`);
const digest = health.digest ?? 'none';
const before = readPublished();
if (before === undefined && !options.publish) fail(`${PUBLISHED_FILE} is missing: see --publish`);

const cases = gateSample(GATE_FILES.flatMap(readCases), sample);
const ask = makeAskModel({ url, model, timeoutMs, numThread: threads > 0 ? threads : undefined });
const store = `.remedia/evaluation/${digest.slice(0, 12)}${options.fresh ? `-${Date.now()}` : ''}.json`;
const decide = makeDecider('production', remember(ask, digest, store));
const judged: Judged[] = [];
for (const each of cases) {
  if (performance.now() > until) break;
  judged.push({ each, result: await decide(each) });
  if (judged.length % 10 === 0) process.stderr.write(`${judged.length}/${cases.length}\n`);
}
const figures = figuresOf(judged, judged);
console.log(figuresTable([[`${model}, a fixed ${judged.length}`, figures]]));
console.log(
  `\nThe model was asked ${figures.asked} times; ${((performance.now() - began) / 1000).toFixed(0)} s.`,
);
for (const line of figures.wrong) console.log(`- ${line}`);
if (judged.length < cases.length) {
  console.error(`Only ${judged.length} of ${cases.length} cases were decided in ${options.minutes} minutes.`);
  if (judged.length < cases.length / 2 || options.publish) fail('That is too few.');
}
if (options.publish) {
  const about = {
    model,
    digest: digest.slice(0, 12),
    promptHash: PROMPT_HASH,
    catalogueHash: CATALOGUE_HASH,
  };
  writeFileSync(PUBLISHED_FILE, `${JSON.stringify(publishedOf(figures, about), null, 2)}\n`);
  console.log(`Published in ${PUBLISHED_FILE}.`);
} else if (before?.promptHash !== PROMPT_HASH || before.catalogueHash !== CATALOGUE_HASH) {
  console.error('The prompt or the catalogue is another than that of the published figures.');
}
const failures = failuresOf(figures, readPublished() ?? fail(`${PUBLISHED_FILE} is missing`));
for (const failure of failures) console.error(`GATE: ${failure}`);
process.exit(failures.length > 0 ? 1 : 0);
