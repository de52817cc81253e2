/** Makes text that an attacker may have written harmless for chat, mail and SMS: no control, no mentions, no links. */

/**
 * Control characters (C0, C1), and those that turn the direction of reading, with which a text could show something
 * else than it says.
 */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for; new lines and tabs stay
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** Several lines: new lines and tabs stay; at most `max` characters, and it says when something is missing. */
export function plainText(text: string, max: number): string {
  const clean = text
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(UNSEEN, ' ')
    // Chat and mail programs make links by themselves of what looks like one.
    .replace(/\b([a-z][a-z0-9+.-]{0,20}):\/\//gi, '$1[:]//')
    .replace(/\b(www)\./gi, '$1[.]')
    .replace(/\b(mailto|tel|javascript|data):/gi, '$1[:]')
    .trim();
  if (clean.length <= max) return clean;
  return `${clean.slice(0, Math.max(0, max - 1)).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** One line, for subjects and titles. */
export function plainLine(text: string, max: number): string {
  return plainText(text.replace(/[\r\n\t\u2028\u2029]+/g, ' '), max);
}

/** Only web addresses that code wrote become links. */
export function isWebAddress(url: string): boolean {
  return /^https?:\/\/[^\s<>"|`\\]+$/.test(url);
}
