/** The start of a function: once, early, and never silently failed. */
import { expect, it } from 'vitest';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { createMemoryLog } from '#test/fakes/log-memory.ts';

it('wires once, before the first invocation, and hands every event on', async () => {
  let starts = 0;
  const handler = whenReady(async () => {
    starts += 1;
    return async (event: number) => event * 2;
  }, createMemoryLog().log);

  expect(starts).toBe(1);
  expect([await handler(1, {}), await handler(2, {})]).toEqual([2, 4]);
  expect(starts).toBe(1);
});

it('tells of a failed start, fails the invocation, and starts anew with the next one', async () => {
  let starts = 0;
  const { log, lines } = createMemoryLog();
  const handler = whenReady(async () => {
    starts += 1;
    if (starts === 1) throw new Error('INTAKE_TOKENS names a secret that cannot be read');
    return async (event: number) => event * 2;
  }, log);

  await expect(handler(1, {})).rejects.toThrow('INTAKE_TOKENS');
  expect(await handler(2, {})).toBe(4);
  expect(lines().join()).toContain('the function cannot start');
});
