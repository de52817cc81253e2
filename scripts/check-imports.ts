/** The import-direction rule as a check: fails on a violation, and on a run that looked at nothing. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

interface Cruise {
  readonly modules: readonly unknown[];
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

const folders = ['functions', 'lib'].filter((folder) => existsSync(folder));
const least = 5;
const { status, stdout } = run();
const cruise: Cruise = JSON.parse(stdout);
for (const { from, to, rule } of cruise.summary.violations) console.error(`${rule.name}: ${from} → ${to}`);
if (cruise.summary.totalCruised < least) {
  console.error(`looked at ${cruise.summary.totalCruised} modules only: the check itself is broken`);
  process.exit(1);
}
console.log(
  `imports: ${cruise.summary.totalCruised} modules, ${cruise.summary.violations.length} violations`,
);
process.exit(cruise.summary.violations.length > 0 ? 1 : status);

function run(): { status: number; stdout: string } {
  try {
    const out = execFileSync('depcruise', ['--output-type', 'json', ...folders], {
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
    });
    return { status: 0, stdout: out };
  } catch (error) {
    // depcruise exits with the number of violations and still prints its report.
    if (error instanceof Error && 'stdout' in error && typeof error.stdout === 'string' && error.stdout)
      return { status: 1, stdout: error.stdout };
    throw error;
  }
}
