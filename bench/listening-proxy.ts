/** Stands between Remedia and Ollama, passes everything on, and keeps what Ollama itself says of each answer. */
import * as z from 'zod';
import { type Serving, serve } from './serve.ts';

/** What Ollama says of one answer. Milliseconds. */
export interface Answered {
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** Evaluation of what of the prompt was not in its cache. */
  readonly promptMs: number;
  /** All of it, loading the model included. */
  readonly totalMs: number;
  /** The whole request, to ask anything else with the same beginning. */
  readonly request: Readonly<Record<string, unknown>>;
}

// Nanoseconds: https://github.com/ollama/ollama/blob/main/docs/api.md
const chat = z.object({
  total_duration: z.number(),
  prompt_eval_count: z.number().default(0),
  prompt_eval_duration: z.number().default(0),
  eval_count: z.number().default(0),
});
const MILLION = 1e6;

/** Passes on to `target`; `answered` gets each answer of /api/chat. */
export function startListeningProxy(target: string, answered: (facts: Answered) => void): Promise<Serving> {
  return serve(async (request, body, response) => {
    const passed = await fetch(new URL(request.url ?? '/', target), {
      method: request.method ?? 'GET',
      ...(body !== '' && { body }),
    });
    const answer = await passed.text();
    if (request.url === '/api/chat' && passed.ok) answered(factsOf(body, answer));
    response.writeHead(passed.status, { 'content-type': 'application/json' }).end(answer);
  });
}

export function factsOf(request: string, answer: string): Answered {
  const said = chat.parse(JSON.parse(answer));
  return {
    promptTokens: said.prompt_eval_count,
    answerTokens: said.eval_count,
    promptMs: said.prompt_eval_duration / MILLION,
    totalMs: said.total_duration / MILLION,
    request: z.record(z.string(), z.unknown()).parse(JSON.parse(request)),
  };
}
