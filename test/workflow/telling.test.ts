/** One tells, however many are at it at the same instant; and one that dies on the way leaves the message to the sweeper. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pend } from '#lib/core/incident-changes.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { TellHuman } from '#lib/workflow/ports.ts';
import { tellPending } from '#lib/workflow/tell-pending.ts';
import { anAlert, anIncident, NOON } from '#test/builders/incidents.ts';
import { createMemoryIncidents } from '#test/fakes/incidents-memory.ts';
import { notifies, openHouse, policyOf } from '#test/workflow/house.ts';

const MINUTE = 60_000;

async function prepare(between: () => Promise<void> = async () => undefined) {
  let now = NOON;
  const clock = () => now;
  const table = createMemoryIncidents({ clock, between });
  const message = {
    kind: 'escalation',
    incidentId: anIncident().incidentId,
    subject: 'Needs a human',
    body: 'The disk is full.',
    severity: 4,
    links: [],
  } as const;
  const { incident } = await table.createIncident(
    pend(anIncident({ state: 'closed', outcome: 'failed', closedAt: NOON }), message, NOON),
  );
  return {
    incident,
    load: () => table.loadIncident(incident.incidentId),
    tell: (tellHuman: TellHuman) =>
      tellPending({ ...table, tellHuman, clock, narrate: () => undefined }, incident),
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

const down: TellHuman = async () => {
  throw new UpstreamError('people', 'undeliverable', 'down', { sent: 'no', retry: true });
};
/** Nothing of it goes on: the process is gone. */
const dies = () => new Promise<never>(() => undefined);

describe('those who would tell the same message', () => {
  it('at the same instant and in any order: one does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 6 }), async (scheduler, tellers) => {
        const { tell, load } = await prepare(() => scheduler.schedule(Promise.resolve()));
        let told = 0;
        const tellHuman = async () => {
          await scheduler.schedule(Promise.resolve());
          told += 1;
        };
        const all = Promise.all(Array.from({ length: tellers }, () => tell(tellHuman)));
        await scheduler.waitFor(all);
        expect(told).toBe(1);
        expect((await all).filter(({ kind }) => kind === 'told')).toHaveLength(1);
        expect(await load()).toMatchObject({ escalation: 'delivered' });
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['before anything left', 0],
    ['after it had left, and before that was written', 1],
  ])('while one of them dies %s: another does after a minute, and not before', async (_, left) => {
    const { tell, pass, load } = await prepare();
    let told = 0;
    void tell(async () => {
      told += left;
      await dies();
    });
    await new Promise((resolve) => setImmediate(resolve));
    const listens = async () => {
      told += 1;
    };
    pass(MINUTE - 1);
    expect(await tell(listens)).toMatchObject({ kind: 'later', incident: { escalation: 'pending' } });
    pass(1);
    expect(await tell(listens)).toMatchObject({ kind: 'told', incident: { escalation: 'delivered' } });
    expect(await tell(listens)).toMatchObject({ kind: 'later' });
    expect(told).toBe(left + 1);
    expect(await load()).toMatchObject({ escalation: 'delivered' });
  });

  it('while nobody listens: each waits as long as the others, and the last try is the sweeper’s', async () => {
    const { tell, pass, load } = await prepare();
    let tries = 0;
    for (let second = 0; second < 60 * 60; second += 10) {
      await tell(async (message) => {
        tries += 1;
        await down(message);
      });
      pass(10_000);
    }
    expect(tries).toBe(4);
    expect(await load()).toMatchObject({ escalation: 'pending', messageAttempts: 4 });
  });
});

describe('a whole Remedia', () => {
  it('whose sweeper, queue and dead letters come at once tells once', async () => {
    const house = openHouse({ askModel: notifies });
    await house.ready;
    house.people.become('refuse');
    const id = await house.post(anAlert());
    await house.decide({ incidentId: id });
    house.people.become('listen');
    house.pass(2 * MINUTE);
    const body = JSON.stringify({ incidentId: id });
    await Promise.all([
      house.sweep(),
      house.sweep(),
      house.decide({ incidentId: id }),
      house.dispatch({ incidentId: id, step: 1 }),
      house.check({ incidentId: id, step: 1 }),
      house.bury({ queue: 'q', messageId: 'm', body }),
    ]);
    expect(house.people.messages).toHaveLength(1);
    expect(house.incident(id).escalation).toBe('delivered');
  });

  it('asks a question once, also when its message comes twice at the same time', async () => {
    const house = openHouse({
      policy: policyOf({ rules: [{ tools: ['cleanup_disk'], autonomy: 'approve' }] }),
    });
    await house.ready;
    const id = await house.post(anAlert());
    await Promise.all([house.decide({ incidentId: id }), house.decide({ incidentId: id })]);
    await Promise.all([house.decide({ incidentId: id }), house.sweep()]);
    expect(house.people.messages).toMatchObject([{ kind: 'approval' }]);
  });
});
