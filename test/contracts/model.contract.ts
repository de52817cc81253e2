/** What every model must do with a question: the same suite for the fake, the simulation and a real Ollama. */
import { describe, expect, it } from 'vitest';
import { readAnswer } from '#lib/core/read-answer.ts';
import type { AskModel } from '#lib/workflow/ports.ts';
import { questionAbout } from '#test/builders/questions.ts';
import { alertOf, triggerNamed } from '#test/builders/triggers.ts';

export function describeModel(
  name: string,
  make: () => Promise<{
    readonly askModel: AskModel;
    /** The same server, asked for a model that it does not have. */
    readonly askMissing: AskModel;
    /** The same server, with far less time than an answer takes. */
    readonly askTooShort: AskModel;
  }>,
): void {
  describe(`asking ${name}`, () => {
    it.each([
      'Linux: /var/spool: Running out of free inodes (free < 10%)',
      'Systemd: nginx.service: Service is not running',
      'Linux: Load average is too high (per CPU load over 1.5 for 5m)',
      'Docker: Container /orders-api: Health state container is unhealthy',
    ])('gets one possible call about "%s", and says who answered', async (trigger) => {
      const { askModel } = await make();
      const { question, grounding } = questionAbout(alertOf(triggerNamed(trigger)));

      const answer = await askModel(question);

      const proposal = readAnswer(answer, grounding);
      expect(proposal).toMatchObject({ kind: 'proposal' });
      const possible = ['notify', ...grounding.eligible.map(({ tool }) => tool)];
      expect(proposal.kind === 'proposal' && possible.includes(proposal.tool)).toBe(true);
      expect(answer.trace.model).not.toBe('');
      expect(answer.trace.answer).toBeTruthy();
      expect(answer.trace.totalMilliseconds).toBeGreaterThanOrEqual(0);
    });

    it('gets the same answer to the same question', async () => {
      const { askModel } = await make();
      const { question, grounding } = questionAbout(
        alertOf(triggerNamed('Systemd: nginx.service: Service is not running')),
      );
      const answers = [await askModel(question), await askModel(question)];
      expect(readAnswer(answers[0] ?? fail(), grounding)).toEqual(
        readAnswer(answers[1] ?? fail(), grounding),
      );
    });

    it('names a model that is not there, and does not call that worth a retry', async () => {
      const { askMissing } = await make();
      const { question } = questionAbout(
        alertOf(triggerNamed('Systemd: nginx.service: Service is not running')),
      );
      await expect(askMissing(question)).rejects.toMatchObject({
        name: 'UpstreamError',
        upstream: 'ollama',
        code: 'model_missing',
        retry: false,
      });
    });

    it('gives up in time, and says that the question may have been taken', async () => {
      const { askTooShort } = await make();
      const { question } = questionAbout(
        alertOf(triggerNamed('Systemd: nginx.service: Service is not running')),
      );
      await expect(askTooShort(question)).rejects.toMatchObject({
        name: 'UpstreamError',
        upstream: 'ollama',
        code: 'timed_out',
        sent: 'unknown',
      });
    });
  });
}

function fail(): never {
  throw new Error('no answer');
}
