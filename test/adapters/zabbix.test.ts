/** The Zabbix adapter and its fake: the contract, and every way in which the API can fail. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCommentEvent, makeReadEvent } from '#lib/adapters/zabbix.ts';
import { zabbixContract } from '#test/contracts/zabbix.contract.ts';
import { type FakeZabbixApi, openFakeZabbixApi } from '#test/fakes/zabbix-api.ts';
import { createMemoryZabbix } from '#test/fakes/zabbix-memory.ts';

zabbixContract('fake', async () => {
  const zabbix = createMemoryZabbix();
  let last = 0;
  return {
    ...zabbix,
    openProblem: async () => {
      last += 1;
      zabbix.openProblem(String(last));
      return String(last);
    },
    recover: async (eventId) => zabbix.recover(eventId, 1_700_000_000_000),
    comments: async (eventId) => zabbix.comments(eventId),
    close: async () => undefined,
  };
});

zabbixContract('adapter', async () => {
  const fake = await openFakeZabbixApi();
  return {
    readEvent: makeReadEvent(fake),
    commentEvent: makeCommentEvent(fake),
    openProblem: async () => fake.openProblem(),
    recover: async (eventId) => fake.recover(eventId),
    comments: async (eventId) => fake.comments(eventId),
    close: () => fake.close(),
  };
});

describe('a Zabbix API that fails', () => {
  let fake: FakeZabbixApi;
  beforeEach(async () => {
    fake = await openFakeZabbixApi();
  });
  afterEach(() => fake.close());

  const json = (body: object) => ({ status: 200, body: JSON.stringify(body) });
  const error = (code: number, data: string) =>
    json({ jsonrpc: '2.0', error: { code, message: 'x.', data }, id: 1 });

  it.each([
    ['HTTP 503', { status: 503 }, { code: 'failed', retry: true }],
    ['HTTP 404', { status: 404 }, { code: 'failed', retry: false }],
    ['a redirect', { status: 302, headers: { location: '/index.php' } }, { code: 'failed', retry: false }],
    ['a page', { status: 200, body: '<html>Database error</html>' }, { code: 'unparseable', retry: true }],
    ['an empty body', { status: 200 }, { code: 'unparseable', retry: true }],
    ['another shape', json({ result: [{ eventid: 1 }] }), { code: 'unparseable', retry: false }],
    ['a bad token', error(-32602, 'Not authorized.'), { code: 'not_authorized', retry: false }],
    [
      'a session that ended',
      error(-32602, 'Session terminated, re-login, please.'),
      { code: 'not_authorized' },
    ],
    [
      'a role that may not',
      error(-32500, 'No permissions to call "event.get".'),
      { code: 'denied', retry: false },
    ],
    ['bad parameters', error(-32602, 'Invalid parameter "/eventids".'), { code: 'refused', retry: false }],
    [
      'a broken database',
      error(-32500, 'SQL statement execution has failed.'),
      { code: 'failed', retry: true },
    ],
    [
      'no words',
      json({ error: { code: -32603, message: 'Internal error.' } }),
      { code: 'failed', retry: true },
    ],
  ] as const)('names %s', async (_, answer, expected) => {
    fake.become(answer);

    await expect(makeReadEvent(fake)('1')).rejects.toMatchObject({
      upstream: 'zabbix',
      sent: 'yes',
      ...expected,
    });
  });

  it('gives up on silence in bounded time, without knowing whether the comment was made', async () => {
    fake.become('silent');

    await expect(
      makeCommentEvent({ ...fake, timeoutMs: 300 })('1', 'x', { acknowledge: false }),
    ).rejects.toMatchObject({ code: 'timed_out', sent: 'unknown', retry: true });
  });

  it('knows that nothing was sent when nobody listens', async () => {
    const { url } = fake;
    await fake.close();
    fake = await openFakeZabbixApi();

    await expect(makeReadEvent({ url, token: 't' })('1')).rejects.toMatchObject({
      code: 'refused',
      sent: 'no',
    });
  });

  it('never repeats the token, even if Zabbix does', async () => {
    fake.become(error(-32602, `Not authorized: ${fake.token}\u0007`));

    const failure = await makeReadEvent(fake)('1').catch((reason: unknown) => String(reason));

    expect(failure).toContain('Not authorized: ***');
    expect(failure).not.toContain(fake.token);
  });

  it('refuses a wrong token by name', async () => {
    await expect(makeReadEvent({ ...fake, token: 'wrong' })('1')).rejects.toMatchObject({
      code: 'not_authorized',
    });
  });

  it('takes the address with and without the name of the script', async () => {
    const eventId = fake.openProblem();

    for (const url of [fake.url, `${fake.url}/`, `${fake.url}/api_jsonrpc.php`])
      expect(await makeReadEvent({ ...fake, url })(eventId)).toEqual({ kind: 'problem' });
  });

  it('believes a recovery whose own event is gone, and takes its time from the clock', async () => {
    const row = { eventid: '1', value: '1', clock: '1700000000', r_eventid: '2' };
    fake.become(json({ result: [row] }));

    expect(await makeReadEvent({ ...fake, now: () => 42 })('1')).toEqual({ kind: 'recovered', at: 42 });
  });

  it('reads an event that is itself a recovery as recovered', async () => {
    fake.become(json({ result: [{ eventid: '2', value: '0', clock: '1700000000', r_eventid: '0' }] }));

    expect(await makeReadEvent(fake)('2')).toEqual({ kind: 'recovered', at: 1_700_000_000_000 });
  });

  it('cuts a comment between characters, never inside one', async () => {
    const eventId = fake.openProblem();

    await makeCommentEvent(fake)(eventId, '💾'.repeat(2000), { acknowledge: false });

    expect(fake.comments(eventId)[0]?.message).toMatch(/^(💾)+…$/u);
  });
});
