/** `npm run verdict -- <incidentId> right|wrong`: what a human says about a decision, also one that was only observed. */
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { TOOL_NAMES } from '#lib/catalogue/tool.ts';
import { noteReview, saysWhat } from '#lib/core/incident-changes.ts';
import { aimAtRunningStack } from '#local/running-stack.ts';
import { fail, openTable, say } from './operator.ts';

const USAGE = `usage:
  npm run verdict -- <incidentId> right|wrong [--instead tool] [--step 1|2] [--by name]
--instead names what would have been right: ${TOOL_NAMES.join(', ')}.
A later word replaces an earlier one. Needs INCIDENTS_TABLE, or the pipeline that npm start runs here.`;

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      by: { type: 'string', default: userInfo().username },
      instead: { type: 'string' },
      step: { type: 'string' },
    },
  });
  const [incidentId, word, ...more] = positionals;
  const answer = (['right', 'wrong'] as const).find((each) => each === word);
  const instead = TOOL_NAMES.find((each) => each === values.instead);
  const step = ([1, 2] as const).find((each) => String(each) === values.step);
  const unknown =
    (values.instead !== undefined && instead === undefined) ||
    (values.step !== undefined && step === undefined);
  if (incidentId === undefined || answer === undefined || more.length > 0 || unknown) return fail(USAGE);
  if (answer === 'right' && instead !== undefined) return fail('What was right needs nothing instead.');
  aimAtRunningStack();
  const { changeIncident } = await openTable();
  const { changed, incident } = await changeIncident(incidentId, (known) =>
    noteReview(known, {
      step: step ?? known.decisions.at(-1)?.step ?? 1,
      answer,
      instead,
      by: values.by,
      now: Date.now(),
    }),
  );
  if (incident === undefined) return fail(`There is no incident ${incidentId}.`);
  const decision = incident.decisions.find((each) => each.step === (step ?? incident.decisions.at(-1)?.step));
  if (!changed || decision === undefined) return fail('This incident has no such decision.');
  say(`${decision.decisionId}  ${answer}: ${saysWhat(decision)}`);
}

try {
  await main();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
