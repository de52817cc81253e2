/** Reads every incident that was opened since a moment, for reports and for the cases that are learnt from. */
import { durationMs } from '#lib/core/duration.ts';
import { INCIDENT_STATES, type Incident, type IncidentState } from '#lib/core/incident.ts';
import type { ListIncidents } from '#lib/workflow/ports.ts';

const PAGE = 100;

/** The newest first. Throws UpstreamError `incidents_table`. */
export async function readIncidents(
  listIncidents: ListIncidents,
  since: number,
): Promise<readonly Incident[]> {
  const found = new Map<string, Incident>();
  for (const state of INCIDENT_STATES) {
    for (const each of await readState(listIncidents, state, since)) found.set(each.incidentId, each);
  }
  return [...found.values()].sort((a, b) => b.openedAt - a.openedAt);
}

async function readState(
  listIncidents: ListIncidents,
  state: IncidentState,
  since: number,
): Promise<readonly Incident[]> {
  const all = new Map<string, Incident>();
  let until: number | undefined;
  for (;;) {
    const page = await listIncidents({ state, until, limit: PAGE });
    const before = all.size;
    for (const each of page) if (each.openedAt >= since) all.set(each.incidentId, each);
    const oldest = page.at(-1)?.openedAt;
    if (page.length < PAGE || oldest === undefined || oldest < since) return [...all.values()];
    // A page of one and the same instant would be read for ever.
    until = all.size === before ? oldest - 1 : oldest;
  }
}

/** `30d` ago, or a date; `undefined` for anything else. */
export function readSince(text: string, now: number): number | undefined {
  if (/^[1-9][0-9]{0,4}[smhd]$/.test(text)) return now - durationMs(text);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
