/** What a name says of how much is used or free, where that is no trouble. */
import { said } from '#lib/core/plain-letters.ts';

/**
 * Whether a share or an amount in a name, without accents, is no reason to clean: used by half, free by half, a terabyte free. A share with
 * no word for which it is may be either.
 */
export function hasRoom(text: string): boolean {
  const saysFree = FREE.test(text) && !NO_FREE.test(text);
  const saysUsed = USED.test(text);
  const shares = [...text.matchAll(SHARES)].map(([, share = '']) => Number(share.replace(',', '.')));
  if (saysFree && !saysUsed)
    return MORE.test(text) || TERABYTES_FREE.test(text) || shares.some((share) => share > 25);
  if (saysUsed && !saysFree) return shares.some((share) => share < 70);
  return shares.some((share) => share > 35 && (share < 70 || BELOW.test(text)));
}

const SHARES =
  /(?<![\d.,])(\d{1,3}(?:[.,]\d+)?)\s*(?:%|(?:pct|percent|prozent|por ?ci?ento|pour ?cent|per ?cento)(?!\p{L}))/giu;
const FREE = said(
  'free|frei(?:e[rns]?)?|libres?|livres?|liber[oaie]|vrije?|woln\\p{L}*|available|verfugbar|disponib\\p{L}*|left|remaining|ubrig|restante?s?',
);
const NO_FREE = said(
  '(?:no|not|kein(?:e[nr]?)?|sin|sem|pas|plus|non|niente|geen|brak|only|nur|noch|solo|so|que|maar|tylko) (?:\\p{L}+ )?(?:free|frei(?:e[rns]?)?|libres?|livres?|liber[oaie]|vrije?|woln\\p{L}*)',
);
const USED = said(
  'used|usage|full|filled|belegt|voll|gefullt|genutzt|auslastung|belegung|usad[oa]|ocupad[oa]|uso|ocupacion|lleno|llena|cheio|cheia|utilise|occupee?|plein|pleine|utilizzo|usato|occupato|pien[oa]|gebruikt|vol|zajet\\p{L}*',
);
const MORE = said('more than|mehr als|mas de|mais de|plus de|piu di|meer dan|ponad|[>]=?');
const TERABYTES_FREE = /\d\s*t(?:i?b|o)(?![\p{L}\p{N}])/iu;
const BELOW = said('below|under|unter|por debajo|abaixo|sous|sotto|onder|ponizej');
