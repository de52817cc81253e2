/** `npm run report`: what became of each tool's proposals, so that an operator sees when one has earned `auto`. */
import { reportTools, type ToolReport } from '#lib/core/label-decision.ts';
import { aimAtRunningStack } from '#local/running-stack.ts';
import { fail, misused, readArguments } from './command-line.ts';
import { counted, openTable, say } from './operator.ts';
import { readIncidents, readSince } from './read-incidents.ts';

const USAGE = `usage:
  npm run report -- [--since 30d | 2026-11-01] [--json]
Needs INCIDENTS_TABLE, or the pipeline that npm start runs here.`;

const COLUMNS = [
  ...['tool', 'proposed', 'refused', 'observed', 'approved', 'rejected'],
  ...['ran', 'verified', 'failed', 'unclear', 'right', 'wrong'],
] as const satisfies readonly (keyof ToolReport)[];

try {
  const { values } = readArguments(USAGE, {
    options: { since: { type: 'string', default: '30d' }, json: { type: 'boolean', default: false } },
  });
  const since =
    readSince(values.since, Date.now()) ??
    misused(USAGE, `--since ${values.since}: expected a time such as 30d, or a date.`);
  aimAtRunningStack();
  const { listIncidents } = await openTable();
  const incidents = await readIncidents(listIncidents, since);
  const tools = reportTools(incidents);
  if (values.json) {
    console.log(
      JSON.stringify({ since: new Date(since).toISOString(), incidents: incidents.length, tools }, null, 2),
    );
  } else {
    say(`${counted(incidents.length, 'incident')} since ${new Date(since).toISOString()}`);
    const rows = [[...COLUMNS], ...tools.map((each) => COLUMNS.map((column) => String(each[column])))];
    const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    for (const row of rows) {
      say(
        row
          .map((cell, column) =>
            column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
          )
          .join('  '),
      );
    }
  }
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
