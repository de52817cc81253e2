/** `npm run bench:decide`: what a decision costs with a real model, and how much of it is not the model. */
import { makeAskModel, modelHealth } from '#lib/adapters/ollama.ts';
import { readCases } from '#test/evals/cases.ts';
import { decideCase } from '#test/evals/decide-case.ts';
import { evalPolicy } from '#test/evals/eval-policy.ts';
import { fail, readArguments, readNumber } from '../scripts/command-line.ts';
import { type Decision, decideTable, judgeDecide } from './decide-report.ts';
import { type Answered, startListeningProxy } from './listening-proxy.ts';
import { loadLine, machineLine } from './machine.ts';

const USAGE = `usage: npm run bench:decide -- [--alerts N] [--model NAME]

Decides alerts by production's own way with the Ollama at OLLAMA_URL; the table and the queues take no time.

  --alerts N     by default 12
  --model NAME   by default OLLAMA_MODEL, else qwen2.5-coder:1.5b

A time that misses what was promised is said aloud. Ends with 1 when no decision could be made.`;

const { values: options } = readArguments(USAGE, {
  options: {
    alerts: { type: 'string', default: '12' },
    model: { type: 'string', default: process.env['OLLAMA_MODEL'] ?? 'qwen2.5-coder:1.5b' },
  },
});
const alerts = readNumber(USAGE, '--alerts', options.alerts, [1, 1000]);

const TIMEOUT_MS = 600_000;
const CASES = 'test/fixtures/zabbix/labelled-triggers.jsonl';
const { model } = options;
const ollama = process.env['OLLAMA_URL'] ?? '';
if (ollama === '') fail('OLLAMA_URL is missing: this measures a real model.');
const health = await modelHealth({ url: ollama, model, timeoutMs: 30_000 });
if (!health.ok) fail(`No model at ${ollama}: ${health.detail}`);

console.log(machineLine());
console.log(`Model ${model}, digest ${health.digest?.slice(0, 12) ?? 'unknown'}`);

let last: Answered | undefined;
const proxy = await startListeningProxy(ollama, (facts) => {
  last = facts;
});
try {
  // A client for each alert would ask again what the model can do; a function asks once.
  const askModel = makeAskModel({ url: proxy.url, model, timeoutMs: TIMEOUT_MS });
  const wanted = alerts + 1;
  const decisions: Decision[] = [];
  await takeTheCache();
  for (const each of readCases(CASES)) {
    if (decisions.length >= wanted) break;
    last = undefined;
    const began = performance.now();
    await decideCase(each, askModel, evalPolicy(each.policy));
    const wholeMs = performance.now() - began;
    const said = answerOf();
    // The evidence of some makes nothing possible, and no model is asked.
    if (said === undefined) continue;
    const { totalMs: modelMs, promptMs, promptTokens, answerTokens } = said;
    decisions.push({ wholeMs, modelMs, promptMs, promptTokens, answerTokens });
    if (decisions.length === 1) continue;
    process.stderr.write(`${decisions.length - 1}/${wanted - 1} ${(wholeMs / 1000).toFixed(1)} s\n`);
  }
  const [cold, ...warm] = decisions;
  if (cold === undefined || warm.length === 0) fail('No alert was decided by the model.');
  const figures = { prefixTokens: await prefixTokens(), cold, warm };
  console.log(`\n${decideTable(figures)}\n`);
  console.log(`${warm.length} warm decisions; the constant prefix has ${figures.prefixTokens} tokens.`);
  for (const [promise, kept] of judgeDecide(figures)) console.log(`${kept ? 'kept  ' : 'MISSED'} ${promise}`);
  console.log(`load average now ${loadLine()}`);
} finally {
  proxy.close();
}

/** A function of its own, for the compiler believes that nobody else sets the variable. */
function answerOf(): Answered | undefined {
  return last;
}

/** Another prompt, after which nothing of Remedia's is in the server's cache; with the same options, or it loads anew. */
async function takeTheCache(): Promise<void> {
  await chat({
    model,
    stream: false,
    messages: [{ role: 'user', content: 'Say yes.' }],
    options: { num_ctx: 4096, num_predict: 1, temperature: 0, seed: 1 },
  });
}

/** Of a prompt whose own part is one letter; the few tokens that end every prompt count with the constant ones. */
async function prefixTokens(): Promise<number> {
  const { messages, options: asked, format: _, ...request } = answerOf()?.request ?? {};
  if (!Array.isArray(messages)) throw new Error('no question was made');
  await chat({
    ...request,
    messages: [...messages.slice(0, -1), { role: 'user', content: 'x' }],
    options: { ...(typeof asked === 'object' ? asked : {}), num_predict: 1 },
  });
  return (answerOf()?.promptTokens ?? 1) - 1;
}

async function chat(request: unknown): Promise<void> {
  const response = await fetch(`${proxy.url}/api/chat`, {
    method: 'POST',
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`Ollama answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}
