/** `npm run check [-- <name> ...]`: every static check, or the named ones, all of them even when one fails. */
import { spawnSync } from 'node:child_process';
import { misused, readArguments } from './command-line.ts';

const checks: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['lint', 'biome', 'check', '--error-on-warnings', '.'],
  ['types', 'tsc', '-p', '.'],
  ['imports', 'node', 'scripts/check-imports.ts'],
  ['dead-code', 'knip', '--no-progress'],
  ['generated', 'node', 'scripts/generate.ts', '--check'],
];

const USAGE = `usage: npm run check -- [name ...]

Every static check, or the named ones: ${checks.map(([name]) => name).join(', ')}.`;

const { positionals: wanted } = readArguments(USAGE, { allowPositionals: true }, { atMost: checks.length });
for (const each of wanted)
  if (!checks.some(([name]) => name === each)) misused(USAGE, `There is no check ${each}.`);
const chosen = checks.filter(([name]) => wanted.length === 0 || wanted.includes(name));
const failed = chosen.filter(([name, command, ...args]) => {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) console.error(`${name}: ${error.message}`);
  if (status !== 0) console.error(`FAILED: ${name}`);
  return status !== 0;
});
if (failed.length > 0) process.exit(1);
console.log(`check: ${chosen.length} checks clean`);
