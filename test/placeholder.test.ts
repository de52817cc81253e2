import { expect, it } from 'vitest';
import { policySchema } from '#lib/core/policy.ts';

it('an empty policy allows nothing', () => {
  expect(policySchema.parse({ version: 1 }).rules).toEqual([]);
});
