/** The benchmark of decisions: what it makes of what was measured, and what it does without a model. */
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Decision, decideTable, judgeDecide, shareOfTheRest } from '../../bench/decide-report.ts';
import { type Answered, factsOf, startListeningProxy } from '../../bench/listening-proxy.ts';

const decision = (over: Partial<Decision> = {}): Decision => ({
  wholeMs: 1010,
  modelMs: 1000,
  promptMs: 500,
  promptTokens: 1450,
  answerTokens: 30,
  ...over,
});
const cold = decision({ wholeMs: 15_010, modelMs: 15_000, promptMs: 14_500 });
const figures = { prefixTokens: 1350, cold, warm: [decision(), decision()] };

it('puts cold and warm side by side', () => {
  const cells = decideTable(figures)
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );

  expect(cells).toContainEqual(['From alert to decision, ms', '15010', '1010', '1010']);
  expect(cells).toContainEqual(['Everything else, ms', '10', '10', '10']);
  expect(cells).toContainEqual(['Of them not of the constant prefix', '100', '100', '100']);
});

it('counts as the rest whatever is not the model', () => {
  expect(shareOfTheRest([decision({ wholeMs: 1000, modelMs: 900 }), decision({ wholeMs: 1000 })])).toBe(0.05);
  expect(shareOfTheRest([])).toBe(1);
});

it.each<[string, Partial<typeof figures>, readonly boolean[]]>([
  ['all that was promised', {}, [true, true, true, true]],
  ['a rest that is too long', { warm: [decision({ modelMs: 980 })] }, [false, true, true, true]],
  [
    'an own part that is too long',
    { warm: [decision(), decision({ promptTokens: 1601 })] },
    [true, false, true, true],
  ],
  // 10 ms a token when cold, so 3 s are 300 tokens, whatever the counter says.
  ['a prefix that is evaluated anew', { warm: [decision({ promptMs: 3000 })] }, [true, true, false, true]],
  [
    'a decision that is too slow',
    { warm: [decision({ wholeMs: 4001, modelMs: 4000 })] },
    [true, true, true, false],
  ],
])('judges %s', (_, over, kept) => {
  expect(judgeDecide({ ...figures, ...over }).map(([, each]) => each)).toEqual(kept);
});

it('reads what Ollama says of an answer', () => {
  const answer = {
    total_duration: 5_000_000_000,
    prompt_eval_count: 1450,
    prompt_eval_duration: 900_000_000,
    eval_count: 30,
  };

  expect(factsOf('{"model":"m"}', JSON.stringify(answer))).toEqual({
    promptTokens: 1450,
    answerTokens: 30,
    promptMs: 900,
    totalMs: 5000,
    request: { model: 'm' },
  });
});

it('passes everything on, and listens', async () => {
  const asked: string[] = [];
  const ollama = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    await request.resume().toArray();
    response.writeHead(request.url === '/api/tags' ? 503 : 200).end('{"total_duration":1000000}');
  });
  await new Promise<void>((resolve) => ollama.listen(0, '127.0.0.1', resolve));
  const address = ollama.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const heard: Answered[] = [];
  const proxy = await startListeningProxy(`http://127.0.0.1:${port}`, (facts) => heard.push(facts));
  try {
    const chat = await fetch(`${proxy.url}/api/chat`, { method: 'POST', body: '{"model":"m"}' });
    const tags = await fetch(`${proxy.url}/api/tags`);

    expect([chat.status, await chat.text(), tags.status]).toEqual([200, '{"total_duration":1000000}', 503]);
    expect(asked).toEqual(['POST /api/chat', 'GET /api/tags']);
    expect(heard).toMatchObject([{ totalMs: 1, request: { model: 'm' } }]);
  } finally {
    proxy.close();
    ollama.close();
    ollama.closeAllConnections();
  }
});

it('refuses to measure nothing', async () => {
  const { PATH, HOME } = process.env;
  const said = await new Promise((resolve) => {
    const cwd = join(import.meta.dirname, '..', '..');
    execFile(process.execPath, ['bench/decide.ts'], { cwd, env: { PATH, HOME } }, (error, _, stderr) =>
      resolve([error?.code, stderr]),
    );
  });

  expect(said).toEqual([1, 'OLLAMA_URL is missing: this measures a real model.\n']);
});
