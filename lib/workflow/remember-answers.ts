/** Lets alerts of the same kind share one answer of the model: a storm must not cost a call an alert. */
import { hashOf } from '#lib/core/canonical-json.ts';
import type { AskModel, Clock, ModelAnswer } from '#lib/workflow/ports.ts';

const MOST_ANSWERS = 200;

/**
 * The same question, word for word with what may be answered, gets the same answer for `seconds`; at temperature 0 the
 * model would give it anyway. The brief holds no host and no time of day, so many hosts share one question. Those
 * who ask at the same time wait for one answer; a failure is not remembered.
 */
export function rememberAnswers(
  askModel: AskModel,
  { seconds, clock }: { readonly seconds: number; readonly clock: Clock },
): AskModel {
  const answers = new Map<string, { readonly until: number; readonly answer: Promise<ModelAnswer> }>();
  return async (question) => {
    const now = clock();
    const key = hashOf(question);
    const known = answers.get(key);
    if (known !== undefined && now < known.until) {
      const answer = await known.answer;
      return { ...answer, trace: { ...answer.trace, totalMilliseconds: 0, remembered: true } };
    }
    const answer = askModel(question);
    answers.delete(key);
    answers.set(key, { until: now + seconds * 1000, answer });
    const [oldest] = answers.keys();
    if (oldest !== undefined && answers.size > MOST_ANSWERS) answers.delete(oldest);
    try {
      return await answer;
    } catch (error) {
      if (answers.get(key)?.answer === answer) answers.delete(key);
      throw error;
    }
  };
}
