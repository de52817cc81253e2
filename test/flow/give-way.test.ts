/** Who polls a queue gives way to whoever waits to be acknowledged, and gets on all the same. */
import { expect, it } from 'vitest';
import { makeGiveWay } from '#local/give-way.ts';

it.each([
  ['at once while there is room', { idle: 30, active: 70 }, []],
  ['after a moment when there is none', { idle: 10, active: 90 }, [250]],
  ['at once when no time has passed', { idle: 0, active: 0 }, []],
])('goes on %s', async (_, passed, expected) => {
  const waited: number[] = [];
  const total = { idle: 1000, active: 5000 };
  const giveWay = makeGiveWay(
    () => ({ ...total }),
    async (milliseconds) => waited.push(milliseconds),
  );

  total.idle += passed.idle;
  total.active += passed.active;
  await giveWay();

  expect(waited).toEqual(expected);
});

it('looks only at the time since it was last asked', async () => {
  const waited: number[] = [];
  const total = { idle: 0, active: 0 };
  const giveWay = makeGiveWay(
    () => ({ ...total }),
    async (milliseconds) => waited.push(milliseconds),
  );

  total.active += 100;
  await giveWay();
  total.idle += 100;
  await giveWay();

  expect(waited).toEqual([250]);
});
