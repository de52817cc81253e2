import { describe, expect, it } from 'vitest';
import { durationMs, formatDuration } from '#lib/core/duration.ts';

describe('durations', () => {
  it.each([
    ['45s', 45_000],
    ['30m', 1_800_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['', 0],
    ['m', 0],
    ['30', 0],
    ['30x', 0],
    ['-3m', 0],
    ['1.5h', 0],
  ])('%j are %i milliseconds', (text, milliseconds) => {
    expect(durationMs(text)).toBe(milliseconds);
  });

  it.each([
    [0, '0s'],
    [-5, '0s'],
    [1_499, '1s'],
    [45_000, '45s'],
    [90_000, '90s'],
    [1_800_000, '30m'],
    [7_200_000, '2h'],
    [172_800_000, '2d'],
  ])('%i milliseconds are written %j', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});
