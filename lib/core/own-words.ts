/** What is in a trigger's name because of what the alert is about. */
import type { Alert } from '#lib/core/alert.ts';
import { spaced } from '#lib/core/plain-letters.ts';

/** Names of the host, and what the item key and tags hold, as far as each of them is an identifier. */
export function ownWords({ host, item, tags }: Alert): string {
  const parts = (item.key ?? '').split(/[[\],"]+/);
  const values = tags.map(({ value }) => value);
  return [host.host, host.name ?? '', ...parts, ...values].filter(isIdentifier).join(' ');
}

/**
 * Whoever registers a host, or has something discovered on it, chooses names and values of tags: a sentence there must not make
 * a name understood that says the same, nor be left out of it.
 */
export function isIdentifier(value: string): boolean {
  return /^\S{1,64}$/u.test(value) && spaced(value).trim().split(/\s+/).length <= MOST_PIECES;
}

/** The parts of a name with a hyphen around each: `-se-ns2-` holds `-ns2-`, and `-dns2-` does not. */
export function hyphenated(name: string): string {
  return `-${name.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '-')}-`;
}

/** Of a script without white space eight letters are a name; more may say something. */
const MOST_PIECES = 4;
