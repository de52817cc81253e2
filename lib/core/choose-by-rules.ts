/** Chooses without a model: of what evidence, words and policy make possible, the first tool with its best values. */
import { catalogue } from '#lib/catalogue/index.ts';
import type { JobToolName, ToolArguments } from '#lib/catalogue/tool.ts';
import type { EligibleTool, Grounding } from '#lib/core/grounding.ts';
import type { Proposal, Refusal } from '#lib/core/incident.ts';

/** Whether evidence and words are enough for it, so that no model has to have read the alert. */
function needsNoReader({ needsReader }: EligibleTool): boolean {
  return needsReader !== true;
}

/** The tools that change something, with those that only a reader may choose: the evidence speaks for them all the same. */
function changing(eligible: Grounding['eligible']): readonly JobToolName[] {
  return eligible.map(({ tool }) => tool).filter((tool) => catalogue[tool].safety === 'disruptive');
}

/**
 * The grounding as it is without a model: what is possible only for a reader is not possible, and a reason says so. Where
 * two tools would change something it stays as it is, for rules are not to take the one for lack of a reader of the other.
 */
export function groundWithoutReader(grounding: Grounding): Grounding {
  const { eligible, reasons } = grounding;
  const left = eligible.filter(needsNoReader);
  if (left.length === eligible.length || changing(eligible).length > 1) return grounding;
  const tools = eligible.filter((each) => !needsNoReader(each)).map(({ tool }) => tool);
  const text = `For ${tools.join(', ')} a model has to read the alert, and none is asked here (DECIDER=rules).`;
  return { ...grounding, eligible: left, reasons: [...reasons, { code: 'no_eligible_tool', text }] };
}

/**
 * The first possible tool, and the first, which is the best, of each of its values. Two tools that change something are
 * no choice for rules: the evidence speaks for both, and only a reader could tell them apart. That is refused as `unsure`.
 */
export function chooseByRules({ eligible }: Pick<Grounding, 'eligible'>): Proposal | Refusal {
  const several = changing(eligible);
  if (several.length > 1) {
    const reason = `The evidence speaks for ${several.join(' and ')}, and no model was asked which of them it is.`;
    return { kind: 'refusal', code: 'unsure', reason };
  }
  const first = eligible.find(needsNoReader);
  if (first === undefined) {
    return { kind: 'refusal', code: 'no_call', reason: 'Nothing is possible without a model.' };
  }
  return { kind: 'proposal', tool: first.tool, arguments: bestArguments(first) };
}

/** Of each parameter that evidence fills the first value, which is the best. */
export function bestArguments({ values }: Pick<EligibleTool, 'values'>): ToolArguments {
  return Object.fromEntries(Object.entries(values).map(([name, [value = '']]) => [name, value] as const));
}
