/** An incident always fits into one item: what is cut, and what never is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitIncident } from '#lib/core/fit-incident.ts';
import type { TimelineEntry } from '#lib/core/incident.ts';
import { anIncident, NOON } from '#test/builders/incidents.ts';

const entries = (count: number, length: number): readonly TimelineEntry[] =>
  Array.from({ length: count }, (_, i) => ({
    at: NOON + i,
    kind: 'updated',
    text: `${i} ${'ä'.repeat(length)}`,
  }));
const size = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

describe('fitting an incident', () => {
  it('leaves one alone that fits', () => {
    const incident = anIncident({ timeline: entries(100, 10) });
    expect(fitIncident(incident)).toBe(incident);
  });

  it('cuts the oldest of the middle, and counts what is gone', () => {
    const timeline = entries(100, 100);
    const fitted = fitIncident(anIncident({ timeline }), 20_000).timeline;
    expect(fitted.slice(0, 5)).toEqual(timeline.slice(0, 5));
    const gone = 100 - (fitted.length - 1);
    expect(fitted[5]).toEqual({
      at: timeline[4 + gone]?.at,
      kind: 'updated',
      text: `${gone} entries were cut here to keep this record storable`,
    });
    expect(fitted.slice(6)).toEqual(timeline.slice(5 + gone));
  });

  it('keeps counting when it has to cut again', () => {
    const once = fitIncident(anIncident({ timeline: entries(100, 100) }), 20_000);
    const twice = fitIncident(once, 15_000);
    expect(Number.parseInt(twice.timeline[5]?.text ?? '', 10) + twice.timeline.length - 1).toBe(100);
  });

  it('cuts texts where cutting entries is not enough', () => {
    const fitted = fitIncident(anIncident({ timeline: [...entries(20, 2_000), ...entries(1, 10)] }), 30_000);
    expect(fitted.timeline).toHaveLength(21);
    expect(fitted.timeline[0]?.text).toHaveLength(501);
    expect(fitted.timeline.at(-1)?.text).toBe(`0 ${'ä'.repeat(10)}`);
    expect(size(fitted)).toBeLessThan(30_000);
  });

  it('always fits when the timeline is all that is long, and always keeps both ends', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 1_000 }), (count, length) => {
        const incident = anIncident({ timeline: entries(count, length) });
        const fitted = fitIncident(incident, 40_000);
        expect(size(fitted)).toBeLessThanOrEqual(40_000);
        expect(fitted.timeline.at(-1)?.at).toBe(incident.timeline.at(-1)?.at);
        expect(fitted.timeline[0]?.at).toBe(incident.timeline[0]?.at);
      }),
      { numRuns: 50 },
    );
  });
});
