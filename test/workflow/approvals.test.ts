/** A human's yes or no: asked once, answered once, bound to the very proposal, and never waited for without end. */
import { describe, expect, it } from 'vitest';
import type { Policy } from '#lib/core/policy.ts';
import { anAlert } from '#test/builders/incidents.ts';
import { type House, openHouse, policyOf } from '#test/workflow/house.ts';

const MINUTE = 60_000;
const asking = (more: Record<string, unknown> = {}) =>
  policyOf({ rules: [{ tools: ['cleanup_disk'], autonomy: 'approve' }], ...more });

async function asked(house: House): Promise<{ id: string; proposalHash: string }> {
  await house.ready;
  const id = await house.post(anAlert());
  await house.settle(house.clock());
  const proposalHash = house.incident(id).decisions[0]?.proposalHash ?? '';
  return { id, proposalHash };
}

it('asks a human, with the exact proposal and a link, and waits', async () => {
  const house = openHouse({ policy: asking() });
  const { id, proposalHash } = await asked(house);
  expect(house.incident(id)).toMatchObject({
    state: 'awaiting_approval',
    escalation: 'delivered',
    dueAt: house.clock() + 30 * MINUTE,
  });
  const [question] = house.people.messages;
  expect(question).toMatchObject({ kind: 'approval', incidentId: id });
  expect(question?.body).toContain('cleanup_disk(path=/var) on web-01');
  expect(question?.links).toContainEqual({
    title: 'Approve or reject',
    url: `https://remedia.test/approve/${proposalHash}`,
  });
  expect(house.rundeck.orders()).toEqual([]);
});

it('asks without a link where none can be signed; the API still takes the answer', async () => {
  const house = openHouse({ policy: asking(), without: ['links'] });
  const { id } = await asked(house);
  expect(house.people.messages[0]?.links.map(({ title }) => title)).not.toContain('Approve or reject');
  expect(house.incident(id).state).toBe('awaiting_approval');
});

it('runs after a yes, once, and records who said it', async () => {
  const house = openHouse({ policy: asking() });
  const { id, proposalHash } = await asked(house);
  const yes = { incidentId: id, step: 1, proposalHash, answer: 'approved', by: 'ann' } as const;
  const answers = await Promise.all([house.answer(yes), house.answer({ ...yes, by: 'bob' })]);
  expect(answers).toMatchObject([
    { answer: { kind: 'approved' } },
    { answer: { kind: 'not_open', why: 'It was approved by ann.' } },
  ]);
  house.later(2 * MINUTE, () => house.recover(anAlert()));
  await house.settle();
  expect(house.rundeck.orders()).toHaveLength(1);
  expect(house.incident(id)).toMatchObject({ outcome: 'verified' });
  expect(house.incident(id).decisions[0]?.approval).toMatchObject({ answer: 'approved', by: 'ann' });
});

it('runs nothing after a no, and the others learn who said it', async () => {
  const house = openHouse({ policy: asking() });
  const { id, proposalHash } = await asked(house);
  await house.answer({ incidentId: id, step: 1, proposalHash, answer: 'rejected', by: 'ann' });
  await house.settle();
  expect(house.rundeck.orders()).toEqual([]);
  expect(house.incident(id)).toMatchObject({ state: 'closed', outcome: 'rejected', escalation: 'delivered' });
  expect(house.people.messages.at(-1)?.body).toContain('ann rejected the proposal');
  expect(house.zabbix.comments('4711')).toMatchObject([{ acknowledged: true }]);
});

it.each([
  ['another proposal', { proposalHash: 'f'.repeat(64) }, 'another proposal'],
  ['another step', { step: 2 as const }, 'another proposal'],
])('takes no answer to %s', async (_, other, why) => {
  const house = openHouse({ policy: asking() });
  const { id, proposalHash } = await asked(house);
  const answer = { incidentId: id, step: 1, proposalHash, answer: 'approved', by: 'ann', ...other } as const;
  expect(await house.answer(answer)).toMatchObject({
    answer: { kind: 'not_open', why: expect.stringContaining(why) },
  });
  expect(house.incident(id).state).toBe('awaiting_approval');
});

it('takes no answer about an incident that is not there', async () => {
  const house = openHouse({ policy: asking() });
  await house.ready;
  const incidentId = 'inc_000000000000000000000000';
  const answer = { incidentId, step: 1, proposalHash: '', answer: 'approved', by: 'ann' } as const;
  expect(await house.answer(answer)).toEqual({ kind: 'answered', answer: { kind: 'not_found' } });
});

it('hands over when nobody answers in time, and takes no answer then', async () => {
  const house = openHouse({ policy: asking() });
  const { id, proposalHash } = await asked(house);
  const yes = { incidentId: id, step: 1, proposalHash, answer: 'approved', by: 'ann' } as const;
  house.pass(30 * MINUTE);
  expect(await house.answer(yes)).toMatchObject({ answer: { kind: 'not_open' } });
  await house.settle();
  expect(house.incident(id)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
  expect(house.people.messages.map(({ kind }) => kind)).toEqual(['approval', 'escalation']);
  expect(house.people.messages[1]?.body).toContain('No human answered the question in time.');
  expect(await house.answer(yes)).toMatchObject({ answer: { kind: 'not_open' } });
  expect(house.rundeck.orders()).toEqual([]);
});

it('withdraws the question when the problem is over', async () => {
  const house = openHouse({ policy: asking() });
  const { id, proposalHash } = await asked(house);
  await house.recover(anAlert());
  const yes = { incidentId: id, step: 1, proposalHash, answer: 'approved', by: 'ann' } as const;
  expect(await house.answer(yes)).toMatchObject({
    answer: { kind: 'not_open', why: 'The problem is over.' },
  });
  await house.settle();
  expect(house.incident(id)).toMatchObject({ outcome: 'recovered_before_action' });
  expect(house.incident(id).closedAt).toBeLessThanOrEqual(house.incident(id).openedAt + 2 * MINUTE);
});

it('does not run what was approved when the policy was tightened after it', async () => {
  const house = openHouse({ policy: asking() });
  const { id, proposalHash } = await asked(house);
  await house.setPolicy(policyOf({ rules: [{ tools: ['cleanup_disk'], autonomy: 'observe' }] }));
  await house.answer({ incidentId: id, step: 1, proposalHash, answer: 'approved', by: 'ann' });
  await house.settle();
  expect(house.rundeck.orders()).toEqual([]);
  expect(house.incident(id)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
});

it('never sends the question after it was answered, when it could not be sent at first', async () => {
  const house = openHouse({ policy: asking() });
  await house.ready;
  house.people.become('refuse');
  const { id, proposalHash } = await asked(house);
  expect(house.incident(id)).toMatchObject({ state: 'awaiting_approval', escalation: 'pending' });
  await house.answer({ incidentId: id, step: 1, proposalHash, answer: 'approved', by: 'ann' });
  house.people.become('listen');
  house.later(2 * MINUTE, () => house.recover(anAlert()));
  await house.settle();
  expect(house.people.messages).toEqual([]);
  expect(house.incident(id)).toMatchObject({ outcome: 'verified', escalation: 'none' });
});

it('asks again by the sweeper, and hands over in the end when nobody could even be asked', async () => {
  const house = openHouse({ policy: asking({ approval: { expires_after: '1h' } }) });
  await house.ready;
  house.people.become('refuse');
  const { id } = await asked(house);
  house.later(59 * MINUTE, async () => house.people.become('listen'));
  await house.settle();
  expect(house.alarms.map(({ text }) => text)).toEqual([expect.stringContaining(id)]);
  expect(house.incident(id)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
  expect(house.people.messages.map(({ kind }) => kind)).toEqual(['escalation']);
});

describe('the same action that failed on the host while a job waited', () => {
  const alerts = [anAlert({ eventId: '1' }), anAlert({ eventId: '2', trigger: { id: '9' } })] as const;
  const cooldowns = { default: '1m' };

  /** Two decisions to do the same on one host; `between` is done after the first one failed. */
  async function play(
    policy: Policy,
    {
      before = async () => undefined,
      between = async () => undefined,
    }: {
      readonly before?: (house: House, id: string) => Promise<unknown>;
      readonly between?: (house: House, id: string) => Promise<unknown>;
    } = {},
  ) {
    const house = openHouse({ policy });
    await house.ready;
    house.rundeck.endAs('failed');
    const first = await house.post(alerts[0]);
    const second = await house.post(alerts[1]);
    for (const incidentId of [first, second]) await house.decide({ incidentId });
    if (house.incident(first).state === 'awaiting_approval') await yes(house, first);
    await before(house, second);
    await house.dispatch({ incidentId: first, step: 1 });
    house.pass(MINUTE);
    await house.check({ incidentId: first, step: 1 });
    expect(house.incident(first)).toMatchObject({ outcome: 'failed' });
    house.pass(MINUTE);
    await between(house, second);
    await house.dispatch({ incidentId: second, step: 1 });
    return { house, second };
  }
  const yes = (house: House, incidentId: string) => {
    const [decision] = house.incident(incidentId).decisions;
    const { proposalHash = '' } = decision ?? {};
    return house.answer({ incidentId, step: 1, proposalHash, answer: 'approved', by: 'ann' });
  };

  it('is not done again without a human, who is told why', async () => {
    const { house, second } = await play(policyOf({ cooldowns }));
    expect(house.rundeck.orders()).toHaveLength(1);
    expect(house.incident(second)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(house.people.messages.at(-1)?.body).toContain('The same action did not help on this host once');
  });

  it('is not done again either on the word of a human who could not know', async () => {
    const { house, second } = await play(asking({ cooldowns }), { before: yes });
    expect(house.rundeck.orders()).toHaveLength(1);
    expect(house.incident(second)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
  });

  it('is done on the word of a human who said yes after it', async () => {
    const { house, second } = await play(asking({ cooldowns }), { between: yes });
    expect(house.rundeck.orders()).toHaveLength(2);
    expect(house.incident(second).state).toBe('running');
  });

  it('is done where the policy takes it for forgotten', async () => {
    const { house } = await play(policyOf({ cooldowns, repeated_failure_within: '1m' }));
    expect(house.rundeck.orders()).toHaveLength(2);
  });
});
