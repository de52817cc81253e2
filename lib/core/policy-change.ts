/** What a new version of the policy changes, and whether each change allows less or more than before. */
import { canonicalJson } from '#lib/core/canonical-json.ts';
import { durationMs } from '#lib/core/duration.ts';
import type { Autonomy } from '#lib/core/incident.ts';
import type { Policy } from '#lib/core/policy.ts';
import { labelOf } from '#lib/core/policy-match.ts';

export interface PolicyChange {
  /**
   * `stricter`: whatever the alert, never more is done than before. `looser`: for some alert more may be done.
   * `either`: depends on the rest of the policy. `neutral`: does not touch what is done.
   */
  readonly direction: 'stricter' | 'looser' | 'either' | 'neutral';
  readonly text: string;
}

type Direction = PolicyChange['direction'];

const RANK = { observe: 0, approve: 1, auto: 2 } as const satisfies Record<Autonomy, number>;

/** Every difference, `[]` when there is none; a version whose changes are all `stricter` never does more. */
export function comparePolicies(before: Policy, after: Policy): readonly PolicyChange[] {
  const changes: PolicyChange[] = [];
  const say = (direction: Direction, text: string) => {
    changes.push({ direction, text });
  };
  /** `lessIsStricter`: a smaller number allows less. */
  const number = (name: string, from: number, to: number, lessIsStricter: boolean, unit = '') => {
    if (from === to) return;
    const said = (value: number) => (value === Infinity ? 'no limit' : `${value}${unit}`);
    say(to < from === lessIsStricter ? 'stricter' : 'looser', `${name}: ${said(from)} → ${said(to)}`);
  };
  const duration = (name: string, from: string, to: string, lessIsStricter: boolean) =>
    number(name, durationMs(from) / 1_000, durationMs(to) / 1_000, lessIsStricter, ' s');
  const list = (name: string, from: readonly string[], to: readonly string[]) => {
    for (const gone of from.filter((each) => !to.includes(each))) say('stricter', `${name}: without ${gone}`);
    for (const come of to.filter((each) => !from.includes(each))) say('looser', `${name}: also ${come}`);
  };
  const other = (direction: Direction, name: string, from: unknown, to: unknown) => {
    if (canonicalJson(from) !== canonicalJson(to)) say(direction, `${name} changed`);
  };

  compareDenials(before, after, say);
  compareRules(before, after, say);
  list('allow.paths', before.allow.paths, after.allow.paths);
  list('allow.services', before.allow.services, after.allow.services);
  list('allow.applications', before.allow.applications, after.allow.applications);
  list('cleanup_roots', before.cleanup_roots, after.cleanup_roots);
  list('platforms', before.platforms, after.platforms);
  const more = (mode: Policy['after_analysis']) => ['never', 'approve', 'as_tool'].indexOf(mode);
  if (before.after_analysis !== after.after_analysis) {
    const direction = more(after.after_analysis) < more(before.after_analysis) ? 'stricter' : 'looser';
    say(direction, `after_analysis: ${before.after_analysis} → ${after.after_analysis}`);
  }
  number('minimum_severity', before.minimum_severity, after.minimum_severity, false);
  number('limits.global', before.limits.global.per_hour, after.limits.global.per_hour, true, ' per hour');
  for (const tool of keysOf(before.limits.tools, after.limits.tools)) {
    const [from, to] = [before.limits.tools[tool], after.limits.tools[tool]];
    // Without a limit of its own a tool has only the global one.
    number(`limits.${tool}`, from?.per_hour ?? Infinity, to?.per_hour ?? Infinity, true, ' per hour');
  }
  for (const tool of ['default', ...keysOf(before.cooldowns.tools, after.cooldowns.tools)] as const) {
    const of = ({ cooldowns }: Policy) =>
      tool === 'default' ? cooldowns.default : (cooldowns.tools[tool] ?? cooldowns.default);
    duration(`cooldowns.${tool}`, of(before), of(after), false);
  }
  number('storm.alerts', before.storm.alerts, after.storm.alerts, true);
  duration('storm.within', before.storm.within, after.storm.within, false);
  number('flapping.problems', before.flapping.problems, after.flapping.problems, true);
  duration('flapping.within', before.flapping.within, after.flapping.within, false);
  duration('repeated_failure_within', before.repeated_failure_within, after.repeated_failure_within, false);
  duration('decide_within', before.decide_within, after.decide_within, true);
  duration('approval.expires_after', before.approval.expires_after, after.approval.expires_after, true);
  other('either', 'node', before.node, after.node);
  other('either', 'environment_tag', before.environment_tag, after.environment_tag);
  other('either', 'aliases', before.aliases, after.aliases);
  other('neutral', 'routing', before.routing, after.routing);
  return changes;
}

function compareDenials(before: Policy, after: Policy, say: (direction: Direction, text: string) => void) {
  const meaning = ({ name: _name, ...rest }: Policy['deny'][number]) => canonicalJson(rest);
  const labelled = ({ deny }: Policy) =>
    deny.map((each, index) => ({ meaning: meaning(each), label: labelOf('denial', deny, index) }));
  const [from, to] = [labelled(before), labelled(after)];
  for (const gone of from.filter((each) => to.every((kept) => kept.meaning !== each.meaning))) {
    say('looser', `${gone.label} is gone`);
  }
  for (const come of to.filter((each) => from.every((known) => known.meaning !== each.meaning))) {
    say('stricter', `${come.label} is new`);
  }
}

/**
 * The strictest of all matching rules holds, so a rule that is not `auto` may also hold others back: without it more,
 * and with it less, may be done elsewhere.
 */
function compareRules(before: Policy, after: Policy, say: (direction: Direction, text: string) => void) {
  const [from, to] = [strictest(before.rules), strictest(after.rules)];
  for (const [meaning, { label, autonomy }] of from) {
    const now = to.get(meaning);
    if (now === undefined) {
      say(autonomy === 'auto' ? 'stricter' : 'either', `${label} (${autonomy}) is gone`);
    } else if (now.autonomy !== autonomy) {
      const direction = RANK[now.autonomy] < RANK[autonomy] ? 'stricter' : 'looser';
      say(direction, `${now.label}: ${autonomy} → ${now.autonomy}`);
    }
  }
  for (const [meaning, { label, autonomy }] of to) {
    if (!from.has(meaning)) say(autonomy === 'auto' ? 'looser' : 'either', `${label} (${autonomy}) is new`);
  }
}

/** By tools, scope and windows: of rules that are alike in these the strictest decides. */
function strictest(rules: Policy['rules']): Map<string, { label: string; autonomy: Autonomy }> {
  const found = new Map<string, { label: string; autonomy: Autonomy }>();
  for (const [index, { name: _name, autonomy, tools, ...rest }] of rules.entries()) {
    const meaning = canonicalJson({ ...rest, tools: [...tools].sort() });
    const known = found.get(meaning);
    if (known === undefined || RANK[autonomy] < RANK[known.autonomy]) {
      found.set(meaning, { label: labelOf('rule', rules, index), autonomy });
    }
  }
  return found;
}

function keysOf<Key extends string>(
  a: Readonly<Partial<Record<Key, unknown>>>,
  b: Readonly<Partial<Record<Key, unknown>>>,
): readonly Key[] {
  const isKey = (key: string): key is Key => Object.hasOwn(a, key) || Object.hasOwn(b, key);
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(isKey).sort();
}
