/** Stands between Remedia and Ollama, passes everything on, and keeps what Ollama itself says of each answer. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import * as z from 'zod';

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
export async function startListeningProxy(
  target: string,
  answered: (facts: Answered) => void,
): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString('utf8');
      const passed = await fetch(new URL(request.url ?? '/', target), {
        method: request.method ?? 'GET',
        ...(body !== '' && { body }),
      });
      const text = await passed.text();
      if (request.url === '/api/chat' && passed.ok) answered(factsOf(body, text));
      response.writeHead(passed.status, { 'content-type': 'application/json' }).end(text);
    } catch {
      response.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listens on no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
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
