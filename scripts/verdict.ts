/** `npm run verdict -- <incidentId> right|wrong`: what a human says about a decision, also one that was only observed. */
import { userInfo } from 'node:os';
import { TOOL_NAMES } from '#lib/catalogue/tool.ts';
import { noteReview, saysWhat } from '#lib/core/incident-changes.ts';
import { aimAtRunningStack } from '#local/running-stack.ts';
import { fail, misused, readArguments } from './command-line.ts';
import { openTable, say } from './operator.ts';

const USAGE = `usage:
  npm run verdict -- <incidentId> right|wrong [--instead tool] [--step 1|2] [--by name]
--instead names what would have been right: ${TOOL_NAMES.join(', ')}.
A later word replaces an earlier one. Needs INCIDENTS_TABLE, or the pipeline that npm start runs here.`;

async function main(): Promise<void> {
  const { positionals, values } = readArguments(
    USAGE,
    {
      allowPositionals: true,
      options: {
        by: { type: 'string', default: userInfo().username },
        instead: { type: 'string' },
        step: { type: 'string' },
      },
    },
    { atMost: 2 },
  );
  const [incidentId, word] = positionals;
  const answer = (['right', 'wrong'] as const).find((each) => each === word);
  const instead = TOOL_NAMES.find((each) => each === values.instead);
  const step = ([1, 2] as const).find((each) => String(each) === values.step);
  if (incidentId === undefined) return misused(USAGE, 'The id of the incident is missing.');
  if (answer === undefined)
    return misused(
      USAGE,
      word === undefined ? 'The word is missing: right or wrong.' : `'${word}': expected right or wrong.`,
    );
  if (values.instead !== undefined && instead === undefined)
    return misused(USAGE, `--instead ${values.instead}: there is no such tool.`);
  if (values.step !== undefined && step === undefined)
    return misused(USAGE, `--step ${values.step}: expected 1 or 2.`);
  if (answer === 'right' && instead !== undefined)
    return misused(USAGE, 'What was right needs nothing instead.');
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
