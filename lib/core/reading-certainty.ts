/** How sure a model is of what it reads in an alert, from the probabilities of its words. */
import { READINGS, type Reading } from '#lib/catalogue/tool.ts';

/** A token of an answer with what the model might have written in its place, before any grammar. */
export interface TokenChoices {
  readonly token: string;
  readonly top_logprobs?: readonly { readonly token: string; readonly logprob: number }[] | null | undefined;
}

/** Probabilities (0–1) of the readings at the place of the answer where one was given. */
export type ReadingProbabilities = Readonly<Partial<Record<Reading, number>>>;

/**
 * What the model thought of each reading. Ollama 0.24.0: log probabilities are those before the grammar and the temperature, and
 * a token may be the beginning of a word. `undefined` where the answer has no reading, or the server gave no probabilities.
 */
export function readingProbabilities(tokens: readonly TokenChoices[]): ReadingProbabilities | undefined {
  let written = '';
  for (const { token, top_logprobs: choices } of tokens) {
    if (/"says"\s*:\s*"$/.test(written)) return choices == null ? undefined : probabilitiesOf(choices);
    written += token;
  }
  return undefined;
}

function probabilitiesOf(choices: NonNullable<TokenChoices['top_logprobs']>): ReadingProbabilities {
  // Of a token that is nothing but the closing quotation mark nothing is left, and nothing begins every word.
  const words = choices
    .map(({ token, logprob }) => ({ begin: token.trim().replace(/"$/, ''), logprob }))
    .filter(({ begin }) => begin !== '');
  const of = (reading: string) =>
    words
      .filter(({ begin }) => reading.startsWith(begin))
      .reduce((sum, { logprob }) => sum + Math.exp(logprob), 0);
  return Object.fromEntries(Object.keys(READINGS).map((name) => [name, Math.round(of(name) * 1000) / 1000]));
}

/**
 * The share (0–1) of the readings that a tool needs, against "anything else": of two models that answer alike one may be
 * sure, and the other have tossed a coin. `undefined` where nothing is known.
 */
export function certaintyOf(
  probabilities: ReadingProbabilities | undefined,
  when: readonly Reading[],
): number | undefined {
  if (probabilities === undefined) return undefined;
  const wanted = weightOf(probabilities, when);
  const either = wanted + (probabilities.other ?? 0);
  return either === 0 ? undefined : wanted / either;
}

/** What the model gave (0–1) to the readings that a tool needs, of all that it might have written there; 0 where nothing is known. */
export function weightOf(probabilities: ReadingProbabilities | undefined, when: readonly Reading[]): number {
  return when.reduce((sum, reading) => sum + (probabilities?.[reading] ?? 0), 0);
}
