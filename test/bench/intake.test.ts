/** The intake's benchmark: what it makes of what was counted, and one tiny run of all of it. */
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { judgeIntake, loadTable, shareTable } from '../../bench/intake-report.ts';
import { type Measured, measured } from '../../bench/load.ts';
import { makePosts } from '../../bench/posts.ts';

const row = (over: Partial<Measured> = {}): Measured => ({
  connections: 8,
  perSecond: 400,
  p50: 20,
  p99: 40,
  cpuMs: 2,
  rss: 400 * 2 ** 20,
  answered: 1000,
  failed: 0,
  ...over,
});
const cost = { endpoint: 0.2, whole: 2 };

describe('a measurement', () => {
  const histogram = {
    ...{ total: 0, average: 0, mean: 0, stddev: 0, min: 0, max: 0, totalCount: 0 },
    ...{ p0_001: 0, p0_01: 0, p0_1: 0, p1: 0, p2_5: 0, p10: 0, p25: 0, p50: 12, p75: 0, p90: 0 },
    ...{ p97_5: 0, p99: 34, p99_9: 0, p99_99: 0, p99_999: 0 },
  };
  const counted = (statusCodeStats: Readonly<Record<`${number}`, { count: number }>>, errors: number) =>
    measured({
      connections: 8,
      wanted: 202,
      before: { cpu: 1_000_000, rss: 1 },
      after: { cpu: 1_500_000, rss: 2 },
      result: {
        duration: 2,
        errors,
        timeouts: 0,
        latency: histogram,
        requests: { ...histogram, total: 110, sent: 118 },
        statusCodeStats,
      },
    });

  it('counts what was answered as wanted alone, and what the receiver used for it', () => {
    expect(counted({ '202': { count: 100 }, '503': { count: 10 } }, 3)).toEqual({
      connections: 8,
      perSecond: 50,
      p50: 12,
      p99: 34,
      cpuMs: 5,
      rss: 2,
      answered: 100,
      failed: 13,
    });
  });

  it('of nothing that was answered has no share of the CPU', () => {
    expect(counted({ '503': { count: 110 } }, 0)).toMatchObject({ perSecond: 0, answered: 0, failed: 110 });
  });
});

describe('the report', () => {
  const kinds = [
    { name: 'refused', rows: [row({ cpuMs: 1 })] },
    { name: 'alerts', rows: [row({ cpuMs: 4 }), row({ connections: 32, failed: 2 })] },
  ];

  it('has a line for each measurement', () => {
    const lines = loadTable(kinds).split('\n');

    expect(lines).toHaveLength(5);
    expect(lines[3]).toMatch(/alerts +\| 8 +\| 400 +\| 20 +\| 40 +\| 4\.0 +\| 400 +\| 0 /);
  });

  it('says what each part adds', () => {
    expect(shareTable(kinds, 8, ['gateway', 'table']).replaceAll(/ +/g, ' ')).toBe(
      [
        '| Part | CPU ms | Share |',
        '| --------- | ------ | ----- |',
        '| gateway | 1.0 | 25 % |',
        '| table | 3.0 | 75 % |',
        '| All of it | 4.0 | 100 % |',
      ].join('\n'),
    );
    expect(() => shareTable(kinds, 32, ['gateway', 'table'])).toThrow('refused was not measured with 32');
  });
});

describe('a promise', () => {
  const kept = (rows: readonly Measured[], whole = 2) =>
    judgeIntake([{ name: 'alerts', rows }], { ...cost, whole }).map(([, each]) => each);

  it.each<[string, readonly Measured[], number, readonly boolean[]]>([
    [
      'is kept',
      [row({ connections: 1, perSecond: 90 }), row(), row({ connections: 32 })],
      2,
      [true, true, true, true],
    ],
    ['is missed by one post', [row({ failed: 1 })], 2, [false, true, true]],
    ['is missed when nothing was answered', [row({ answered: 0 })], 2, [false, true, true]],
    ['is missed when nothing was measured', [], 2, [false, true]],
    ['is missed at 32 connections', [row({ connections: 32, perSecond: 299 })], 2, [true, false, true]],
    ['is missed by a slow function', [row()], 5.1, [true, true, false]],
  ])('%s', (_, rows, whole, expected) => {
    expect(kept(rows, whole)).toEqual(expected);
  });
});

it('sends another event each time, signed', () => {
  const posts = makePosts({ token: 'a-token', hmacKey: 'a-key' });
  const [one, other] = [posts.alert(), posts.alert()];

  expect(JSON.parse(one.body).event_id).not.toBe(JSON.parse(other.body).event_id);
  expect(one.headers).toMatchObject({
    authorization: 'Bearer a-token',
    'x-remedia-signature': createHmac('sha256', 'a-key')
      .update(`${one.headers['x-remedia-timestamp']}.${one.body}`)
      .digest('hex'),
  });
});

it('runs, and every post is acknowledged and recorded', { timeout: 240_000 }, async () => {
  const child = spawn(
    process.execPath,
    ['bench/intake.ts', '--connections', '2', '--posts', '20', '--seconds', '10', '--calls', '20'],
    { cwd: join(import.meta.dirname, '..', '..'), stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code] = z.tuple([z.number(), z.null()]).parse(await once(child, 'close'));

  expect(output).toMatch(/Alerts, decisions paused +\| 2 /);
  expect(output).toMatch(/Alerts, decisions running +\| 2 /);
  expect(output).toMatch(/CPU of receive-alert itself: \d+\.\d\d ms/);
  expect(output).toContain('kept   every post was acknowledged');
  expect(output).toMatch(/\b[1-9]\d* acknowledged alerts were looked for, 0 of them are not recorded/);
  expect(code).toBe(0);
});
