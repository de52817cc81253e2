/** The one error class: who failed, whether it was sent, whether to try again, and why if that is known. */
import { expect, it } from 'vitest';
import { UpstreamError } from '#lib/core/upstream-error.ts';

it.each([undefined, new TypeError('socket')])('keeps its facts and its cause: %s', (cause) => {
  const error = new UpstreamError('queue', 'timed_out', 'no answer', { sent: 'unknown', retry: true, cause });
  expect(error).toMatchObject({
    name: 'UpstreamError',
    message: 'queue: no answer',
    upstream: 'queue',
    code: 'timed_out',
    sent: 'unknown',
    retry: true,
  });
  expect(error.cause).toBe(cause);
});
