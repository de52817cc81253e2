/** `npm run policy:check | policy:explain | policy:push | policy:show`: what an operator does with the policy. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { stringify } from 'yaml';
import { createDynamoClient, createIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { problemText, readPolicy } from '#lib/adapters/policy-file.ts';
import type { Alert } from '#lib/core/alert.ts';
import { ground } from '#lib/core/grounding.ts';
import { parseAlert } from '#lib/core/parse-alert.ts';
import type { Policy } from '#lib/core/policy.ts';
import { adviseOn } from '#lib/core/policy-advice.ts';
import { comparePolicies, type PolicyChange } from '#lib/core/policy-change.ts';
import { type ExplainedEntry, explainPolicy } from '#lib/core/policy-explanation.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { aimAtRunningStack } from '#local/running-stack.ts';

const USAGE = `usage:
  npm run policy:check -- [file]                                   (policy.yaml without one)
  npm run policy:explain -- <alert.json> [--policy file] [--at 2026-11-28T22:00:00Z]
  npm run policy:push -- [file] [--by name] [--dry-run]            (needs INCIDENTS_TABLE)
  npm run policy:show -- [--yaml]                                  (needs INCIDENTS_TABLE)`;

/** What an operator did wrong, or what is wrong with a file: one sentence, no stack. */
function fail(...lines: readonly string[]): never {
  for (const line of lines) console.error(line);
  process.exit(1);
}

/** Text of files and alerts may hold control characters that a terminal would obey. */
function say(...lines: readonly string[]): void {
  for (const line of lines) {
    const plain = stripVTControlCharacters(line).replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '?');
    console.log(plain);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return fail(`${file} cannot be read (${code})`);
  }
}

function policyFrom(file: string): { readonly policy: Policy; readonly hash: string } {
  const reading = readPolicy(readText(file));
  if (reading.kind === 'policy') return reading;
  const count = reading.problems.length;
  return fail(
    ...reading.problems.map((problem) => problemText(file, problem)),
    `${file}: ${count === 1 ? 'one problem' : `${count} problems`}`,
  );
}

function check(file: string): void {
  const { policy, hash } = policyFrom(file);
  for (const advice of adviseOn(policy)) say(`note: ${advice}`);
  const { rules, deny } = policy;
  say(`${file} is valid: ${rules.length} rules, ${deny.length} denials, version ${hash.slice(0, 12)}`);
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

function explain(alertFile: string, policyFile: string, now: number): void {
  const { policy } = policyFrom(policyFile);
  const alert = alertFrom(alertFile, now);
  const { ignored, node, route, denials, tools } = explainPolicy({ policy, alert, now });
  say(
    `alert     ${alert.kind} ${alert.eventId} of ${alert.host.host}, severity ${alert.severity}`,
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
  if (eligible.length === 0) say('  No tool is possible: a human is told, and the model is not asked.');
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

async function table() {
  aimAtRunningStack();
  const { INCIDENTS_TABLE: tableName } = await loadSettings(['INCIDENTS_TABLE']);
  return createIncidentsTable({ client: createDynamoClient(), tableName });
}

const ARROWS: Readonly<Record<PolicyChange['direction'], string>> = {
  stricter: 'stricter',
  looser: 'LOOSER  ',
  either: 'depends ',
  neutral: 'no less ',
};

async function push(file: string, by: string, dryRun: boolean): Promise<void> {
  const { policy, hash } = policyFrom(file);
  const { loadPolicy, savePolicy } = await table();
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
  const stored = await (await table()).loadPolicy();
  if (stored === undefined) fail('No valid policy is in the table: Remedia counts as paused.');
  const { policy, hash, pushedAt, pushedBy } = stored;
  say(`${asYaml ? '# ' : ''}version ${hash}, pushed ${new Date(pushedAt).toISOString()} by ${pushedBy}`);
  say(...(asYaml ? stringify(policy) : JSON.stringify(policy, undefined, 2)).trimEnd().split('\n'));
}

async function main(args: readonly string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      policy: { type: 'string', default: 'policy.yaml' },
      at: { type: 'string' },
      by: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      yaml: { type: 'boolean', default: false },
    },
  });
  const [command, file, ...more] = positionals;
  if (more.length > 0) fail(USAGE);
  switch (command) {
    case 'check':
      return check(file ?? values.policy);
    case 'explain': {
      if (file === undefined) return fail(USAGE);
      const now = values.at === undefined ? Date.now() : Date.parse(values.at);
      if (Number.isNaN(now)) return fail('--at: expected a time such as 2026-11-28T22:00:00Z');
      return explain(file, values.policy, now);
    }
    case 'push':
      return push(file ?? values.policy, values.by ?? userInfo().username, values['dry-run']);
    case 'show':
      return show(values.yaml);
    default:
      return fail(USAGE);
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
