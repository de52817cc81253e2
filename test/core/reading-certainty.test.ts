/** How sure a model is of its reading, by the probabilities that the server gives. */
import { describe, expect, it } from 'vitest';
import { certaintyOf, readingProbabilities } from '#lib/core/reading-certainty.ts';

const choice = (token: string, probability: number) => ({ token, logprob: Math.log(probability) });
const written = (...tokens: readonly string[]) => tokens.map((token) => ({ token }));

describe('the probabilities of the readings', () => {
  it('are those at the word itself, of all tokens that begin it', () => {
    const tokens = [
      ...written('{"', 'says', '":', ' "'),
      {
        token: 'down',
        top_logprobs: [
          choice('down', 0.5),
          choice('d', 0.1),
          choice(' down', 0.05),
          choice('other"', 0.2),
          choice('fallen', 0.1),
          choice(' ', 0.05),
          choice('"', 0.03),
          choice(' "', 0.02),
        ],
      },
      { token: '",', top_logprobs: [choice('",', 1)] },
    ];
    expect(readingProbabilities(tokens)).toEqual({ down: 0.65, full: 0, busy: 0, unhealthy: 0, other: 0.2 });
  });

  it.each([
    ['no tokens', []],
    ['an answer without a reading', written('{"', 'name', '":"', 'notify', '"}')],
    ['a server that gives none', written('{"says":"', 'down', '"}')],
    ['an answer that ends before the reading', written('{"says":"')],
  ])('are unknown with %s', (_, tokens) => {
    expect(readingProbabilities(tokens)).toBeUndefined();
  });

  it('are unknown where the server gives null', () => {
    expect(
      readingProbabilities([{ token: '{"says":"' }, { token: 'down', top_logprobs: null }]),
    ).toBeUndefined();
  });
});

describe('the certainty', () => {
  it('is the share of what a tool needs against anything else', () => {
    const readings = { down: 0.4, unhealthy: 0.2, other: 0.2, full: 0.1 };
    expect(certaintyOf(readings, ['down', 'unhealthy'])).toBeCloseTo(0.75);
    expect(certaintyOf(readings, ['busy'])).toBe(0);
    expect(certaintyOf({ down: 0.3 }, ['down'])).toBe(1);
  });

  it('is unknown where nothing is known of either', () => {
    expect(certaintyOf(undefined, ['down'])).toBeUndefined();
    expect(certaintyOf({ busy: 0.9 }, ['down'])).toBeUndefined();
  });
});
