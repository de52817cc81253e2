/** `npm run replay -- <incidentId>`: decides a recorded alert once more and says what differs; it executes nothing. */
import { makeAskModel } from '#lib/adapters/ollama.ts';
import { problemText, readPolicy } from '#lib/adapters/policy-file.ts';
import type { Decision } from '#lib/core/incident.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import type { AskModel, StoredPolicy } from '#lib/workflow/ports.ts';
import { makeReplayDecision } from '#lib/workflow/replay-decision.ts';
import { aimAtRunningStack } from '#local/running-stack.ts';
import { fail, misused, readArguments, readText } from './command-line.ts';
import { openTable, say } from './operator.ts';

const USAGE = `usage:
  npm run replay -- <incidentId> [--policy file] [--recorded] [--step 1|2]
Decides with the policy of the table, or of a file; by the model of OLLAMA_URL and OLLAMA_MODEL (with
DECIDER=rules by rules, without any), or with --recorded by the answer that was recorded; --step 2 is the decision about what an analysis found. Needs INCIDENTS_TABLE, or the pipeline
that npm start runs here. It writes, runs and tells nothing.`;

function policyOf(file: string): StoredPolicy {
  const reading = readPolicy(readText(file));
  if (reading.kind === 'problems') return fail(...reading.problems.map((each) => problemText(file, each)));
  return { policy: reading.policy, hash: reading.hash, pushedAt: Date.now(), pushedBy: file };
}

function inWords({ at, verdict }: Decision): string {
  const reasons = verdict.reasons.map(({ code, text }) => `${code} (${text})`).join(', ');
  const job =
    'tool' in verdict ? ` ${verdict.tool} ${JSON.stringify(verdict.arguments)} on ${verdict.node}` : '';
  return `${new Date(at).toISOString()}  ${verdict.kind}${job}: ${reasons}`;
}

/** `undefined` where rules alone decide: then nothing of a model is read. */
async function modelOfToday(): Promise<AskModel | undefined> {
  const { DECIDER: decider } = await loadSettings(['DECIDER']);
  if (decider === 'rules') return undefined;
  const {
    OLLAMA_URL: url,
    OLLAMA_MODEL: model,
    OLLAMA_TIMEOUT_SECONDS: seconds,
  } = await loadSettings(['OLLAMA_URL', 'OLLAMA_MODEL', 'OLLAMA_TIMEOUT_SECONDS']);
  return makeAskModel({ url, model, timeoutMs: seconds * 1000 });
}

async function main(): Promise<void> {
  const { positionals, values } = readArguments(
    USAGE,
    {
      allowPositionals: true,
      options: {
        policy: { type: 'string' },
        recorded: { type: 'boolean', default: false },
        step: { type: 'string', default: '1' },
      },
    },
    { atMost: 1 },
  );
  const [incidentId] = positionals;
  const step = ([1, 2] as const).find((each) => String(each) === values.step);
  if (incidentId === undefined) return misused(USAGE, 'The id of the incident is missing.');
  if (step === undefined) return misused(USAGE, `--step ${values.step}: expected 1 or 2.`);
  aimAtRunningStack();
  const { loadIncident, hostHistory, loadPolicy } = await openTable();
  const stored =
    values.policy === undefined
      ? ((await loadPolicy()) ?? fail('No valid policy is in the table; name a file with --policy.'))
      : policyOf(values.policy);
  const replay = makeReplayDecision({
    loadIncident,
    hostHistory,
    askModel: await modelOfToday(),
    narrate: ({ step, text }) => say(`${step.padEnd(10)} ${text}`),
  });
  const result = await replay({ incidentId, stored, recorded: values.recorded, step });
  switch (result.kind) {
    case 'no_such_incident':
      return fail(`There is no incident ${incidentId}.`);
    case 'no_alert':
      return fail('This incident has no alert that could be decided.');
    case 'no_findings':
      return fail('No analysis of this incident has findings that could be decided about.');
    case 'undecided':
      return say(`undecided  it would be ${result.became}: ${result.why}`);
    case 'decided': {
      const { recorded, replayed, differences } = result;
      say(`recorded   ${recorded === undefined ? 'nothing was decided' : inWords(recorded)}`);
      say(`replayed   ${inWords(replayed)}`);
      for (const each of differences) say(`differs    ${each.what}: ${each.recorded} -> ${each.replayed}`);
      if (recorded !== undefined && differences.length === 0) say('same       nothing differs');
      return;
    }
  }
}

try {
  await main();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
