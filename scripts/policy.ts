/** `npm run policy:check | policy:explain | policy:push | policy:show`: what an operator does with the policy. */
import { userInfo } from 'node:os';
import { stringify } from 'yaml';
import { problemText, readPolicy } from '#lib/adapters/policy-file.ts';
import type { Alert } from '#lib/core/alert.ts';
import { ground } from '#lib/core/grounding.ts';
import { parseAlert } from '#lib/core/parse-alert.ts';
import type { Policy } from '#lib/core/policy.ts';
import { adviseOn } from '#lib/core/policy-advice.ts';
import { comparePolicies, type PolicyChange } from '#lib/core/policy-change.ts';
import { type ExplainedEntry, explainPolicy } from '#lib/core/policy-explanation.ts';
import { aimAtRunningStack } from '#local/running-stack.ts';
import { fail, misused, readArguments, readText } from './command-line.ts';
import { counted, openTable, plain } from './operator.ts';

const USAGE = `usage:
  npm run policy:check -- [file]                                   (policy.yaml without one)
  npm run policy:explain -- <alert.json> [--policy file] [--at 2026-11-28T22:00:00Z]
  npm run policy:push -- [file] [--by name] [--dry-run]
  npm run policy:show -- [--yaml]
push and show need INCIDENTS_TABLE, or the pipeline that npm start runs here. push --dry-run writes nothing: it says what
would change, and without a table whether the file is valid.`;

function say(...lines: readonly string[]): void {
  for (const line of lines) console.log(plain(line));
}

function policyFrom(file: string): { readonly policy: Policy; readonly hash: string } {
  const reading = readPolicy(readText(file));
  if (reading.kind === 'policy') return reading;
  const count = reading.problems.length;
  return fail(
    ...reading.problems.map((problem) => problemText(file, problem)),
    `${file}: ${counted(count, 'problem')}`,
  );
}

function check(file: string): void {
  const { policy, hash } = policyFrom(file);
  for (const advice of adviseOn(policy)) say(`note: ${advice}`);
  const { rules, deny } = policy;
  say(
    `${file} is valid: ${counted(rules.length, 'rule')}, ${counted(deny.length, 'denial')}, version ${hash.slice(0, 12)}`,
  );
}

function alertFrom(file: string, now: number): Alert {
  let body: unknown;
  try {
    body = JSON.parse(readText(file));
  } catch {
    return fail(`${file} is not JSON`);
  }
  const parsed = parseAlert(body, { source: 'zabbix', receivedAt: now });
  switch (parsed.kind) {
    case 'alert':
      return parsed.alert;
    case 'test':
      return fail(`${file} is a test post of the media type: there is no alert in it`);
    case 'not_a_trigger_event':
      return fail(`${file} is no trigger's event: it is never acted upon`);
    case 'invalid':
      return fail(...parsed.problems.map(({ field, expected }) => `${file}: ${field}: expected ${expected}`));
  }
}

/** Why an entry does not hold for this alert; empty when it does. */
function whyNot({ conditions, inWindow, holdsBack }: ExplainedEntry): string {
  const missed = conditions
    .filter(({ fit }) => fit !== 'yes')
    .map(({ condition, fit, fact }) => {
      if (fit === 'unknown') return `the alert does not say ${condition}`;
      return fact === '' ? `there is no ${condition}` : `${condition} is ${JSON.stringify(fact)}`;
    });
  const reasons = [...missed, ...(inWindow ? [] : ['outside its windows'])];
  return `${reasons.join('; ')}${holdsBack && inWindow ? '; it may be meant, so it holds back' : ''}`;
}

const RECOVERY = [
  'A recovery is never decided about, and no tool runs for it. It is noted on the incident of its problem:',
  '  not begun yet            nothing runs, and a question to a human is withdrawn: recovered_before_action',
  '  a job runs, or has run   its outcome is checked at once: verified if it ended well',
  '  closed, or never seen    it is recorded, and that is all',
  'To see what the policy says of the problem, explain the post of the problem (event_value 1).',
];
const UPDATE = [
  'An update is not decided about by itself: a changed severity counts until its problem has been decided. What follows',
  'is what the policy says of the problem with this severity.',
];

function explain(alertFile: string, policyFile: string, now: number): void {
  const { policy } = policyFrom(policyFile);
  const alert = alertFrom(alertFile, now);
  const { ignored, node, route, denials, tools } = explainPolicy({ policy, alert, now });
  say(`alert     ${alert.kind} ${alert.eventId} of ${alert.host.host}, severity ${alert.severity}`);
  if (alert.kind === 'recovery') {
    say(...RECOVERY);
    return;
  }
  if (alert.kind === 'update') say(...UPDATE);
  say(
    `node      ${node ?? "none: the host's name is no valid name of a Rundeck node"}`,
    `told      ${route.team === undefined ? 'whoever is told by default' : `team ${route.team}`}${route.priority === undefined ? '' : `, priority ${route.priority}`}`,
  );
  if (ignored) say(`ignored   severity ${alert.severity} is below ${policy.minimum_severity}: only recorded`);
  if (denials.length > 0) say('denials');
  for (const denial of denials) {
    const holds = denial.fit !== 'no' && denial.inWindow;
    const unsaid = denial.conditions.filter(({ fit }) => fit === 'unknown').map(({ condition }) => condition);
    const because = unsaid.length > 0 ? ` (the alert does not say ${unsaid.join(', ')})` : '';
    say(
      `  ${denial.label}, ${denial.tools.join(', ')}: ${holds ? `holds${because}` : `does not hold: ${whyNot(denial)}`}`,
    );
  }
  const { eligible, reasons } = ground({ alert, policy, now });
  say('evidence');
  for (const { tool, values, evidence } of eligible) {
    const possible = Object.entries(values).map(([name, of]) => `${name} ${of.join(' or ')}`);
    say(`  ${tool} is possible: ${possible.join(', ')} (${evidence})`);
  }
  for (const { code, text } of reasons) say(`  not possible, ${code}: ${text}`);
  if (eligible.length === 0) say('  No tool is possible: a human is told, and no model is asked.');
  say('tools, as far as the policy goes');
  for (const { tool, match, rules } of tools) {
    const [reason] = match.reasons;
    const result = match.kind === 'allowed' ? match.autonomy : `refused, ${reason?.code}`;
    say(`  ${tool}: ${result}`, `    ${reason?.text}`);
    for (const rule of rules) {
      const matches = rule.fit === 'yes' && rule.inWindow;
      say(`    ${rule.label} (${rule.autonomy}): ${matches ? 'matches' : `does not match: ${whyNot(rule)}`}`);
    }
  }
}

const ARROWS: Readonly<Record<PolicyChange['direction'], string>> = {
  stricter: 'stricter',
  looser: 'LOOSER  ',
  either: 'depends ',
  neutral: 'no less ',
};

async function push(file: string, by: string, dryRun: boolean): Promise<void> {
  const { policy, hash } = policyFrom(file);
  aimAtRunningStack();
  if (dryRun && !process.env['INCIDENTS_TABLE']) {
    check(file);
    return say('Dry run: INCIDENTS_TABLE names no table, so this was compared with nothing.');
  }
  const { loadPolicy, savePolicy } = await openTable();
  const current = await loadPolicy();
  if (current === undefined) say('No valid policy is in the table yet, so nothing could run.');
  else if (current.hash === hash) {
    say(`The table holds this version already: ${hash.slice(0, 12)}`);
    return;
  } else {
    const changes = comparePolicies(current.policy, policy);
    say(`version ${current.hash.slice(0, 12)} → ${hash.slice(0, 12)}`);
    for (const { direction, text } of changes) say(`  ${ARROWS[direction]}  ${text}`);
    if (changes.length === 0) say('  nothing that matters');
  }
  for (const advice of adviseOn(policy)) say(`note: ${advice}`);
  if (dryRun) return say('Dry run: nothing was written.');
  await savePolicy({ policy, hash, pushedAt: Date.now(), pushedBy: by });
  say(`Pushed by ${by}: it holds from the next decision on, and for jobs that wait already.`);
}

async function show(asYaml: boolean): Promise<void> {
  aimAtRunningStack();
  const stored = await (await openTable()).loadPolicy();
  if (stored === undefined) fail('No valid policy is in the table: Remedia counts as paused.');
  const { policy, hash, pushedAt, pushedBy } = stored;
  say(`${asYaml ? '# ' : ''}version ${hash}, pushed ${new Date(pushedAt).toISOString()} by ${pushedBy}`);
  say(...(asYaml ? stringify(policy) : JSON.stringify(policy, undefined, 2)).trimEnd().split('\n'));
}

async function main(): Promise<void> {
  const { positionals, values } = readArguments(
    USAGE,
    {
      allowPositionals: true,
      options: {
        policy: { type: 'string', default: 'policy.yaml' },
        at: { type: 'string' },
        by: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        yaml: { type: 'boolean', default: false },
      },
    },
    { atMost: 2 },
  );
  const [command, file] = positionals;
  switch (command) {
    case 'check':
      return check(file ?? values.policy);
    case 'explain': {
      if (file === undefined) return misused(USAGE, 'The alert is missing: a file with what Zabbix posts.');
      const now = values.at === undefined ? Date.now() : Date.parse(values.at);
      if (Number.isNaN(now))
        return misused(USAGE, `--at ${values.at}: expected a time such as 2026-11-28T22:00:00Z.`);
      return explain(file, values.policy, now);
    }
    case 'push':
      return push(file ?? values.policy, values.by ?? userInfo().username, values['dry-run']);
    case 'show':
      if (file !== undefined) return misused(USAGE, `Unexpected argument '${file}'.`);
      return show(values.yaml);
    default:
      return misused(
        USAGE,
        command === undefined ? 'The command is missing.' : `There is no policy:${command}.`,
      );
  }
}

try {
  await main();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
