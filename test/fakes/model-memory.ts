/** A model in memory: it picks the first possible tool that the format allows, or fails as a test wants. */
import * as z from 'zod';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { AskModel, ModelAnswer, ModelQuestion } from '#lib/workflow/ports.ts';

export type AskFault = 'model_missing' | 'busy' | 'timed_out' | 'refused' | 'failed';

const RETRY: Readonly<Record<AskFault, boolean>> = {
  model_missing: false,
  busy: true,
  timed_out: true,
  refused: true,
  failed: true,
};

export interface MemoryModel {
  readonly askModel: AskModel;
  questions(): readonly ModelQuestion[];
  failNext(fault: AskFault): void;
  /** The next answers are exactly this, until `undefined` is given. */
  answerWith(answer: Partial<Pick<ModelAnswer, 'toolCalls' | 'content' | 'doneReason'>> | undefined): void;
}

const choice = z.object({
  anyOf: z
    .array(
      z.object({
        properties: z.object({
          name: z.object({ const: z.string() }),
          arguments: z.object({
            properties: z.record(z.string(), z.object({ enum: z.array(z.string()).optional() })),
          }),
        }),
      }),
    )
    .min(1),
});

export function createMemoryModel(): MemoryModel {
  const questions: ModelQuestion[] = [];
  let fault: AskFault | undefined;
  let fixed: Partial<ModelAnswer> | undefined;
  return {
    askModel: async (question) => {
      questions.push(question);
      if (fault !== undefined) {
        const code = fault;
        fault = undefined;
        const sent = code === 'refused' ? 'no' : code === 'timed_out' ? 'unknown' : 'yes';
        throw new UpstreamError('ollama', code, 'the fake was told so', { sent, retry: RETRY[code] });
      }
      const [first] = choice.parse(question.format).anyOf;
      const given = Object.entries(first?.properties.arguments.properties ?? {}).map(
        ([name, { enum: values }]) => [name, values?.[0] ?? 'A human should look.'] as const,
      );
      const call = { name: first?.properties.name.const ?? 'notify', arguments: Object.fromEntries(given) };
      return {
        toolCalls: fixed === undefined ? [call] : [],
        content: '',
        doneReason: 'stop',
        trace: { model: 'fake', digest: 'fake', answer: JSON.stringify(call), totalMilliseconds: 1 },
        ...fixed,
      };
    },
    questions: () => questions,
    failNext: (next) => {
      fault = next;
    },
    answerWith: (answer) => {
      fixed = answer;
    },
  };
}
