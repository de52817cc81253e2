/** The Ollama adapter against the simulated server: the contract, what is sent, and what every fault becomes. */
import { createServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { makeAskModel, modelHealth } from '#lib/adapters/ollama.ts';
import { readAnswer } from '#lib/core/read-answer.ts';
import { type ModelFault, type SimulatedModelOptions, startSimulatedModel } from '#local/simulated-model.ts';
import { questionAbout } from '#test/builders/questions.ts';
import { alertOf, triggerNamed } from '#test/builders/triggers.ts';
import { describeModel } from '#test/contracts/model.contract.ts';
import { createMemoryModel } from '#test/fakes/model-memory.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});
const open = async (options: SimulatedModelOptions = {}) => {
  const server = await startSimulatedModel({ models: ['small:1b'], ...options });
  ends.push(server.close);
  const ask = makeAskModel({ url: server.url, model: 'small:1b', timeoutMs: 5_000 });
  return { server, ask };
};
const { question, grounding } = questionAbout(
  alertOf(triggerNamed('Systemd: nginx.service: Service is not running')),
);
const restart = {
  kind: 'proposal',
  tool: 'restart_service',
  arguments: { service_name: 'nginx.service' },
};

describeModel('the fake in memory', async () => {
  const failing = (code: 'model_missing' | 'timed_out') => {
    const model = createMemoryModel();
    model.failNext(code);
    return model.askModel;
  };
  return {
    askModel: createMemoryModel().askModel,
    askMissing: failing('model_missing'),
    askTooShort: failing('timed_out'),
  };
});

describeModel('the simulated server', async () => {
  const { server, ask } = await open();
  const slow = await startSimulatedModel({ answerMs: 60_000 });
  ends.push(slow.close);
  return {
    askModel: ask,
    askMissing: makeAskModel({ url: server.url, model: 'other:1b', timeoutMs: 5_000 }),
    askTooShort: makeAskModel({ url: slow.url, model: 'small:1b', timeoutMs: 300 }),
  };
});

describe('what is sent', () => {
  it('is the constant part first, then the brief, with the same options every time', async () => {
    const { server, ask } = await open();
    await ask(question);
    await ask(question);

    const [first, second] = server.chats();
    expect(first).toEqual(second);
    expect(first).toMatchObject({
      model: 'small:1b',
      stream: false,
      truncate: false,
      keep_alive: '1h',
      options: { temperature: 0, num_ctx: 4096, num_predict: 160 },
      format: question.format,
    });
    expect(first?.options).not.toHaveProperty('num_thread');
    expect(first).not.toHaveProperty('think');
    expect(first?.messages[0]).toEqual({ role: 'system', content: question.system });
    expect(first?.messages.at(-1)).toEqual({ role: 'user', content: question.brief });
    expect(first?.tools.map((tool) => tool.function.name)).toEqual([
      'cleanup_disk',
      'restart_service',
      'analyze_processes',
      'restart_application',
      'notify',
    ]);
  });

  it('names the number of threads only when told to', async () => {
    const { server } = await open();
    await makeAskModel({ url: server.url, model: 'small:1b', timeoutMs: 5_000, numThread: 1 })(question);
    expect(server.chats()[0]?.options).toMatchObject({ num_thread: 1 });
  });

  it('switches thinking off for a model that can, and only for such', async () => {
    const { server, ask } = await open({ capabilities: ['completion', 'tools', 'thinking'] });
    await ask(question);
    expect(server.chats()[0]).toMatchObject({ think: false });
  });

  it('leaves the tools out for a model that does not know them, and reads its text', async () => {
    const { server, ask } = await open({ capabilities: ['completion'], answersIn: 'content' });
    const answer = await ask(question);
    expect(server.chats()[0]?.tools).toEqual([]);
    expect(answer.toolCalls).toEqual([]);
    expect(answer.content).toContain('```');
  });

  it('is read from the text of a small model, too', async () => {
    const { ask } = await open({ answersIn: 'content' });
    expect(readAnswer(await ask(question), grounding)).toEqual(restart);
  });

  it('leaves a trace: model, digest, raw answer, tokens, times', async () => {
    const { ask } = await open();
    const { trace } = await ask(question);
    expect(trace).toMatchObject({
      model: 'SIMULATED small:1b',
      digest: expect.stringMatching(/^simulated0+$/),
      answer: expect.stringContaining('nginx.service'),
      promptTokens: expect.any(Number),
      promptMilliseconds: expect.any(Number),
      answerTokens: expect.any(Number),
      totalMilliseconds: expect.any(Number),
    });
  });
});

describe('how sure a model is', () => {
  it('comes from its log probabilities, and one that tosses a coin asks for a human', async () => {
    const sure = await (await open({ doubt: 0.1 })).ask(question);
    expect(sure.trace.readings).toMatchObject({ down: 0.9, other: 0.1 });
    expect(readAnswer(sure, grounding)).toEqual(restart);
    const unsure = await (await open({ doubt: 0.55 })).ask(question);
    expect(readAnswer(unsure, grounding)).toMatchObject({ kind: 'refusal', code: 'unsure' });
  });

  it('is unknown with a server that gives none, and then its word counts', async () => {
    const answer = await (await open()).ask(question);
    expect(answer.trace).not.toHaveProperty('readings');
    expect(readAnswer(answer, grounding)).toEqual(restart);
  });
});

describe('what goes wrong', () => {
  it.each<[string, ModelFault, object]>([
    [
      '503',
      { kind: 'status', status: 503, error: 'server busy' },
      { code: 'busy', sent: 'yes', retry: true },
    ],
    ['429', { kind: 'status', status: 429, error: 'slow down' }, { code: 'busy', retry: true }],
    [
      '500',
      { kind: 'status', status: 500, error: 'model runner has stopped' },
      { code: 'failed', retry: true },
    ],
    [
      '400',
      { kind: 'status', status: 400, error: 'does not support tools' },
      { code: 'failed', retry: false },
    ],
    [
      '404',
      { kind: 'status', status: 404, error: 'model not found' },
      { code: 'model_missing', retry: false },
    ],
    ['302', { kind: 'status', status: 302 }, { code: 'failed', retry: false }],
    ['a cut connection', { kind: 'cut' }, { code: 'failed', sent: 'unknown', retry: true }],
    ['an answer of a proxy', { kind: 'no_json' }, { code: 'failed', sent: 'yes', retry: true }],
  ])('%s becomes its error', async (_name, fault, error) => {
    const { server, ask } = await open();
    server.setFault(fault);
    await expect(ask(question)).rejects.toMatchObject({
      name: 'UpstreamError',
      upstream: 'ollama',
      ...error,
    });
  });

  it('an empty 403 says what to do about it', async () => {
    const { server, ask } = await open();
    server.setFault({ kind: 'status', status: 403 });
    await expect(ask(question)).rejects.toThrow(/refuses the host name in its URL/);
  });

  it('prints nothing about an error, for the log is not the client’s', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const { server, ask } = await open();
    server.setFault({ kind: 'status', status: 500 });
    await expect(ask(question)).rejects.toThrow();
    expect(log).not.toHaveBeenCalled();
    log.mockRestore();
  });

  it('a refused connection says that nothing was sent', async () => {
    const { server, ask } = await open();
    await server.close();
    await expect(ask(question)).rejects.toMatchObject({ code: 'refused', sent: 'no', retry: true });
  });

  it('a name that does not resolve is refused, too', async () => {
    const ask = makeAskModel({ url: 'http://ollama.invalid:11434', model: 'small:1b', timeoutMs: 5_000 });
    await expect(ask(question)).rejects.toMatchObject({ code: 'refused', sent: 'no' });
  });

  it('a server that accepts and says nothing is timed out', async () => {
    const mute = createServer();
    const port = await new Promise<number>((resolve) => {
      mute.listen(0, '127.0.0.1', () => {
        const address = mute.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    ends.push(async () => void mute.close());
    const ask = makeAskModel({ url: `http://127.0.0.1:${port}`, model: 'small:1b', timeoutMs: 200 });
    await expect(ask(question)).rejects.toMatchObject({ code: 'timed_out', sent: 'unknown', retry: true });
  });

  it('closes the connection when it gives up, so that the server stops to generate', async () => {
    const { server } = await open();
    server.setFault({ kind: 'hang' });
    const ask = makeAskModel({ url: server.url, model: 'small:1b', timeoutMs: 200 });
    await expect(ask(question)).rejects.toMatchObject({ code: 'timed_out' });
    await vi.waitFor(() => expect(server.abandoned()).toBe(1), { timeout: 10_000 });
  });

  it.each<[string, ModelFault, string]>([
    ['prose', { kind: 'babble' }, 'no_call'],
    ['two calls', { kind: 'several_calls' }, 'several_calls'],
    ['half a call', { kind: 'truncated' }, 'truncated'],
    ['an unknown tool', { kind: 'call', name: 'reboot', arguments: {} }, 'unknown_tool'],
    [
      'an invented service',
      { kind: 'call', name: 'restart_service', arguments: { service_name: 'sshd' } },
      'ungrounded_value',
    ],
  ])('%s becomes a refusal', async (_name, fault, code) => {
    const { server, ask } = await open();
    server.setFault(fault);
    expect(readAnswer(await ask(question), grounding)).toMatchObject({ kind: 'refusal', code });
  });

  it('works again when a fault is over', async () => {
    const { server, ask } = await open();
    server.setFault({ kind: 'status', status: 500, times: 1 });
    await expect(ask(question)).rejects.toThrow();
    expect(readAnswer(await ask(question), grounding)).toEqual(restart);
  });
});

describe('another model under the same name', () => {
  const say = async (model: string, digests: readonly string[]) => {
    let digest = '';
    const server = await startSimulatedModel({ models: ['small:1b'], digest: () => digest });
    ends.push(server.close);
    const said: string[] = [];
    const ask = makeAskModel({
      url: server.url,
      model,
      timeoutMs: 5_000,
      sayDrift: (text) => said.push(text),
    });
    for (const each of digests) {
      digest = each.padEnd(64, '0');
      expect((await ask(question)).trace.digest).toBe(digest);
    }
    return said;
  };

  it('is said once, and decides all the same', async () => {
    expect(await say('small:1b', ['aa', 'aa', 'bb', 'bb'])).toEqual([
      'small:1b is another one than before: its digest was aa0000000000 and is bb0000000000',
    ]);
  });

  it('than the pinned one is said once for each', async () => {
    expect(await say('small:1b@sha256:aa', ['aa', 'bb', 'bb', 'aa', 'cc'])).toEqual([
      'small:1b is not the pinned one: its digest is bb0000000000',
      'small:1b is not the pinned one: its digest is cc0000000000',
    ]);
  });
});

describe('the model’s health', () => {
  const health = (url: string, model = 'small:1b') => modelHealth({ url, model, timeoutMs: 5_000 });

  it('says that the model is there, which one, and what it can', async () => {
    const { server } = await open();
    expect(await health(server.url)).toEqual({
      ok: true,
      detail: 'small:1b, digest simulated000, 32768 tokens, tools, loaded',
      digest: 'simulated'.padEnd(64, '0'),
      contextLength: 32_768,
      capabilities: ['completion', 'tools'],
      loaded: true,
    });
    expect(server.chats()).toEqual([]);
  });

  it.each([
    ['a model that is missing', 'other:1b', /does not have the model other:1b/],
    [
      'another digest than the pinned one',
      'small:1b@sha256:5c8e24',
      /not the pinned one: its digest is simulated000/,
    ],
    ['an empty pin', 'small:1b@sha256:', /^OLLAMA_MODEL pins small:1b without a digest: .* expected$/],
  ])('is not well with %s', async (_name, model, detail) => {
    const { server } = await open();
    expect(await health(server.url, model)).toMatchObject({
      ok: false,
      detail: expect.stringMatching(detail),
    });
  });

  it('is well with the pinned digest', async () => {
    const { server } = await open();
    expect(await health(server.url, 'small:1b@sha256:simulated0')).toMatchObject({
      ok: true,
      detail: expect.stringContaining('digest simulated000 as pinned'),
    });
  });

  it('is well without tools, and says so', async () => {
    const server = await startSimulatedModel({ models: ['small:1b'], capabilities: ['completion'] });
    ends.push(server.close);
    expect(await health(server.url)).toMatchObject({
      ok: true,
      detail: expect.stringContaining('does not know tools'),
    });
  });

  it('is not well where it only embeds, and says so', async () => {
    const server = await startSimulatedModel({ models: ['small:1b'], capabilities: ['embedding'] });
    ends.push(server.close);
    expect(await health(server.url)).toMatchObject({
      ok: false,
      detail: 'small:1b cannot answer: it only knows embedding, and Remedia needs completion or tools',
      capabilities: ['embedding'],
    });
  });

  it.each([[['tools']], [[]]])('is well with the capabilities %j', async (capabilities) => {
    const server = await startSimulatedModel({ models: ['small:1b'], capabilities });
    ends.push(server.close);
    expect(await health(server.url)).toMatchObject({ ok: true });
  });

  it('is not well when nothing answers', async () => {
    const { server } = await open();
    await server.close();
    expect(await health(server.url)).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/no connection/),
    });
  });
});
