/** Links by which a human reads one incident in a browser, for some days and without a token. */
import type { IncidentLink } from '#lib/core/messages.ts';
import { readLink, signLink } from '#lib/runtime/signed-link.ts';

const DAY_MS = 24 * 60 * 60_000;
/** Signed with it, so that such a link opens nothing else, whatever is signed with the same key. */
const PURPOSE = 'read';

/** Makes the links; without a key they are plain, and then they need a token. */
export function makeIncidentLink(settings: {
  readonly publicBaseUrl: string;
  readonly key: string | undefined;
  readonly validDays: number;
}): IncidentLink {
  const { publicBaseUrl, key, validDays } = settings;
  return (id, now) => {
    const plain = `${publicBaseUrl}/api/v1/incidents/${id}`;
    if (key === undefined) return plain;
    const query = new URLSearchParams(signLink(key, { id, purpose: PURPOSE }, now + validDays * DAY_MS));
    // The path says it, and the place where the link is used: a tag in Zabbix holds no more than 255 characters.
    query.delete('id');
    query.delete('purpose');
    return `${plain}?${query}`;
  };
}

/** True for the query of a link that was made for reading this very incident and has not expired at `now`. */
export function mayReadIncident(
  key: string | undefined,
  id: string,
  query: Readonly<Record<string, string>>,
  now: number,
): boolean {
  if (key === undefined) return false;
  const claims = { ...query, id, purpose: PURPOSE };
  return readLink(key, claims, ['id', 'purpose'], now) !== undefined;
}
