/** The ten faults that tools of this kind die of: each ends with a human told, none in silence, nothing runs twice. */
import { expect, it } from 'vitest';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { AskModel, RunJob } from '#lib/workflow/ports.ts';
import { anAlert } from '#test/builders/incidents.ts';
import { notifies, openHouse, says } from '#test/workflow/house.ts';

const MINUTE = 60_000;

/** As `lib/adapters/ollama.ts` throws them. */
const model = (code: string, sent: 'no' | 'yes' | 'unknown', retry: boolean): AskModel => {
  return async () => {
    throw new UpstreamError('ollama', code, 'injected', { sent, retry });
  };
};
/** As `lib/adapters/rundeck.ts` throws them; its 500 may come from a proxy, after the job began. */
const rundeck = (code: string, sent: 'no' | 'unknown', retry: boolean): RunJob => {
  return async () => {
    throw new UpstreamError('rundeck', code, 'injected', { sent, retry });
  };
};

it.each([
  ['refuses the connection', model('refused', 'no', true), 'model_unavailable', 3],
  ['answers 500', model('failed', 'yes', true), 'model_unavailable', 3],
  ['answers 503', model('busy', 'yes', true), 'decision_expired', 16],
  ['hangs', model('timed_out', 'unknown', true), 'timed_out', 1],
  ['is missing', model('model_missing', 'yes', false), 'model_missing', 1],
  ['talks instead of calling', async () => says('I would clean up the disk.'), 'no_call', 1],
  ['chooses notify', notifies, 'model_asks_for_human', 1],
] as const)('a model that %s', async (_, askModel, code, minutes) => {
  const house = openHouse({ askModel });
  await house.ready;
  const id = await house.post(anAlert());
  await house.settle();
  const incident = house.incident(id);
  expect(incident).toMatchObject({ state: 'closed', outcome: 'handed_over', escalation: 'delivered' });
  const [told, ...more] = house.people.messages;
  expect(more).toEqual([]);
  expect(told).toMatchObject({ kind: 'escalation', incidentId: id, severity: 3 });
  expect(incident.decisions.flatMap(({ verdict }) => verdict.reasons.map((reason) => reason.code))).toEqual(
    code === 'decision_expired' ? [] : [code],
  );
  if (code === 'decision_expired') expect(told?.body).toContain('could not be decided in time');
  const toldAt = incident.timeline.find(({ kind }) => kind === 'escalated')?.at ?? Number.NaN;
  expect(toldAt - incident.openedAt).toBeLessThanOrEqual(minutes * MINUTE);
  expect(house.rundeck.orders()).toEqual([]);
  expect(house.zabbix.comments('4711')).toMatchObject([{ acknowledged: true }]);
});

it.each([
  ['refuses every connection', rundeck('refused', 'no', true), 'handed_over'],
  ['answers 500 always', rundeck('failed', 'unknown', false), 'unknown'],
  ['hangs', rundeck('unanswered', 'unknown', false), 'unknown'],
  ['refuses for good', rundeck('unauthorized', 'no', false), 'failed'],
] as const)('a Rundeck that %s', async (_, runJob, outcome) => {
  let posts = 0;
  const house = openHouse({
    over: () => ({
      runJob: async (order) => {
        posts += 1;
        return runJob(order);
      },
    }),
  });
  await house.ready;
  const id = await house.post(anAlert());
  await house.settle();
  expect(house.incident(id)).toMatchObject({ state: 'closed', outcome, escalation: 'delivered' });
  expect(house.people.messages).toMatchObject([{ kind: 'escalation', incidentId: id }]);
  if (outcome === 'handed_over') expect(posts).toBeGreaterThan(1);
  else expect(posts).toBe(1);
});

it('a Rundeck that answers 500 once, and had started the job: it is found, and never started again', async () => {
  const house = openHouse({});
  await house.ready;
  house.rundeck.failNext('unanswered');
  const id = await house.post(anAlert());
  await house.settle();
  expect(house.rundeck.orders()).toHaveLength(1);
  expect(house.incident(id)).toMatchObject({ outcome: 'failed', escalation: 'delivered' });
  expect(house.incident(id).decisions[0]?.dispatch).toMatchObject({ sent: 'yes', executionId: '1' });
});

it('a Rundeck that is busy once gets the job with the next delivery', async () => {
  const house = openHouse({});
  await house.ready;
  house.rundeck.failNext('busy');
  const id = await house.post(anAlert());
  house.later(5 * MINUTE, () => house.recover(anAlert()));
  await house.settle();
  expect(house.rundeck.orders()).toHaveLength(1);
  expect(house.incident(id)).toMatchObject({ outcome: 'verified', escalation: 'none' });
  expect(house.people.messages).toEqual([]);
});

it('a model that is down for a short while is waited for', async () => {
  let asked = 0;
  const house = openHouse({
    askModel: async () => {
      asked += 1;
      if (asked < 4) throw new UpstreamError('ollama', 'refused', 'injected', { sent: 'no', retry: true });
      return says('{"name":"cleanup_disk","arguments":{"path":"/var"}}');
    },
  });
  await house.ready;
  const id = await house.post(anAlert());
  house.later(5 * MINUTE, () => house.recover(anAlert()));
  await house.settle();
  expect(house.incident(id)).toMatchObject({ outcome: 'verified' });
  expect(asked).toBe(4);
});

it('nobody can be told: tried five times, then an alarm', async () => {
  const house = openHouse({ askModel: notifies });
  await house.ready;
  house.people.become('refuse');
  const id = await house.post(anAlert());
  await house.settle();
  const incident = house.incident(id);
  expect(incident).toMatchObject({ state: 'closed', escalation: 'undeliverable', messageAttempts: 5 });
  expect(incident.timeline.filter(({ kind }) => kind === 'escalation_failed')).toHaveLength(5);
  expect(house.alarms.map(({ text }) => text)).toEqual([expect.stringContaining(id)]);
  expect(house.zabbix.comments('4711')).toMatchObject([{ acknowledged: false }]);
});

it('nobody can be told for half a day: an alarm every hour, and whoever is there again is told', async () => {
  const house = openHouse({ askModel: notifies });
  await house.ready;
  house.people.become('refuse');
  const id = await house.post(anAlert());
  await house.settle(house.clock() + 12 * 60 * MINUTE);
  const before = house.incident(id);
  expect(before).toMatchObject({ escalation: 'undeliverable', messageAttempts: 16 });
  expect(before.timeline.filter(({ kind }) => kind === 'escalation_failed')).toHaveLength(5);
  expect(house.alarms).toHaveLength(12);
  for (const { text } of house.alarms) expect(text).toContain(id);

  house.people.become('listen');
  await house.settle(house.clock() + 60 * MINUTE);
  expect(house.people.messages).toMatchObject([{ kind: 'escalation', incidentId: id }]);
  expect(house.incident(id)).toMatchObject({ escalation: 'delivered' });
  expect(house.incident(id)).not.toHaveProperty('dueAt');
  // Zabbix pages by itself until somebody acknowledges the event, which Remedia may do only now.
  expect(house.zabbix.comments('4711')).toMatchObject([{ acknowledged: false }, { acknowledged: true }]);

  await house.settle(house.clock() + 3 * 60 * MINUTE);
  expect(house.people.messages).toHaveLength(1);
  expect(house.alarms).toHaveLength(12);
});
