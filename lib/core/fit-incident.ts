/** Keeps an incident below what one item of the table can hold, by cutting the middle out of its timeline. */
import type { Incident, TimelineEntry } from '#lib/core/incident.ts';

/** DynamoDB's limit is 400 KB an item, attribute names included; the rest is room for the index attributes. */
const MOST_BYTES = 350_000;
/** How an incident began explains it best; the newest entries say where it stands. */
const KEPT_AT_START = 5;
const KEPT_AT_END = 20;
const LONGEST_TEXT = 500;
const CUT = /^([0-9]+) entries were cut/;

const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;

/**
 * The same incident when it fits. Else without the oldest entries of its timeline's middle, and one entry in their
 * place that counts them; texts are cut only when that is not enough. The size is that of the JSON in UTF-8, which is
 * never smaller than what DynamoDB counts.
 */
export function fitIncident(incident: Incident, mostBytes = MOST_BYTES): Incident {
  if (bytesOf(incident) <= mostBytes) return incident;
  const { timeline } = incident;
  const start = timeline.slice(0, KEPT_AT_START);
  const rest = timeline.slice(KEPT_AT_START);
  // Room for the entry that counts what was cut.
  let over = bytesOf(incident) + 200 - mostBytes;
  let dropped = 0;
  let counted = 0;
  let lastAt = 0;
  for (const entry of rest.slice(0, Math.max(0, rest.length - KEPT_AT_END))) {
    if (over <= 0) break;
    over -= bytesOf(entry) + 1;
    dropped += 1;
    counted += Number(CUT.exec(entry.text)?.[1] ?? 1);
    lastAt = entry.at;
  }
  const mark: readonly TimelineEntry[] =
    dropped === 0
      ? []
      : [
          {
            at: lastAt,
            kind: 'updated',
            text: `${counted} entries were cut here to keep this record storable`,
          },
        ];
  const shorter = [...start, ...mark, ...rest.slice(dropped)];
  return { ...incident, timeline: over <= 0 ? shorter : shorter.map(cutText) };
}

function cutText(entry: TimelineEntry): TimelineEntry {
  return entry.text.length <= LONGEST_TEXT
    ? entry
    : { ...entry, text: `${entry.text.slice(0, LONGEST_TEXT)}…` };
}
