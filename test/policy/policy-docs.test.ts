import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPolicy } from '#lib/adapters/policy-file.ts';
import { policySchema } from '#lib/core/policy.ts';

const page = readFileSync('docs/policy.md', 'utf8');
const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);

describe('docs/policy.md', () => {
  it.each(examples)('shows an example that is valid: %s', (example) => {
    const reading = readPolicy(`version: 1\n${example}`);

    expect(reading.kind === 'problems' ? reading.problems : []).toEqual([]);
  });

  it('names every key of the policy', () => {
    const missing = Object.keys(policySchema.shape).filter((key) => key !== 'version' && !page.includes(key));

    expect(examples.length).toBeGreaterThan(5);
    expect(missing).toEqual([]);
  });
});
