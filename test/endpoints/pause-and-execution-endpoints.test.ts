/** /api/v1/pause and /api/v1/rundeck/execution: who may, what is believed, what is answered. */
import { describe, expect, it } from 'vitest';
import { executionGate, makeExecutionEndpoint } from '#lib/endpoints/execution-endpoint.ts';
import { makePauseEndpoint } from '#lib/endpoints/pause-endpoint.ts';
import { makeSetPause, makeShowPause } from '#lib/workflow/pause.ts';
import { anHttpEvent, answerOf } from '#test/builders/http-events.ts';
import { anIncident, NOON } from '#test/builders/incidents.ts';
import { createMemoryIncidents } from '#test/fakes/incidents-memory.ts';
import { createMemoryLog } from '#test/fakes/log-memory.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('the pause', () => {
  async function prepare() {
    const table = createMemoryIncidents({ clock: () => NOON });
    await table.createIncident(anIncident({ state: 'held', dueAt: NOON + 60_000 }));
    const sent: unknown[] = [];
    const ports = {
      ...table,
      sendToDecide: async (message: unknown) => void sent.push(message),
      sendToDispatch: async () => {},
      clock: () => NOON,
    };
    const handler = makePauseEndpoint({
      tokens: ['operator'],
      show: makeShowPause(ports),
      set: makeSetPause(ports),
      log: createMemoryLog().log,
    });
    const call = async (httpMethod: string, body?: unknown, token = 'operator') =>
      answerOf(
        await handler(
          anHttpEvent({
            httpMethod,
            headers: { Authorization: `Bearer ${token}`, ...JSON_TYPE },
            body: body === undefined ? null : JSON.stringify(body),
          }),
          {},
        ),
      );
    return { call, sent };
  }

  it.each(['POST', 'PUT'])(
    'is turned on and off by %s, and tells who, why and what waits',
    async (method) => {
      const { call, sent } = await prepare();
      expect(await call('GET')).toMatchObject({ status: 200, json: { paused: false } });
      const on = { paused: true, by: 'ann', reason: 'storage' };
      const shown = {
        ...on,
        since: new Date(NOON).toISOString(),
        waitingInAll: 1,
        waiting: [{ host: 'web-01' }],
      };
      expect(await call(method, on)).toMatchObject({ status: 200, json: shown });
      expect(await call('GET')).toMatchObject({ json: shown });
      expect(sent).toEqual([]);
      expect(await call(method, { paused: false, by: 'bob' })).toMatchObject({
        json: { paused: false, by: 'bob', waitingInAll: 1, sentAgain: 1, left: 0 },
      });
      expect(sent).toHaveLength(1);
    },
  );

  it('is shown to and turned by nobody without a token', async () => {
    const { call } = await prepare();
    expect(await call('GET', undefined, 'other')).toMatchObject({ status: 401 });
    expect(await call('POST', { paused: true, by: 'ann' }, 'other')).toMatchObject({ status: 401 });
    expect(await call('GET')).toMatchObject({ json: { paused: false } });
  });

  it.each([
    [{ paused: 'yes', by: 'ann' }, 'paused'],
    [{ paused: true }, 'by'],
    [{ paused: true, by: ' ' }, 'by'],
    ['on', ''],
  ])('is not turned by %j', async (body, field) => {
    const { call } = await prepare();
    expect(await call('POST', body)).toMatchObject({ status: 400, json: { errors: [{ field }] } });
    expect(await call('GET')).toMatchObject({ json: { paused: false } });
  });
});

describe("Rundeck's notification", () => {
  function prepare() {
    const received: string[] = [];
    const handler = makeExecutionEndpoint({
      gate: executionGate(['secret-token']),
      receive: async (executionId) => {
        received.push(executionId);
        return executionId === '7' ? 'checking' : 'not_ours';
      },
      log: createMemoryLog().log,
    });
    const post = async (body: unknown, authorization = 'Bearer secret-token') =>
      answerOf(
        await handler(
          anHttpEvent({
            httpMethod: 'POST',
            headers: { Authorization: authorization, ...JSON_TYPE },
            body: JSON.stringify(body),
          }),
          {},
        ),
      );
    return { post, received };
  }
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  it.each([
    ['Bearer secret-token', 202],
    [basic('remedia:secret-token'), 202],
    [basic('remedia:other'), 401],
    [basic('secret-token:'), 401],
    ['Basic', 401],
    ['', 401],
  ])('is let in by %j: %i', async (authorization, status) => {
    const { post, received } = prepare();
    expect(await post({ executionId: 7 }, authorization)).toMatchObject({ status });
    expect(received).toEqual(status === 202 ? ['7'] : []);
  });

  it('is believed in nothing but the id', async () => {
    const { post, received } = prepare();
    const body = { trigger: 'success', status: 'succeeded', executionId: 7, execution: { id: 8 } };
    expect(await post(body)).toMatchObject({ json: { status: 'checking' } });
    expect(await post({ executionId: '99' })).toMatchObject({ json: { status: 'not_ours' } });
    expect(received).toEqual(['7', '99']);
  });

  it.each([{}, { executionId: -1 }, { executionId: 'x' }, { executionId: '../1' }, [], 'x'])(
    'without an id is refused: %j',
    async (body) => {
      const { post, received } = prepare();
      expect(await post(body)).toMatchObject({ status: 400, json: { errors: [{ field: 'executionId' }] } });
      expect(received).toEqual([]);
    },
  );
});
