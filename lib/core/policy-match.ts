/** What the policy says about one tool for one alert: allowed with which autonomy, or refused and why. */
import type { Subject, ToolName } from '#lib/catalogue/tool.ts';
import type { Alert } from '#lib/core/alert.ts';
import type { Autonomy, HumanMessage, Reason } from '#lib/core/incident.ts';
import { NODE_NAME, type Policy, type Scope } from '#lib/core/policy.ts';
import { insideAny } from '#lib/core/policy-windows.ts';

export type PolicyMatch =
  | { readonly kind: 'allowed'; readonly autonomy: Autonomy; readonly reasons: readonly Reason[] }
  | { readonly kind: 'refused'; readonly reasons: readonly [Reason, ...Reason[]] };

/**
 * How a scope fits an alert. `unknown`: it asks for something that the alert does not say. Allowing takes a `yes`;
 * denying and holding back are also done when it is `unknown`, for a missing fact must never be a way around a rule.
 */
export type Fit = 'yes' | 'no' | 'unknown';

/** One condition of a scope and how it fits; `fact` is text of the alert. */
export interface Condition {
  readonly condition: string;
  readonly fit: Fit;
  readonly fact: string;
}

/** All but `auto`, the strictest first. */
const AUTONOMY_FROM_STRICT = ['observe', 'approve'] as const;

/**
 * Denials first, and they win; then a rule must cover this tool here and now, else the tool is refused; of all rules
 * that cover it, or might, the strictest autonomy holds. Telling a human needs no permission. `now` is milliseconds since the epoch.
 */
export function matchPolicy(question: {
  readonly policy: Policy;
  readonly alert: Alert;
  readonly tool: ToolName;
  readonly now: number;
}): PolicyMatch {
  const { policy, alert, tool, now } = question;
  if (tool === 'notify') {
    const text = 'A human may always be told.';
    return { kind: 'allowed', autonomy: 'auto', reasons: [{ code: 'autonomy_auto', text }] };
  }

  const denial = policy.deny.findIndex(
    ({ tools, where, windows }) =>
      (tools === undefined || tools.includes(tool)) &&
      mayCover(policy, where, alert) &&
      insideAny(windows, now),
  );
  if (denial >= 0) {
    return refused('denied', `The policy denies ${tool} here (${labelOf('denial', policy.deny, denial)}).`);
  }

  const naming = policy.rules.flatMap((rule, index) => (rule.tools.includes(tool) ? [{ rule, index }] : []));
  if (naming.length === 0) return refused('tool_not_allowed', `No rule of the policy allows ${tool}.`);
  const covering = naming.filter(({ rule }) => covers(policy, rule.where, alert));
  if (covering.length === 0) {
    return refused('host_not_allowed', `No rule of the policy allows ${tool} for this alert's host.`);
  }
  if (!covering.some(({ rule }) => insideAny(rule.windows, now))) {
    return refused('outside_window', `The rules that allow ${tool} here are outside their windows now.`);
  }
  // A rule that only might be meant here allows nothing, but it holds back: else an alert that leaves out its groups,
  // or repeats a tag, would slip past a stricter rule.
  const holding = naming.filter(
    ({ rule }) => mayCover(policy, rule.where, alert) && insideAny(rule.windows, now),
  );
  const autonomy =
    AUTONOMY_FROM_STRICT.find((each) => holding.some(({ rule }) => rule.autonomy === each)) ?? 'auto';
  const labels = holding
    .filter(({ rule }) => rule.autonomy === autonomy)
    .map(({ index }) => labelOf('rule', policy.rules, index));
  return {
    kind: 'allowed',
    autonomy,
    reasons: [
      {
        code: `autonomy_${autonomy}`,
        text: `The policy says ${autonomy} for ${tool} here (${labels.join(', ')}).`,
      },
    ],
  };
}

/** Surely: what allowing takes. */
function covers(policy: Policy, scope: Scope, alert: Alert): boolean {
  return fitOf(scopeConditions(policy, scope, alert, 'rule')) === 'yes';
}

/** Perhaps: what denying and holding back take. */
function mayCover(policy: Policy, scope: Scope, alert: Alert): boolean {
  return fitOf(scopeConditions(policy, scope, alert, 'denial')) !== 'no';
}

/** Every condition of a scope, in the order of the schema; an empty scope has none and fits everything. */
export function scopeConditions(
  policy: Policy,
  scope: Scope,
  alert: Alert,
  /** Read as a rule that allows, or as a denial or a rule that holds back. */
  of: 'rule' | 'denial',
): readonly Condition[] {
  const conditions: Condition[] = [];
  const matchesOne = (list: readonly string[], value: string) =>
    list.some((pattern) => matchesPattern(pattern, value));
  const add = (condition: string, values: readonly string[], fit: Fit) => {
    conditions.push({ condition, fit, fact: values.join(', ') });
  };
  /** Where a name repeats, a rule wants all its values to match; for a denial one is enough. */
  const repeated = (values: readonly string[], matches: (value: string) => boolean): Fit =>
    (of === 'rule' ? values.every(matches) : values.some(matches)) ? 'yes' : 'no';

  const { hosts, host_groups: groups, tags, environments, severities } = scope;
  if (hosts !== undefined) {
    // A host goes by several names; a denial that names any of them means it.
    const names =
      of === 'rule'
        ? [alert.host.host]
        : [alert.host.host, alert.host.name, nodeOf(policy, alert)].filter((name) => name !== undefined);
    add('hosts', names, names.some((name) => matchesOne(hosts, name)) ? 'yes' : 'no');
  }
  if (groups !== undefined) {
    const found = alert.hostGroups.some((group) => matchesOne(groups, group));
    // Zabbix puts every host into a group, so none means that nobody told.
    add('host_groups', alert.hostGroups, alert.hostGroups.length === 0 ? 'unknown' : found ? 'yes' : 'no');
  }
  for (const [name, pattern] of Object.entries(tags ?? {})) {
    const values = tagValues(alert, name);
    const known = values.length > 0 ? repeated(values, (value) => matchesPattern(pattern, value)) : 'no';
    add(`tags.${name}`, values, alert.tags.length === 0 ? 'unknown' : known);
  }
  if (environments !== undefined) {
    const values = tagValues(alert, policy.environment_tag);
    const known = repeated(values, (value) => matchesOne(environments, value));
    // Every host is in some environment; without the tag it may be any.
    add('environments', values, values.length === 0 ? 'unknown' : known);
  }
  if (severities !== undefined) {
    add('severities', [String(alert.severity)], severities.includes(alert.severity) ? 'yes' : 'no');
  }
  return conditions;
}

/** All conditions together: one `no` decides, then one `unknown`. */
export function fitOf(conditions: readonly Condition[]): Fit {
  return (['no', 'unknown'] as const).find((fit) => conditions.some((each) => each.fit === fit)) ?? 'yes';
}

/** How a person finds an entry of the policy: its name, or its place counted from 1. */
export function labelOf(
  kind: 'rule' | 'denial',
  list: readonly { readonly name?: string | undefined }[],
  index: number,
): string {
  const name = list[index]?.name;
  return name === undefined ? `${kind} ${index + 1}` : `${kind} ${index + 1} "${name}"`;
}

/**
 * The Rundeck node of the alert's host: the policy's override of its technical name, else the field that the policy
 * names. `undefined` when that is missing or could be no node's plain name (`NODE_NAME`).
 */
export function nodeOf(policy: Policy, alert: Alert): string | undefined {
  const { field, overrides } = policy.node;
  const technical = alert.host.host;
  const named = field === 'host_host' ? technical : alert.host.name;
  const node = Object.hasOwn(overrides, technical) ? overrides[technical] : named;
  return node !== undefined && NODE_NAME.test(node) ? node : undefined;
}

/** Team and priority for a human: of the routing entries that match, the first that names each. */
export function routeOf(
  policy: Policy,
  alert: Alert,
): { readonly team?: string; readonly priority?: NonNullable<HumanMessage['priority']> } {
  const matching = policy.routing.filter(({ where }) => covers(policy, where, alert));
  const team = matching.find((each) => each.team !== undefined)?.team;
  const priority = matching.find((each) => each.priority !== undefined)?.priority;
  return { ...(team !== undefined && { team }), ...(priority !== undefined && { priority }) };
}

/**
 * Whether the policy's allow-list of this kind of subject holds the value. A `resource` (CPU, memory …) needs no list:
 * looking at it changes nothing, and the tool's own schema names the few there are.
 */
export function valueAllowed(policy: Policy, subject: Subject, value: string): boolean {
  if (subject === 'resource') return true;
  // `*` also spans `/`, so a path that climbs up again would leave what the pattern means.
  if (/\p{Cc}/u.test(value) || value.split('/').includes('..')) return false;
  const { paths, services, applications } = policy.allow;
  const list = { path: paths, service: services, application: applications }[subject];
  return list.some((pattern) => matchesPattern(pattern, value));
}

/**
 * Whether the pattern fits the whole value, case-sensitively: `*` stands for any run of characters, `?` for exactly
 * one, everything else for itself. Takes at most length × length steps, so no pattern can hang it.
 */
export function matchesPattern(pattern: string, value: string): boolean {
  const signs = [...pattern];
  const characters = [...value];
  let at = 0;
  let star = -1;
  let retry = 0;
  let sign = 0;
  while (at < characters.length) {
    // The star first: the value may hold a literal star at the same place.
    if (signs[sign] === '*') {
      star = sign;
      retry = at;
      sign += 1;
    } else if (signs[sign] === '?' || signs[sign] === characters[at]) {
      sign += 1;
      at += 1;
    } else if (star >= 0) {
      retry += 1;
      at = retry;
      sign = star + 1;
    } else {
      return false;
    }
  }
  return signs.slice(sign).every((rest) => rest === '*');
}

function tagValues(alert: Alert, name: string): readonly string[] {
  return alert.tags.filter(({ tag }) => tag === name).map(({ value }) => value);
}

function refused(code: Reason['code'], text: string): PolicyMatch {
  return { kind: 'refused', reasons: [{ code, text }] };
}
