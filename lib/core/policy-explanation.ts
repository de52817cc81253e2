/** Why the policy says what it says about one alert: every denial and rule, and what of each fits. */
import { type JobToolName, TOOL_NAMES } from '#lib/catalogue/tool.ts';
import type { Alert } from '#lib/core/alert.ts';
import type { Autonomy } from '#lib/core/incident.ts';
import type { Policy } from '#lib/core/policy.ts';
import {
  type Condition,
  type Fit,
  fitOf,
  labelOf,
  matchPolicy,
  nodeOf,
  type PolicyMatch,
  routeOf,
  scopeConditions,
} from '#lib/core/policy-match.ts';
import { insideAny } from '#lib/core/policy-windows.ts';

/** One denial or rule, held against one alert. */
export interface ExplainedEntry {
  readonly label: string;
  /** A denial holds unless `no`; a rule allows only when `yes`. */
  readonly fit: Fit;
  /** A rule that allows nothing here but might be meant, so that its autonomy counts when it is the strictest. */
  readonly holdsBack: boolean;
  readonly conditions: readonly Condition[];
  /** Whether one of its windows holds now, or it has none. */
  readonly inWindow: boolean;
}

export interface PolicyExplanation {
  /** Below the policy's `minimum_severity`: recorded, and nothing else. */
  readonly ignored: boolean;
  readonly node: string | undefined;
  readonly route: ReturnType<typeof routeOf>;
  readonly denials: readonly (ExplainedEntry & { readonly tools: readonly string[] })[];
  readonly tools: readonly {
    readonly tool: JobToolName;
    readonly match: PolicyMatch;
    /** The rules that name the tool. */
    readonly rules: readonly (ExplainedEntry & { readonly autonomy: Autonomy })[];
  }[];
}

/** Asks the same functions as the decision does, so that it cannot tell anything else. */
export function explainPolicy(question: {
  readonly policy: Policy;
  readonly alert: Alert;
  readonly now: number;
}): PolicyExplanation {
  const { policy, alert, now } = question;
  const explain = (
    kind: 'rule' | 'denial',
    list: Policy['rules'] | Policy['deny'],
    index: number,
    { where, windows }: Policy['rules'][number] | Policy['deny'][number],
  ): ExplainedEntry => {
    const conditions = scopeConditions(policy, where, alert, kind);
    const fit = fitOf(conditions);
    const mayFit = fitOf(scopeConditions(policy, where, alert, 'denial')) !== 'no';
    return {
      label: labelOf(kind, list, index),
      fit,
      holdsBack: kind === 'rule' && fit !== 'yes' && mayFit,
      conditions,
      inWindow: insideAny(windows, now),
    };
  };
  return {
    ignored: alert.severity < policy.minimum_severity,
    node: nodeOf(policy, alert),
    route: routeOf(policy, alert),
    denials: policy.deny.map((denial, index) => ({
      ...explain('denial', policy.deny, index, denial),
      tools: denial.tools ?? ['every tool'],
    })),
    tools: TOOL_NAMES.flatMap((tool) =>
      tool === 'notify'
        ? []
        : [
            {
              tool,
              match: matchPolicy({ policy, alert, tool, now }),
              rules: policy.rules.flatMap((rule, index) =>
                rule.tools.includes(tool)
                  ? [{ ...explain('rule', policy.rules, index, rule), autonomy: rule.autonomy }]
                  : [],
              ),
            },
          ],
    ),
  };
}
