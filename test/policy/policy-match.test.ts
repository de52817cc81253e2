import { describe, expect, it } from 'vitest';
import { matchesPattern, matchPolicy, nodeOf, routeOf, valueAllowed } from '#lib/core/policy-match.ts';
import { anAlert, aPolicy, NOON } from './examples.ts';

const rule = (where: object, autonomy = 'auto', more: object = {}) => ({
  tools: ['restart_service'],
  where,
  autonomy,
  ...more,
});
const match = (policy: Record<string, unknown>, alert = anAlert()) => {
  const result = matchPolicy({ policy: aPolicy(policy), alert, tool: 'restart_service', now: NOON });
  return result.kind === 'allowed' ? result.autonomy : result.reasons[0]?.code;
};
const tags = (...values: [string, string][]) => values.map(([tag, value]) => ({ tag, value }));

describe('matchesPattern', () => {
  it.each([
    ['web-01', 'web-01', true],
    ['web-01', 'web-011', false],
    ['web-01', 'xweb-01', false],
    ['web-*', 'web-', true],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['?', '', false],
    ['?', 'ä', true],
    ['?', '😀', true],
    ['web-??', 'web-01', true],
    ['web-??', 'web-1', false],
    ['*.service', 'nginx.service', true],
    ['*a*b*c', 'xxaxxbxxc', true],
    ['*a*b*c', 'xxaxxbxx', false],
    ['a*bc', 'abbc', true],
    ['*c', '*bc', true],
    ['a*', 'A1', false],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['{a,b}', 'a', false],
    ['**', 'anything/at all', true],
  ])('%j on %j is %s', (pattern, value, expected) => {
    expect(matchesPattern(pattern, value)).toBe(expected);
  });

  it('is not slowed down by many stars', () => {
    const started = performance.now();

    expect(matchesPattern('*a'.repeat(128), `${'a'.repeat(2_000)}b`)).toBe(false);

    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('matchPolicy', () => {
  it.each([
    ['no rule at all', { rules: [] }, 'tool_not_allowed'],
    ['only rules for other tools', { rules: [{ ...rule({}), tools: ['cleanup_disk'] }] }, 'tool_not_allowed'],
    ['a rule for everywhere', { rules: [rule({})] }, 'auto'],
    ['a rule that says no autonomy', { rules: [{ tools: ['restart_service'] }] }, 'observe'],
    ['the host by name', { rules: [rule({ hosts: ['db-*', 'web-0?'] })] }, 'auto'],
    ['another host', { rules: [rule({ hosts: ['db-*'] })] }, 'host_not_allowed'],
    ["the visible name is not the host's", { rules: [rule({ hosts: ['*.com'] })] }, 'host_not_allowed'],
    ['one of its groups', { rules: [rule({ host_groups: ['Web*'] })] }, 'auto'],
    ['other groups', { rules: [rule({ host_groups: ['Mail*'] })] }, 'host_not_allowed'],
    ['a tag', { rules: [rule({ tags: { target: 'ngin?' } })] }, 'auto'],
    ['a tag of another value', { rules: [rule({ tags: { target: 'apache' } })] }, 'host_not_allowed'],
    ['a tag that is not there', { rules: [rule({ tags: { owner: '*' } })] }, 'host_not_allowed'],
    ['the environment', { rules: [rule({ environments: ['test', 'prod'] })] }, 'auto'],
    ['another environment', { rules: [rule({ environments: ['test'] })] }, 'host_not_allowed'],
    ['the severity', { rules: [rule({ severities: [3, 4] })] }, 'auto'],
    ['another severity', { rules: [rule({ severities: [5] })] }, 'host_not_allowed'],
    ['all lists together', { rules: [rule({ hosts: ['web-*'], severities: [4] })] }, 'auto'],
    ['all lists but one', { rules: [rule({ hosts: ['web-*'], severities: [1] })] }, 'host_not_allowed'],
    [
      'the strictest of three rules',
      { rules: [rule({}), rule({ hosts: ['web-01'] }, 'approve'), rule({})] },
      'approve',
    ],
    ['a stricter rule for other hosts', { rules: [rule({}), rule({ hosts: ['db-01'] }, 'observe')] }, 'auto'],
    [
      'a rule outside its window',
      { rules: [rule({}, 'auto', { windows: [{ from: '22:00', to: '06:00' }] })] },
      'outside_window',
    ],
    [
      'a stricter rule outside its window',
      { rules: [rule({}), rule({}, 'observe', { windows: [{ from: '22:00', to: '06:00' }] })] },
      'auto',
    ],
    ['a denial of everything', { deny: [{}] }, 'denied'],
    ['a denial of the tool', { deny: [{ tools: ['restart_service'] }] }, 'denied'],
    ['a denial of another tool', { deny: [{ tools: ['cleanup_disk'] }] }, 'auto'],
    ['a denial inside its window', { deny: [{ windows: [{ from: '11:00', to: '13:00' }] }] }, 'denied'],
    ['a denial outside its window', { deny: [{ windows: [{ from: '13:00', to: '14:00' }] }] }, 'auto'],
    ['a denial of the host', { deny: [{ where: { hosts: ['web-01'] } }] }, 'denied'],
    ['a denial of its visible name', { deny: [{ where: { hosts: ['*.example.com'] } }] }, 'denied'],
    [
      'a denial of its node',
      { node: { overrides: { 'web-01': 'frontend' } }, deny: [{ where: { hosts: ['frontend'] } }] },
      'denied',
    ],
    ['a denial of another group', { deny: [{ where: { host_groups: ['Mail'] } }] }, 'auto'],
    ['a denial of another tag', { deny: [{ where: { tags: { owner: '*' } } }] }, 'auto'],
  ])('%s', (_name, policy, expected) => {
    expect(match(policy)).toBe(expected);
  });

  it.each([
    [
      'a rule wants all values of a repeated tag',
      { rules: [rule({ tags: { env: 'test' } })] },
      'host_not_allowed',
    ],
    ['and has them', { rules: [rule({ tags: { env: '*t*' } })] }, 'auto'],
    ['also of the environment', { rules: [rule({ environments: ['test'] })] }, 'host_not_allowed'],
    ['unless its list has all of them', { rules: [rule({ environments: ['test', 'st*'] })] }, 'auto'],
    ['for a denial one value is enough', { deny: [{ where: { tags: { env: 'test' } } }] }, 'denied'],
    [
      'a stricter rule holds back for one value',
      { rules: [rule({}), rule({ tags: { env: 'test' } }, 'approve')] },
      'approve',
    ],
    ['also of the environment (denial)', { deny: [{ where: { environments: ['test'] } }] }, 'denied'],
  ])('where a tag repeats: %s', (_name, policy, expected) => {
    expect(match(policy, anAlert({ tags: tags(['env', 'test'], ['env', 'staging']) }))).toBe(expected);
  });

  it.each([
    ['host_groups: no rule matches', { rules: [rule({ host_groups: ['*'] })] }, 'host_not_allowed'],
    ['tags: no rule matches', { rules: [rule({ tags: { env: '*' } })] }, 'host_not_allowed'],
    ['environment: no rule matches', { rules: [rule({ environments: ['*'] })] }, 'host_not_allowed'],
    ['host_groups: a denial holds', { deny: [{ where: { host_groups: ['Payment'] } }] }, 'denied'],
    ['tags: a denial holds', { deny: [{ where: { tags: { remedia: 'never' } } }] }, 'denied'],
    ['environment: a denial holds', { deny: [{ where: { environments: ['prod'] } }] }, 'denied'],
    [
      'host_groups: a stricter rule holds back',
      { rules: [rule({}), rule({ host_groups: ['Payment'] }, 'observe')] },
      'observe',
    ],
    [
      'a stricter rule alone allows nothing',
      { rules: [rule({ host_groups: ['*'] }, 'observe')] },
      'host_not_allowed',
    ],
    ['but not for another host', { deny: [{ where: { host_groups: ['a'], hosts: ['db-*'] } }] }, 'auto'],
  ])('where the alert does not say its %s', (_name, policy, expected) => {
    expect(match(policy, anAlert({ tags: [], hostGroups: [] }))).toBe(expected);
  });

  it('lets a human always be told', () => {
    const result = matchPolicy({
      policy: aPolicy({ rules: [], deny: [{}] }),
      alert: anAlert(),
      tool: 'notify',
      now: NOON,
    });

    expect(result.kind).toBe('allowed');
  });

  it('names the rule or the denial that decided, and no text of the alert', () => {
    const decided = (policy: Record<string, unknown>) =>
      matchPolicy({ policy: aPolicy(policy), alert: anAlert(), tool: 'restart_service', now: NOON })
        .reasons[0]?.text;

    expect(decided({ rules: [rule({}), rule({}, 'approve', { name: 'careful' })] })).toBe(
      'The policy says approve for restart_service here (rule 2 "careful").',
    );
    expect(decided({ deny: [{ where: { hosts: ['db-1'] } }, {}] })).toBe(
      'The policy denies restart_service here (denial 2).',
    );
  });
});

describe('nodeOf', () => {
  it.each([
    ['the technical name by default', {}, {}, 'web-01'],
    ['the visible name', { field: 'host_name' }, {}, 'web-01.example.com'],
    ['an override', { overrides: { 'web-01': 'node-7' } }, {}, 'node-7'],
    ['an override wins over the visible name', { field: 'host_name', overrides: { 'web-01': 'x' } }, {}, 'x'],
    ['no visible name', { field: 'host_name' }, { host: 'web-01' }, undefined],
    ['a prototype is no override', {}, { host: 'constructor' }, 'constructor'],
    ['a space', {}, { host: 'web 01' }, undefined],
    ['two nodes', {}, { host: 'web-01,db-01' }, undefined],
    ['a regular expression', {}, { host: 'web.*' }, undefined],
    ['only dots', {}, { host: '..' }, undefined],
    ['a line break', {}, { host: 'web-01\n' }, undefined],
    ['too long', {}, { host: 'a'.repeat(254) }, undefined],
    ['one letter', {}, { host: 'a' }, 'a'],
  ])('%s', (_name, node, host, expected) => {
    const alert = 'host' in host ? anAlert({ host: { host: host.host } }) : anAlert();

    expect(nodeOf(aPolicy({ node }), alert)).toBe(expected);
  });
});

describe('routeOf', () => {
  it.each([
    ['nothing said', [], {}],
    [
      'the first that names each',
      [{ team: 'web' }, { team: 'all', priority: 'low' }],
      { team: 'web', priority: 'low' },
    ],
    ['only those that match', [{ where: { hosts: ['db-*'] }, team: 'db' }, { team: 'all' }], { team: 'all' }],
    ['only a priority', [{ priority: 'high' }], { priority: 'high' }],
  ])('%s', (_name, routing, expected) => {
    expect(routeOf(aPolicy({ routing }), anAlert())).toEqual(expected);
  });
});

describe('valueAllowed', () => {
  it.each([
    ['path', '/var', true],
    ['path', '/srv/data', true],
    ['path', '/etc', false],
    ['path', '/srv/../etc', false],
    ['path', '/srv/a\nb', false],
    ['service', 'nginx.service', true],
    ['service', 'sshd.service', false],
    ['service', '/var', false],
    ['application', 'billing-worker', true],
    ['application', 'orders', false],
    ['resource', 'cpu', true],
  ] as const)('%s %j: %s', (subject, value, expected) => {
    expect(valueAllowed(aPolicy(), subject, value)).toBe(expected);
  });
});
