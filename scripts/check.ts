/** `npm run check [-- <name> ...]`: every static check, or the named ones, all of them even when one fails. */
import { spawnSync } from 'node:child_process';

const checks: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['lint', 'biome', 'check', '--error-on-warnings', '.'],
  ['types', 'tsc', '-p', '.'],
  ['imports', 'node', 'scripts/check-imports.ts'],
  ['dead-code', 'knip', '--no-progress'],
  ['generated', 'node', 'scripts/generate.ts', '--check'],
];

const wanted = process.argv.slice(2);
const chosen = checks.filter(([name]) => wanted.length === 0 || wanted.includes(name));
if (chosen.length === 0) {
  console.error(`no such check; there are: ${checks.map(([name]) => name).join(', ')}`);
  process.exit(2);
}
const failed = chosen.filter(([name, command, ...args]) => {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) console.error(`${name}: ${error.message}`);
  if (status !== 0) console.error(`FAILED: ${name}`);
  return status !== 0;
});
if (failed.length > 0) process.exit(1);
console.log(`check: ${chosen.length} checks clean`);
