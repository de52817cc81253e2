/** Links that people open in a browser: signed, expiring, and bound to exactly what they are about. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a link stands for; every part of it is signed. */
export type LinkClaims = Readonly<Record<string, string>>;

/** Signs the claims; `expiresAt` in milliseconds since the epoch. Answers the link's query string. */
export function signLink(key: string, claims: LinkClaims, expiresAt: number): string {
  const query = new URLSearchParams({ ...claims, expires: String(expiresAt) });
  query.set('signature', signatureOf(key, { ...claims, expires: String(expiresAt) }));
  return query.toString();
}

/** The claims of a link that is genuine and not expired at `now`, else `undefined`. */
export function readLink(
  key: string,
  query: Readonly<Record<string, string>>,
  names: readonly string[],
  now: number,
): LinkClaims | undefined {
  const { signature = '', expires = '' } = query;
  const claims: Record<string, string> = {};
  for (const name of names) {
    const value = query[name];
    if (value === undefined) return undefined;
    claims[name] = value;
  }
  const expected = Buffer.from(signatureOf(key, { ...claims, expires }), 'hex');
  const given = Buffer.from(/^[0-9a-f]{64}$/.test(signature) ? signature : '0'.repeat(64), 'hex');
  const genuine = timingSafeEqual(expected, given);
  return genuine && /^[0-9]{1,15}$/.test(expires) && now < Number(expires) ? claims : undefined;
}

function signatureOf(key: string, claims: LinkClaims): string {
  const sorted = Object.entries(claims).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHmac('sha256', key).update(JSON.stringify(sorted)).digest('hex');
}
