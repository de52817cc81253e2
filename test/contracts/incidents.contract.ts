/** What every incidents table must do: the same suite for the fake in memory and for DynamoDB. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { INCIDENT_STATES, type Incident } from '#lib/core/incident.ts';
import { policySchema } from '#lib/core/policy.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { StoredPolicy } from '#lib/workflow/ports.ts';
import { anIncident, NOON } from '#test/builders/incidents.ts';
import type { MemoryIncidents } from '#test/fakes/incidents-memory.ts';

export type IncidentsPorts = Omit<MemoryIncidents, 'all' | 'conflicts' | 'plantPolicy'>;

const MINUTE = 60_000;
const DAY = 86_400_000;

/**
 * `make` answers an empty table and its clock's hand; every test uses keys of its own, so that a shared table is as
 * good as a new one where a test does not list.
 */
export function describeIncidents(
  name: string,
  make: () => Promise<{ readonly ports: IncidentsPorts; readonly setNow: (now: number) => void }>,
): void {
  describe(`incidents on ${name}`, () => {
    const newId = () => `inc_${randomUUID().replaceAll('-', '').slice(0, 24)}`;
    const seeded = async (over: Partial<Incident> = {}) => {
      const { ports, setNow } = await make();
      setNow(NOON);
      const incident = anIncident({ incidentId: newId(), ...over });
      await ports.createIncident(incident);
      return { ports, setNow, incident };
    };

    it('gives back what was created, and undefined for what was not', async () => {
      const { ports, incident } = await seeded();
      expect(await ports.loadIncident(incident.incidentId)).toEqual(incident);
      expect(await ports.loadIncident(newId())).toBeUndefined();
    });

    it('creates the record of an event once, however many try at the same time', async () => {
      const { ports } = await make();
      const incidentId = newId();
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          ports.createIncident(anIncident({ incidentId, openedAt: NOON + i })),
        ),
      );
      const created = results.filter(({ kind }) => kind === 'created');
      expect(created).toHaveLength(1);
      for (const { incident } of results) expect(incident).toEqual(created[0]?.incident);
    });

    it('keeps nothing that the caller still holds', async () => {
      const { ports } = await make();
      const timeline = [{ at: NOON, kind: 'received' as const, text: 'first' }];
      const incident = anIncident({ incidentId: newId(), timeline });
      const answer = await ports.createIncident(incident);
      timeline.push({ at: NOON, kind: 'received', text: 'planted' });
      expect((await ports.loadIncident(incident.incidentId))?.timeline).toHaveLength(1);
      expect(answer.incident.timeline).toHaveLength(1);
    });

    it('changes an incident, raises its version, and leaves what `change` leaves', async () => {
      const { ports, incident } = await seeded();
      const changed = await ports.changeIncident(incident.incidentId, (each) => ({ ...each, state: 'held' }));
      expect(changed).toEqual({ changed: true, incident: { ...incident, state: 'held', version: 2 } });
      const left = await ports.changeIncident(incident.incidentId, () => undefined);
      expect(left).toEqual({ changed: false, incident: changed.incident });
      expect(await ports.loadIncident(incident.incidentId)).toEqual(changed.incident);
    });

    it('takes an optional value away when a change leaves it out', async () => {
      const { ports, incident } = await seeded({ dueAt: NOON });
      const { incident: changed } = await ports.changeIncident(
        incident.incidentId,
        ({ dueAt: _, ...rest }) => rest,
      );
      expect(changed).not.toHaveProperty('dueAt');
      expect(await ports.loadIncident(incident.incidentId)).not.toHaveProperty('dueAt');
    });

    it('answers a change of an unknown incident with nothing, and never calls it', async () => {
      const { ports } = await make();
      const result = await ports.changeIncident(newId(), () => {
        throw new Error('called');
      });
      expect(result).toEqual({ changed: false, incident: undefined });
    });

    it('lets exactly one of twenty simultaneous claims win', async () => {
      const { ports, incident } = await seeded({ state: 'decided' });
      const claims = await Promise.all(
        Array.from({ length: 20 }, () =>
          ports.changeIncident(incident.incidentId, (each) =>
            each.state === 'decided' ? { ...each, state: 'dispatching' } : undefined,
          ),
        ),
      );
      expect(claims.filter(({ changed }) => changed)).toHaveLength(1);
      for (const claim of claims) expect(claim.incident?.state).toBe('dispatching');
    });

    it('loses none of several simultaneous changes', async () => {
      const { ports, incident } = await seeded();
      await Promise.all(
        Array.from({ length: 5 }, (_, i) =>
          ports.changeIncident(incident.incidentId, (each) => ({
            ...each,
            timeline: [...each.timeline, { at: NOON + i, kind: 'updated', text: `update ${i}` }],
          })),
        ),
      );
      const loaded = await ports.loadIncident(incident.incidentId);
      expect(loaded?.timeline).toHaveLength(6);
      expect(loaded?.version).toBe(6);
    });

    it('keeps an incident storable whose timeline grew beyond the limit: the middle goes, both ends stay', async () => {
      const text = 'x'.repeat(900);
      const timeline = Array.from({ length: 600 }, (_, i) => ({
        at: NOON + i,
        kind: 'updated' as const,
        text: `${i} ${text}`,
      }));
      const { ports, incident } = await seeded({ timeline });
      await ports.changeIncident(incident.incidentId, (each) => ({
        ...each,
        timeline: [...each.timeline, { at: NOON + 600, kind: 'closed', text: 'the end' }],
      }));
      const kept = (await ports.loadIncident(incident.incidentId))?.timeline ?? [];
      expect(kept.slice(0, 5)).toEqual(timeline.slice(0, 5));
      expect(kept.at(-1)?.text).toBe('the end');
      expect(kept[5]?.text).toMatch(/^[0-9]+ entries were cut/);
      expect(kept.length).toBeGreaterThan(300);
      expect(kept.length).toBeLessThan(500);
    });

    it("answers a host's history newest first, of one mode, since a time, up to a limit", async () => {
      const { ports } = await make();
      const hostKey = `zabbix/${randomUUID()}`;
      const open = (openedAt: number, over: Partial<Incident> = {}) =>
        ports.createIncident(anIncident({ incidentId: newId(), hostKey, openedAt, ...over }));
      for (const minutes of [3, 1, 4, 2, 5]) await open(NOON + minutes * MINUTE);
      await open(NOON + 10 * MINUTE, { mode: 'simulate' });
      await open(NOON + 10 * MINUTE, { hostKey: `${hostKey}0` });
      const history = await ports.hostHistory({ hostKey, mode: 'live', since: NOON + 2 * MINUTE, limit: 3 });
      expect(history.map(({ openedAt }) => (openedAt - NOON) / MINUTE)).toEqual([5, 4, 3]);
      const until = await ports.hostHistory({
        hostKey,
        mode: 'live',
        since: 0,
        until: NOON + 2 * MINUTE,
        limit: 9,
      });
      expect(until.map(({ openedAt }) => (openedAt - NOON) / MINUTE)).toEqual([2, 1]);
      const never = await ports.hostHistory({
        hostKey,
        mode: 'live',
        since: NOON,
        until: NOON - 1,
        limit: 9,
      });
      expect(never).toEqual([]);
      const simulated = await ports.hostHistory({ hostKey, mode: 'simulate', since: 0, limit: 10 });
      expect(simulated).toHaveLength(1);
    });

    it('answers more of a history than one read of many items can', async () => {
      const { ports } = await make();
      const hostKey = `zabbix/${randomUUID()}`;
      await Promise.all(
        Array.from({ length: 130 }, (_, i) =>
          ports.createIncident(anIncident({ incidentId: newId(), hostKey, openedAt: NOON + i })),
        ),
      );
      const history = await ports.hostHistory({ hostKey, mode: 'live', since: 0, limit: 120 });
      expect(history.map(({ openedAt }) => openedAt - NOON)).toEqual(
        Array.from({ length: 120 }, (_, i) => 129 - i),
      );
    });

    it.each(INCIDENT_STATES)('finds what is due in state %s, the longest due first', async (state) => {
      const { ports } = await make();
      const now = NOON + 60 * MINUTE;
      const add = (over: Partial<Incident>) =>
        ports.createIncident(anIncident({ incidentId: newId(), state, ...over }));
      await add({ dueAt: now - MINUTE });
      await add({ dueAt: now - 2 * MINUTE });
      await add({ dueAt: now });
      await add({ dueAt: now + 1 });
      await add({});
      await add({ dueAt: now - MINUTE, state: state === 'held' ? 'running' : 'held' });
      const due = await ports.dueIncidents({ state, now, limit: 10 });
      expect(due.map(({ dueAt }) => dueAt)).toEqual([now - 2 * MINUTE, now - MINUTE, now]);
      expect(await ports.dueIncidents({ state, now, limit: 1 })).toHaveLength(1);
    });

    it('finds a closed incident whose message is still to be told, and not one that is done', async () => {
      const { ports, incident } = await seeded();
      await ports.changeIncident(incident.incidentId, (each) => ({
        ...each,
        state: 'closed',
        escalation: 'pending',
        dueAt: NOON,
      }));
      const query = { state: 'closed', now: NOON, limit: 10 } as const;
      expect((await ports.dueIncidents(query)).map(({ incidentId }) => incidentId)).toEqual([
        incident.incidentId,
      ]);
      await ports.changeIncident(incident.incidentId, ({ dueAt: _, ...each }) => ({
        ...each,
        escalation: 'delivered',
      }));
      expect(await ports.dueIncidents(query)).toEqual([]);
    });

    it('lists the newest of a state, due or not', async () => {
      const { ports } = await make();
      const add = (openedAt: number, over: Partial<Incident> = {}) =>
        ports.createIncident(anIncident({ incidentId: newId(), state: 'running', openedAt, ...over }));
      await add(NOON + 1);
      await add(NOON + 3, { dueAt: NOON + 5 });
      await add(NOON + 2, { dueAt: NOON + 90 * DAY });
      await add(NOON + 4);
      await add(NOON + 5, { state: 'closed' });
      const opened = async (limit: number, until?: number) =>
        (await ports.listIncidents({ state: 'running', limit, until })).map(
          ({ openedAt }) => openedAt - NOON,
        );
      expect(await opened(10)).toEqual([4, 3, 2, 1]);
      expect(await opened(2)).toEqual([4, 3]);
      expect(await opened(2, NOON + 3)).toEqual([3, 2]);
      expect(await opened(9, NOON)).toEqual([]);
    });

    it('counts the incidents of a state, due or not', async () => {
      const { ports, setNow } = await make();
      setNow(NOON);
      const before = await ports.countIncidents({ state: 'held' });
      for (let index = 0; index < 5; index += 1) {
        await ports.createIncident(
          anIncident({ incidentId: newId(), state: 'held', ...(index > 2 && { dueAt: NOON + index }) }),
        );
      }
      await ports.createIncident(anIncident({ incidentId: newId(), state: 'running' }));
      expect(await ports.countIncidents({ state: 'held' })).toBe(before + 5);
    });

    it('is true once per key until that expires, however many ask at the same time', async () => {
      const { ports, setNow } = await make();
      const key = randomUUID();
      setNow(NOON);
      const first = await Promise.all(Array.from({ length: 20 }, () => ports.oncePer(key, NOON + MINUTE)));
      expect(first.filter(Boolean)).toHaveLength(1);
      setNow(NOON + MINUTE - 1);
      expect(await ports.oncePer(key, NOON + 2 * MINUTE)).toBe(false);
      setNow(NOON + MINUTE);
      expect(await ports.oncePer(key, NOON + 2 * MINUTE)).toBe(true);
    });

    it('gives exactly seven of fifty simultaneous takers an allowance of seven', async () => {
      const { ports, setNow } = await make();
      const key = randomUUID();
      setNow(NOON);
      const taken = await Promise.all(
        Array.from({ length: 50 }, () => ports.takeAllowance(key, 7, NOON + MINUTE)),
      );
      expect(taken.filter(Boolean)).toHaveLength(7);
      expect(await ports.readAllowances([key])).toEqual(new Map([[key, 7]]));
    });

    it('begins a new count when the old one has expired', async () => {
      const { ports, setNow } = await make();
      const key = randomUUID();
      setNow(NOON);
      expect(await ports.takeAllowance(key, 1, NOON + MINUTE)).toBe(true);
      expect(await ports.takeAllowance(key, 1, NOON + MINUTE)).toBe(false);
      setNow(NOON + MINUTE);
      expect(await ports.readAllowances([key])).toEqual(new Map([[key, 0]]));
      expect(await ports.takeAllowance(key, 1, NOON + 2 * MINUTE)).toBe(true);
    });

    it('gives nothing of an allowance of none', async () => {
      const { ports, setNow } = await make();
      setNow(NOON);
      expect(await ports.takeAllowance(randomUUID(), 0, NOON + MINUTE)).toBe(false);
    });

    it('takes back what was not used, and never more than was taken', async () => {
      const { ports, setNow } = await make();
      const key = randomUUID();
      setNow(NOON);
      await ports.giveBackAllowance(key);
      await ports.takeAllowance(key, 1, NOON + MINUTE);
      await ports.giveBackAllowance(key);
      await ports.giveBackAllowance(key);
      expect(await ports.readAllowances([key, 'unknown'])).toEqual(
        new Map([
          [key, 0],
          ['unknown', 0],
        ]),
      );
      expect(await ports.takeAllowance(key, 1, NOON + MINUTE)).toBe(true);
      expect(await ports.takeAllowance(key, 1, NOON + MINUTE)).toBe(false);
    });

    it('counts the time anew when everything was given back', async () => {
      const { ports, setNow } = await make();
      const key = randomUUID();
      setNow(NOON);
      await ports.takeAllowance(key, 1, NOON + MINUTE);
      await ports.giveBackAllowance(key);
      setNow(NOON + MINUTE / 2);
      expect(await ports.takeAllowance(key, 1, NOON + 2 * MINUTE)).toBe(true);
      setNow(NOON + MINUTE);
      expect(await ports.takeAllowance(key, 1, NOON + 3 * MINUTE)).toBe(false);
    });

    it('has no policy at first, then the one that was saved last', async () => {
      const { ports, setNow } = await make();
      setNow(NOON);
      expect(await ports.loadPolicy()).toBeUndefined();
      const stored: StoredPolicy = {
        policy: policySchema.parse({ version: 1, allow: { services: ['nginx*'] } }),
        hash: 'a'.repeat(64),
        pushedAt: NOON,
        pushedBy: 'ops',
      };
      await ports.savePolicy(stored);
      expect(await ports.loadPolicy()).toEqual(stored);
      await ports.savePolicy({ ...stored, hash: 'b'.repeat(64) });
      expect((await ports.loadPolicy())?.hash).toBe('b'.repeat(64));
    });

    it('is not paused at first, then what was saved last, at once', async () => {
      const { ports } = await make();
      expect(await ports.loadPause()).toEqual({ paused: false });
      const pause = { paused: true, by: 'ops', since: NOON, reason: 'maintenance' };
      await ports.savePause(pause);
      expect(await ports.loadPause()).toEqual(pause);
      await ports.savePause({ paused: false });
      expect(await ports.loadPause()).toEqual({ paused: false });
    });

    it('deletes what has expired, up to a limit, and nothing else', async () => {
      const { ports, setNow } = await make();
      setNow(NOON);
      const add = async (over: Partial<Incident>) => {
        const incident = anIncident({ incidentId: newId(), ...over });
        await ports.createIncident(incident);
        return incident.incidentId;
      };
      const done = { state: 'closed', outcome: 'verified', closedAt: NOON, escalation: 'none' } as const;
      const old = await add(done);
      const later = await add({ ...done, closedAt: NOON + DAY });
      const open = await add({ state: 'running' });
      const untold = await add({ ...done, escalation: 'pending', dueAt: NOON });
      const hopeless = await add({ ...done, escalation: 'undeliverable', dueAt: NOON + DAY });
      const toldLate = await add({
        ...done,
        escalation: 'delivered',
        timeline: [{ at: NOON + 29 * DAY, kind: 'escalated', text: 'A human was told: Needs a human' }],
      });
      await ports.oncePer('passed', NOON + MINUTE);
      await ports.takeAllowance('passed', 1, NOON + MINUTE);
      await ports.oncePer('coming', NOON + 400 * DAY);

      expect(await ports.deleteExpired(NOON + 30 * DAY - 1, 100)).toBe(2);
      expect(await ports.deleteExpired(NOON + 30 * DAY, 100)).toBe(1);
      expect(await ports.loadIncident(old)).toBeUndefined();
      for (const id of [later, open, untold, hopeless, toldLate]) {
        expect(await ports.loadIncident(id)).toBeDefined();
      }
      expect(await ports.oncePer('coming', NOON + DAY)).toBe(false);

      await add(done);
      await add(done);
      expect(await ports.deleteExpired(NOON + 30 * DAY, 1)).toBe(1);
      expect(await ports.deleteExpired(NOON + 30 * DAY, 1)).toBe(1);
      expect(await ports.deleteExpired(NOON + 30 * DAY, 1)).toBe(0);

      // Whoever was told has as long to read it as of any other; whoever was not is never forgotten.
      expect(await ports.deleteExpired(NOON + 400 * DAY, 100)).toBe(3);
      expect(await ports.loadIncident(toldLate)).toBeUndefined();
      for (const id of [open, untold, hopeless]) expect(await ports.loadIncident(id)).toBeDefined();
    });

    it('says so when changes of one incident conflict for ever', async () => {
      const { ports, incident } = await seeded();
      const others: Promise<unknown>[] = [];
      const stubborn = ports.changeIncident(incident.incidentId, (each) => {
        others.push(
          ports.changeIncident(incident.incidentId, (other) => ({ ...other, updatedAt: each.version })),
        );
        return { ...each, state: 'held' };
      });
      // Either it wins in the end or it says honestly that it did not: nothing is half done.
      const result = await stubborn.catch((error: unknown) => error);
      await Promise.all(others);
      const { state } = (await ports.loadIncident(incident.incidentId)) ?? {};
      if (result instanceof UpstreamError) {
        expect(result).toMatchObject({
          upstream: 'incidents_table',
          code: 'conflict',
          sent: 'no',
          retry: true,
        });
        expect(state).toBe('received');
      } else {
        expect(state).toBe('held');
      }
    });
  });
}
