/** The switch that stops everything, what the sweeper picks up, and what becomes of dead letters. */
import { describe, expect, it } from 'vitest';
import type { Incident } from '#lib/core/incident.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import { whySweepFailed } from '#lib/workflow/sweep-incidents.ts';
import { anAlert } from '#test/builders/incidents.ts';
import { notifies, openHouse, policyOf, says } from '#test/workflow/house.ts';

const MINUTE = 60_000;
const anId = 'inc_000000000000000000000000';

describe('a pause', () => {
  it('holds what arrives, asks no model, and everything goes on after it', async () => {
    const house = openHouse({});
    await house.ready;
    await house.setPause(true);
    const id = await house.post(anAlert());
    await house.settle(house.clock() + 5 * MINUTE);
    expect(house.incident(id)).toMatchObject({ state: 'held', decisions: [] });
    expect(house.incident(id).timeline.filter(({ kind }) => kind === 'held')).toHaveLength(1);
    expect(house.questions).toEqual([]);
    const shown = {
      pause: { paused: true, by: 'ops', reason: 'maintenance' },
      waiting: [{ incidentId: id }],
      waitingInAll: 1,
    };
    expect(await house.showPause()).toMatchObject({ answer: shown });

    expect(await house.setPause(false)).toMatchObject({
      answer: { pause: { paused: false }, waiting: [{ incidentId: id }], waitingInAll: 1, sentAgain: 1 },
    });
    house.later(2 * MINUTE, () => house.recover(anAlert()));
    await house.settle();
    expect(house.incident(id)).toMatchObject({ outcome: 'verified' });
  });

  it('holds what is queued already', async () => {
    const house = openHouse({});
    await house.ready;
    const id = await house.post(anAlert());
    await house.decide({ incidentId: id });
    await house.setPause(true);
    await house.settle(house.clock() + 2 * MINUTE);
    expect(house.incident(id).state).toBe('held');
    expect(house.rundeck.orders()).toEqual([]);
    await house.setPause(false);
    await house.settle();
    expect(house.rundeck.orders()).toHaveLength(1);
  });

  it.each(['received', 'decided'] as const)('that lasts too long: a human is told (%s)', async (when) => {
    const house = openHouse({});
    await house.ready;
    const id = await house.post(anAlert());
    if (when === 'decided') await house.decide({ incidentId: id });
    await house.setPause(true);
    await house.settle();
    const incident = house.incident(id);
    expect(incident).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(house.people.messages).toHaveLength(1);
    expect(house.people.messages[0]?.body).toMatch(/Paused by ops|Remedia is paused/);
    expect((incident.closedAt ?? 0) - incident.openedAt).toBeLessThanOrEqual(16 * MINUTE);
    expect(house.rundeck.orders()).toEqual([]);
  });

  it('by a missing policy holds too, until one is there', async () => {
    const house = openHouse({ policy: 'none' });
    const id = await house.post(anAlert());
    await house.settle(house.clock() + 2 * MINUTE);
    expect(house.incident(id).state).toBe('held');
    await house.setPolicy(policyOf());
    await house.settle();
    expect(house.rundeck.orders()).toHaveLength(1);
  });

  it('and a resume check each again: what recovered meanwhile does not run', async () => {
    const house = openHouse({});
    await house.ready;
    const id = await house.post(anAlert());
    await house.decide({ incidentId: id });
    await house.setPause(true);
    await house.settle(house.clock() + MINUTE);
    await house.recover(anAlert());
    await house.setPause(false);
    await house.settle();
    expect(house.incident(id)).toMatchObject({ outcome: 'recovered_before_action' });
    expect(house.rundeck.orders()).toEqual([]);
  });
});

describe('a resume of 250 that are held', () => {
  /** Half of them wait for their decision and half for their job. */
  async function prepare() {
    let queueFails = () => false;
    let changeTakes = 0;
    const house = openHouse({
      policy: policyOf({ storm: { alerts: 1000, within: '5m' } }),
      over: ({ table }) => ({
        changeIncident: (...given) => {
          house.pass(changeTakes);
          return table.changeIncident(...given);
        },
        sendToDecide: async (...given) => {
          if (queueFails()) throw new UpstreamError('queue', 'failed', 'no', { sent: 'no', retry: true });
          return house.queues.decide.send(...given);
        },
      }),
    });
    await house.ready;
    const post = (event: number) =>
      house.post(anAlert({ eventId: String(event), host: { host: `web-${event}` } }));
    const ids: string[] = [];
    for (let event = 1; event <= 125; event += 1) ids.push(await post(event));
    for (const incidentId of ids) await house.decide({ incidentId });
    await house.setPause(true);
    for (const incidentId of ids) await house.dispatch({ incidentId, step: 1 });
    for (let event = 126; event <= 250; event += 1) {
      const incidentId = await post(event);
      await house.decide({ incidentId });
      ids.push(incidentId);
    }
    const { decide, dispatch } = house.queues;
    for (const queue of [decide, dispatch])
      for (let message = queue.receive(); message !== undefined; message = queue.receive()) message.delete();
    expect(new Set(ids.map((id) => house.incident(id).state))).toEqual(new Set(['held']));
    return {
      house,
      ids,
      sent: () => [...decide.waiting(), ...dispatch.waiting()].map(({ incidentId }) => incidentId),
      setQueueFails: (fails: () => boolean) => {
        queueFails = fails;
      },
      setChangeTakes: (milliseconds: number) => {
        changeTakes = milliseconds;
      },
    };
  }

  it('sends all of them to their queues, and says how many', async () => {
    const { house, ids, sent } = await prepare();
    const resumed = await house.setPause(false);
    expect(resumed).toMatchObject({ answer: { waitingInAll: 250, sentAgain: 250 } });
    expect(resumed.kind === 'answered' && resumed.answer.waiting.length).toBe(100);
    expect(sent().toSorted()).toEqual(ids.toSorted());
  });

  it('says how many there was time for, and the sweeper sends the rest', async () => {
    const { house, ids, sent, setChangeTakes } = await prepare();
    setChangeTakes(100);
    expect(await house.setPause(false)).toMatchObject({ answer: { waitingInAll: 250, sentAgain: 80 } });
    setChangeTakes(0);
    house.pass(MINUTE);
    expect(await house.sweep()).toMatchObject({ answer: { swept: 170, failed: [] } });
    expect(sent().toSorted()).toEqual(ids.toSorted());
  });

  it('leaves to the sweeper what its queue did not take', async () => {
    const { house, ids, sent, setQueueFails } = await prepare();
    let calls = 0;
    setQueueFails(() => {
      calls += 1;
      return calls % 5 === 0;
    });
    expect(await house.setPause(false)).toMatchObject({ answer: { waitingInAll: 250, sentAgain: 225 } });
    setQueueFails(() => false);
    house.pass(2 * MINUTE);
    await house.sweep();
    expect(new Set(sent())).toEqual(new Set(ids));
  });
});

it('is decided within what the policy says, when that is shorter', async () => {
  const house = openHouse({ policy: policyOf({ decide_within: '5m' }) });
  await house.ready;
  await house.setPause(true);
  const id = await house.post(anAlert());
  await house.settle();
  const { closedAt = 0, openedAt } = house.incident(id);
  expect(closedAt - openedAt).toBeLessThanOrEqual(6 * MINUTE);
});

describe('the sweeper', () => {
  it.each(['received', 'decided', 'running', 'verifying'] as const)(
    'picks up what got lost while it was %s',
    async (state) => {
      const house = openHouse({});
      await house.ready;
      const id = await house.post(anAlert());
      house.later(5 * MINUTE, () => house.recover(anAlert()));
      if (state !== 'received') await house.decide({ incidentId: id });
      if (state === 'running' || state === 'verifying') await house.dispatch({ incidentId: id, step: 1 });
      if (state === 'verifying') await house.check({ incidentId: id, step: 1 });
      expect(house.incident(id).state).toBe(state);
      for (const queue of [house.queues.decide, house.queues.dispatch, house.queues.check]) {
        house.pass(10_000);
        for (let message = queue.receive(); message !== undefined; message = queue.receive())
          message.delete();
      }
      await house.settle();
      expect(house.incident(id)).toMatchObject({ outcome: 'verified' });
      expect(house.rundeck.orders()).toHaveLength(1);
    },
  );

  it('goes on with the others when one cannot be handled, for whatever reason', async () => {
    const house = openHouse({
      over: ({ table }) => ({
        changeIncident: async (incidentId, change) => {
          if (incidentId === bad) throw new TypeError('injected: a fault of ours');
          return table.changeIncident(incidentId, change);
        },
      }),
    });
    let bad = '';
    await house.ready;
    const first = await house.post(anAlert({ eventId: '1' }));
    const second = await house.post(anAlert({ eventId: '2', host: { host: 'web-02' } }));
    bad = first;
    house.pass(2 * MINUTE);
    expect(await house.sweep()).toMatchObject({ answer: { swept: 1, failed: [first], undeliverable: [] } });
    expect(house.queues.decide.waiting().filter(({ incidentId }) => incidentId === second)).toHaveLength(2);
  });

  it.each([
    ['nothing', [], [], undefined],
    ['whom nobody knows of', ['a', 'b'], [], 'Nobody could be told about 2 incidents: a, b.'],
    ['what could not be swept', [], ['c'], '1 incidents could not be swept: c.'],
    ['both', ['a'], ['c'], 'Nobody could be told about 1 incidents: a. 1 incidents could not be swept: c.'],
  ])('fails for %s', (_, undeliverable, failed, why) => {
    expect(whySweepFailed({ swept: 7, undeliverable, failed })).toBe(why);
  });

  it('names whom nobody knows of although it cannot delete what has expired', async () => {
    let broken = false;
    const house = openHouse({
      askModel: notifies,
      over: ({ table }) => ({
        deleteExpired: async (...given) => {
          if (broken) throw new UpstreamError('incidents_table', 'failed', 'no', { sent: 'no', retry: true });
          return table.deleteExpired(...given);
        },
      }),
    });
    await house.ready;
    house.people.become('refuse');
    const id = await house.post(anAlert());
    await house.settle();
    broken = true;
    expect(await house.sweep()).toMatchObject({ kind: 'threw' });
    house.pass(60 * MINUTE);
    expect(await house.sweep()).toMatchObject({ answer: { undeliverable: [id] } });
  });

  it('sweeps more than a page of them, and leaves to its next minute what it has no time for', async () => {
    const house = openHouse({
      over: ({ table }) => ({
        changeIncident: (...given) => {
          house.pass(200);
          return table.changeIncident(...given);
        },
      }),
    });
    await house.ready;
    for (let event = 1; event <= 200; event += 1) {
      await house.post(anAlert({ eventId: String(event), host: { host: `web-${event}` } }));
    }
    house.pass(2 * MINUTE);
    const first = await house.sweep();
    expect(first).toMatchObject({ kind: 'answered', answer: { swept: 130, failed: [] } });
    expect(await house.sweep()).toMatchObject({ answer: { swept: 70, failed: [] } });
  });

  it.each([
    ['decides', 21, 'handed_over', 'could not be decided in time'],
    ['dispatches', 21, 'handed_over', 'nothing has carried it out'],
    ['checks', 45, 'unverifiable', 'Nobody found out in time'],
  ] as const)(
    'alone tells a human in time when nothing %s any more',
    async (what, minutes, outcome, text) => {
      const house = openHouse({});
      await house.ready;
      const id = await house.post(anAlert());
      if (what !== 'decides') await house.decide({ incidentId: id });
      if (what === 'checks') await house.dispatch({ incidentId: id, step: 1 });
      const began = house.clock();
      while (house.incident(id).state !== 'closed' && house.clock() < began + 60 * MINUTE) {
        house.pass(MINUTE);
        expect(await house.sweep()).toMatchObject({ answer: { failed: [] } });
      }
      expect(house.incident(id)).toMatchObject({ outcome, escalation: 'delivered' });
      expect(house.people.messages).toMatchObject([{ incidentId: id, body: expect.stringContaining(text) }]);
      expect(house.clock() - began).toBeLessThanOrEqual((minutes + 2) * MINUTE);
      // What comes back to life afterwards does nothing.
      await house.decide({ incidentId: id });
      await house.dispatch({ incidentId: id, step: 1 });
      expect(house.rundeck.orders()).toHaveLength(what === 'checks' ? 1 : 0);
      expect(house.people.messages).toHaveLength(1);
    },
  );

  it('deletes what has expired', async () => {
    const house = openHouse({ policy: policyOf({ minimum_severity: 5 }) });
    await house.ready;
    const id = await house.post(anAlert());
    await house.settle();
    expect(house.incident(id).state).toBe('closed');
    house.pass(91 * 24 * 60 * MINUTE);
    await house.sweep();
    expect(house.table.all()).toEqual([]);
  });
});

describe('what the sweeper read a moment ago, while somebody went on with it', () => {
  /** `stale` is what the sweeper sees, whatever the table says. */
  const prepare = (given: Parameters<typeof openHouse>[0] = {}) => {
    const seen: { stale?: Incident } = {};
    const house = openHouse({
      ...given,
      over: (parts) => ({
        dueIncidents: async (query) => {
          const { stale } = seen;
          if (stale === undefined) return parts.table.dueIncidents(query);
          return query.state === stale.state ? [stale] : [];
        },
        ...given.over?.(parts),
      }),
    });
    return {
      house,
      sweepStale: async (stale: Incident) => {
        seen.stale = stale;
        expect(await house.sweep()).toMatchObject({ answer: { swept: 1, failed: [] } });
        delete seen.stale;
      },
    };
  };

  it('a question that a human says yes to in its last second is not handed over', async () => {
    const { house, sweepStale } = prepare({
      policy: policyOf({ rules: [{ tools: ['cleanup_disk'], autonomy: 'approve' }] }),
    });
    await house.ready;
    const id = await house.post(anAlert());
    await house.settle(house.clock());
    const stale = house.incident(id);
    house.pass(30 * MINUTE - 1);
    const proposalHash = stale.decisions[0]?.proposalHash ?? '';
    await house.answer({ incidentId: id, step: 1, proposalHash, answer: 'approved', by: 'ann' });
    house.pass(1);

    await sweepStale(stale);

    expect(house.incident(id)).toMatchObject({ state: 'decided' });
    expect(house.people.messages.map(({ kind }) => kind)).toEqual(['approval']);
  });

  it('a question that expired and has recovered is closed once, by whoever came first', async () => {
    const { house, sweepStale } = prepare({
      policy: policyOf({ rules: [{ tools: ['cleanup_disk'], autonomy: 'approve' }] }),
    });
    await house.ready;
    const id = await house.post(anAlert());
    await house.settle(house.clock());
    const stale = house.incident(id);
    await house.recover(anAlert());
    house.pass(31 * MINUTE);

    await sweepStale(stale);
    expect(house.incident(id).state).toBe('awaiting_approval');
    await house.sweep();

    expect(house.incident(id)).toMatchObject({ outcome: 'recovered_before_action' });
    expect(house.people.messages.map(({ kind }) => kind)).toEqual(['approval']);
  });

  it('a job of which Rundeck has told meanwhile is not called unknown', async () => {
    let stale: Incident | undefined;
    const { house, sweepStale } = prepare({
      without: ['rundeck api'],
      over: ({ table }) => ({
        changeIncident: async (incidentId, change) => {
          const changed = await table.changeIncident(incidentId, change);
          if (changed.incident?.decisions[0]?.dispatch?.sent === 'unknown') stale ??= changed.incident;
          return changed;
        },
      }),
    });
    await house.ready;
    const id = await house.post(anAlert());
    await house.decide({ incidentId: id });
    await house.dispatch({ incidentId: id, step: 1 });
    house.pass(4 * MINUTE);
    if (stale === undefined) throw new Error('its post was never announced');

    await sweepStale(stale);

    expect(house.incident(id)).toMatchObject({ state: 'running' });
    expect(house.people.messages).toEqual([]);
  });

  it('a claim that was given back and taken anew is left to whoever has it now', async () => {
    let stale: Incident | undefined;
    const { house, sweepStale } = prepare({
      over: ({ table }) => ({
        loadPause: async () => {
          const [claimed] = table.all().filter(({ state }) => state === 'dispatching');
          if (stale === undefined && claimed !== undefined) {
            stale = claimed;
            throw new UpstreamError('incidents_table', 'failed', 'no', { sent: 'no', retry: true });
          }
          if (stale !== undefined && claimed !== undefined) {
            await sweepStale(stale);
            expect(house.incident(stale.incidentId).state).toBe('dispatching');
          }
          return table.loadPause();
        },
      }),
    });
    await house.ready;
    const id = await house.post(anAlert());
    await house.decide({ incidentId: id });
    await house.dispatch({ incidentId: id, step: 1 });
    house.pass(4 * MINUTE);
    await house.dispatch({ incidentId: id, step: 1 });

    expect(house.incident(id)).toMatchObject({ state: 'running' });
    expect(house.rundeck.orders()).toHaveLength(1);
  });
});

it('what was decided while another found it too late to decide is carried out', async () => {
  let stale: Incident | undefined;
  const house = openHouse({
    over: ({ table }) => ({ loadIncident: async (id) => stale ?? table.loadIncident(id) }),
  });
  await house.ready;
  const id = await house.post(anAlert());
  const before = house.incident(id);
  await house.decide({ incidentId: id });
  stale = before;
  house.pass(15 * MINUTE);
  await house.decide({ incidentId: id });

  expect(house.incident(id)).toMatchObject({ state: 'decided' });
  expect(house.people.messages).toEqual([]);
});

describe('a dead letter', () => {
  it('hands its incident over, once, with the reason', async () => {
    const house = openHouse({
      askModel: async () => {
        throw new TypeError('injected: a fault of ours');
      },
    });
    await house.ready;
    const id = await house.post(anAlert());
    await house.settle(house.clock() + 60 * MINUTE);
    expect(house.incident(id)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(house.people.messages).toHaveLength(1);
  });

  it.each([
    ['that is no JSON', 'what?'],
    ['that is no object', '17'],
    ['without an incident', '{"step":1}'],
    ['with an incident of another kind', '{"incidentId":"constructor"}'],
    ['about an incident that is gone', JSON.stringify({ incidentId: anId })],
  ])('%s is told as it is', async (_, body) => {
    const house = openHouse({});
    await house.ready;
    const letter = { queue: 'remedia-jobs-dead', messageId: 'm-1', body };
    expect(await house.bury(letter)).toEqual({ kind: 'answered', answer: 'told' });
    expect(house.people.messages).toMatchObject([{ kind: 'escalation', incidentId: 'dead-letter/m-1' }]);
    expect(house.people.messages[0]?.body).toContain('remedia-jobs-dead');
  });

  it('that nobody can be told of stays in its queue', async () => {
    const house = openHouse({});
    await house.ready;
    house.people.become('refuse');
    expect(await house.bury({ queue: 'q', messageId: 'm', body: '' })).toMatchObject({ kind: 'threw' });
  });

  it('of a closed incident tells what is still to be told, and nothing else', async () => {
    const house = openHouse({ askModel: notifies });
    await house.ready;
    house.people.become('refuse');
    const id = await house.post(anAlert());
    await house.decide({ incidentId: id });
    expect(house.incident(id).escalation).toBe('pending');
    house.people.become('listen');
    const letter = { queue: 'q', messageId: 'm', body: JSON.stringify({ incidentId: id }) };
    expect(await house.bury(letter)).toMatchObject({ answer: 'later' });
    house.pass(MINUTE);
    expect(await house.bury(letter)).toMatchObject({ answer: 'told' });
    expect(await house.bury(letter)).toMatchObject({ answer: 'closed_already' });
    expect(house.people.messages).toHaveLength(1);
  });

  it('of a simulation is recorded and told to nobody', async () => {
    const house = openHouse({});
    await house.ready;
    const id = await house.post(anAlert(), 'simulate');
    await house.bury({ queue: 'q', messageId: 'm', body: JSON.stringify({ incidentId: id }) });
    expect(house.incident(id)).toMatchObject({ outcome: 'simulated', escalation: 'none' });
    expect(house.people.messages).toEqual([]);
  });
});

it('writes on the event although the first try failed, and holds nothing up', async () => {
  let tries = 0;
  const house = openHouse({
    over: ({ zabbix }) => ({
      commentEvent: async (...comment) => {
        tries += 1;
        if (tries === 1)
          throw new UpstreamError('zabbix', 'failed', 'injected', { sent: 'yes', retry: true });
        return zabbix.commentEvent(...comment);
      },
    }),
    askModel: async () => says('no call'),
  });
  await house.ready;
  const id = await house.post(anAlert());
  await house.settle();
  expect(house.incident(id)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
  await house.check({ incidentId: id, step: 1 });
  expect(house.zabbix.comments('4711')).toMatchObject([{ acknowledged: true }]);
  expect(tries).toBe(2);
});

describe('a dispatch that dies after its claim, every time', () => {
  it('ends with a human who is told, though its message never fails often enough for the dead letters', async () => {
    const house = openHouse({
      policy: policyOf({}),
      over: ({ table }) => ({
        loadPause: async () => {
          if (table.all().some(({ state }) => state === 'dispatching'))
            throw new TypeError('a fault of ours');
          return { paused: false };
        },
      }),
    });
    await house.ready;
    const id = await house.post(anAlert());

    await house.settle(house.clock() + 60 * 60_000);

    expect(house.incident(id)).toMatchObject({
      state: 'closed',
      outcome: 'handed_over',
      escalation: 'delivered',
    });
    expect(house.rundeck.orders()).toHaveLength(0);
  });
});
