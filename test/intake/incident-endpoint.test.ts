/** GET /api/v1/incidents and /api/v1/incidents/{id}: reading back what happened. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Incident } from '#lib/core/incident.ts';
import { makeIncidentEndpoint } from '#lib/endpoints/incident-endpoint.ts';
import { anHttpEvent, answerOf } from '#test/builders/http-events.ts';
import { anIncident, NOON } from '#test/builders/incidents.ts';
import { createMemoryIncidents } from '#test/fakes/incidents-memory.ts';
import { createMemoryLog } from '#test/fakes/log-memory.ts';

const MINUTE = 60_000;
const idOf = (n: number) => `inc_${String(n).padStart(24, '0')}`;

async function prepare(incidents: readonly Incident[] = []) {
  const table = createMemoryIncidents({ clock: () => NOON });
  for (const incident of incidents) await table.createIncident(incident);
  const handler = makeIncidentEndpoint({
    ...table,
    tokens: ['operator', 'intake'],
    source: 'zabbix',
    linkKey: 'a-key-of-many-letters',
    clock: () => NOON,
    log: createMemoryLog().log,
  });
  return async (over: Parameters<typeof anHttpEvent>[0] = {}) =>
    answerOf(await handler(anHttpEvent({ headers: { Authorization: 'Bearer operator' }, ...over }), {}));
}

const three = [
  anIncident({ incidentId: idOf(1), openedAt: NOON }),
  anIncident({
    incidentId: idOf(2),
    openedAt: NOON + MINUTE,
    state: 'closed',
    outcome: 'verified',
    closedAt: NOON + 2 * MINUTE,
  }),
  anIncident({ incidentId: idOf(3), openedAt: NOON + 2 * MINUTE, hostKey: 'zabbix/db-01' }),
];

describe('one incident', () => {
  it('is answered with its whole timeline', async () => {
    const get = await prepare(three);

    const answer = await get({ pathParameters: { id: idOf(1) } });

    expect(answer).toMatchObject({
      status: 200,
      json: { incidentId: idOf(1), state: 'received', timeline: [{ at: NOON, kind: 'received' }] },
    });
  });

  it('never shows the signature of a link, for reading is not approving', async () => {
    const message = {
      kind: 'approval',
      incidentId: idOf(1),
      subject: 'May I?',
      body: 'See https://remedia.example.com/x?expires=1&signature=abc123',
      severity: 3,
      links: [
        { title: 'Approve or reject', url: 'https://remedia.example.com/x?expires=1&signature=abc123' },
      ],
    } as const;
    const get = await prepare([anIncident({ incidentId: idOf(1), message })]);

    const { json } = await get({ pathParameters: { id: idOf(1) } });

    expect(json).toMatchObject({ message: { subject: 'May I?', links: [{ title: 'Approve or reject' }] } });
    expect(JSON.stringify(json)).not.toContain('abc123');
  });

  it.each([idOf(9), 'policy', 'inc_', '../policy', `${idOf(1)}#1`])('%s is 404, as a problem', async (id) => {
    const get = await prepare(three);

    expect(await get({ pathParameters: { id } })).toMatchObject({
      status: 404,
      headers: { 'Content-Type': 'application/problem+json' },
      json: { status: 404, title: 'Not Found' },
    });
  });
});

describe('the list', () => {
  const idsOf = (answer: { readonly json: unknown }) =>
    answer.json !== null && typeof answer.json === 'object' && 'incidents' in answer.json
      ? answer.json.incidents
      : undefined;

  it.each([
    { query: {}, ids: [3, 2, 1] },
    { query: { limit: '1' }, ids: [3] },
    { query: { state: 'closed' }, ids: [2] },
    { query: { state: 'held' }, ids: [] },
    { query: { status: 'verified' }, ids: [2] },
    { query: { status: 'failed' }, ids: [] },
    { query: { status: 'closed', host: 'web-01' }, ids: [2] },
    { query: { host: 'web-01', status: 'received', limit: '1' }, ids: [1] },
    { query: { since: String(NOON + MINUTE) }, ids: [3, 2] },
    { query: { since: '2026-03-01T12:02:00Z' }, ids: [3] },
    { query: { host: 'web-01' }, ids: [2, 1] },
    { query: { host: 'web-01', state: 'received' }, ids: [1] },
    { query: { host: 'web-01', limit: '1' }, ids: [2] },
    { query: { host: 'unknown' }, ids: [] },
  ])('of $query is $ids, the newest first', async ({ query, ids }) => {
    const get = await prepare(three);

    const answer = await get({ queryStringParameters: query });

    expect(answer.status).toBe(200);
    expect(idsOf(answer)).toMatchObject(ids.map((n) => ({ incidentId: idOf(n) })));
  });

  it('says of each what an operator looks for', async () => {
    const get = await prepare(three);

    expect(idsOf(await get({ queryStringParameters: { state: 'closed' } }))).toEqual([
      {
        incidentId: idOf(2),
        eventId: '4711',
        state: 'closed',
        outcome: 'verified',
        escalation: 'none',
        openedAt: '2026-03-01T12:01:00.000Z',
        closedAt: '2026-03-01T12:02:00.000Z',
        host: 'web-01',
        eventName: '/var: Disk space is low',
        severity: 3,
      },
    ]);
  });

  it('has an incident without an alert too', async () => {
    const { alert: _none, ...bare } = anIncident({ incidentId: idOf(4) });
    const get = await prepare([bare]);

    expect(idsOf(await get())).toMatchObject([{ incidentId: idOf(4) }]);
  });

  it('names every parameter that is wrong', async () => {
    const get = await prepare();

    const answer = await get({
      queryStringParameters: { limit: '0', state: 'open', since: 'yesterday', cursor: 'W10' },
    });

    expect(answer).toMatchObject({
      status: 400,
      json: { errors: [{ field: 'limit' }, { field: 'state' }, { field: 'since' }, { field: 'cursor' }] },
    });
  });

  it.each([
    { name: 'all of them', query: {}, every: 1 },
    { name: 'those of a host', query: { host: 'web-01' }, every: 1 },
    { name: 'one outcome among many', query: { host: 'web-01', status: 'failed' }, every: 97 },
    { name: 'those since a time', query: { since: String(NOON + 2) }, every: 1 },
  ])('gives every incident once, page after page: $name', async ({ query, every }) => {
    // Seven to a millisecond: a page ends in the middle of one.
    const many = Array.from({ length: 250 }, (_, n) =>
      anIncident({
        incidentId: idOf(n),
        openedAt: NOON + Math.floor(n / 7),
        state: n % 3 === 0 || n % 97 === 0 ? 'closed' : 'received',
        ...(n % 97 === 0 && { outcome: 'failed' }),
      }),
    );
    const get = await prepare(many);
    const page = z.object({
      incidents: z.array(z.object({ incidentId: z.string(), openedAt: z.string() })),
      next: z.string().optional(),
    });
    const given: z.infer<typeof page>['incidents'] = [];
    let next: string | undefined;

    do {
      const { json } = await get({
        queryStringParameters: { ...query, limit: '40', ...(next && { cursor: next }) },
      });
      const { incidents, next: following } = page.parse(json);
      given.push(...incidents);
      next = following;
    } while (next !== undefined);

    const since = 'since' in query ? NOON + 2 : 0;
    const wanted = many.filter(({ openedAt }, n) => n % every === 0 && openedAt >= since);
    expect(given.map(({ incidentId }) => incidentId).toSorted()).toEqual(
      wanted.map(({ incidentId }) => incidentId).toSorted(),
    );
    expect(given).toEqual(given.toSorted((a, b) => b.openedAt.localeCompare(a.openedAt)));
  });

  it.each(['101', '-1', '1.5', 'many', ''])('is at most 100 long, not %j', async (limit) => {
    const get = await prepare();

    expect((await get({ queryStringParameters: { limit } })).status).toBe(400);
  });
});

describe('who may read', () => {
  it('is whoever has a token', async () => {
    const get = await prepare();

    expect((await get({ headers: {} })).status).toBe(401);
    expect((await get({ headers: { authorization: 'Bearer intake' } })).status).toBe(200);
  });

  it('and nobody can write', async () => {
    const get = await prepare();

    expect(await get({ httpMethod: 'POST' })).toMatchObject({ status: 405, headers: { Allow: 'GET' } });
  });
});
