/** /api/v1/approvals/{id}: looking changes nothing, only a genuine link or a token answers, once. */
import { describe, expect, it } from 'vitest';
import type { Decision, Incident } from '#lib/core/incident.ts';
import { approvalLink, makeApprovalEndpoint } from '#lib/endpoints/approval-endpoint.ts';
import { type ApprovalAnswer, makeAnswerApproval } from '#lib/workflow/answer-approval.ts';
import { anHttpEvent, answerOf } from '#test/builders/http-events.ts';
import { anAlert, anIncident, NOON } from '#test/builders/incidents.ts';
import { createMemoryIncidents } from '#test/fakes/incidents-memory.ts';
import { createMemoryLog } from '#test/fakes/log-memory.ts';
import { createMemoryPeople } from '#test/fakes/people-memory.ts';

const KEY = 'a-key-of-many-letters';
const incidentLink = (id: string) => `https://remedia.test/api/v1/incidents/${id}`;
const HASH = 'ab'.repeat(32);
const decision: Decision = {
  decisionId: 'inc_0123456789abcdef01234567#1',
  step: 1,
  at: NOON,
  verdict: {
    kind: 'needs_approval',
    autonomy: 'approve',
    tool: 'cleanup_disk',
    arguments: { path: '/var' },
    node: 'web-01',
    reasons: [{ code: 'autonomy_approve', text: 'The policy wants a yes.' }],
  },
  proposalHash: HASH,
  expiresAt: NOON + 600_000,
};
const asking = anIncident({
  state: 'awaiting_approval',
  alert: anAlert({ eventName: '<script>alert("x")</script> & \'more\'' }),
  decisions: [decision],
});

async function prepare(incident: Incident = asking, key: string | undefined = KEY) {
  let now = NOON;
  const table = createMemoryIncidents({ clock: () => now });
  await table.createIncident(incident);
  const sent: unknown[] = [];
  const answers: ApprovalAnswer[] = [];
  const answer = makeAnswerApproval(
    {
      ...table,
      tellHuman: createMemoryPeople().tellHuman,
      sendToDispatch: async (message) => void sent.push(message),
      sendToCheck: async () => {},
      clock: () => now,
      narrate: () => {},
    },
    { incidentLink },
  );
  const handler = makeApprovalEndpoint({
    key,
    tokens: ['operator'],
    loadIncident: table.loadIncident,
    answer: async (given) => {
      answers.push(given);
      return answer(given);
    },
    incidentLink,
    clock: () => now,
    log: createMemoryLog().log,
  });
  const url = new URL(
    approvalLink({ key: KEY, publicBaseUrl: 'https://remedia.test' }, incident, decision)?.url ?? '',
  );
  const query: Record<string, string> = Object.fromEntries(url.searchParams);
  const pathParameters = { id: url.pathname.split('/').at(-1) ?? '' };
  return {
    answers,
    sent,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    look: (queryStringParameters = query) =>
      handler(anHttpEvent({ pathParameters, queryStringParameters }), {}),
    form: (body: string, queryStringParameters = query) =>
      handler(
        anHttpEvent({
          httpMethod: 'POST',
          headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
          pathParameters,
          queryStringParameters,
          body,
        }),
        {},
      ),
    json: async (
      body: unknown,
      headers: Record<string, string> = { Authorization: 'Bearer operator' },
      id = pathParameters.id,
    ) =>
      answerOf(
        await handler(
          anHttpEvent({
            httpMethod: 'POST',
            headers: { 'Content-Type': 'application/json', ...headers },
            pathParameters: { id },
            body: JSON.stringify(body),
          }),
          {},
        ),
      ),
    query,
  };
}

describe('a signed link', () => {
  it('shows the exact proposal, escaped, without a script, and changes nothing however often it is opened', async () => {
    const { look, answers } = await prepare();
    for (let i = 0; i < 3; i += 1) {
      const { statusCode, headers, body } = await look();
      expect(statusCode).toBe(200);
      expect(headers).toMatchObject({
        'Content-Type': 'text/html; charset=utf-8',
        'Cache-Control': 'no-store',
        'Referrer-Policy': 'no-referrer',
        'Content-Security-Policy': expect.stringContaining("default-src 'none'"),
      });
      expect(body).toContain('cleanup_disk(path=/var) on web-01');
      expect(body).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;more&#39;');
      expect(body).not.toContain('<script');
      expect(body).toContain('<form method="post">');
      expect(body).toContain(`<a href="${incidentLink(asking.incidentId)}" rel="noreferrer">`);
    }
    expect(answers).toEqual([]);
  });

  it.each([
    ['approved', 'Approved', [{ incidentId: asking.incidentId, step: 1 }]],
    ['rejected', 'Rejected', []],
  ] as const)('takes %s once', async (answer, title, messages) => {
    const { form, sent, look, answers } = await prepare();
    expect((await form(`answer=${answer}&by=Ann+B.`)).body).toContain(`<h1>${title}</h1>`);
    expect(answers).toEqual([
      { incidentId: asking.incidentId, step: 1, proposalHash: HASH, answer, by: 'Ann B.' },
    ]);
    const again = await form('answer=approved&by=Bob');
    expect(again.statusCode).toBe(409);
    expect(again.body).toContain(`It was ${answer} by Ann B.`);
    expect(sent).toEqual(messages);
    const shown = await look();
    expect(shown.body).toContain('no longer open');
    expect(shown.body).not.toContain('<form');
  });

  it.each(['answer=approved', 'by=Ann', 'answer=perhaps&by=Ann', '', 'answer=approved&by=+'])(
    'takes no half answer: %j',
    async (body) => {
      const { form, answers } = await prepare();
      expect((await form(body)).statusCode).toBe(400);
      expect(answers).toEqual([]);
    },
  );

  it('that was changed, or has expired, or cannot be checked, is refused for both', async () => {
    const { look, form, query, pass, answers } = await prepare();
    const changed = { ...query, proposal: 'cd'.repeat(32) };
    expect((await look(changed)).statusCode).toBe(403);
    expect((await form('answer=approved&by=Ann', changed)).statusCode).toBe(403);
    pass(600_000);
    expect((await look()).statusCode).toBe(403);
    expect((await form('answer=approved&by=Ann')).statusCode).toBe(403);
    expect(answers).toEqual([]);
    const keyless = await prepare(asking, '');
    expect((await keyless.look()).statusCode).toBe(403);
  });

  it('about what is gone says so', async () => {
    const { look, form } = await prepare(anIncident({ incidentId: 'inc_0123456789abcdef01234567' }));
    expect((await look()).statusCode).toBe(404);
    expect((await form('answer=approved&by=Ann')).statusCode).toBe(409);
  });

  it('is made only with a key, and only for a proposal', () => {
    const where = { publicBaseUrl: 'https://remedia.test' };
    expect(approvalLink({ ...where, key: undefined }, asking, decision)).toBeUndefined();
    const { proposalHash: _, ...nothing } = decision;
    expect(approvalLink({ ...where, key: KEY }, asking, nothing)).toBeUndefined();
  });
});

describe('a program', () => {
  const yes = { proposal: HASH, answer: 'approved', by: 'bot' };

  it('answers with a token, once', async () => {
    const { json, sent } = await prepare();
    expect(await json(yes)).toMatchObject({
      status: 200,
      json: { incidentId: asking.incidentId, answer: 'approved' },
    });
    expect(await json(yes)).toMatchObject({ status: 409 });
    expect(sent).toHaveLength(1);
  });

  it.each([
    [{}, 401],
    [{ Authorization: 'Bearer somebody' }, 401],
  ])('without a right token is refused: %j', async (headers, status) => {
    const { json, answers } = await prepare();
    expect(await json(yes, headers)).toMatchObject({ status });
    expect(answers).toEqual([]);
  });

  it.each([
    [{ ...yes, proposal: 'x' }, 'proposal'],
    [{ ...yes, answer: 'yes' }, 'answer'],
    [{ ...yes, by: '' }, 'by'],
    [{ ...yes, step: 3 }, 'step'],
    ['text', ''],
  ])('is told which field is wrong: %j', async (body, field) => {
    const { json, answers } = await prepare();
    const answer = await json(body);
    expect(answer).toMatchObject({ status: 400, json: { errors: [{ field }] } });
    expect(answers).toEqual([]);
  });

  it('that means another incident or another proposal changes nothing', async () => {
    const { json } = await prepare();
    expect(await json({ ...yes, proposal: 'cd'.repeat(32) })).toMatchObject({ status: 409 });
    expect(await json(yes, undefined, 'inc_000000000000000000000000')).toMatchObject({ status: 404 });
  });
});
