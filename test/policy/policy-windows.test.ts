import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicyWindow } from '#lib/core/policy.ts';
import { insideAny, insideWindow } from '#lib/core/policy-windows.ts';
import { aPolicy } from './examples.ts';

const at = (text: string) => Date.parse(text);
const window = (part: Partial<PolicyWindow>): PolicyWindow => ({
  from: '09:00',
  to: '17:00',
  time_zone: 'UTC',
  ...part,
});

describe('insideWindow', () => {
  it.each<[string, Partial<PolicyWindow>, string, boolean]>([
    // 2026-11-27 is a Friday.
    ['at its beginning', {}, '2026-11-27T09:00:00Z', true],
    ['just before', {}, '2026-11-27T08:59:59.999Z', false],
    ['just before its end', {}, '2026-11-27T16:59:59.999Z', true],
    ['at its end', {}, '2026-11-27T17:00:00Z', false],
    ['on one of its days', { days: ['thu', 'fri'] }, '2026-11-27T12:00:00Z', true],
    ['on another day', { days: ['sat', 'sun'] }, '2026-11-27T12:00:00Z', false],
    ['until the end of the day', { to: '24:00' }, '2026-11-27T23:59:59Z', true],
    ['but not into the next', { to: '24:00' }, '2026-11-28T00:00:00Z', false],
    ['all day', { from: '00:00', to: '24:00', days: ['fri'] }, '2026-11-27T00:00:00Z', true],
    ['over midnight, evening', { from: '22:00', to: '06:00', days: ['fri'] }, '2026-11-27T23:00:00Z', true],
    [
      'over midnight, morning after',
      { from: '22:00', to: '06:00', days: ['fri'] },
      '2026-11-28T05:59:00Z',
      true,
    ],
    ['over midnight, its end', { from: '22:00', to: '06:00', days: ['fri'] }, '2026-11-28T06:00:00Z', false],
    [
      'over midnight, morning before',
      { from: '22:00', to: '06:00', days: ['fri'] },
      '2026-11-27T05:00:00Z',
      false,
    ],
    [
      'over midnight, next evening',
      { from: '22:00', to: '06:00', days: ['fri'] },
      '2026-11-28T23:00:00Z',
      false,
    ],
    [
      'Saturday night into Sunday',
      { from: '22:00', to: '06:00', days: ['sat'] },
      '2026-11-29T01:00:00Z',
      true,
    ],
    ['Sunday night into Monday', { from: '22:00', to: '06:00', days: ['sun'] }, '2026-11-30T01:00:00Z', true],
    ['in Tokyo it is evening already', { time_zone: 'Asia/Tokyo' }, '2026-11-27T09:00:00Z', false],
    ['in Tokyo it is morning', { time_zone: 'Asia/Tokyo' }, '2026-11-27T00:00:00Z', true],
    ['in Tokyo it is Saturday', { time_zone: 'Asia/Tokyo', days: ['sat'] }, '2026-11-28T00:30:00Z', true],
    [
      'in New York it is Thursday',
      { time_zone: 'America/New_York', from: '20:00', to: '24:00', days: ['thu'] },
      '2026-11-27T02:00:00Z',
      true,
    ],
    ['in India, half an hour off', { time_zone: 'Asia/Kolkata' }, '2026-11-27T03:30:00Z', true],
    // Europe/Berlin: 02:00 → 03:00 on 2027-03-28, 03:00 → 02:00 on 2026-10-25.
    ['before clocks go forward', { time_zone: 'Europe/Berlin' }, '2027-03-27T08:00:00Z', true],
    ['after clocks went forward', { time_zone: 'Europe/Berlin' }, '2027-03-29T07:00:00Z', true],
    ['an hour earlier by UTC then', { time_zone: 'Europe/Berlin' }, '2027-03-27T07:00:00Z', false],
    [
      'in an hour that does not exist: before',
      { time_zone: 'Europe/Berlin', from: '02:00', to: '03:00' },
      '2027-03-28T00:59:59Z',
      false,
    ],
    [
      'in an hour that does not exist: after',
      { time_zone: 'Europe/Berlin', from: '02:00', to: '03:00' },
      '2027-03-28T01:00:00Z',
      false,
    ],
    [
      'in an hour that comes twice: first',
      { time_zone: 'Europe/Berlin', from: '02:00', to: '03:00' },
      '2026-10-25T00:30:00Z',
      true,
    ],
    [
      'in an hour that comes twice: second',
      { time_zone: 'Europe/Berlin', from: '02:00', to: '03:00' },
      '2026-10-25T01:30:00Z',
      true,
    ],
    [
      'after it came twice',
      { time_zone: 'Europe/Berlin', from: '02:00', to: '03:00' },
      '2026-10-25T02:00:00Z',
      false,
    ],
  ])('%s', (_name, part, moment, expected) => {
    expect(insideWindow(window(part), at(moment))).toBe(expected);
  });

  it('is inside exactly one of a window and the rest of the day', () => {
    const minute = fc.integer({ min: 0, max: 1439 });
    const clock = (minutes: number) =>
      `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
    fc.assert(
      fc.property(
        fc.uniqueArray(minute, { minLength: 2, maxLength: 2 }),
        fc.integer({ min: at('2020-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') }),
        fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Apia'),
        ([from = 0, to = 0], now, zone) => {
          const one = window({ from: clock(from), to: clock(to), time_zone: zone });
          const rest = window({ from: clock(to), to: clock(from), time_zone: zone });
          return insideWindow(one, now) !== insideWindow(rest, now);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is always inside when no windows are given, and never when the list is empty', () => {
    expect(insideAny(undefined, 0)).toBe(true);
    expect(insideAny([], 0)).toBe(false);
  });
});

describe("the policy's windows", () => {
  it.each([
    [
      'an unknown time zone',
      { from: '08:00', to: '09:00', time_zone: 'Europe/Nowhere' },
      'expected the name of a time zone',
    ],
    ['no length', { from: '08:00', to: '08:00' }, 'expected another time'],
    ['a beginning at 24:00', { from: '24:00', to: '08:00' }, 'expected a time before 24:00'],
    ['a time that is none', { from: '8:00', to: '09:00' }, 'expected a time such as 08:00'],
  ])('refuse %s', (_name, one, message) => {
    expect(() => aPolicy({ deny: [{ windows: [one] }] })).toThrow(message);
  });
});
