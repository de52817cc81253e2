/** Incidents and alerts for tests: sound defaults, and what the test is about on top. */
import type { Alert } from '#lib/core/alert.ts';
import type { Incident } from '#lib/core/incident.ts';

/** 2026-03-01T12:00:00Z; tests add to it and never read the real clock. */
export const NOON = 1_772_366_400_000;

export function anAlert(over: Partial<Alert> = {}): Alert {
  return {
    formatVersion: 1,
    source: 'zabbix',
    kind: 'problem',
    eventId: '4711',
    eventName: '/var: Disk space is low',
    severity: 3,
    tags: [
      { tag: 'component', value: 'storage' },
      { tag: 'filesystem', value: '/var' },
    ],
    hostGroups: ['Linux servers'],
    host: { host: 'web-01' },
    trigger: { id: '23456' },
    item: { key: 'vfs.fs.dependent.size[/var,pused]', value: '91.2 %' },
    receivedAt: NOON,
    ...over,
  };
}

export function anIncident(over: Partial<Incident> = {}): Incident {
  return {
    incidentId: 'inc_0123456789abcdef01234567',
    source: 'zabbix',
    eventId: '4711',
    mode: 'live',
    state: 'received',
    escalation: 'none',
    alert: anAlert(),
    hostKey: 'zabbix/web-01',
    openedAt: NOON,
    updatedAt: NOON,
    decideBy: NOON + 900_000,
    decisions: [],
    timeline: [{ at: NOON, kind: 'received', text: 'The alert arrived.' }],
    version: 1,
    ...over,
  };
}
