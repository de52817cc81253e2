/** One answer for the same question within a short while, and no longer; never a failure. */
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { AskModel, ModelQuestion } from '#lib/workflow/ports.ts';
import { rememberAnswers } from '#lib/workflow/remember-answers.ts';
import { NOON } from '#test/builders/incidents.ts';
import { says } from '#test/workflow/house.ts';

const aQuestion = (brief: string): ModelQuestion => ({
  system: 's',
  examples: [],
  brief,
  tools: [],
  format: {},
});

function prepare(answer: AskModel = async ({ brief }) => says(`about ${brief}`), seconds = 300) {
  let now = NOON;
  const asked: string[] = [];
  const ask = rememberAnswers(
    async (question) => {
      asked.push(question.brief);
      return answer(question);
    },
    { seconds, clock: () => now },
  );
  return {
    ask: (brief: string) => ask(aQuestion(brief)),
    asked,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

describe('the same question', () => {
  it('is answered as before, and says so', async () => {
    const { ask, asked, pass } = prepare();
    const first = await ask('disk');
    pass(299_999);
    const second = await ask('disk');
    expect(asked).toEqual(['disk']);
    expect(second).toEqual({
      ...first,
      trace: { ...first.trace, totalMilliseconds: 0, remembered: true },
    });
    expect(first.trace).not.toHaveProperty('remembered');
  });

  it('is asked anew after five minutes, and another one at once', async () => {
    const { ask, asked, pass } = prepare();
    await ask('disk');
    await ask('cpu');
    pass(300_000);
    await ask('disk');
    expect(asked).toEqual(['disk', 'cpu', 'disk']);
  });

  it('at the same time waits for one answer', async () => {
    const { ask, asked } = prepare();
    await Promise.all([ask('disk'), ask('disk'), ask('disk')]);
    expect(asked).toEqual(['disk']);
  });

  it('is asked anew after a failure', async () => {
    let fails = true;
    const { ask, asked } = prepare(async () => {
      if (fails) throw new UpstreamError('ollama', 'busy', 'injected', { sent: 'yes', retry: true });
      return says('yes');
    });
    await expect(Promise.all([ask('disk'), ask('disk')])).rejects.toMatchObject({ code: 'busy' });
    fails = false;
    await ask('disk');
    expect(asked).toEqual(['disk', 'disk']);
  });

  it('is asked each time when nothing is to be remembered', async () => {
    const { ask, asked } = prepare(undefined, 0);
    await ask('disk');
    await ask('disk');
    expect(asked).toEqual(['disk', 'disk']);
  });

  it('is forgotten when there were too many others', async () => {
    const { ask, asked } = prepare();
    for (let i = 0; i <= 200; i += 1) await ask(`alert ${i}`);
    await ask('alert 200');
    await ask('alert 0');
    expect(asked).toHaveLength(202);
  });
});
