/** Batches of SQS: each message fails alone, and one that nobody can read fails until it is a dead letter. */
import { describe, expect, it } from 'vitest';
import { batchHandler, type Delivery } from '#lib/runtime/batch.ts';
import type { AlertMessage } from '#lib/workflow/ports.ts';
import { alertMessageSchema } from '#lib/workflow/queue-messages.ts';
import { anSqsEvent, anSqsRecord } from '#test/builders/sqs-events.ts';
import { createMemoryLog } from '#test/fakes/log-memory.ts';

const messageOf = (n: number): AlertMessage => ({ incidentId: `inc_${String(n).padStart(24, '0')}` });

function prepare(failing: readonly AlertMessage[] = []) {
  const handled: { message: AlertMessage; delivery: Delivery }[] = [];
  const { log, lines } = createMemoryLog();
  const handler = batchHandler({
    schema: alertMessageSchema,
    log,
    handle: async (message, delivery) => {
      handled.push({ message, delivery });
      if (failing.some(({ incidentId }) => incidentId === message.incidentId)) throw new Error('it failed');
    },
  });
  return { handler, handled, lines };
}

describe('a batch', () => {
  it('is handled whole, and each message knows how often it came', async () => {
    const { handler, handled } = prepare();

    const answer = await handler(
      anSqsEvent(
        anSqsRecord('a', messageOf(1)),
        anSqsRecord('b', messageOf(2), 4),
        anSqsRecord('c', messageOf(3), 'x'),
      ),
    );

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(handled).toEqual([
      { message: messageOf(1), delivery: { receiveCount: 1 } },
      { message: messageOf(2), delivery: { receiveCount: 4 } },
      { message: messageOf(3), delivery: { receiveCount: 1 } },
    ]);
  });

  it('fails only for the message that failed, also when it is the only one', async () => {
    const { handler, handled } = prepare([messageOf(1)]);

    const answer = await handler(anSqsEvent(anSqsRecord('a', messageOf(1)), anSqsRecord('b', messageOf(2))));
    const alone = await handler(anSqsEvent(anSqsRecord('c', messageOf(1), 2)));

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }] });
    expect(alone).toEqual({ batchItemFailures: [{ itemIdentifier: 'c' }] });
    expect(handled).toHaveLength(3);
  });

  it.each([
    ['no JSON', '{'],
    ['no object', '7'],
    ['nothing', ''],
    ['no incident', {}],
    ['no such incident id', { incidentId: 'policy' }],
    ['more than it may have', { ...messageOf(1), more: true }],
  ])('with a message that is %s fails for it, loudly, and handles the rest', async (_what, body) => {
    const { handler, handled, lines } = prepare();

    const answer = await handler(anSqsEvent(anSqsRecord('bad', body), anSqsRecord('good', messageOf(2))));

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'bad' }] });
    expect(handled.map(({ message }) => message)).toEqual([messageOf(2)]);
    expect(lines().map((line): unknown => JSON.parse(line))).toMatchObject([
      { level: 'ERROR', message: expect.stringContaining('dead-letter'), message_id: 'bad' },
    ]);
  });

  it('logs the incident of what failed', async () => {
    const { handler, lines } = prepare([messageOf(1)]);

    await handler(anSqsEvent(anSqsRecord('a', messageOf(1), 3)));

    expect(lines().map((line): unknown => JSON.parse(line))).toMatchObject([
      {
        level: 'ERROR',
        incident_id: messageOf(1).incidentId,
        receive_count: 3,
        error: 'Error',
        detail: 'it failed',
      },
    ]);
  });
});
