import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { problemText, readPolicy } from '#lib/adapters/policy-file.ts';
import { hashOf } from '#lib/core/canonical-json.ts';

const problemsOf = (text: string) => {
  const reading = readPolicy(text);
  return reading.kind === 'problems' ? reading.problems.map((each) => problemText('p.yaml', each)) : [];
};

describe('readPolicy', () => {
  it('fills in every default, and hashes what results', () => {
    const reading = readPolicy('version: 1');
    const longer = readPolicy('# the same\nrules: []\nversion: 1\nstorm:\n  alerts: 50\n');

    expect(reading).toMatchObject({ kind: 'policy', policy: { storm: { alerts: 50, within: '5m' } } });
    expect(reading.kind === 'policy' && reading.hash).toBe(
      reading.kind === 'policy' && hashOf(reading.policy),
    );
    expect(longer).toEqual(reading);
  });

  it.each<[string, string, string[]]>([
    ['an empty file', '', ['p.yaml:1:1 expected keys with values']],
    ['a list', '- a', ['p.yaml:1:1 expected keys with values']],
    ['a missing version', 'rules: []', ['p.yaml:1:1 version: expected 1']],
    ['another version', 'version: 2', ['p.yaml:1:10 version: expected 1']],
    [
      'a key written wrong',
      'version: 1\nrules:\n  - tools: [cleanup_disk]\n    where:\n      hostz: [a]\n',
      [
        'p.yaml:5:7 rules[0].where.hostz: unknown key; expected one of hosts, host_groups, tags, environments, severities; perhaps hosts is meant',
      ],
    ],
    [
      'a key of nowhere',
      'version: 1\nstorm: {colour: red}',
      ['p.yaml:2:9 storm.colour: unknown key; expected one of alerts, within'],
    ],
    [
      'a tool that is none',
      'version: 1\ncooldowns:\n  tools: {notify: 3m}',
      [
        'p.yaml:3:11 cooldowns.tools.notify: unknown key; expected one of cleanup_disk, restart_service, analyze_processes, restart_application',
      ],
    ],
    [
      'words that are none',
      'version: 1\nrules:\n  - tools: [notify]\n    autonomy: full\n',
      [
        'p.yaml:3:13 rules[0].tools[0]: expected one of cleanup_disk, restart_service, analyze_processes, restart_application',
        'p.yaml:4:15 rules[0].autonomy: expected one of observe, approve, auto',
      ],
    ],
    [
      'a missing list',
      'version: 1\nrules:\n  - autonomy: auto',
      ['p.yaml:3:5 rules[0].tools: missing; expected a list'],
    ],
    [
      'an empty list',
      'version: 1\nrules: [{tools: []}]',
      ['p.yaml:2:17 rules[0].tools: expected a list of at least 1 items'],
    ],
    [
      'text for a number',
      'version: 1\nlimits: {global: {per_hour: many}}',
      ['p.yaml:2:29 limits.global.per_hour: expected a number'],
    ],
    [
      'a number too big',
      'version: 1\nminimum_severity: 9',
      ['p.yaml:2:19 minimum_severity: expected a number of at most 5'],
    ],
    [
      'half a number',
      'version: 1\nminimum_severity: 1.5',
      ['p.yaml:2:19 minimum_severity: expected a whole number'],
    ],
    ['text for a list', 'version: 1\nallow: {paths: /}', ['p.yaml:2:16 allow.paths: expected a list']],
    ['nothing for text', 'version: 1\ndecide_within:\n', ['p.yaml:2:15 decide_within: expected text']],
    [
      'a duration of no unit',
      'version: 1\ncooldowns: {default: soon}',
      ['p.yaml:2:22 cooldowns.default: expected a duration such as 45s, 30m, 2h or 1d'],
    ],
    [
      'a relative folder',
      'version: 1\ncleanup_roots:\n  - tmp',
      [
        'p.yaml:3:5 cleanup_roots[0]: expected an absolute path of plain names, outside of the system folders',
      ],
    ],
    [
      'a key twice',
      'version: 1\nrules: []\nrules: []',
      ['p.yaml:3:1 this key is here twice; expected it once'],
    ],
    [
      'two documents',
      'version: 1\n---\nversion: 1',
      ['p.yaml:2:1 a second document begins here; expected one'],
    ],
    ['a tab', 'version: 1\nrules:\n\t- a', ['p.yaml:3:1 Tabs are not allowed as indentation']],
    ['an unknown tag', 'version: !!js 1', ['p.yaml:1:10 Unresolved tag: tag:yaml.org,2002:js']],
    [
      'a value behind an anchor',
      'version: 1\nallow: &a {paths: [""]}\naliases: *a',
      [
        'p.yaml:2:19 aliases.paths: expected keys with values',
        'p.yaml:2:20 allow.paths[0]: expected text of at least 1 characters',
      ],
    ],
  ])('says where %s is and what was expected', (_name, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it.each([
    '/',
    '//',
    '/.',
    '/tmp/..',
    '/tmp/../etc',
    '/tmp//x',
    '/etc',
    '/usr/lib',
    '/tmp/',
    '/a b',
    '/a,b',
    '/tmp\\n/x',
  ])('lets nobody clean %j', (root) => {
    expect(problemsOf(`version: 1\ncleanup_roots: ["${root}"]`)[0]).toContain('expected an absolute path');
  });

  it.each(['/tmp', '/var/log', '/opt/app.d/cache_1', '/srv/.cache', '/etcetera'])(
    'takes the root %j',
    (root) => {
      expect(problemsOf(`version: 1\ncleanup_roots: ["${root}"]`)).toEqual([]);
    },
  );

  it('lets no small file become a huge one', () => {
    const levels = Array.from({ length: 20 }, (_, n) => `a${n}: &a${n} [*a${n - 1}, *a${n - 1}, *a${n - 1}]`);

    expect(problemsOf(['version: 1', 'a: &a-1 [x]', ...levels].join('\n'))).toEqual([
      'p.yaml:1:1 expected fewer references to anchors',
    ]);
    expect(problemsOf('#'.repeat(1_048_577))).toEqual(['p.yaml:1:1 expected a file of at most 1 MiB']);
  });

  it('takes no key for a prototype', () => {
    const rule = 'rules: [{ tools: [cleanup_disk], where: { tags: { __proto__: a, env: b } } }]';

    expect(problemsOf(`version: 1\n${rule}`)).toEqual(['p.yaml:2:51 expected another key']);
    expect(problemsOf('version: 1\nconstructor: 1')[0]).toContain('p.yaml:2:1 constructor: unknown key');
  });

  it.each(['policy.yaml', 'local/policy.yaml'])('reads %s', (file) => {
    expect(problemsOf(readFileSync(file, 'utf8'))).toEqual([]);
  });
});
