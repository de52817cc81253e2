/** The calendar: what is due comes in the order of its time, and never before. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createCalendar } from '#test/chaos/calendar.ts';

it('gives out everything in the order of its time, of the same time in the order it came', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 })), (times) => {
      const calendar = createCalendar();
      const done: { at: number; i: number }[] = [];
      for (const [i, at] of times.entries()) calendar.add(at, () => done.push({ at, i }));
      for (let now = 0; now <= 20; now += 1) {
        for (let what = calendar.takeDue(now); what; what = calendar.takeDue(now)) what();
        for (const { at } of done) expect(at).toBeLessThanOrEqual(now);
      }
      expect(done).toEqual(times.map((at, i) => ({ at, i })).sort((a, b) => a.at - b.at || a.i - b.i));
      expect(calendar.size()).toBe(0);
    }),
  );
});
