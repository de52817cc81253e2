/** The question that a model is asked about one alert, made as production makes it. */
import type { Alert } from '#lib/core/alert.ts';
import { answerFormat, toolSchemas } from '#lib/core/answer-format.ts';
import { buildBrief, EXAMPLES, SYSTEM_PROMPT } from '#lib/core/brief.ts';
import { type Grounding, ground } from '#lib/core/grounding.ts';
import type { History } from '#lib/core/history.ts';
import type { Policy } from '#lib/core/policy.ts';
import type { ModelQuestion } from '#lib/workflow/ports.ts';
import { evalPolicy } from '#test/evals/eval-policy.ts';

const none: History = {
  entries: [],
  sameTriggerProblems: 1,
  openProblems: 0,
  failedActions: [],
  chain: [],
};

export function questionAbout(
  alert: Alert,
  { policy = evalPolicy(), history = none }: { readonly policy?: Policy; readonly history?: History } = {},
): { readonly question: ModelQuestion; readonly grounding: Grounding } {
  const now = alert.receivedAt;
  const grounding = ground({ alert, policy, now });
  const brief = buildBrief({ alert, history, grounding, now });
  if (brief.kind !== 'brief') throw new Error(brief.reason);
  const question = {
    system: SYSTEM_PROMPT,
    examples: EXAMPLES,
    brief: brief.text,
    tools: toolSchemas(),
    format: answerFormat(grounding),
  };
  return { question, grounding };
}
