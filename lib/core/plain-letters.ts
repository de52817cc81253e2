/** Text as many people type it: without accents; and phrases that are found in it with or without theirs. */
import { alone } from '#lib/core/trigger-text.ts';

/** `nao`, `arrete`, `lauft`. */
export function plain(text: string): string {
  return text.normalize('NFKD').replaceAll(/[\p{M}\p{Cf}]/gu, '');
}

/** Finds one of these phrases as whole words in a text that is `plain`. */
export const said = (...phrases: readonly string[]) => alone(...phrases.map(plain));
