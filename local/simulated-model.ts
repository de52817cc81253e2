/** A SIMULATION of a language model behind Ollama's API: it picks the first possible tool of the brief, always the same. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import * as z from 'zod';

/** How the next chats go wrong; `times` is how often, for ever when absent. */
export type ModelFault = (
  | { readonly kind: 'status'; readonly status: number; readonly error?: string }
  /** Takes the question and never answers. */
  | { readonly kind: 'hang' }
  /** Cuts the connection instead of answering. */
  | { readonly kind: 'cut' }
  /** Prose instead of a call. */
  | { readonly kind: 'babble' }
  | { readonly kind: 'several_calls' }
  /** Ends in the middle of the answer, as `num_predict` makes it. */
  | { readonly kind: 'truncated' }
  /** An answer that is not Ollama's. */
  | { readonly kind: 'no_json' }
  /** Exactly this call, whatever was asked. */
  | { readonly kind: 'call'; readonly name: string; readonly arguments: unknown }
) & { readonly times?: number };

export interface SimulatedModelOptions {
  readonly port?: number;
  readonly host?: string;
  /** The models that are there; by default any name is. */
  readonly models?: readonly string[];
  readonly capabilities?: readonly string[];
  /** Where calls stand: small models write them as text. */
  readonly answersIn?: 'tool_calls' | 'content';
  /** The probability (0–1) that it gives to reading something else, for clients that ask for log probabilities. */
  readonly doubt?: number;
  /** Of every model, asked each time. */
  readonly digest?: () => string;
  /** How long an answer takes, in milliseconds. */
  readonly answerMs?: number;
  readonly print?: (line: string) => void;
}

export interface SimulatedModel {
  readonly url: string;
  readonly port: number;
  /** The bodies of all chats so far, in order. */
  chats(): readonly ChatRequest[];
  /** How many clients left before their answer. */
  abandoned(): number;
  setFault(fault: ModelFault | undefined): void;
  close(): Promise<void>;
}

const chatRequest = z.looseObject({
  logprobs: z.boolean().default(false),
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })).default([]),
  tools: z
    .array(
      z.object({
        function: z.object({
          name: z.string(),
          parameters: z.object({ required: z.array(z.string()).default([]) }),
        }),
      }),
    )
    .default([]),
  stream: z.boolean().default(true),
  options: z.record(z.string(), z.unknown()).default({}),
});
export type ChatRequest = z.infer<typeof chatRequest>;

interface Call {
  readonly name: string;
  readonly arguments: unknown;
}

const DIGEST = 'simulated'.padEnd(64, '0');

/**
 * What the simulation would do: the first possible tool of the brief, or a human when the same did not help before.
 * It reads no sense out of an alert; it only shows the way of one.
 */
function choose({ messages, tools }: ChatRequest): Call {
  const brief = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const [, tool = 'notify', value] = /^possible: ([a-z_]+)(?: ([^,]+))?/m.exec(brief) ?? [];
  const tried = [
    ...brief.matchAll(/^before: .*the same problem: ([a-z_]+) .*, (?:failed|unverifiable|unknown)/gm),
  ];
  const parameter = tools.find((each) => each.function.name === tool)?.function.parameters.required[0];
  if (value === undefined || parameter === undefined || tried.some(([, past]) => past === tool)) {
    return { name: 'notify', arguments: { message: 'The simulated model has no tool for this alert.' } };
  }
  return { name: tool, arguments: { [parameter]: value } };
}

/** Starts the simulation. Every line that it prints, and every answer that it gives, says that it is one. */
export async function startSimulatedModel(options: SimulatedModelOptions = {}): Promise<SimulatedModel> {
  const { capabilities = ['completion', 'tools'], answersIn = 'tool_calls', answerMs = 0, doubt } = options;
  const print = (line: string) => options.print?.(`[SIMULATED model] ${line}`);
  const chats: ChatRequest[] = [];
  let abandoned = 0;
  let fault: { readonly what: ModelFault; left: number } | undefined;

  const takeFault = (): ModelFault | undefined => {
    if (fault === undefined || fault.left <= 0) return undefined;
    fault.left -= 1;
    return fault.what;
  };
  const has = (model: string) => options.models === undefined || options.models.includes(model);
  const entry = (name: string) => ({
    name,
    model: name,
    digest: options.digest?.() ?? DIGEST,
    details: { family: 'SIMULATED' },
  });

  const server = createServer((request, response) => {
    response.on('close', () => {
      if (!response.writableFinished) abandoned += 1;
    });
    answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
      response.end(JSON.stringify(body));
    };
    const body = parseJson(await readText(request));
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const asked = z.object({ model: z.string() }).safeParse(body).data?.model ?? '';
    if (pathname === '/api/version') {
      send(200, { version: '0.0.0-SIMULATED' });
      return;
    }
    if (pathname === '/api/tags' || pathname === '/api/ps') {
      send(200, { models: (options.models ?? seen()).map(entry) });
      return;
    }
    if (pathname !== '/api/chat' && pathname !== '/api/show') {
      send(404, { error: 'not found' });
      return;
    }
    if (!has(asked)) {
      send(404, { error: `model '${asked}' not found` });
      return;
    }
    if (pathname === '/api/show') {
      known.add(asked);
      const info = { 'general.architecture': 'simulated', 'simulated.context_length': 32_768 };
      send(200, { capabilities, model_info: info, details: { family: 'SIMULATED' } });
      return;
    }
    const parsed = chatRequest.safeParse(body);
    if (!parsed.success) {
      send(400, { error: 'invalid request' });
      return;
    }
    chats.push(parsed.data);
    if (parsed.data.tools.length > 0 && !capabilities.includes('tools')) {
      send(400, { error: `${asked} does not support tools` });
      return;
    }
    chat(parsed.data, response, send);
  }

  function chat(
    question: ChatRequest,
    response: ServerResponse,
    send: (status: number, body: unknown) => void,
  ): void {
    const what = takeFault();
    if (what !== undefined) print(`makes a fault: ${what.kind}`);
    const call = choose(question);
    const text = JSON.stringify(call);
    const reply = (message: object, doneReason = 'stop') => {
      const promptTokens = Math.ceil(JSON.stringify(question.messages).length / 4);
      const whole = {
        model: `SIMULATED ${question.model}`,
        created_at: new Date().toISOString(),
        message: { role: 'assistant', content: '', ...message },
        done: true,
        done_reason: doneReason,
        total_duration: 1_000_000,
        prompt_eval_count: promptTokens,
        prompt_eval_duration: 500_000,
        eval_count: Math.ceil(text.length / 4),
        eval_duration: 500_000,
        ...(doubt !== undefined && question.logprobs && { logprobs: doubtful(doubt) }),
      };
      setTimeout(() => send(200, whole), answerMs);
    };
    const asCalls = (calls: readonly Call[]) => ({ tool_calls: calls.map((each) => ({ function: each })) });
    switch (what?.kind) {
      case 'status':
        if (what.error === undefined) {
          response.writeHead(what.status).end();
          return;
        }
        send(what.status, { error: what.error });
        return;
      case 'hang':
        return;
      case 'cut':
        response.destroy();
        return;
      case 'no_json':
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>a proxy</html>');
        return;
      case 'babble':
        reply({ content: 'Certainly! Here is what I would do about the alert, step by step.' });
        return;
      case 'several_calls':
        reply(asCalls([call, { name: 'notify', arguments: { message: 'And tell somebody.' } }]));
        return;
      case 'truncated':
        reply({ content: text.slice(0, -3) }, 'length');
        return;
      case 'call':
        reply(asCalls([{ name: what.name, arguments: what.arguments }]));
        return;
      case undefined:
        print(`answers ${text}`);
        reply(answersIn === 'content' ? { content: `\`\`\`json\n${text}\n\`\`\`` } : asCalls([call]));
        return;
    }
  }

  const known = new Set<string>();
  const seen = () => [...known];

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  print(`no language model runs here; the first possible tool is always chosen (port ${port})`);
  return {
    url: `http://${options.host ?? '127.0.0.1'}:${port}`,
    port,
    chats: () => chats,
    abandoned: () => abandoned,
    setFault: (next) => {
      fault = next && { what: next, left: next.times ?? Number.POSITIVE_INFINITY };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** As Ollama 0.24 gives them: one entry a token, with what might have stood in its place. */
function doubtful(doubt: number): readonly object[] {
  const likely = [
    ['down', 1 - doubt],
    ['other', doubt],
  ] as const;
  return [
    { token: '{"says":"', logprob: 0, top_logprobs: [] },
    {
      token: 'down',
      logprob: Math.log(1 - doubt),
      top_logprobs: likely.map(([token, probability]) => ({ token, logprob: Math.log(probability) })),
    },
  ];
}
