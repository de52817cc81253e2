/** The page that a reading link opens: everything a human needs at night, nothing that an alert could make of it. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decision, ESCALATIONS, INCIDENT_STATES, type Incident, OUTCOMES } from '#lib/core/incident.ts';
import { makeIncidentEndpoint } from '#lib/endpoints/incident-endpoint.ts';
import { timelinePage } from '#lib/endpoints/timeline-page.ts';
import { makeIncidentLink } from '#lib/runtime/incident-link.ts';
import { aContext } from '#test/builders/host-contexts.ts';
import { anHttpEvent } from '#test/builders/http-events.ts';
import { anAlert, anIncident, NOON } from '#test/builders/incidents.ts';
import { createMemoryIncidents } from '#test/fakes/incidents-memory.ts';
import { createMemoryLog } from '#test/fakes/log-memory.ts';

const KEY = 'a-key-of-many-letters';
const DAY = 86_400_000;

/** An incident in which every text is the given one. */
const everywhere = (text: string): Incident => {
  const decision: Decision = {
    decisionId: 'inc_0123456789abcdef01234567#1',
    step: 1,
    at: NOON + 2_000,
    verdict: {
      kind: 'remediate',
      autonomy: 'auto',
      tool: 'restart_service',
      arguments: { service_name: text },
      node: text,
      reasons: [{ code: 'chosen_by_model', text }],
    },
    proposal: { kind: 'refusal', code: 'ungrounded_value', reason: text },
    model: { model: text, promptHash: 'ab', answer: text, totalMilliseconds: 4_200 },
    policyHash: 'cd'.repeat(32),
    expiresAt: NOON + DAY,
    approval: { answer: 'approved', by: text, at: NOON + 3_000 },
    dispatch: {
      claimedAt: NOON + 3_000,
      sent: 'yes',
      executionId: text,
      executionUrl: 'https://rundeck.test/execution/77',
      executionStatus: text,
      endedAt: NOON + 9_000,
      output: text,
    },
  };
  return anIncident({
    state: 'closed',
    outcome: 'failed',
    escalation: 'delivered',
    closedAt: NOON + 65_000,
    alert: anAlert({
      eventName: text,
      opdata: text,
      host: { host: text, name: `${text}.`, ip: text },
      item: { key: text },
      hostGroups: [text],
      // Zabbix keeps tags that begin with two underscores to itself, and so does the page.
      tags: [{ tag: `of ${text}`, value: text }],
    }),
    zabbix: aContext({ otherProblems: 1, otherProblemNames: [text] }),
    decisions: [decision],
    message: {
      kind: 'escalation',
      incidentId: text,
      subject: text,
      body: text,
      severity: 3,
      team: text,
      links: [{ title: 'Approve or reject', url: 'https://remedia.test/approve?signature=never-shown' }],
    },
    timeline: [
      { at: NOON, kind: 'received', text },
      { at: NOON + 65_000, kind: 'closed', text },
    ],
  });
};

const zabbixUrl = 'https://zabbix.test';
const markupOf = (incident: Incident, now = NOON + DAY): string => {
  const answer = timelinePage(incident, { now, zabbixUrl });
  return 'html' in answer ? answer.html : '';
};
const wordsOf = (incident: Incident): string =>
  markupOf(incident)
    .replace(/<style>.*<\/style>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

async function prepare(incident: Incident, key: string | undefined = KEY) {
  let now = NOON;
  const table = createMemoryIncidents({ clock: () => now });
  await table.createIncident(incident);
  const handler = makeIncidentEndpoint({
    ...table,
    tokens: ['operator'],
    source: 'zabbix',
    linkKey: key,
    clock: () => now,
    log: createMemoryLog().log,
  });
  const link = makeIncidentLink({ publicBaseUrl: 'https://remedia.test', key: KEY, validDays: 7 });
  const query = (id = incident.incidentId): Record<string, string> =>
    Object.fromEntries(new URL(link(id, NOON)).searchParams);
  return {
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    query,
    open: (queryStringParameters = query(), id = incident.incidentId, over = {}) =>
      handler(anHttpEvent({ pathParameters: { id }, queryStringParameters, ...over }), {}),
  };
}

describe('a reading link', () => {
  it('opens the page without a token, and the page loads, runs and posts nothing', async () => {
    const { open } = await prepare(everywhere('web-01'));

    const { statusCode, headers, body } = await open();

    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'Content-Security-Policy': expect.stringMatching(
        /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
      ),
    });
    expect(body).not.toMatch(/<(script|form|img|link|iframe)|style=| on\w+=|never-shown/);
  });

  it.each([
    ['has expired', 7 * DAY, (query: Record<string, string>) => query],
    ['was changed', 0, (query: Record<string, string>) => ({ ...query, signature: 'ab'.repeat(32) })],
    ['was cut', 0, (query: Record<string, string>) => ({ ...query, signature: 'ab' })],
  ])('that %s says so and shows nothing', async (_, milliseconds, change) => {
    const { open, query, pass } = await prepare(everywhere('web-01'));
    pass(milliseconds);

    const { statusCode, body } = await open(change(query()));

    expect(statusCode).toBe(403);
    expect(body).toContain('<h1>This link is not valid</h1>');
    expect(body).not.toContain('web-01');
  });

  it('of another incident opens nothing, and neither does any without a key', async () => {
    const { open, query } = await prepare(everywhere('web-01'));
    expect((await open(query('inc_000000000000000000000001'))).statusCode).toBe(403);

    const keyless = await prepare(everywhere('web-01'), '');
    expect((await keyless.open()).statusCode).toBe(403);
  });

  it('to what is not there any more says so', async () => {
    const { open, query } = await prepare(everywhere('web-01'));
    const gone = 'inc_000000000000000000000001';

    const { statusCode, body } = await open(query(gone), gone);

    expect(statusCode).toBe(404);
    expect(body).toContain('<h1>There is no such incident</h1>');
  });

  it('changes nothing for a program with a token, and nothing for nobody', async () => {
    const { open, query } = await prepare(everywhere('web-01'));

    const byToken = await open(query(), undefined, { headers: { Authorization: 'Bearer operator' } });
    expect(byToken.headers).toMatchObject({ 'Content-Type': 'application/json' });
    expect((await open(query(), undefined, { headers: { Authorization: 'Bearer none' } })).statusCode).toBe(
      401,
    );
    expect((await open({})).statusCode).toBe(401);
    expect((await open(query(), undefined, { httpMethod: 'POST' })).statusCode).toBe(405);
  });

  it('opens no list', async () => {
    const { open, query } = await prepare(everywhere('web-01'));

    expect((await open(query(), undefined, { pathParameters: null })).statusCode).toBe(401);
  });
});

describe('the page', () => {
  it('tells what happened, what was decided and why, what ran, who knows, and when', () => {
    const incident: Incident = {
      ...everywhere('web-01'),
      alert: anAlert({ eventName: 'nginx is down', host: { host: 'web-01' } }),
    };

    const words = wordsOf(incident);

    for (const expected of [
      'Not mended: nginx is down',
      'Began 2026-03-01 12:00:00, closed 1 min 5 s later',
      'Host web-01',
      'Severity average',
      'Run restart_service(service_name=web-01) on web-01.',
      'Asked web-01, in 4.2 s',
      'refused (ungrounded_value): web-01',
      'web-01 approved it, 2026-03-01 12:00:03',
      'Policy cdcdcdcdcdcd',
      'Took 6.0 s',
      'The end of its output: web-01',
      'A human was told',
      'Message web-01',
      '2026-03-01 12:01:05 · 1 min 5 s after it began',
    ])
      expect(words).toContain(expected);
    const decisions = incident.decisions.map(({ model: _, ...rest }) => ({
      ...rest,
      decider: 'rules' as const,
    }));
    expect(wordsOf({ ...incident, decisions })).toContain(
      'Asked no model; evidence and words alone choose here',
    );
    expect(markupOf(incident)).toContain('<a href="https://rundeck.test/execution/77" rel="noreferrer">');
    expect(markupOf(incident)).toContain(
      '<a href="https://zabbix.test/tr_events.php?triggerid=23456&amp;eventid=4711" rel="noreferrer">',
    );
  });

  it('tells what Zabbix said of the host', () => {
    const zabbix = aContext({ otherProblems: 2, otherProblemNames: ['Swap is full', 'CPU is busy'] });
    const words = wordsOf(anIncident({ zabbix }));

    expect(words).toContain('Zabbix said: the problem is open; 2 other problems are open on this host.');
    expect(words).toContain('Also open there Swap is full, CPU is busy');
    expect(wordsOf(anIncident())).not.toContain('Zabbix said');
  });

  it('says of a simulation in the first place that it is one, and that nobody was told', () => {
    const words = wordsOf(anIncident({ mode: 'simulate', state: 'closed', outcome: 'simulated' }));

    expect(words).toContain('Simulated. Nothing left Remedia: no job was run, and nobody was told.');
    expect(words).toContain('What is only simulated reaches nobody.');
  });

  it.each(INCIDENT_STATES.flatMap((state) => ESCALATIONS.map((escalation) => ({ state, escalation }))))(
    'looks again by itself until all is done and told: $state, $escalation',
    ({ state, escalation }) => {
      const markup = markupOf(anIncident({ state, escalation }));

      const done = state === 'closed' && escalation !== 'pending';
      expect(markup.includes('http-equiv="refresh"')).toBe(!done);
    },
  );

  it.each(OUTCOMES)('has words for the end %s', (outcome) => {
    const words = wordsOf(anIncident({ state: 'closed', outcome, closedAt: NOON + 1000 }));

    expect(words).toContain('closed 1.0 s later');
    expect(words).not.toContain('undefined');
  });

  it.each([
    [950, '0.9 s ago'],
    [42_000, '42 s ago'],
    [3_599_000, '59 min 59 s ago'],
    [7_800_000, '2 h 10 min ago'],
    [3 * DAY + 4 * 3_600_000, '3 d 4 h ago'],
    [-1, '0.0 s ago'],
  ])('says %i ms as "%s"', (milliseconds, words) => {
    expect(markupOf(anIncident(), NOON + milliseconds)).toContain(words);
  });

  it('tells of a record without an alert what there is', () => {
    const { alert: _, ...bare } = anIncident({
      coveredBy: 'storm/zabbix',
      state: 'closed',
      outcome: 'handed_over',
    });

    const words = wordsOf(bare);

    expect(words).toContain('Handed over: Event 4711');
    expect(words).toContain('By the message of storm/zabbix.');
    expect(words).toContain('Nothing was run.');
  });

  it('names a decision that did nothing, a job that nobody knows of, and one that has only begun', () => {
    const [decision] = everywhere('x').decisions;
    if (decision === undefined) throw new Error('no decision');
    const { proposal: _p, model: _m, approval: _a, dispatch: _d, ...bare } = decision;
    const having = (dispatch: Decision['dispatch']) =>
      wordsOf(anIncident({ decisions: [{ ...bare, ...(dispatch && { dispatch }) }] }));

    expect(having(undefined)).toContain('Nothing was run.');
    expect(having({ claimedAt: NOON, sent: 'no' })).toContain('Nothing was run.');
    expect(having({ claimedAt: NOON, sent: 'unknown' })).toContain(
      'no execution is known: nobody knows whether it ran',
    );
    expect(having({ claimedAt: NOON, sent: 'yes', executionId: '77' })).toContain('execution 77: started');
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'execution/77', ''])(
    'makes no link of what is no web address: %j',
    (executionUrl) => {
      const incident = everywhere('x');
      const [decision] = incident.decisions;
      if (decision?.dispatch === undefined) throw new Error('no dispatch');
      const dispatch = { ...decision.dispatch, executionUrl };

      const markup = markupOf({ ...incident, decisions: [{ ...decision, dispatch }] });

      expect(markup.match(/<a /g)).toHaveLength(1);
    },
  );

  it('hides what is for machines, and secrets that a job printed', () => {
    const tags = [
      { tag: 'env', value: 'prod' },
      { tag: '__remedia_link', value: 'https://remedia.test/?signature=abc' },
      { tag: 'alone', value: '' },
    ];
    const incident = {
      ...everywhere('curl -H "Authorization: Bearer s3cret-token"'),
      alert: anAlert({ tags }),
    };

    const words = wordsOf(incident);

    expect(words).toContain('env: prod, alone');
    expect(words).not.toMatch(/signature=abc|__remedia/);
    expect(words).toContain('The end of its output: curl -H &quot;Authorization: Bearer [redacted]');
  });

  it('is made of the same elements whatever an alert, a model, a host or a human says', () => {
    const skeleton = (markup: string) => markup.match(/<[^>]*>/g);
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
      fc.constantFrom(
        '<script>alert(1)</script>',
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        '</pre></style></title><svg onload=alert(1)>',
        '&lt;script&gt;',
        '{{7*7}}<%= 7 %>',
        '\u202egnp.exe\u0000\u001b[31m',
        '\ud800<b>',
      ),
    );
    const expected = skeleton(markupOf(everywhere('x')));
    fc.assert(
      fc.property(hostile, (text) => {
        const markup = markupOf(everywhere(text));
        expect(skeleton(markup)).toEqual(expected);
        expect(markup).not.toMatch(/[^\P{Cc}\n\t]|\p{Bidi_Control}/u);
        expect(markup.isWellFormed()).toBe(true);
      }),
    );
  });
});
