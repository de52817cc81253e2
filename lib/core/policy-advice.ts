/** What is valid in a policy but probably not meant: for whoever writes one. */
import { catalogue } from '#lib/catalogue/index.ts';
import type { Policy } from '#lib/core/policy.ts';
import { labelOf, valueAllowed } from '#lib/core/policy-match.ts';

const WIDE_ROOTS: readonly string[] = [
  '/home',
  '/mnt',
  '/opt',
  '/root',
  '/srv',
  '/var',
  '/var/lib',
  '/var/spool',
];

/** One sentence each; an empty list when nothing is odd. */
export function adviseOn(policy: Policy): readonly string[] {
  const { allow, aliases, rules } = policy;
  const uses = (tool: Policy['rules'][number]['tools'][number]) =>
    rules.some((rule) => rule.tools.includes(tool));
  const advice: string[] = [];
  if (rules.length === 0) advice.push('There are no rules: every alert goes to a human.');
  if (uses('cleanup_disk') && allow.paths.length === 0) {
    advice.push('Rules name cleanup_disk, but allow.paths is empty: it can never run.');
  }
  if (uses('cleanup_disk') && policy.cleanup_roots.length === 0) {
    advice.push('Rules name cleanup_disk, but cleanup_roots is empty: its job would find nothing to clean.');
  }
  if (uses('restart_service') && allow.services.length === 0) {
    advice.push('Rules name restart_service, but allow.services is empty: it can never run.');
  }
  if (uses('restart_application') && allow.applications.length === 0) {
    advice.push('Rules name restart_application, but allow.applications is empty: it can never run.');
  }
  for (const [name, list] of Object.entries(allow)) {
    if (list.includes('*')) advice.push(`allow.${name} holds "*": whatever an alert names is allowed.`);
  }
  for (const root of policy.cleanup_roots.filter((each) => WIDE_ROOTS.includes(each))) {
    advice.push(`cleanup_roots holds ${root}, where programs keep more than temporary files.`);
  }
  for (const [index, rule] of rules.entries()) {
    const everywhere = Object.keys(rule.where).length === 0;
    if (
      rule.autonomy === 'auto' &&
      everywhere &&
      rule.tools.some((tool) => catalogue[tool].safety === 'disruptive')
    ) {
      advice.push(`${labelOf('rule', rules, index)} acts on every host without asking.`);
    }
  }
  for (const [kind, subject] of [
    ['services', 'service'],
    ['applications', 'application'],
    ['paths', 'path'],
  ] as const) {
    for (const [name, values] of Object.entries(aliases[kind])) {
      for (const value of values.filter((each) => !valueAllowed(policy, subject, each))) {
        advice.push(`aliases.${kind}.${name}: ${value} is not in allow.${kind}, so it is never used.`);
      }
    }
  }
  return advice;
}
