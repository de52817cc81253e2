/** Logs: one JSON object a line, and no secret in it. */
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import { errorFields, makeLog, redact } from '#lib/runtime/logger.ts';
import { makeNarrate } from '#lib/runtime/narrate.ts';

function prepare(bound = {}) {
  const lines: string[] = [];
  const log = makeLog(bound, (line) => lines.push(line));
  const last = (): unknown => JSON.parse(lines.at(-1) ?? 'null');
  return { log, lines, last };
}

describe('a log line', () => {
  it.each([
    ['info', 'INFO'],
    ['warn', 'WARN'],
    ['error', 'ERROR'],
  ] as const)('of %s is one JSON object with what is always said', (method, level) => {
    const { log, lines, last } = prepare({ function: 'receive-alert' });

    log[method]('a message', { incident_id: 'inc_1', count: 2, fine: true, none: undefined });

    expect(lines).toHaveLength(1);
    expect(last()).toEqual({
      level,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      message: 'a message',
      function: 'receive-alert',
      incident_id: 'inc_1',
      count: 2,
      fine: true,
    });
  });

  it('stays one line, whatever text is in it', () => {
    const { log, lines } = prepare();

    log.info('a\nb', { text: 'c\r\nd\u2028e' });

    expect(lines[0]).not.toMatch(/[\n\r]/);
  });

  it('goes to the standard output when nothing else is said', () => {
    expect(() => makeLog().info('a line of the logger itself')).not.toThrow();
  });
});

describe('secrets', () => {
  it.each([
    'Authorization: Bearer s3cr3t-t0ken.abc',
    'Authorization: Basic czNjcjN0LXQwa2Vu',
    'POST https://rundeck.example.com/api/58/webhook/s3cr3t-t0ken#Restart',
    '(Token:s3cr3t****) is not authorized for: /api/58/webhook/s3cr3t-t0ken',
    'https://hooks.slack.com/services/T0/B0/s3cr3t-t0ken',
    'https://chat.example.com/hooks/s3cr3t-t0ken',
    'https://discord.com/api/webhooks/1/s3cr3t-t0ken',
    'https://example.webhook.office.com/webhookb2/s3cr3t-t0ken',
    'https://prod.logic.azure.com/workflows/1?sv=1.0&sig=s3cr3t-t0ken',
    'smtps://remedia:s3cr3t-t0ken@mail.example.com:465',
    'a text that was cut at https://root:s3cr3t-t0ken',
    'a text that was cut at (Token:s3cr3t-t0ken',
    'https://remedia.example.com/api/v1/approvals/inc_1?expires=1&signature=s3cr3t-t0ken',
    'GET /x?token=s3cr3t-t0ken&other=1',
  ])('are taken out of %s', (text) => {
    const { log, lines } = prepare();

    log.info(text, { field: text });

    expect(lines.join()).not.toMatch(/s3cr3t|czNjcjN0/);
    expect(redact(text)).toContain('[redacted]');
  });

  it.each([
    'https://rundeck.example.com:4440/api/58/execution/7',
    'http://127.0.0.1:3000',
    'http://[::1]:3000/a',
    'user@example.com',
    'Restart nginx on web-01',
  ])('are not seen in %s', (text) => {
    expect(redact(text)).toBe(text);
  });
});

describe('an error in a log', () => {
  it('of an upstream says who failed and whether it was sent', () => {
    const error = new UpstreamError('rundeck', 'timed_out', 'no answer from /webhook/s3cr3t', {
      sent: 'unknown',
      retry: false,
    });

    expect(errorFields(error)).toEqual({
      error: 'UpstreamError',
      detail: 'rundeck: no answer from /webhook/[redacted]',
      upstream: 'rundeck',
      sent: 'unknown',
    });
  });

  it('is bounded, and what is no error says little', () => {
    expect(errorFields(new Error('x'.repeat(5000)))).toEqual({ error: 'Error', detail: 'x'.repeat(1000) });
    expect(errorFields('Bearer s3cr3t')).toEqual({ error: 'unknown' });
  });
});

it('a step of an alert is one line, for a person and for a query', () => {
  const { log, last } = prepare();

  makeNarrate(log)({ incidentId: 'inc_1', step: 'received', text: '/var is full on web-01' });

  expect(last()).toMatchObject({
    level: 'INFO',
    message: 'received: /var is full on web-01',
    incident_id: 'inc_1',
    step: 'received',
    text: '/var is full on web-01',
  });
});
