/**
 * The incidents table in memory: the same answers as the real one, a clock that is handed in, and no aliasing: what is
 * stored is a frozen copy, so that whoever alters what was read fails at once.
 */

import type { IncidentsTable } from '#lib/adapters/incidents-table.ts';
import { fitIncident } from '#lib/core/fit-incident.ts';
import type { Incident } from '#lib/core/incident.ts';
import { doneSince } from '#lib/core/incident-changes.ts';
import { policySchema } from '#lib/core/policy.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { Clock, Pause, StoredPolicy } from '#lib/workflow/ports.ts';

const DAY_MS = 86_400_000;

interface Settings {
  readonly clock?: Clock;
  readonly retentionDays?: number;
  /** Awaited between a read and the write that depends on it, so that a test can let others in between. */
  readonly between?: () => Promise<void>;
  /** Writes without any condition on purpose, to prove that a judge notices. */
  readonly withoutConditions?: boolean;
}

export interface MemoryIncidents extends IncidentsTable {
  /** Every incident there is, for a test's judgement. */
  readonly all: () => readonly Incident[];
  /** How often a condition sent a writer back to read again. */
  readonly conflicts: () => number;
  /** Puts the policy there as it is, valid or not. */
  readonly plantPolicy: (stored: unknown) => void;
}

export function createMemoryIncidents({
  clock = Date.now,
  retentionDays = 90,
  between = async () => {},
  withoutConditions = false,
}: Settings = {}): MemoryIncidents {
  const incidents = new Map<string, Incident>();
  const onces = new Map<string, number>();
  const allowances = new Map<string, { taken: number; until: number }>();
  let policy: StoredPolicy | undefined;
  let pause: Pause = { paused: false };
  let conflicts = 0;

  const found = (incidentId: string) => incidents.get(incidentId);
  const expiryOf = (incident: Incident): number => (doneSince(incident) ?? Infinity) + retentionDays * DAY_MS;
  const select = (
    wanted: (incident: Incident) => boolean,
    order: (a: Incident, b: Incident) => number,
    limit: number,
  ) => [...incidents.values()].filter(wanted).sort(order).slice(0, limit);

  return {
    loadIncident: async (incidentId) => found(incidentId),
    createIncident: async (incident) => {
      const there = found(incident.incidentId);
      if (there) return { kind: 'exists', incident: there };
      const stored = frozenCopy(fitIncident(incident));
      incidents.set(stored.incidentId, stored);
      return { kind: 'created', incident: stored };
    },
    changeIncident: async (incidentId, change) => {
      for (let attempt = 0; attempt < 20; attempt += 1) {
        const read = found(incidentId);
        if (!read) return { changed: false, incident: undefined };
        const { version } = read;
        const changed = change(read);
        if (!changed) return { changed: false, incident: found(incidentId) };
        await between();
        if (withoutConditions || incidents.get(incidentId)?.version === version) {
          const stored = frozenCopy(fitIncident({ ...changed, version: version + 1 }));
          incidents.set(incidentId, stored);
          return { changed: true, incident: stored };
        }
        conflicts += 1;
      }
      throw new UpstreamError('incidents_table', 'conflict', 'too many conflicting changes', {
        sent: 'no',
        retry: true,
      });
    },
    hostHistory: async ({ hostKey, mode, since, until = Infinity, limit }) =>
      select(
        (each) =>
          each.hostKey === hostKey && each.mode === mode && each.openedAt >= since && each.openedAt <= until,
        (a, b) => b.openedAt - a.openedAt,
        limit,
      ),
    dueIncidents: async ({ state, now, limit }) =>
      select(
        (each) => each.state === state && each.dueAt !== undefined && each.dueAt <= now,
        (a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0),
        limit,
      ),
    listIncidents: async ({ state, until = Infinity, limit }) =>
      select(
        (each) => each.state === state && each.openedAt <= until,
        (a, b) => b.openedAt - a.openedAt,
        limit,
      ),
    countIncidents: async ({ state }) =>
      [...incidents.values()].filter((each) => each.state === state).length,
    oncePer: async (key, expiresAt) => {
      const until = onces.get(key);
      if (until !== undefined && until > clock()) return false;
      onces.set(key, expiresAt);
      return true;
    },
    takeAllowance: async (key, limit, expiresAt) => {
      const counter = allowances.get(key);
      if (counter && counter.until > clock() && counter.taken > 0) {
        if (counter.taken >= limit && !withoutConditions) return false;
        counter.taken += 1;
        return true;
      }
      if (limit < 1) return false;
      allowances.set(key, { taken: 1, until: expiresAt });
      return true;
    },
    giveBackAllowance: async (key) => {
      const counter = allowances.get(key);
      if (counter && counter.taken > 0) counter.taken -= 1;
    },
    readAllowances: async (keys) =>
      new Map(
        keys.map((key) => {
          const counter = allowances.get(key);
          return [key, counter && counter.until > clock() ? counter.taken : 0];
        }),
      ),
    loadPolicy: async () => policy,
    savePolicy: async (stored) => {
      policy = readPolicy(stored);
    },
    loadPause: async () => structuredClone(pause),
    savePause: async (wanted) => {
      pause = structuredClone(wanted);
    },
    deleteExpired: async (now, limit) => {
      let deleted = 0;
      const room = () => deleted < limit;
      for (const [key, until] of onces) if (room() && until <= now && onces.delete(key)) deleted += 1;
      for (const [key, { until }] of allowances)
        if (room() && until <= now && allowances.delete(key)) deleted += 1;
      for (const [key, incident] of incidents) {
        const expiry = expiryOf(incident);
        if (room() && expiry <= now && incidents.delete(key)) deleted += 1;
      }
      return deleted;
    },
    conflicts: () => conflicts,
    all: () => [...incidents.values()],
    plantPolicy: (stored) => {
      policy = readPolicy(stored);
    },
  };
}

function frozenCopy<Value>(value: Value): Value {
  const copy = structuredClone(value);
  freeze(copy);
  return copy;
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const each of Object.values(value)) freeze(each);
}

function readPolicy(stored: unknown): StoredPolicy | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined;
  if (!('policy' in stored && 'hash' in stored && 'pushedAt' in stored && 'pushedBy' in stored))
    return undefined;
  const policy = policySchema.safeParse(stored.policy);
  const { hash, pushedAt, pushedBy } = stored;
  if (!policy.success || typeof hash !== 'string' || typeof pushedAt !== 'number') return undefined;
  if (typeof pushedBy !== 'string') return undefined;
  return frozenCopy({ policy: policy.data, hash, pushedAt, pushedBy });
}
