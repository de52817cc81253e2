/** What of a model's text may reach a person: one short sentence, without links and control characters. */

const MAX_LENGTH = 300;

/**
 * The first sentence, white space folded, at most 300 characters. Links go, because text planted in an alert could
 * make the model hand them to whoever is on call; so do control characters and those that turn the writing direction.
 */
export function oneSentence(text: string): string {
  const plain = text
    .slice(0, 4_000)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/\S*|\bwww\.\S*/giu, '[link]')
    .trim();
  const end = plain.search(/[.!?](?= |$)/);
  const sentence = [...(end < 0 ? plain : plain.slice(0, end + 1))];
  return sentence.length <= MAX_LENGTH
    ? sentence.join('')
    : `${sentence
        .slice(0, MAX_LENGTH - 1)
        .join('')
        .trimEnd()}…`;
}
