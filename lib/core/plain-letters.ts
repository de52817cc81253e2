/** Text as many people type it: without accents; and phrases that are found in it with or without theirs. */
import { alone } from '#lib/core/trigger-text.ts';

/** `nao`, `arrete`, `lauft`. */
export function plain(text: string): string {
  return text.normalize('NFKD').replaceAll(/[\p{M}\p{Cf}]/gu, '');
}

/** A run of letters of scripts that put no white space between words, or in Korean not between all. */
const UNSPACED =
  /[[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}]&&\p{L}]+/gv;

/**
 * The text with white space behind every second letter of such a run, else a whole sentence would count as one word. A run that
 * is `known` is left out.
 */
export function spaced(text: string, known = ''): string {
  return text
    .normalize('NFC')
    .replaceAll(UNSPACED, (run) =>
      known.normalize('NFC').includes(run) ? ' ' : run.replaceAll(/.{1,2}/gu, ' $& '),
    );
}

/** Finds one of these phrases as whole words in a text that is `plain`. */
export const said = (...phrases: readonly string[]) => alone(...phrases.map(plain));
