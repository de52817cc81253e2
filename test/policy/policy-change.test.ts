import { describe, expect, it } from 'vitest';
import { comparePolicies } from '#lib/core/policy-change.ts';
import { aPolicy } from './examples.ts';

const rule = (autonomy: string, more: object = {}) => ({
  tools: ['restart_service', 'cleanup_disk'],
  autonomy,
  ...more,
});
const told = (before: Record<string, unknown>, after: Record<string, unknown>) =>
  comparePolicies(aPolicy(before), aPolicy(after)).map(({ direction, text }) => `${direction} ${text}`);

describe('comparePolicies', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>, string[]]>([
    ['nothing', {}, {}, []],
    ['only a name', { rules: [rule('auto', { name: 'a' })] }, { rules: [rule('auto', { name: 'b' })] }, []],
    [
      'only the order of tools',
      { rules: [rule('auto')] },
      { rules: [{ tools: ['cleanup_disk', 'restart_service'], autonomy: 'auto' }] },
      [],
    ],
    [
      'a lower autonomy',
      { rules: [rule('auto')] },
      { rules: [rule('approve')] },
      ['stricter rule 1: auto → approve'],
    ],
    [
      'a higher autonomy',
      { rules: [rule('observe')] },
      { rules: [rule('auto')] },
      ['looser rule 1: observe → auto'],
    ],
    [
      'a rule beside a stricter one alike, in any order',
      { rules: [rule('auto'), rule('approve')] },
      { rules: [rule('approve'), rule('auto')] },
      [],
    ],
    ['an automatic rule less', { rules: [rule('auto')] }, { rules: [] }, ['stricter rule 1 (auto) is gone']],
    [
      'an automatic rule more',
      { rules: [] },
      { rules: [rule('auto', { name: 'n' })] },
      ['looser rule 1 "n" (auto) is new'],
    ],
    ['a careful rule less', { rules: [rule('approve')] }, { rules: [] }, ['either rule 1 (approve) is gone']],
    ['a careful rule more', { rules: [] }, { rules: [rule('observe')] }, ['either rule 1 (observe) is new']],
    [
      'another scope',
      { rules: [rule('auto')] },
      { rules: [rule('auto', { where: { hosts: ['a'] } })] },
      ['stricter rule 1 (auto) is gone', 'looser rule 1 (auto) is new'],
    ],
    [
      'less that may follow on an analysis',
      {},
      { after_analysis: 'approve' },
      ['stricter after_analysis: as_tool → approve'],
    ],
    [
      'more that may follow on an analysis',
      { after_analysis: 'never' },
      { after_analysis: 'approve' },
      ['looser after_analysis: never → approve'],
    ],
    ['a denial more', {}, { deny: [{}] }, ['stricter denial 1 is new']],
    ['a denial less', { deny: [{ name: 'freeze' }] }, {}, ['looser denial 1 "freeze" is gone']],
    ['the same denial', { deny: [{ name: 'a' }] }, { deny: [{ name: 'b' }] }, []],
    [
      'the lists',
      { allow: { paths: ['/a', '/b'] } },
      { allow: { paths: ['/b', '/c'] } },
      ['stricter allow.paths: without /a', 'looser allow.paths: also /c'],
    ],
    [
      'a limit',
      {},
      { limits: { global: { per_hour: 5 } } },
      ['stricter limits.global: 20 per hour → 5 per hour'],
    ],
    [
      "a tool's first limit",
      {},
      { limits: { tools: { cleanup_disk: { per_hour: 1 } } } },
      ['stricter limits.cleanup_disk: no limit → 1 per hour'],
    ],
    [
      "a tool's limit that is gone",
      { limits: { tools: { cleanup_disk: { per_hour: 1 } } } },
      {},
      ['looser limits.cleanup_disk: 1 per hour → no limit'],
    ],
    [
      'a cooldown',
      { cooldowns: { tools: { cleanup_disk: '2h' } } },
      { cooldowns: { default: '1h' } },
      ['stricter cooldowns.default: 1800 s → 3600 s', 'looser cooldowns.cleanup_disk: 7200 s → 3600 s'],
    ],
    ['the minimum severity', {}, { minimum_severity: 2 }, ['stricter minimum_severity: 0 → 2']],
    ['aliases', {}, { aliases: { services: { apache: ['apache2.service'] } } }, ['either aliases changed']],
    ['routing', {}, { routing: [{ team: 'a' }] }, ['neutral routing changed']],
  ])('tells of %s', (_name, before, after, changes) => {
    expect(told(before, after)).toEqual(changes);
  });
});
