/** Ollama: asks the model for one call, and tells whether the model is there and which one it is. */
import { Ollama } from 'ollama';
import * as z from 'zod';
import { ANSWER_TOKENS, CONTEXT_TOKENS } from '#lib/core/brief.ts';
import { readingProbabilities } from '#lib/core/reading-certainty.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { AskModel, ModelAnswer } from '#lib/workflow/ports.ts';
import { exchange } from './http-exchange.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const MAX_BYTES = 4_194_304;
const MAX_KEPT_ANSWER = 4_000;
/** Loading a model costs more than any answer; without it Ollama unloads after 5 minutes. */
const KEEP_ALIVE = '1h';

export interface OllamaSettings {
  readonly url: string;
  /** As Ollama calls it, such as `qwen2.5-coder:1.5b`; `@sha256:5c8e…` behind it pins the digest, or its beginning. */
  readonly model: string;
  /** For everything that one question takes, loading the model included. */
  readonly timeoutMs: number;
  /** Only where other jobs share the cores; another value than before makes Ollama load the model anew. */
  readonly numThread?: number | undefined;
  /** Hears, once for each digest, that another model answers than the pinned one, or than the one before. */
  readonly sayDrift?: ((text: string) => void) | undefined;
}

// What of Ollama's answers is relied on; the rest may change.
const chatAnswer = z.object({
  model: z.string().optional(),
  message: z.object({
    content: z.string().default(''),
    tool_calls: z
      .array(z.object({ function: z.object({ name: z.string(), arguments: z.unknown() }) }))
      .nullish()
      .transform((calls) => calls ?? []),
  }),
  done_reason: z.string().default('unknown'),
  prompt_eval_count: z.int().optional(),
  prompt_eval_duration: z.number().optional(),
  eval_count: z.int().optional(),
  // Since Ollama 0.12.11.
  logprobs: z
    .array(
      z.object({
        token: z.string(),
        top_logprobs: z.array(z.object({ token: z.string(), logprob: z.number() })).nullish(),
      }),
    )
    .nullish()
    .transform((tokens) => tokens ?? []),
});
const shown = z.object({
  capabilities: z.array(z.string()).optional(),
  model_info: z.record(z.string(), z.unknown()).nullish(),
});
const listed = z.object({
  models: z
    .array(z.object({ name: z.string(), digest: z.string().optional() }))
    .nullish()
    .transform((models) => models ?? []),
});

/** The error of a status; `text` is the server's answer, of which only a short plain sentence is kept. */
function errorOfStatus(status: number, text: string, model: string): UpstreamError {
  const said = z.object({ error: z.string() }).safeParse(parseJson(text)).data?.error ?? '';
  const why = said.replaceAll(/[\p{Cc}\s]+/gu, ' ').slice(0, 160);
  const error = (code: string, detail: string, retry: boolean) =>
    new UpstreamError('ollama', code, detail, { sent: 'yes', retry });
  if (status === 404) return error('model_missing', `the server does not have the model ${model}`, false);
  if (status === 503 || status === 429) return error('busy', `the server is busy (${status})`, true);
  if (status === 403 && text === '') {
    const host = "the server refuses the host name in its URL: use its address, or set Ollama's OLLAMA_HOST";
    return error('failed', host, false);
  }
  return error('failed', `the server answered ${status}${why === '' ? '' : `: ${why}`}`, status >= 500);
}

/**
 * `fetch` as the client takes it, on a connection of its own: giving up closes it, and then Ollama stops to generate.
 * Errors become UpstreamErrors here, for the client would print them.
 */
function fetchFor(model: string, deadline: number): typeof fetch {
  return async (input, init) => {
    const result = await exchange({
      method: init?.method === 'POST' ? 'POST' : 'GET',
      url: new URL(input instanceof Request ? input.url : input),
      headers: Object.fromEntries(new Headers(init?.headers)),
      ...(typeof init?.body === 'string' && { body: init.body }),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      timeoutMs: Math.max(1, deadline - performance.now()),
      maxBytes: MAX_BYTES,
    });
    if (result.kind === 'answer') {
      if (result.status !== 200) throw errorOfStatus(result.status, result.text, model);
      return new Response(result.text, { headers: { 'content-type': 'application/json' } });
    }
    if (result.kind === 'never_connected') {
      throw new UpstreamError('ollama', 'refused', `no connection (${result.code})`, {
        sent: 'no',
        retry: !result.certificate,
      });
    }
    const late = result.code === 'TIMED_OUT';
    throw new UpstreamError(
      'ollama',
      late ? 'timed_out' : 'failed',
      late ? 'no answer in time' : `the connection broke (${result.code})`,
      { sent: 'unknown', retry: true },
    );
  };
}

/** Whatever the client throws besides, such as on an answer that is no JSON. */
function asUpstream(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  return new UpstreamError('ollama', 'failed', 'the answer is not one of Ollama', {
    sent: 'yes',
    retry: true,
    cause: error,
  });
}

function checked<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw asUpstream(parsed.error);
  return parsed.data;
}

/**
 * Asks with the same options every time, since other ones make Ollama load the model anew. The question's constant part
 * comes first, so that the server evaluates it once. Throws UpstreamError `model_missing`, `busy`, `timed_out`,
 * `refused` or `failed`; after `timeoutMs` the connection is closed, which ends the generation.
 */
export function makeAskModel(settings: OllamaSettings): AskModel {
  const { url, timeoutMs, numThread, sayDrift } = settings;
  const { model, digest: wanted } = pinned(settings.model);
  let capabilities: readonly string[] | undefined;
  let before: string | undefined;
  return async (question) => {
    const began = performance.now();
    const client = new Ollama({ host: url, fetch: fetchFor(model, began + timeoutMs) });
    try {
      const digest = digestOf(checked(listed, await client.list()).models, model);
      if (digest !== before) {
        const drift = whatDrifted(model, { wanted, before, digest });
        if (drift !== undefined) sayDrift?.(drift);
        // What it can do may be another thing, too.
        if (before !== undefined) capabilities = undefined;
        before = digest;
      }
      capabilities ??= checked(shown, await client.show({ model })).capabilities ?? ['tools'];
      const request = {
        model,
        stream: false as const,
        messages: [
          { role: 'system', content: question.system },
          ...question.examples,
          { role: 'user', content: question.brief },
        ],
        ...(capabilities.includes('tools') && { tools: question.tools.map(forClient) }),
        format: question.format,
        // A model that can think does so unless told not to; others refuse the word.
        ...(capabilities.includes('thinking') && { think: false }),
        keep_alive: KEEP_ALIVE,
        // A prompt that is too long is an error then; by default text is dropped in silence. Older servers ignore it.
        truncate: false,
        // How sure it is of its reading; older servers ignore it.
        logprobs: true,
        top_logprobs: 20,
        options: {
          temperature: 0,
          seed: 1,
          num_ctx: CONTEXT_TOKENS,
          num_predict: ANSWER_TOKENS,
          ...(numThread !== undefined && { num_thread: numThread }),
        },
      };
      const answer = checked(chatAnswer, await client.chat(request));
      return readChat(answer, { model, digest, totalMilliseconds: Math.round(performance.now() - began) });
    } catch (error) {
      throw asUpstream(error);
    }
  };
}

/** The client's type wants a mutable tool; the value is sent as it is. */
function forClient({
  function: { name, description, parameters },
}: Parameters<AskModel>[0]['tools'][number]) {
  return { type: 'function', function: { name, description, parameters: { ...parameters } } };
}

function readChat(
  answer: z.output<typeof chatAnswer>,
  facts: { readonly model: string; readonly digest: string | undefined; readonly totalMilliseconds: number },
): ModelAnswer {
  const { message, prompt_eval_count: promptTokens, eval_count: answerTokens } = answer;
  const nanoseconds = answer.prompt_eval_duration;
  const calls = message.tool_calls.map((call) => call.function);
  const readings = readingProbabilities(answer.logprobs);
  const raw = calls.length > 0 ? `${message.content}${JSON.stringify(calls)}` : message.content;
  return {
    toolCalls: calls,
    content: message.content,
    doneReason: answer.done_reason,
    trace: {
      model: answer.model ?? facts.model,
      ...(facts.digest !== undefined && { digest: facts.digest }),
      answer: raw.slice(0, MAX_KEPT_ANSWER),
      ...(promptTokens !== undefined && { promptTokens }),
      ...(nanoseconds !== undefined && { promptMilliseconds: Math.round(nanoseconds / 1e6) }),
      ...(answerTokens !== undefined && { answerTokens }),
      ...(readings !== undefined && { readings }),
      totalMilliseconds: facts.totalMilliseconds,
    },
  };
}

export interface ModelHealth {
  readonly ok: boolean;
  /** One sentence for an operator. */
  readonly detail: string;
  readonly digest?: string;
  /** Tokens that the model was made for. */
  readonly contextLength?: number;
  readonly capabilities?: readonly string[];
  /** Whether it is in memory now; otherwise the first answer also waits for loading it. */
  readonly loaded?: boolean;
}

/** Asks what the server knows of the model, without making it generate: that would cost the next decision its cache. */
export async function modelHealth(
  settings: Pick<OllamaSettings, 'url' | 'model' | 'timeoutMs'>,
): Promise<ModelHealth> {
  const { model, digest: wanted } = pinned(settings.model);
  const deadline = performance.now() + settings.timeoutMs;
  const client = new Ollama({ host: settings.url, fetch: fetchFor(model, deadline) });
  try {
    const { capabilities = [], model_info: info } = checked(shown, await client.show({ model }));
    const digest = digestOf(checked(listed, await client.list()).models, model);
    const running = checked(listed, await client.ps()).models;
    const loaded = running.some(({ name }) => sameModel(name, model));
    const length = Object.entries(info ?? {}).find(([key]) => key.endsWith('.context_length'))?.[1];
    const contextLength = typeof length === 'number' ? length : undefined;
    const facts = {
      ...(digest !== undefined && { digest }),
      ...(contextLength !== undefined && { contextLength }),
      capabilities,
      loaded,
    };
    const drift = whatDrifted(model, { wanted, digest });
    if (drift !== undefined) return { ok: false, detail: drift, ...facts };
    if (capabilities.length > 0 && !capabilities.some((each) => each === 'tools' || each === 'completion')) {
      const detail = `${model} cannot answer: it only knows ${capabilities.join(', ')}, and Remedia needs completion or tools`;
      return { ok: false, detail, ...facts };
    }
    if (contextLength !== undefined && contextLength < CONTEXT_TOKENS) {
      const detail = `${model} takes ${contextLength} tokens, and Remedia needs ${CONTEXT_TOKENS}`;
      return { ok: false, detail, ...facts };
    }
    const which = [
      model,
      ...(digest === undefined
        ? []
        : [`digest ${digest.slice(0, 12)}${wanted === undefined ? '' : ' as pinned'}`]),
      contextLength === undefined ? 'context length unknown' : `${contextLength} tokens`,
      capabilities.includes('tools') ? 'tools' : 'does not know tools, so it answers in text',
      loaded ? 'loaded' : 'not loaded yet',
    ];
    return { ok: true, detail: which.join(', '), ...facts };
  } catch (error) {
    return { ok: false, detail: asUpstream(error).message };
  }
}

/** One sentence when it is another model than the pinned one, or else than the one before. */
function whatDrifted(
  model: string,
  digests: {
    readonly wanted?: string | undefined;
    readonly before?: string | undefined;
    readonly digest: string | undefined;
  },
): string | undefined {
  const { wanted, before, digest } = digests;
  const now = digest?.slice(0, 12) ?? 'unknown';
  // Every digest begins with nothing.
  if (wanted === '')
    return `OLLAMA_MODEL pins ${model} without a digest: behind @sha256: its first hexadecimal digits are expected`;
  if (wanted !== undefined) {
    return digest?.startsWith(wanted) === true
      ? undefined
      : `${model} is not the pinned one: its digest is ${now}`;
  }
  return before === undefined || before === digest
    ? undefined
    : `${model} is another one than before: its digest was ${before.slice(0, 12)} and is ${now}`;
}

function pinned(name: string): { readonly model: string; readonly digest?: string } {
  const [model = name, digest] = name.split('@sha256:');
  return digest === undefined ? { model } : { model, digest: digest.toLowerCase() };
}

function digestOf(
  models: readonly { readonly name: string; readonly digest?: string | undefined }[],
  model: string,
): string | undefined {
  return models.find(({ name }) => sameModel(name, model))?.digest?.replace(/^sha256:/, '');
}

/** A name without a tag means `latest`. */
function sameModel(a: string, b: string): boolean {
  const full = (name: string) =>
    name.slice(name.lastIndexOf('/') + 1).includes(':') ? name : `${name}:latest`;
  return full(a) === full(b);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
