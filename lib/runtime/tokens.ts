/** Bearer tokens and signatures, compared in constant time. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Milliseconds by which the signer's clock may differ from ours. */
const TOLERANCE_MS = 5 * 60_000;

/** True when both texts are the same; takes as long whether they differ early or late. */
function sameText(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** True when the `Authorization` header carries one of the tokens. No tokens: nobody may. */
export function bearerMatches(header: string | undefined, tokens: readonly string[]): boolean {
  const given = /^Bearer +([^\s]+)$/i.exec(header ?? '')?.[1] ?? '';
  // Every token is compared, so that the time does not tell which of them was close.
  const matches = tokens.map((token) => token !== '' && sameText(given, token));
  return given !== '' && matches.includes(true);
}

/**
 * True when `signature` is the hex HMAC-SHA256 of `<timestamp>.<raw body>` and `timestamp` (seconds since the epoch) is
 * at most five minutes from `now` (milliseconds).
 */
export function signatureMatches(facts: {
  readonly key: string;
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
  readonly body: string | Buffer;
  readonly now: number;
}): boolean {
  const { key, timestamp = '', signature = '', body, now } = facts;
  const expected = createHmac('sha256', key).update(`${timestamp}.`).update(body).digest('hex');
  const fresh = /^[0-9]{1,12}$/.test(timestamp) && Math.abs(now - Number(timestamp) * 1000) <= TOLERANCE_MS;
  return sameText(signature.toLowerCase(), expected) && fresh;
}
