/** What `npm run bench:decide` has measured, as a table, and whether it holds what was promised. */
import { quantile } from '#test/evals/figures.ts';
import { markdownTable } from '../scripts/markdown-table.ts';

/** Of a decision, everything but the model. */
const SHARE_OF_THE_REST = 0.02;
/** Tokens that a later alert may make the model evaluate. */
const LATER_TOKENS = 250;
/** Milliseconds from a warm alert to its decision, median. */
const WARM_MS = 4_000;

export interface Decision {
  /** From the post to the recorded decision. Milliseconds. */
  readonly wholeMs: number;
  /** As Ollama says: all that it took, and the evaluation of the prompt. Milliseconds. */
  readonly modelMs: number;
  readonly promptMs: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

export interface DecideFigures {
  /** Of the prompt, the same for every alert. */
  readonly prefixTokens: number;
  /** After other prompts have taken the cache. */
  readonly cold: Decision;
  readonly warm: readonly Decision[];
}

/** The share of what is not the model, of all warm decisions together. */
export function shareOfTheRest(warm: readonly Decision[]): number {
  const whole = sum(warm.map(({ wholeMs }) => wholeMs));
  return whole === 0 ? 1 : (whole - sum(warm.map(({ modelMs }) => modelMs))) / whole;
}

/** Cold and warm side by side. */
export function decideTable({ prefixTokens, cold, warm }: DecideFigures): string {
  const of = (pick: (decision: Decision) => number, share: number) => quantile(warm.map(pick), share);
  const row = (name: string, pick: (decision: Decision) => number) => [
    name,
    pick(cold).toFixed(0),
    of(pick, 0.5).toFixed(0),
    of(pick, 0.95).toFixed(0),
  ];
  return markdownTable([
    ['One decision', 'Cold', 'Warm, median', 'Warm, p95'],
    row('From alert to decision, ms', ({ wholeMs }) => wholeMs),
    row('The model, ms', ({ modelMs }) => modelMs),
    row('Everything else, ms', ({ wholeMs, modelMs }) => wholeMs - modelMs),
    row('Evaluating the prompt, ms', ({ promptMs }) => promptMs),
    row('Tokens of the prompt', ({ promptTokens }) => promptTokens),
    row('Of them not of the constant prefix', ({ promptTokens }) => promptTokens - prefixTokens),
    row('Tokens of the answer', ({ answerTokens }) => answerTokens),
  ]);
}

/** Each promise, and whether it was kept. */
export function judgeDecide({
  prefixTokens,
  cold,
  warm,
}: DecideFigures): readonly (readonly [promise: string, kept: boolean])[] {
  const later = Math.max(...warm.map(({ promptTokens }) => promptTokens - prefixTokens));
  // What a token takes to evaluate is the same, cold or warm; so the time says how many were evaluated.
  const perToken = cold.promptMs / cold.promptTokens;
  const borneOut = quantile(
    warm.map(({ promptMs }) => promptMs / perToken),
    0.5,
  );
  return [
    [
      `everything but the model takes at most ${SHARE_OF_THE_REST * 100} % of a decision: ${(100 * shareOfTheRest(warm)).toFixed(1)} %`,
      shareOfTheRest(warm) <= SHARE_OF_THE_REST,
    ],
    [`a later alert has at most ${LATER_TOKENS} tokens of its own: ${later}`, later <= LATER_TOKENS],
    [
      `the time for its prompt is that of as few, at the cold prompt's speed: ${borneOut.toFixed(0)}`,
      borneOut <= LATER_TOKENS,
    ],
    [
      `a warm alert is decided within ${WARM_MS / 1000} s, median`,
      quantile(
        warm.map(({ wholeMs }) => wholeMs),
        0.5,
      ) <= WARM_MS,
    ],
  ];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
