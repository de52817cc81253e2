/** One page of the incidents, the newest first, and an opaque cursor to the next one. */
import * as z from 'zod';
import type { Incident } from '#lib/core/incident.ts';

/** Where a page ends: an opening time, and who of that millisecond was already given. */
export interface Position {
  readonly at: number;
  readonly seen: readonly string[];
}

/** Looked at for one page, at most, when few of them are wanted; the page may then be short, and still has a next one. */
const MOST_READS = 10;
const MOST_PER_READ = 100;

const position = z.tuple([z.int().min(0)], z.string().regex(/^(inc|sim)_[0-9a-f]{24}$/));

export function writeCursor({ at, seen }: Position): string {
  return Buffer.from(JSON.stringify([at, ...seen])).toString('base64url');
}

/** `undefined` for what is no cursor. */
export function readCursor(text: string): Position | undefined {
  try {
    const [at, ...seen] = position.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return { at, seen };
  } catch {
    return undefined;
  }
}

/**
 * Reads until the page is full. `read` answers the newest that were not opened after `until`; what is opened at the
 * same millisecond may come in any order.
 */
export async function readPage({
  read,
  wanted,
  since,
  limit,
  start,
}: {
  readonly read: (until: number | undefined, limit: number) => Promise<readonly Incident[]>;
  readonly wanted: (incident: Incident) => boolean;
  readonly since: number;
  readonly limit: number;
  readonly start: Position | undefined;
}): Promise<{ readonly incidents: readonly Incident[]; readonly next: Position | undefined }> {
  const incidents: Incident[] = [];
  let scanned = start;
  let given = start;
  for (let reads = 0; reads < MOST_READS; reads += 1) {
    const asked = MOST_PER_READ + 1 + (scanned?.seen.length ?? 0);
    const batch = await read(scanned?.at, asked);
    for (const incident of batch) {
      if (scanned?.seen.includes(incident.incidentId)) continue;
      if (incident.openedAt < since) return { incidents, next: undefined };
      scanned = after(scanned, incident);
      if (!wanted(incident)) continue;
      if (incidents.length === limit) return { incidents, next: given };
      incidents.push(incident);
      given = after(given, incident);
    }
    if (batch.length < asked) return { incidents, next: undefined };
  }
  return { incidents, next: incidents.length === limit ? given : scanned };
}

function after(before: Position | undefined, { openedAt, incidentId }: Incident): Position {
  return { at: openedAt, seen: [...(before?.at === openedAt ? before.seen : []), incidentId] };
}
