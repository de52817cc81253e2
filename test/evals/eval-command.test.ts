/** `npm run eval` as a command: what it reads, what it writes, and what it refuses. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'eval-command-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Only the fields that any labelled trigger has; the names are in no case file. */
const aCase = (name: string, key: string, remediation: string) => ({
  name,
  severity: 'High',
  nseverity: 4,
  tags: [],
  item_key: key,
  template: '',
  host: 'web-01',
  category: '',
  remediation,
  also_acceptable: [],
  note: '',
});
const GIVEN = [
  aCase('Kein Prozess chronyd', 'proc.num[chronyd]', 'restart_service'),
  aCase('Somebody should look', 'own.check', 'notify'),
  aCase('/srv/www is 98 % full', 'vfs.fs.size[/srv/www,pused]', 'cleanup_disk'),
];

const file = (name: string, ...lines: readonly string[]) => {
  const path = join(folder, name);
  writeFileSync(path, lines.join('\n'));
  return path;
};
const run = (...words: readonly string[]) =>
  new Promise<{ readonly code: number; readonly err: string }>((done) => {
    const node = [join(root, 'scripts/eval.ts'), '--decider', 'rules', ...words];
    execFile(process.execPath, node, { cwd: folder, timeout: 60_000 }, (error, _out, err) =>
      done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, err }),
    );
  });

it('decides a file of nothing but the shared fields, and writes its cases in their order', async () => {
  const json = join(folder, 'out.json');
  const report = join(folder, 'report.md');
  const cases = file('cases.jsonl', ...GIVEN.map((each) => JSON.stringify(each)));
  const ran = await run('--cases', cases, '--json', json, '--report', report);
  expect(ran).toMatchObject({ code: 0 });
  expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({
    decider: 'rules',
    cases: [
      {
        name: GIVEN[0]?.name,
        tool: 'restart_service',
        arguments: { service_name: 'chronyd' },
        outcome: 'remediate',
      },
      {
        name: GIVEN[1]?.name,
        tool: 'notify',
        arguments: {},
        outcome: 'escalate',
        reasons: ['no_eligible_tool'],
      },
      { name: GIVEN[2]?.name, tool: 'cleanup_disk', arguments: { path: '/srv/www' }, outcome: 'remediate' },
    ],
  });
  expect(readFileSync(report, 'utf8')).toContain('3/3 (100 %');
});

it.each([
  [
    'a line that is no case',
    () => file('bad.jsonl', JSON.stringify(GIVEN[0]), '{"name":"x"}'),
    /bad\.jsonl:2: nseverity: /,
  ],
  ['a file that is not there', () => join(folder, 'none.jsonl'), /none\.jsonl/],
  ['a file without a case', () => file('empty.jsonl', ''), /no case/],
])('refuses %s in one line', async (_what, path, said) => {
  const { code, err } = await run('--cases', path());
  expect(code).toBe(1);
  expect(err.trim().split('\n')).toEqual([expect.stringMatching(said)]);
});
