/** What every queue must do with what is sent: the same suite for the fake in memory and for SQS. */
import { describe, expect, it } from 'vitest';
import type { JobMessage, SendMessage } from '#lib/workflow/ports.ts';

export function describeQueue(
  name: string,
  make: () => Promise<{
    readonly send: SendMessage<JobMessage>;
    /** What can be received now. */
    readonly receive: () => Promise<readonly unknown[]>;
    /** Waiting now, and sent with a delay. */
    readonly depth: () => Promise<{ readonly waiting: number; readonly delayed: number }>;
  }>,
): void {
  describe(`sending to ${name}`, () => {
    const message: JobMessage = { incidentId: `inc_${'a'.repeat(24)}`, step: 1 };

    it('delivers what was sent', async () => {
      const { send, receive } = await make();
      await send(message);
      expect(await receive()).toEqual([message]);
    });

    it('holds back what was sent with a delay, of 900 s at most', async () => {
      const { send, receive, depth } = await make();
      await send(message, { delaySeconds: 900 });
      expect(await receive()).toEqual([]);
      expect(await depth()).toEqual({ waiting: 0, delayed: 1 });
    });

    it.each([901, -1, 1.5, Number.NaN])(
      'refuses a delay of %s s, and sends nothing',
      async (delaySeconds) => {
        const { send, depth } = await make();
        await expect(send(message, { delaySeconds })).rejects.toMatchObject({
          name: 'UpstreamError',
          upstream: 'queue',
          code: 'invalid_delay',
          sent: 'no',
          retry: false,
        });
        expect(await depth()).toEqual({ waiting: 0, delayed: 0 });
      },
    );
  });
}
