/** The Zabbix adapter and its fake: the contract, and every way in which the API can fail. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCommentEvent, makeReadEvent, makeReadHostContext } from '#lib/adapters/zabbix.ts';
import { zabbixContract } from '#test/contracts/zabbix.contract.ts';
import { FAKE, type FakeZabbixApi, openFakeZabbixApi } from '#test/fakes/zabbix-api.ts';
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
    question: (eventId) => ({ eventId, triggerId: '1', host: 'web-01' }),
    comments: async (eventId) => zabbix.comments(eventId),
    close: async () => undefined,
  };
});

zabbixContract('adapter', async () => {
  const fake = await openFakeZabbixApi();
  return {
    readEvent: makeReadEvent(fake),
    commentEvent: makeCommentEvent(fake),
    readHostContext: makeReadHostContext(fake),
    question: (eventId) => ({ eventId, ...FAKE }),
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

describe('what Zabbix knows of a host', () => {
  let fake: FakeZabbixApi;
  beforeEach(async () => {
    fake = await openFakeZabbixApi();
  });
  afterEach(() => fake.close());

  const past = { itemId: FAKE.itemId, problemsSince: 0, valuesSince: FAKE.now - 1_800_000 };
  const ask = (eventId: string, more: object = { past }, api: object = {}) =>
    makeReadHostContext({ ...fake, now: () => FAKE.now, ...api })({ eventId, ...FAKE, ...more });
  const calls = () => fake.requests.map(({ body }) => JSON.parse(body).method).toSorted();

  it('is all of it, in one short round of questions', async () => {
    const eventId = fake.openProblem();
    for (const name of ['Swap is full', 'CPU\nis busy']) fake.alsoOpen(name);
    fake.values(0, ['71.25', '80', '97.5']);

    expect(await ask(eventId)).toEqual({
      at: FAKE.now,
      event: 'problem',
      acknowledged: false,
      suppressed: 'no',
      host: 'monitored',
      maintenance: false,
      reachable: 'yes',
      otherProblems: 2,
      otherProblemNames: ['CPU is busy', 'Swap is full'],
      sameTriggerProblems: 1,
      values: { trend: 'rising', from: '71.25', to: '97.5', overMs: 120_000 },
    });
    expect(calls()).toEqual([
      'event.get',
      'event.get',
      'history.get',
      'history.get',
      'host.get',
      'problem.get',
    ]);
  });

  it('is only how they stand, in two questions, when nothing more is asked', async () => {
    const eventId = fake.openProblem();

    expect(await ask(eventId, {})).not.toHaveProperty('otherProblems');
    expect(calls()).toEqual(['event.get', 'host.get']);
  });

  it('counts neither more problems nor more values than a decision needs', async () => {
    const eventId = fake.openProblem();
    for (let index = 0; index < 40; index += 1) fake.alsoOpen('x'.repeat(2048));
    fake.values(
      3,
      Array.from({ length: 100 }, (_, index) => String(index)),
    );

    const context = await ask(eventId);

    expect(context).toMatchObject({ otherProblems: 30, values: { from: '40', to: '99' } });
    expect(JSON.stringify(context).length).toBeLessThan(1000);
  });

  it.each([
    ['maintenance', { suppressed: 'by_maintenance' }],
    ['human', { suppressed: 'by_human' }],
  ] as const)('tells a suppression by %s', async (by, expected) => {
    const eventId = fake.openProblem();
    fake.suppress(eventId, by);

    expect(await ask(eventId)).toMatchObject(expected);
  });

  it.each([
    ['in maintenance', { maintenance_status: '1' }, { host: 'monitored', maintenance: true }],
    ['not monitored', { status: '1' }, { host: 'not_monitored' }],
    ['not available', { interfaces: [{ available: '2' }] }, { reachable: 'no' }],
    [
      'available to active checks alone',
      { active_available: '1', interfaces: [{ available: '2' }] },
      { reachable: 'yes' },
    ],
    ['without interfaces', { interfaces: [] }, { reachable: 'unknown' }],
    ['hidden', undefined, { host: 'unknown', maintenance: false, reachable: 'unknown' }],
  ] as const)('tells a host that is %s', async (_, shown, expected) => {
    const eventId = fake.openProblem();
    fake.alsoOpen('Swap is full');
    fake.shows(shown);

    const context = await ask(eventId);

    expect(context).toMatchObject(expected);
    expect(context.otherProblems).toBe(shown === undefined ? undefined : 1);
  });

  it('takes no event for the one that is meant when it is another trigger’s', async () => {
    const eventId = fake.openProblem();
    fake.recover(eventId);

    expect(await ask(eventId, { triggerId: '901' })).toMatchObject({ event: 'unknown' });
  });

  it('says when it recovered, also when that event is gone', async () => {
    const eventId = fake.openProblem();
    fake.recover(eventId);
    const recovery = '102';

    const [known, itself] = [await ask(eventId), await ask(recovery)];
    fake.forget(recovery);

    const at = { event: 'recovered', recoveredAt: 1_700_000_102_000 };
    expect([known, itself]).toMatchObject([at, at]);
    expect(await ask(eventId)).toMatchObject({ event: 'recovered', recoveredAt: FAKE.now });
  });

  it.each([
    ['problem.get', 'otherProblems'],
    ['history.get', 'values'],
  ])('leaves out what does not come in time: %s', async (method, left) => {
    const eventId = fake.openProblem();
    fake.values(3, ['1', '2']);
    fake.hangs(method);
    const from = performance.now();

    const context = await ask(eventId, { past }, { timeoutMs: 400 });

    expect(performance.now() - from).toBeLessThan(1500);
    expect(context).not.toHaveProperty(left);
    expect(context).toMatchObject({ event: 'problem', host: 'monitored', sameTriggerProblems: 1 });
  });

  it.each(['event.get', 'host.get'])('gives up in bounded time without %s', async (method) => {
    fake.hangs(method);
    const from = performance.now();

    await expect(ask(fake.openProblem(), { past }, { timeoutMs: 400 })).rejects.toMatchObject({
      upstream: 'zabbix',
      code: 'timed_out',
    });
    expect(performance.now() - from).toBeLessThan(1500);
  });

  it('is not heard when nobody listens, or by a wrong token', async () => {
    const eventId = fake.openProblem();

    await expect(ask(eventId, {}, { url: 'http://127.0.0.1:9' })).rejects.toMatchObject({ code: 'refused' });
    await expect(ask(eventId, {}, { token: 'wrong' })).rejects.toMatchObject({ code: 'not_authorized' });
  });
});
