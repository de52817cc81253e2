/** A real Ollama with a real small model: the contract, each of the tools, the prefix cache, and what leaving does. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { makeAskModel, modelHealth } from '#lib/adapters/ollama.ts';
import { CONTEXT_TOKENS } from '#lib/core/brief.ts';
import { readAnswer } from '#lib/core/read-answer.ts';
import { questionAbout } from '#test/builders/questions.ts';
import { alertOf, triggerNamed } from '#test/builders/triggers.ts';
import { describeModel } from '#test/contracts/model.contract.ts';
import { realPart } from './real-part.ts';

const real = realPart('Ollama', ['OLLAMA_URL']);
const url = real?.OLLAMA_URL ?? 'http://127.0.0.1:1';
const model = process.env['OLLAMA_MODEL'] || 'qwen2.5-coder:1.5b';
const threads = Number(process.env['OLLAMA_NUM_THREAD'] ?? 0);
const numThread = threads > 0 ? threads : undefined;
/** On a busy machine a cold evaluation of the constant part takes minutes; nothing here measures how fast it is. */
const PATIENCE_MS = 840_000;
vi.setConfig({ testTimeout: 4 * PATIENCE_MS, hookTimeout: PATIENCE_MS });

const ask = makeAskModel({ url, model, timeoutMs: PATIENCE_MS, numThread });
const about = (name: string) => questionAbout(alertOf(triggerNamed(name)));

/** What the adapter sends besides the question: other options would load the model anew. */
const options = {
  temperature: 0,
  num_ctx: CONTEXT_TOKENS,
  ...(numThread !== undefined && { num_thread: numThread }),
};
const post = (body: object, signal?: AbortSignal) =>
  fetch(`${url}/api/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, ...body }),
    signal: signal ?? AbortSignal.timeout(PATIENCE_MS),
  });

describe.skipIf(!real)('a real Ollama', () => {
  beforeAll(async () => {
    await ask(about('Systemd: nginx.service: Service is not running').question);
  });

  describeModel(`${model} on a real server`, async () => ({
    askModel: ask,
    askMissing: makeAskModel({ url, model: 'no-such-model:1b', timeoutMs: PATIENCE_MS }),
    askTooShort: makeAskModel({ url, model, timeoutMs: 50, numThread }),
  }));

  it.each([
    ['cleanup_disk', 'Linux: FS [/]: Running out of free inodes (free < 20%)', { path: '/' }],
    ['restart_service', 'PostgreSQL: Service is down', { service_name: 'postgresql' }],
    ['analyze_processes', 'Windows: CPU queue length is too high (over 3 for 5m)', { resource_type: 'cpu' }],
    [
      'restart_application',
      'Docker: Container /billing-worker: Container has been stopped with error code',
      { app_name: 'billing-worker' },
    ],
  ] as const)('calls %s about "%s", which is in no example', async (tool, name, given) => {
    const { question, grounding } = about(name);
    expect(readAnswer(await ask(question), grounding)).toEqual({
      kind: 'proposal',
      tool,
      arguments: given,
    });
  });

  it('asks for a human where nothing else is possible, in a sentence of its own', async () => {
    const { question, grounding } = about('Linux: /etc/passwd has been changed');
    expect(grounding.eligible).toEqual([]);
    const read = readAnswer(await ask(question), grounding);
    expect(read).toMatchObject({ kind: 'proposal', tool: 'notify' });
    expect(read.kind === 'proposal' && read.arguments['message']).toMatch(/\w{3,}/);
  });

  it('asks for a human where a tool is possible and an example says that one should look', async () => {
    const clock = alertOf(triggerNamed('Linux: Load average is too high (per CPU load over 1.5 for 5m)'), {
      trigger: { id: '25213', nameOrig: 'TiDB: Too many time jump backs' },
      item: { key: 'tidb.monitor_time_jump_back.rate' },
      tags: [
        { tag: 'class', value: 'database' },
        { tag: 'target', value: 'tidb' },
        { tag: 'component', value: 'system' },
        { tag: 'scope', value: 'performance' },
      ],
    });
    const { question, grounding } = questionAbout(clock);
    expect(grounding.eligible).toHaveLength(1);
    expect(readAnswer(await ask(question), grounding)).toMatchObject({ kind: 'proposal', tool: 'notify' });
  });

  it('has the digest, the capabilities and the context that health tells of', async () => {
    expect(await modelHealth({ url, model, timeoutMs: 60_000 })).toMatchObject({
      ok: true,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      capabilities: expect.arrayContaining(['completion']),
      loaded: true,
    });
  });

  it('names a model that is missing', async () => {
    const missing = makeAskModel({ url, model: 'no-such-model:1b', timeoutMs: 60_000 });
    await expect(missing(about('HAProxy: Service is down').question)).rejects.toThrow(/no-such-model:1b/);
  });

  it('evaluates the constant part once, and for the next alert its brief alone', async () => {
    const measure = async () => {
      // Anything else throws the constant part out.
      const other = 'Tell me about the history of lighthouses, one century after the other. '.repeat(8);
      const cold = { stream: false, messages: [{ role: 'user', content: other }] };
      await (await post({ ...cold, options: { ...options, num_predict: 1 } })).text();
      const first = (await ask(about('HAProxy: Service is down').question)).trace;
      const second = (await ask(about('MySQL: Service is down').question)).trace;
      // The count is of all tokens, whether evaluated or not.
      expect(Math.abs((first.promptTokens ?? 0) - (second.promptTokens ?? 0))).toBeLessThan(100);
      return (first.promptMilliseconds ?? 0) / (second.promptMilliseconds ?? 1);
    };
    const ratios = [await measure()];
    // Others use the cores, too: only the measurement is repeated, and then its median counts.
    if ((ratios[0] ?? 0) < 3) ratios.push(await measure(), await measure());
    const median = ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 0;
    console.log(`cold to warm: ${ratios.map((ratio) => ratio.toFixed(1)).join(', ')}`);
    expect(median).toBeGreaterThanOrEqual(3);
  });

  it('stops to generate when its client leaves, and serves the next one', async () => {
    const LONG = 400;
    const endless = {
      messages: [{ role: 'user', content: 'Write all numbers from 1 to 2000, separated by commas.' }],
      options: { ...options, num_predict: LONG },
    };
    // What it takes when nobody leaves; it does not end by itself before.
    const whole = z
      .object({ eval_count: z.number(), eval_duration: z.number() })
      .parse(await (await post({ ...endless, stream: false })).json());
    expect(whole.eval_count).toBe(LONG);
    const wholeMs = whole.eval_duration / 1e6;

    const leaving = new AbortController();
    const response = await post(endless, leaving.signal);
    const reader = response.body?.getReader();
    for (let chunks = 0; chunks < 15; chunks += 1) {
      const chunk = await reader?.read();
      expect(chunk?.done).toBe(false);
    }

    leaving.abort();
    const left = performance.now();
    const next = await post({
      stream: false,
      messages: [{ role: 'user', content: 'Say yes.' }],
      options: { ...options, num_predict: 1 },
    });

    expect(z.object({ done: z.literal(true) }).parse(await next.json())).toEqual({ done: true });
    // Were it still generating, its only slot would be taken for nearly as long as the whole.
    const waited = performance.now() - left;
    console.log(`served ${Math.round(waited)} ms after; the whole takes ${Math.round(wholeMs)} ms`);
    expect(waited).toBeLessThan(wholeMs / 2);
  });
});
