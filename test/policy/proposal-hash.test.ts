import { describe, expect, it } from 'vitest';
import { canonicalJson, hashOf } from '#lib/core/canonical-json.ts';
import { proposalHash } from '#lib/core/proposal-hash.ts';

const proposal = {
  decisionId: 'inc_1#1',
  tool: 'restart_service',
  arguments: { service_name: 'nginx.service', force: true },
  node: 'web-01',
} as const;

describe('proposalHash', () => {
  it('does not depend on the order of the arguments', () => {
    const reordered = { ...proposal, arguments: { force: true, service_name: 'nginx.service' } };

    expect(proposalHash(reordered)).toBe(proposalHash(proposal));
    expect(proposalHash(proposal)).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    { decisionId: 'inc_1#2' },
    { tool: 'restart_application' as const },
    { arguments: { service_name: 'nginx.service', force: false } },
    { arguments: { service_name: 'nginx.service', force: 'true' } },
    { arguments: { service_name: 'nginx.service' } },
    { node: 'web-02' },
  ])('changes with %j', (change) => {
    expect(proposalHash({ ...proposal, ...change })).not.toBe(proposalHash(proposal));
  });
});

describe('canonicalJson', () => {
  it('sorts keys at every depth, keeps the order of lists, leaves out what is absent', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }, 2], a: undefined, __proto: 'x' })).toBe(
      '{"__proto":"x","b":[{"c":null,"d":1},2]}',
    );
    expect(hashOf([1, 2])).not.toBe(hashOf([2, 1]));
  });
});
