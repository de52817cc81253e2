/** The identities everything hangs on: of an incident, of a decision, of a host in the history. */
import { createHash } from 'node:crypto';
import type { Mode } from '#lib/core/incident.ts';

/**
 * The incident of an event: the same for its problem, updates, recovery and every repeat of them.
 * Zabbix 7.0: EVENT.ID is the problem's id also in a recovery; ids repeat across servers, hence the source.
 * A simulated alert lives in a key space of its own, so that it can never stand in the way of a real one.
 */
export function incidentIdOf(source: string, eventId: string, mode: Mode = 'live'): string {
  const hash = createHash('sha256').update(`${source}\n${eventId}`).digest('hex').slice(0, 24);
  return `${mode === 'simulate' ? 'sim' : 'inc'}_${hash}`;
}

/** At most one execution ever has this id; Rundeck's jobs carry it as `remedia_decision_id`. */
export function decisionIdOf(incidentId: string, step: 1 | 2): string {
  return `${incidentId}#${step}`;
}

/** The key of a host's history. */
export function hostKeyOf(source: string, host: string): string {
  return `${source}/${host}`;
}
