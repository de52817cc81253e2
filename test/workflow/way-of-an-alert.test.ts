/** The way of one alert through all workflows: each verdict, each outcome, and who is told. */
import { expect, it } from 'vitest';
import { anAlert } from '#test/builders/incidents.ts';
import { openHouse } from '#test/workflow/house.ts';

const MINUTE = 60_000;
it('ends verified when the job succeeds and Zabbix sees the recovery; nobody is woken', async () => {
  const house = openHouse({});
  await house.ready;
  const id = await house.post(anAlert());
  house.later(2 * MINUTE, () => house.recover(anAlert()));
  await house.settle();
  const incident = house.incident(id);
  expect(incident).toMatchObject({ state: 'closed', outcome: 'verified', escalation: 'none' });
  expect(house.rundeck.orders()).toMatchObject([
    {
      tool: 'cleanup_disk',
      arguments: { path: '/var' },
      node: 'web-01',
      cleanupRoots: ['/var/log'],
      decisionId: `${id}#1`,
      incidentId: id,
      eventId: '4711',
      triggerId: '23456',
      mode: 'live',
      link: `https://remedia.test/api/v1/incidents/${id}`,
    },
  ]);
  expect(house.people.messages).toEqual([]);
  expect(house.zabbix.comments('4711')).toMatchObject([{ acknowledged: true }]);
  expect(house.questions).toHaveLength(1);
});
