/** GET /api/v1/health: every part is asked, all at once, each in its own time. */
import { describe, expect, it } from 'vitest';
import { policySchema } from '#lib/core/policy.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import {
  type CheckPart,
  makeHealthEndpoint,
  queueCheck,
  tableCheck,
} from '#lib/endpoints/health-endpoint.ts';
import { anHttpEvent, answerOf } from '#test/builders/http-events.ts';
import { createMemoryIncidents } from '#test/fakes/incidents-memory.ts';
import { createMemoryLog } from '#test/fakes/log-memory.ts';

const well: CheckPart = async () => ({ ok: true, detail: 'answers' });
const never: CheckPart = () => new Promise(() => {});

async function ask(
  checks: Readonly<Record<string, CheckPart>>,
  over: Parameters<typeof anHttpEvent>[0] = { headers: { Authorization: 'Bearer operator' } },
) {
  const { log, lines } = createMemoryLog();
  const handler = makeHealthEndpoint({ tokens: ['operator'], decider: 'rules', checks, log, within: 50 });
  return { ...answerOf(await handler(anHttpEvent(over), {})), lines: lines() };
}

describe('the health of all parts', () => {
  it('is 200 when every part is well', async () => {
    expect(await ask({ table: well, model: well })).toMatchObject({
      status: 200,
      headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
      json: { status: 'ok', decider: 'rules', down: [], parts: { table: { ok: true, detail: 'answers' } } },
    });
  });

  it('is 503 and names what is down, however it is down', async () => {
    const answer = await ask({
      table: well,
      model: async () => ({ ok: false, detail: 'llama3.2 is not there' }),
      rundeck: never,
      queue: async () => {
        throw new UpstreamError('queue', 'refused', 'no connection', { sent: 'no', retry: true });
      },
      other: () => {
        throw new Error('a detail for the log alone');
      },
    });

    expect(answer).toMatchObject({
      status: 503,
      json: {
        status: 'degraded',
        down: ['model', 'rundeck', 'queue', 'other'],
        parts: {
          table: { ok: true },
          model: { ok: false, detail: 'llama3.2 is not there' },
          rundeck: { ok: false, detail: 'no answer within 0.05 s' },
          queue: { ok: false, detail: 'queue: no connection' },
          other: { ok: false, detail: 'failed; the log says more' },
        },
      },
    });
    expect(answer.lines.join()).toContain('a detail for the log alone');
  });

  it('asks all parts at once', async () => {
    let started = 0;
    const both = Promise.withResolvers<void>();
    const check: CheckPart = async () => {
      started += 1;
      if (started === 2) both.resolve();
      await both.promise;
      return { ok: true, detail: 'the other one was asked meanwhile' };
    };

    expect(await ask({ one: check, other: check })).toMatchObject({ status: 200 });
  });

  it('is told to those alone who have a token', async () => {
    expect((await ask({ table: well }, {})).status).toBe(401);
    expect((await ask({ table: well }, { httpMethod: 'POST' })).status).toBe(405);
  });
});

it('a queue tells how many messages it holds', async () => {
  const check = queueCheck(async () => new Map([['queue', { waiting: 3, inFlight: 2, delayed: 1 }]]));

  expect(await check()).toEqual({ ok: true, detail: '3 waiting, 2 in work, 1 delayed' });
});

describe('the table', () => {
  it('without a policy is well, and says that Remedia is paused', async () => {
    expect(await tableCheck(createMemoryIncidents())()).toEqual({
      ok: true,
      detail: 'readable; there is no readable policy, so Remedia is paused',
    });
  });

  it.each([
    { paused: false, detail: 'readable; policy abcdef012345' },
    { paused: true, detail: 'readable; Remedia is paused; policy abcdef012345' },
  ])('says which policy holds, and whether it is paused: $paused', async ({ paused, detail }) => {
    const table = createMemoryIncidents();
    await table.savePolicy({
      policy: policySchema.parse({ version: 1 }),
      hash: 'abcdef0123456789',
      pushedAt: 0,
      pushedBy: 'a test',
    });
    await table.savePause({ paused });

    expect(await tableCheck(table)()).toEqual({ ok: true, detail });
  });
});
