/** POST /api/v1/zabbix/alert through its real handler: what each post is answered, and that nothing of it is lost. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { incidentIdOf } from '#lib/core/identity.ts';
import { stormCount } from '#lib/core/storm.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import { intakeGate, makeAlertEndpoint } from '#lib/endpoints/alert-endpoint.ts';
import type { AlertMessage, CheckMessage } from '#lib/workflow/ports.ts';
import { makeReceiveAlert, makeRecordRejected } from '#lib/workflow/receive-alert.ts';
import { anHttpEvent, answerOf } from '#test/builders/http-events.ts';
import { NOON } from '#test/builders/incidents.ts';
import { capturedPosts, fullProblem, spoilt } from '#test/builders/zabbix-posts.ts';
import { type FaultPlan, failNth, faulty } from '#test/fakes/faulty.ts';
import { createMemoryIncidents } from '#test/fakes/incidents-memory.ts';
import { createMemoryLog } from '#test/fakes/log-memory.ts';
import { createMemoryQueue } from '#test/fakes/queues-memory.ts';

const TOKEN = 'a-token-of-zabbix';
const NEW_TOKEN = 'the-next-token-of-zabbix';
const HMAC_KEY = 'a key that signs bodies';

interface Given {
  readonly tokens?: readonly string[];
  readonly hmacKey?: string;
  readonly mode?: 'live' | 'simulate';
  readonly faults?: FaultPlan;
}

const incidentLink = (id: string) => `https://remedia.example.com/api/v1/incidents/${id}`;

function prepare({
  tokens = [TOKEN, NEW_TOKEN],
  hmacKey,
  mode = 'live',
  faults = () => undefined,
}: Given = {}) {
  let now = NOON;
  const clock = () => now;
  const table = createMemoryIncidents({ clock });
  const alerts = createMemoryQueue<AlertMessage>({ clock });
  const checks = createMemoryQueue<CheckMessage>({ clock });
  const { log, lines } = createMemoryLog();
  const { loadIncident, createIncident, changeIncident, takeAllowance } = table;
  const ports = {
    ...faulty(
      { createIncident, changeIncident, takeAllowance, sendToDecide: alerts.send, sendToCheck: checks.send },
      faults,
    ),
    clock,
    narrate: () => {},
  };
  const handler = makeAlertEndpoint({
    gate: intakeGate({ tokens, hmacKey, clock }),
    receive: makeReceiveAlert(ports),
    recordRejected: makeRecordRejected(ports, { incidentLink }),
    source: 'zabbix',
    mode,
    incidentLink,
    clock,
    log,
  });
  const send = async (body: unknown, over: Parameters<typeof anHttpEvent>[0] = {}) =>
    answerOf(
      await handler(
        anHttpEvent({
          httpMethod: 'POST',
          headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
          ...over,
        }),
        {},
      ),
    );
  return {
    send,
    alerts,
    checks,
    lines,
    loadIncident,
    changeIncident: table.changeIncident,
    all: table.all,
    counted: async () => [...(await table.readAllowances([stormCount('zabbix', NOON).key])).values()],
    later: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

const problem = capturedPosts[0]?.post ?? {};
const recovery = capturedPosts[1]?.post ?? {};
const incidentId = incidentIdOf('zabbix', '5');
const signed = (body: string, { key = HMAC_KEY, at = NOON } = {}) => {
  const timestamp = String(Math.floor(at / 1000));
  return {
    Authorization: `Bearer ${TOKEN}`,
    'Content-Type': 'application/json',
    'X-Remedia-Timestamp': timestamp,
    'X-Remedia-Signature': createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex'),
  };
};

describe('a problem', () => {
  it('is recorded, queued, and answered with its incident and where to read about it', async () => {
    const { send, alerts, loadIncident } = prepare();

    const answer = await send(problem);

    expect(answer).toMatchObject({
      status: 202,
      headers: { 'Content-Type': 'application/json' },
      json: {
        incidentId,
        status: 'accepted',
        link: `https://remedia.example.com/api/v1/incidents/${incidentId}`,
      },
    });
    expect(alerts.waiting()).toEqual([{ incidentId }]);
    expect(await loadIncident(incidentId)).toMatchObject({
      state: 'received',
      mode: 'live',
      escalation: 'none',
      decideBy: NOON + 15 * 60_000,
      dueAt: NOON + 60_000,
      timeline: [{ kind: 'received' }],
    });
  });

  it('that is repeated while it is still received is queued again, and keeps its one incident', async () => {
    const { send, alerts, all } = prepare();
    await send(problem);

    const again = await send(problem);

    expect(again).toMatchObject({ status: 202, json: { incidentId, status: 'repeated' } });
    expect(alerts.waiting()).toEqual([{ incidentId }, { incidentId }]);
    expect(all().map((each) => each.timeline.map(({ kind }) => kind))).toEqual([['received', 'repeated']]);
  });

  it('that is repeated after it was decided is not queued again', async () => {
    const { send, alerts, changeIncident } = prepare();
    await send(problem);
    await changeIncident(incidentId, (incident) => ({ ...incident, state: 'running' }));

    await send(problem);

    expect(alerts.waiting()).toHaveLength(1);
  });

  it('whose message was never sent is queued when Zabbix tries again', async () => {
    const { send, alerts } = prepare({ faults: failNth(1, 'before', 'sendToDecide') });
    const first = await send(problem);

    const second = await send(problem);

    expect(first.status).toBe(503);
    expect(second).toMatchObject({ status: 202, json: { status: 'repeated' } });
    expect(alerts.waiting()).toEqual([{ incidentId }]);
  });

  it('posted ten times at once is one incident', async () => {
    const { send, all } = prepare();

    const answers = await Promise.all(Array.from({ length: 10 }, () => send(problem)));

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(all()).toHaveLength(1);
  });

  it('that comes after its recovery finds nothing left to do', async () => {
    const { send, alerts, loadIncident } = prepare();
    await send(recovery);

    const late = await send(problem);

    expect(late).toMatchObject({ status: 202, json: { incidentId, status: 'repeated' } });
    expect(alerts.waiting()).toEqual([]);
    expect(await loadIncident(incidentId)).toMatchObject({
      state: 'closed',
      outcome: 'recovered_before_action',
    });
  });
});

describe('the count that storms are seen by', () => {
  it('has one for each new problem, none for its repeats, updates and recovery', async () => {
    const { send, counted } = prepare();
    await send(problem);
    await send(problem);
    await send(recovery);
    await send({ ...problem, event_id: '6' });

    expect(await counted()).toEqual([2]);
  });

  it('has none for what is only simulated', async () => {
    const { send, counted } = prepare({ mode: 'simulate' });
    await send(problem);

    expect(await counted()).toEqual([0]);
  });
});

describe('a recovery', () => {
  it('is noted on its incident', async () => {
    const { send, loadIncident, later, checks } = prepare();
    await send(problem);
    later(4_000);

    const answer = await send(recovery);

    expect(answer).toMatchObject({ status: 202, json: { incidentId, status: 'recovered' } });
    expect(await loadIncident(incidentId)).toMatchObject({ state: 'received', recoveredAt: NOON + 4_000 });
    expect(checks.waiting()).toEqual([]);
  });

  it('is noted once, however often it comes', async () => {
    const { send, loadIncident, later } = prepare();
    await send(problem);
    await send(recovery);
    later(4_000);
    await send(recovery);

    const incident = await loadIncident(incidentId);

    expect(incident?.recoveredAt).toBe(NOON);
    expect(incident?.timeline.filter(({ kind }) => kind === 'recovered')).toHaveLength(1);
  });

  it.each(['running', 'verifying'] as const)('wakes the check of an incident that is %s', async (state) => {
    const { send, checks, changeIncident } = prepare();
    await send(problem);
    await changeIncident(incidentId, (incident) => ({
      ...incident,
      state,
      decisions: [
        {
          decisionId: `${incidentId}#1`,
          step: 1,
          at: NOON,
          verdict: { kind: 'ignore', reasons: [] },
          expiresAt: NOON,
        },
      ],
    }));

    await send(recovery);

    expect(checks.waiting()).toEqual([{ incidentId, step: 1 }]);
  });

  it('wakes nobody where nothing was decided', async () => {
    const { send, checks, changeIncident } = prepare();
    await send(problem);
    await changeIncident(incidentId, (incident) => ({ ...incident, state: 'running' }));

    await send(recovery);

    expect(checks.waiting()).toEqual([]);
  });

  it('of an event that was never seen is recorded and closed', async () => {
    const { send, all, alerts } = prepare();

    const answer = await send(recovery);

    expect(answer).toMatchObject({ status: 202, json: { status: 'recovered' } });
    expect(all()).toMatchObject([
      { incidentId, state: 'closed', outcome: 'recovered_before_action', escalation: 'none' },
    ]);
    expect(alerts.waiting()).toEqual([]);
  });
});

describe('an update', () => {
  const update = { ...problem, event_update_status: '1' };

  it('is noted and acts on nothing', async () => {
    const { send, alerts, loadIncident } = prepare();
    await send(problem);

    const answer = await send(update);

    expect(answer).toMatchObject({ status: 202, json: { incidentId, status: 'updated' } });
    expect(alerts.waiting()).toHaveLength(1);
    expect((await loadIncident(incidentId))?.timeline.map(({ kind }) => kind)).toEqual([
      'received',
      'updated',
    ]);
  });

  it('changes the severity of what is not decided yet', async () => {
    const { send, loadIncident } = prepare();
    await send(problem);

    await send({ ...update, event_nseverity: '5' });

    expect((await loadIncident(incidentId))?.alert?.severity).toBe(5);
  });

  it('of an event that was never seen is ignored', async () => {
    const { send, all } = prepare();

    const answer = await send(update);

    expect(answer).toMatchObject({ status: 202, json: { status: 'ignored' } });
    expect(all()).toEqual([]);
  });
});

describe('other posts', () => {
  it('a test is answered and not recorded', async () => {
    const { send, all } = prepare();

    const answer = await send({ ...problem, event_id: '{EVENT.ID}' });

    expect(answer).toMatchObject({ status: 200, json: { status: 'test' } });
    expect(all()).toEqual([]);
  });

  it('an event that no trigger made is answered and not acted on', async () => {
    const { send, all, alerts } = prepare();

    const answer = await send({ ...problem, event_source: '3' });

    expect(answer).toMatchObject({
      status: 202,
      json: { status: 'ignored', detail: expect.stringContaining('3') },
    });
    expect(all()).toEqual([]);
    expect(alerts.waiting()).toEqual([]);
  });

  it('in base64 is read as well', async () => {
    const { send } = prepare();

    const answer = await send(Buffer.from(JSON.stringify(problem)).toString('base64'), {
      isBase64Encoded: true,
    });

    expect(answer.status).toBe(202);
  });
});

describe('simulation', () => {
  const headers = {
    Authorization: `Bearer ${TOKEN}`,
    'Content-Type': 'application/json',
    'X-Remedia-Mode': 'Simulate',
  };

  it('of one alert is asked for by a header, and has a key space of its own', async () => {
    const { send, all } = prepare();
    await send(problem);

    const answer = await send(problem, { headers });

    expect(answer).toMatchObject({
      status: 202,
      json: { incidentId: incidentIdOf('zabbix', '5', 'simulate') },
    });
    expect(all().map(({ mode }) => mode)).toEqual(['live', 'simulate']);
  });

  it('of everything is a setting that no header overrules', async () => {
    const { send, all } = prepare({ mode: 'simulate' });

    await send(problem);
    const answer = await send(problem, { headers: { ...headers, 'X-Remedia-Mode': 'live' } });

    expect(answer).toMatchObject({
      status: 400,
      json: { errors: [{ field: 'X-Remedia-Mode', expected: 'simulate, or no such header' }] },
    });
    expect(all().every(({ mode }) => mode === 'simulate')).toBe(true);
  });

  it('of a bad post is recorded, and no human is told', async () => {
    const { send, all } = prepare();

    await send({ ...problem, event_value: '7' }, { headers });

    expect(all()).toMatchObject([{ mode: 'simulate', outcome: 'rejected', escalation: 'none' }]);
  });
});

describe('who may post', () => {
  it.each([TOKEN, NEW_TOKEN])('%s may, so that tokens can be rotated', async (token) => {
    const { send } = prepare();

    const answer = await send(problem, {
      headers: { authorization: `bearer ${token}`, 'content-type': 'application/json; charset=utf-8' },
    });

    expect(answer.status).toBe(202);
  });

  it.each([
    { who: 'nobody', headers: {} },
    { who: 'a wrong token', headers: { Authorization: 'Bearer another' } },
    { who: 'a token and more', headers: { Authorization: `Bearer ${TOKEN}x` } },
    { who: 'the beginning of a token', headers: { Authorization: `Bearer ${TOKEN.slice(0, -1)}` } },
    { who: 'two tokens in one', headers: { Authorization: `Bearer ${TOKEN} ${NEW_TOKEN}` } },
    { who: 'another scheme', headers: { Authorization: `Basic ${TOKEN}` } },
    { who: 'an empty token', headers: { Authorization: 'Bearer ' } },
  ])('$who may not, and leaves no trace', async ({ headers }) => {
    const { send, all, lines } = prepare();

    const answer = await send(problem, { headers: { 'Content-Type': 'application/json', ...headers } });

    expect(answer).toMatchObject({
      status: 401,
      headers: { 'Content-Type': 'application/problem+json', 'WWW-Authenticate': 'Bearer' },
      json: { status: 401, title: 'Unauthorized' },
    });
    expect(all()).toEqual([]);
    expect(lines().join()).not.toContain(TOKEN);
  });

  it.each([{ tokens: [] }, { tokens: [''] }, { tokens: [], hmacKey: HMAC_KEY }])(
    'nobody may when there is no token: %j',
    async (settings) => {
      const { send } = prepare(settings);
      const body = JSON.stringify(problem);

      for (const authorization of ['Bearer ', 'Bearer undefined', `Bearer ${TOKEN}`])
        expect(
          (await send(body, { headers: { ...signed(body), Authorization: authorization } })).status,
        ).toBe(401);
    },
  );
});

describe('signatures', () => {
  const body = JSON.stringify(problem);

  it.each([0, -299_000, 299_000])('a signed post that is %i ms off is let in', async (off) => {
    const { send } = prepare({ hmacKey: HMAC_KEY });

    expect((await send(body, { headers: signed(body, { at: NOON + off }) })).status).toBe(202);
  });

  it('a signed body in base64 is verified as the bytes that were sent', async () => {
    const { send } = prepare({ hmacKey: HMAC_KEY });
    const encoded = Buffer.from(body).toString('base64');

    expect((await send(encoded, { headers: signed(body), isBase64Encoded: true })).status).toBe(202);
  });

  it.each([
    { why: 'no signature', headers: { ...signed(body), 'X-Remedia-Signature': '' } },
    { why: 'another key', headers: signed(body, { key: 'another key that signs' }) },
    { why: 'another body', headers: signed(`${body} `) },
    { why: 'a signature of yesterday', headers: signed(body, { at: NOON - 301_000 }) },
    { why: 'a signature of tomorrow', headers: signed(body, { at: NOON + 301_000 }) },
    {
      why: 'another time stamp',
      headers: { ...signed(body), 'X-Remedia-Timestamp': String(NOON / 1000 + 1) },
    },
    { why: 'no time', headers: { ...signed(body), 'X-Remedia-Timestamp': 'now' } },
    { why: 'a signature without a token', headers: { ...signed(body), Authorization: '' } },
  ])('$why is refused', async ({ headers }) => {
    const { send, all } = prepare({ hmacKey: HMAC_KEY });

    const answer = await send(body, { headers });

    expect(answer).toMatchObject({ status: 401, headers: { 'Content-Type': 'application/problem+json' } });
    expect(all()).toEqual([]);
  });
});

describe('a request that is no post of an alert', () => {
  it.each(['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'])(
    '%s is 405 and says what is allowed',
    async (httpMethod) => {
      const { send } = prepare();

      expect(await send(problem, { httpMethod })).toMatchObject({
        status: 405,
        headers: { Allow: 'POST', 'Content-Type': 'application/problem+json' },
        json: { status: 405 },
      });
    },
  );

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/problem+json', ''])(
    'content type %j is 415, and recorded, for it may have been an alert',
    async (type) => {
      const { send, all } = prepare();

      const answer = await send(problem, {
        headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': type },
      });

      expect(answer).toMatchObject({ status: 415, headers: { 'Content-Type': 'application/problem+json' } });
      expect(all()).toMatchObject([{ outcome: 'rejected', escalation: 'pending' }]);
    },
  );

  it('of more than 256 KiB is 413, and recorded with the event that it was about', async () => {
    const { send, all } = prepare();

    const answer = await send({ ...problem, event_opdata: 'x'.repeat(256 * 1024) });

    expect(answer).toMatchObject({ status: 413, headers: { 'Content-Type': 'application/problem+json' } });
    expect(all()).toMatchObject([
      {
        outcome: 'rejected',
        message: { body: expect.stringMatching(/event "5".*on "web-01".*262144 bytes/s) },
      },
    ]);
  });

  it('of exactly 256 KiB is read', async () => {
    const { send } = prepare();
    const body = JSON.stringify(problem);

    expect((await send(body + ' '.repeat(256 * 1024 - body.length))).status).toBe(202);
  });

  it.each(['', '{', 'text', '{"event_id": "5"', '\u0000'])('%j is 400', async (body) => {
    const { send, all } = prepare();

    const answer = await send(body);

    expect(answer).toMatchObject({ status: 400, json: { errors: [{ field: '', expected: 'JSON' }] } });
    expect(all()).toMatchObject([{ outcome: 'rejected', escalation: 'pending' }]);
  });
});

describe('a bad alert', () => {
  it('gets every bad field named, is recorded, and a human will be told how to find its event', async () => {
    const { send, all } = prepare();

    const answer = await send({ ...problem, event_value: '7', trigger_id: '' });

    expect(answer).toMatchObject({
      status: 400,
      headers: { 'Content-Type': 'application/problem+json' },
      json: {
        type: 'about:blank',
        status: 400,
        errors: [
          { field: 'event_value', expected: '"1" for a problem or "0" for a recovery' },
          { field: 'trigger_id', expected: 'a string of 1 to 20 digits' },
        ],
      },
    });
    const [recorded] = all();
    expect(recorded).toMatchObject({
      state: 'closed',
      outcome: 'rejected',
      escalation: 'pending',
      dueAt: NOON + 60_000,
      message: {
        subject: 'Remedia could not read a post from zabbix',
        body: expect.stringMatching(/event "5".*on "web-01".*event_value.*trigger_id/s),
        links: [{ url: `https://remedia.example.com/api/v1/incidents/${recorded?.incidentId}` }],
      },
    });
  });

  it('of a kind that a human was told of today is recorded only', async () => {
    const { send, all, later } = prepare();
    await send({ ...problem, event_value: '7' });

    await send({ ...problem, event_id: '6', event_value: '8' });
    await send({ ...problem, event_id: '6', event_value: '8' });
    later(60 * 60_000);
    await send({ ...problem, event_id: '7', event_value: '9' });

    expect(all().map(({ escalation }) => escalation)).toEqual(['pending', 'none', 'none']);
  });

  it('of another kind, or of the next day, is told again', async () => {
    const { send, all, later } = prepare();
    await send({ ...problem, event_value: '7' });

    await send({ ...problem, trigger_id: 'x' });
    later(24 * 60 * 60_000);
    await send({ ...problem, event_value: '7' });

    expect(all().map(({ escalation }) => escalation)).toEqual(['pending', 'pending', 'pending']);
  });

  it.each(['before', 'after'] as const)(
    'that fails %s it is recorded is 503, so that it comes again and a human will be told',
    async (fault) => {
      const { send, all } = prepare({ faults: failNth(1, fault, 'createIncident') });

      const first = await send({ ...problem, event_value: '7' });
      const second = await send({ ...problem, event_value: '7' });

      expect(first).toMatchObject({
        status: 503,
        headers: { 'Retry-After': '10', 'Content-Type': 'application/problem+json' },
        json: { status: 503 },
      });
      expect(second).toMatchObject({ status: 400, json: { errors: [{ field: 'event_value' }] } });
      expect(all().filter(({ escalation }) => escalation === 'pending')).toHaveLength(1);
    },
  );

  it.each([
    { what: 'no JSON', body: '{', headers: {} },
    {
      what: 'another content type',
      body: JSON.stringify(problem),
      headers: { 'Content-Type': 'text/plain' },
    },
    {
      what: 'too large',
      body: JSON.stringify({ ...problem, event_opdata: 'x'.repeat(256 * 1024) }),
      headers: {},
    },
    { what: 'another mode', body: JSON.stringify(problem), headers: { 'X-Remedia-Mode': 'careful' } },
  ])('that cannot be recorded is 503 also when it is $what', async ({ body, headers }) => {
    const { send } = prepare({ faults: failNth(1, 'before', 'createIncident') });
    const type = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' };

    expect((await send(body, { headers: { ...type, ...headers } })).status).toBe(503);
  });
});

describe('a captured request with one field spoilt', () => {
  const cases = Object.keys(fullProblem).flatMap((field) =>
    spoilt.map(({ how, spoil }) => ({ field, how, spoil })),
  );

  it.each(cases)(
    '$field $how: accepted and queued, or refused by name, recorded, and a human told',
    async (each) => {
      const { send, all, alerts, checks } = prepare();

      const { status, json } = await send(each.spoil(fullProblem, each.field));

      const [recorded, ...others] = all();
      expect(others).toEqual([]);
      switch (status) {
        case 202:
          expect(json).toMatchObject(
            recorded === undefined ? { status: 'ignored' } : { incidentId: recorded.incidentId },
          );
          expect(alerts.waiting().length + checks.waiting().length).toBe(
            recorded?.state === 'received' ? 1 : 0,
          );
          break;
        case 400:
          expect(json).toMatchObject({
            errors: [{ field: each.field, expected: expect.stringMatching(/\w/) }],
          });
          expect(recorded).toMatchObject({ outcome: 'rejected', escalation: 'pending' });
          break;
        default:
          expect([status, each.how]).toEqual([413, '1 MB long']);
          expect(recorded).toMatchObject({ outcome: 'rejected', escalation: 'pending' });
      }
    },
  );
});

describe('a part that fails', () => {
  it.each([
    { port: 'createIncident', fault: 'before' },
    { port: 'createIncident', fault: 'after' },
    { port: 'sendToDecide', fault: 'before' },
    { port: 'sendToDecide', fault: 'after' },
  ] as const)(
    '$port, $fault its effect: 503, and the same post again puts it right',
    async ({ port, fault }) => {
      const { send, alerts, all } = prepare({ faults: failNth(1, fault, port) });

      const first = await send(problem);
      const second = await send(problem);

      expect(first).toMatchObject({
        status: 503,
        headers: { 'Retry-After': '10', 'Content-Type': 'application/problem+json' },
        json: { status: 503 },
      });
      expect(second.status).toBe(202);
      expect(all()).toHaveLength(1);
      expect(alerts.waiting().length).toBeGreaterThanOrEqual(1);
    },
  );

  it('to count for the storm breaker costs nothing but the count', async () => {
    const { send, alerts } = prepare({ faults: failNth(1, 'before', 'takeAllowance') });

    expect(await send(problem)).toMatchObject({ status: 202, json: { status: 'accepted' } });
    expect(alerts.waiting()).toHaveLength(1);
  });

  it('on the way to a check: 503, and the repeated recovery asks for it again', async () => {
    const { send, checks, changeIncident } = prepare({ faults: failNth(1, 'before', 'sendToCheck') });
    await send(problem);
    await changeIncident(incidentId, (incident) => ({
      ...incident,
      state: 'verifying',
      decisions: [
        {
          decisionId: `${incidentId}#1`,
          step: 1,
          at: NOON,
          verdict: { kind: 'ignore', reasons: [] },
          expiresAt: NOON,
        },
      ],
    }));

    const first = await send(recovery);
    const second = await send(recovery);

    expect([first.status, second.status]).toEqual([503, 202]);
    expect(checks.waiting()).toHaveLength(1);
  });

  it('never says in its answer what failed where', async () => {
    const { log } = createMemoryLog();
    const handler = makeAlertEndpoint({
      gate: () => undefined,
      receive: async () => {
        throw new UpstreamError('queue', 'refused', 'http://10.0.0.7:4566/secret', {
          sent: 'no',
          retry: true,
        });
      },
      recordRejected: async () => 'inc_0',
      source: 'zabbix',
      mode: 'live',
      incidentLink,
      clock: () => NOON,
      log,
    });

    const { statusCode, body } = await handler(
      anHttpEvent({
        httpMethod: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(problem),
      }),
      {},
    );

    expect(statusCode).toBe(503);
    expect(body).not.toContain('10.0.0.7');
  });
});
