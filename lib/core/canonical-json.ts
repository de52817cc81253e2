/** One text for one value, whatever the order of its keys, and the hash of that text. */
import { createHash } from 'node:crypto';

/** JSON with the keys of every object sorted, and absent (`undefined`) members left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

/** sha256 of the canonical JSON, hex: the identity of a policy version or of a proposal. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
