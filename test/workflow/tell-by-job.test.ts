/** Telling a team by Rundeck's job besides: after a human knows, at most once, and without any weight. */
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import { anAlert } from '#test/builders/incidents.ts';
import { notifies, openHouse } from '#test/workflow/house.ts';

const open = (tellByJob: () => Promise<string | undefined>) => {
  const calls: string[] = [];
  const house = openHouse({
    askModel: notifies,
    over: ({ people }) => ({
      tellByJob: async (incident, message) => {
        calls.push(`${incident.incidentId} ${message.kind}, ${people.messages.length} told before`);
        return tellByJob();
      },
    }),
  });
  return { house, calls };
};

describe('telling by a job', () => {
  it('comes after the human, once, and says so in the log', async () => {
    const { house, calls } = open(async () => '7');
    await house.ready;
    const id = await house.post(anAlert());
    await house.settle();
    expect(calls).toEqual([`${id} escalation, 1 told before`]);
    expect(house.lines).toContain('told: also by Rundeck, execution 7');
    expect(house.incident(id)).toMatchObject({ escalation: 'delivered', state: 'closed' });
  });

  it.each([
    [
      'refuses',
      new UpstreamError('rundeck', 'busy', 'too busy', { sent: 'no', retry: true }),
      'rundeck: too busy',
    ],
    ['breaks', new Error('SECRET'), 'it failed'],
  ])('one that %s changes nothing, and is not tried again', async (_what, error, why) => {
    const { house, calls } = open(() => Promise.reject(error));
    await house.ready;
    const id = await house.post(anAlert());
    await house.settle();
    expect(calls).toHaveLength(1);
    expect(house.lines.join('\n')).toContain(`told: not also by Rundeck: ${why}`);
    expect(house.lines.join('\n')).not.toContain('SECRET');
    expect(house.incident(id)).toMatchObject({ escalation: 'delivered', state: 'closed' });
    expect(house.people.messages).toHaveLength(1);
  });

  it('while no human can be told, the job is no way around it', async () => {
    const { house, calls } = open(async () => '7');
    await house.ready;
    house.people.become('refuse');
    const id = await house.post(anAlert());
    await house.settle();
    expect(calls).toEqual([]);
    expect(house.incident(id).escalation).toBe('undeliverable');
    expect(house.alarms.map(({ text }) => text)).toEqual([expect.stringContaining(id)]);
  });
});
