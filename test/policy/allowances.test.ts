import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobAllowances } from '#lib/core/allowances.ts';
import { nameStorm, readStorm, stormCount, stormKeys, stormPastKeys, stormSummary } from '#lib/core/storm.ts';
import { aPolicy, NOON } from './examples.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const job = {
  source: 'zabbix-a',
  hostKey: 'zabbix-a/web-01',
  tool: 'cleanup_disk',
  now: NOON + 60_000,
} as const;

describe('jobAllowances', () => {
  it('are the limit of the hour and the cooldown of host and tool', () => {
    expect(jobAllowances({ ...job, policy: aPolicy() })).toEqual([
      { key: 'limit/zabbix-a/all/2026-11-28T12', limit: 20, expiresAt: NOON + HOUR, reason: 'hourly_limit' },
      {
        key: 'cooldown/zabbix-a/web-01/cleanup_disk',
        limit: 1,
        expiresAt: job.now + HOUR / 2,
        reason: 'cooldown',
      },
    ]);
  });

  it("begin with the tool's own limit and end with its own cooldown", () => {
    const policy = aPolicy({
      limits: { global: { per_hour: 5 }, tools: { cleanup_disk: { per_hour: 2 } } },
      cooldowns: { tools: { cleanup_disk: '2h' } },
    });

    expect(jobAllowances({ ...job, policy }).map(({ key, limit }) => [key, limit])).toEqual([
      ['limit/zabbix-a/cleanup_disk/2026-11-28T12', 2],
      ['limit/zabbix-a/all/2026-11-28T12', 5],
      ['cooldown/zabbix-a/web-01/cleanup_disk', 1],
    ]);
    expect(jobAllowances({ ...job, policy })[2]?.expiresAt).toBe(job.now + 2 * HOUR);
  });

  it('count anew with the next hour of the clock', () => {
    const keys = [NOON, NOON + HOUR - 1, NOON + HOUR].map(
      (now) => jobAllowances({ ...job, policy: aPolicy(), now })[0]?.key,
    );

    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).not.toBe(keys[1]);
  });
});

describe('the storm breaker', () => {
  const policy = aPolicy({ storm: { alerts: 10, within: '5m' } });
  /** What stands in the table when an alert arrived at each of these moments. */
  const counted = (moments: readonly number[]) => {
    const counts = new Map<string, number>();
    for (const at of moments) {
      const { key } = stormCount('zabbix-a', at);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return (now: number) =>
      readStorm(
        policy,
        new Map(stormKeys(policy, 'zabbix-a', now).map((key) => [key, counts.get(key) ?? 0])),
      );
  };
  const times = (count: number, at: number) => Array.from({ length: count }, () => at);

  it.each([
    ['too few alerts', times(9, NOON), NOON, false],
    ['so many at once', times(10, NOON), NOON, true],
    [
      'so many over the window',
      [0, 1, 2, 3, 4].flatMap((m) => times(2, NOON + m * MINUTE)),
      NOON + 4 * MINUTE,
      true,
    ],
    ['five minutes later', times(10, NOON), NOON + 5 * MINUTE, true],
    ['when it was calm for the window', times(10, NOON), NOON + 6 * MINUTE, false],
    ['across the turn of a minute', [...times(5, NOON - 1), ...times(5, NOON)], NOON, true],
  ])('%s', (_name, moments, now, open) => {
    expect(counted(moments)(now).open).toBe(open);
  });

  it('says how many alerts it counted', () => {
    expect(counted(times(12, NOON))(NOON)).toEqual({ open: true, alerts: 12 });
  });

  it('counts each Zabbix server by itself, and keeps a count longer than any window', () => {
    expect(stormCount('zabbix-b', NOON).key).not.toBe(stormCount('zabbix-a', NOON).key);
    expect(stormCount('zabbix-a', NOON)).toEqual({
      key: 'storm/zabbix-a/2026-11-28T12:00',
      limit: 1_000_000,
      expiresAt: NOON + 3 * HOUR,
    });
  });

  it('looks at no more than 61 counters', () => {
    expect(stormKeys(aPolicy({ storm: { within: '60m' } }), 'a', NOON)).toHaveLength(61);
    expect(stormKeys(aPolicy({ storm: { within: '45s' } }), 'a', NOON)).toEqual([
      'storm/a/2026-11-28T12:00',
      'storm/a/2026-11-28T11:59',
    ]);
    expect(() => aPolicy({ storm: { within: '61m' } })).toThrow('expected at most 1h');
  });

  it('lets one tell the summary, and again after an hour', () => {
    expect(stormSummary('zabbix-a', '2026-11-28T12:00', NOON)).toEqual({
      key: 'storm/zabbix-a/told/2026-11-28T12:00',
      limit: 1,
      expiresAt: NOON + HOUR,
    });
  });
});

describe('the name of a storm', () => {
  const policy = aPolicy({ storm: { alerts: 10, within: '5m' } });

  /** Ten alerts in each of these minutes after noon, named at another. */
  function named(minutes: readonly number[], at: number) {
    const counts = new Map(minutes.map((minute) => [stormCount('a', NOON + minute * MINUTE).key, 10]));
    return nameStorm(policy, 'a', counts, NOON + at * MINUTE);
  }
  const every = (from: number, to: number, step = 1) =>
    Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);

  it.each([
    ['of its only minute', [0], 0, '2026-11-28T12:00'],
    ['the same while it is open without another alert', [0], 5, '2026-11-28T12:00'],
    ['the same as long as it lasts', every(0, 40), 42, '2026-11-28T12:00'],
    ['another after a minute of calm', [0, 7], 7, '2026-11-28T12:07'],
    ['the same without one', [0, 6], 6, '2026-11-28T12:00'],
    ['another for each of several', [0, 8, 20], 21, '2026-11-28T12:20'],
    ['its own up to an hour', every(0, 59), 59, '2026-11-28T12:00'],
  ])('is %s', (_, minutes, at, name) => {
    expect(named(minutes, at)).toEqual({ name });
  });

  it('that goes on for more than an hour is that of the hour, and says the one of before', () => {
    const hour = Math.floor(NOON / HOUR);
    expect(named(every(-90, 0), 0)).toEqual({ name: `hour-${hour}`, before: `hour-${hour - 1}` });
    expect(named(every(-90, 59), 59)).toEqual({ name: `hour-${hour}`, before: `hour-${hour - 1}` });
  });

  it('is found with at most 121 counters', () => {
    expect(stormPastKeys(aPolicy({ storm: { within: '60m' } }), 'a', NOON)).toHaveLength(121);
  });

  it('is the same for all who see one storm, and no other storm has it', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ calm: fc.integer({ min: 6, max: 9 }), lasts: fc.integer({ min: 1, max: 20 }) }),
          {
            minLength: 2,
            maxLength: 6,
          },
        ),
        (storms) => {
          let minute = 0;
          const spans = storms.map(({ calm, lasts }) => {
            const from = minute + calm + 1;
            minute = from + lasts - 1;
            return { from, to: minute };
          });
          const minutes = spans.flatMap(({ from, to }) => every(from, to));
          const names = spans.map(({ from, to }) => [
            ...new Set(
              every(from, to + 5).map(
                (at) =>
                  named(
                    minutes.filter((each) => each <= at),
                    at,
                  ).name,
              ),
            ),
          ]);
          expect(names.map((each) => each.length)).toEqual(spans.map(() => 1));
          expect(new Set(names.flat()).size).toBe(spans.length);
        },
      ),
    );
  });
});
