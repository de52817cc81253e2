/** What humans are told: facts by code, bounded, without control characters, with the links they need. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Decision, Incident, Reason } from '#lib/core/incident.ts';
import {
  approvalMessage,
  commentOf,
  deadLetterMessage,
  escalationMessage,
  findingsMessage,
  stormMessage,
} from '#lib/core/messages.ts';
import { aContext } from '#test/builders/host-contexts.ts';
import { anAlert, anIncident, NOON } from '#test/builders/incidents.ts';

const where = {
  incidentLink: (id: string) => `https://remedia.test/api/v1/incidents/${id}`,
  now: NOON + 120_000,
};
const LINK = 'https://remedia.test/api/v1/incidents/inc_0123456789abcdef01234567';
const why: readonly Reason[] = [{ code: 'problem_remains', text: 'Zabbix still sees the problem.' }];
const aDecision = (over: Partial<Decision> = {}): Decision => ({
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
  expiresAt: NOON + 720_000,
  ...over,
});
const ran = (dispatch: NonNullable<Decision['dispatch']>): Incident =>
  anIncident({ decisions: [aDecision({ dispatch })] });
const analysed = (
  output: string | undefined,
  more: Partial<NonNullable<Decision['dispatch']>> = {},
): Incident =>
  anIncident({
    decisions: [
      aDecision({
        verdict: {
          kind: 'remediate',
          autonomy: 'auto',
          tool: 'analyze_processes',
          arguments: { resource_type: 'cpu' },
          node: 'web-01',
          reasons: [],
        },
        dispatch: {
          claimedAt: NOON,
          sent: 'yes',
          endedAt: NOON + 1000,
          ...(output !== undefined && { output }),
          ...more,
        },
      }),
    ],
  });
const withoutAlert = (over: Partial<Incident> = {}): Incident => {
  const { alert: _, ...rest } = anIncident(over);
  return rest;
};

describe("Zabbix's word on the host", () => {
  const bodyOf = (zabbix: Incident['zabbix']) =>
    escalationMessage({ ...where, incident: anIncident({ ...(zabbix && { zabbix }) }), reasons: why }).body;

  it('is told, with the names of what else is open there', () => {
    const body = bodyOf(aContext({ otherProblems: 2, otherProblemNames: ['Disk "/" is\u2028full', 'b'] }));

    expect(body).toContain('Zabbix said: the problem is open; 2 other problems are open on this host.\n');
    expect(body).toContain('Also open there: "Disk "/" is full", "b"\n');
  });

  it('is left out when there is none, or nothing to name', () => {
    expect(bodyOf(undefined)).not.toContain('Zabbix said');
    expect(bodyOf(aContext())).not.toContain('Also open');
  });
});

describe('an escalation', () => {
  it('says what happened, why a human, what was tried, the last steps, and where to look', () => {
    const incident = anIncident({
      alert: anAlert({ opdata: '97 % used', host: { host: 'web-01', ip: '192.0.2.7' } }),
      decisions: [
        aDecision({
          dispatch: {
            claimedAt: NOON,
            sent: 'yes',
            executionId: '77',
            executionStatus: 'succeeded',
            executionUrl: 'https://rundeck.test/execution/77',
          },
        }),
      ],
    });
    const told = escalationMessage({
      ...where,
      incident,
      reasons: why,
      zabbixUrl: 'https://zabbix.test',
      team: 'storage',
      priority: 'high',
    });
    expect(told).toEqual({
      kind: 'escalation',
      incidentId: 'inc_0123456789abcdef01234567',
      subject: 'Needs a human: /var: Disk space is low on web-01',
      body: [
        'Problem: /var: Disk space is low',
        'Host: web-01 (192.0.2.7), severity average, event 4711 of zabbix',
        'Data: 97 % used',
        'It began 2m ago and is not known to be over.',
        'Why you: Zabbix still sees the problem.',
        'Tried: cleanup_disk {"path":"/var"} on web-01 (execution 77): succeeded.',
        'Steps:',
        '- 12:00:00 The alert arrived.',
      ].join('\n'),
      severity: 3,
      team: 'storage',
      priority: 'high',
      links: [
        { title: 'Timeline', url: 'https://remedia.test/api/v1/incidents/inc_0123456789abcdef01234567' },
        { title: 'Zabbix event', url: 'https://zabbix.test/tr_events.php?triggerid=23456&eventid=4711' },
        { title: 'Rundeck execution', url: 'https://rundeck.test/execution/77' },
      ],
    });
  });

  it.each([
    ['unknown', 'nobody knows whether it ran'],
    ['yes', 'started'],
  ] as const)('says of a job without a status what is known (sent: %s)', (sent, text) => {
    const { body } = escalationMessage({ ...where, incident: ran({ claimedAt: NOON, sent }), reasons: why });
    expect(body).toContain(`Tried: cleanup_disk {"path":"/var"} on web-01: ${text}.`);
  });

  it.each([
    ['was never sent', ran({ claimedAt: NOON, sent: 'no' })],
    ['was never claimed', anIncident({ decisions: [aDecision()] })],
    [
      'does not exist',
      anIncident({
        decisions: [
          aDecision({
            verdict: { kind: 'escalate', reasons: [] },
            dispatch: { claimedAt: NOON, sent: 'yes' },
          }),
        ],
      }),
    ],
  ])('says that nothing was run when the job %s', (_, incident) => {
    expect(escalationMessage({ ...where, incident, reasons: why }).body).toContain('Tried: nothing was run.');
  });

  it('says that it is over, and that no reason is known, when that is so', () => {
    const { body } = escalationMessage({
      ...where,
      incident: anIncident({ recoveredAt: NOON }),
      reasons: [],
    });
    expect(body).toContain('Zabbix says that it is over.');
    expect(body).toContain('no reason was recorded');
  });

  it('tells of a record without an alert what there is', () => {
    const told = escalationMessage({
      ...where,
      incident: withoutAlert(),
      reasons: why,
      zabbixUrl: 'https://zabbix.test',
    });
    expect(told).toMatchObject({ severity: 0, subject: 'Needs a human: event 4711' });
    expect(told.body).toContain('Event 4711 of zabbix.');
    expect(told.links).toHaveLength(1);
  });

  it.each([
    [{ message: 'Look at the disk.' }, 'The model says: "Look at the disk."'],
    [{ message: '' }, undefined],
  ])('marks the words of the model, if any: %j', (notification, line) => {
    const { body } = escalationMessage({ ...where, incident: anIncident(), reasons: why, notification });
    if (line === undefined) expect(body).not.toContain('The model says');
    else expect(body).toContain(line);
  });

  it('is bounded, and nothing in an alert can break a line or turn the text around', () => {
    const text = fc.string({ unit: 'binary', maxLength: 3000 });
    fc.assert(
      fc.property(text, text, fc.array(text, { maxLength: 30 }), (eventName, opdata, steps) => {
        const incident = anIncident({
          alert: anAlert({ eventName, opdata }),
          timeline: steps.map((step) => ({ at: NOON, kind: 'held' as const, text: step })),
        });
        const { subject, body } = escalationMessage({
          ...where,
          incident,
          reasons: why,
          notification: { message: opdata },
        });
        expect(subject.length).toBeLessThanOrEqual(200);
        expect(body.length).toBeLessThanOrEqual(6000);
        expect(subject).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
        expect(body.split('\n').length).toBeLessThanOrEqual(30);
        expect(body.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

it('asks for a yes with the exact proposal, why, until when, and the link first', () => {
  const links = [{ title: 'Approve or reject', url: 'https://remedia.test/a' }];
  const told = approvalMessage({ ...where, incident: anIncident(), decision: aDecision(), links });
  expect(told).toMatchObject({ kind: 'approval', subject: 'May I? /var: Disk space is low on web-01' });
  expect(told.body).toContain('Proposal: Ask a human whether to run cleanup_disk(path=/var) on web-01.');
  expect(told.body).toContain('The policy wants a yes.');
  expect(told.body).toContain('This question expires in 10m;');
  expect(told.links.map(({ title }) => title)).toEqual(['Approve or reject', 'Timeline']);
});

it.each([
  ['java 42 %\n\tpostgres 17 %\u001b[0m\u0007', 'Findings:\njava 42 %\n\tpostgres 17 % [0m'],
  [' \n ', 'Findings:\nThe job printed nothing.'],
  [undefined, 'Findings:\nThe job printed nothing.'],
])('hands over findings line by line: %j', (output, text) => {
  const { body, subject } = findingsMessage({ ...where, incident: analysed(output), reasons: [] });
  expect(subject).toContain('Findings: ');
  expect(body).not.toContain('Remedia thinks');
  expect(body.endsWith(text)).toBe(true);
});

it('keeps the end of findings that are too long', () => {
  const incident = analysed(`${'x'.repeat(9000)}END`);
  const { body } = findingsMessage({ ...where, incident, reasons: [] });
  expect(body.endsWith('END')).toBe(true);
  expect(body.length).toBeLessThan(4000);
});

it('says with findings what Remedia and the model make of them, and leaves out the line for programs', () => {
  const findings = { resource: 'cpu' as const, top: [] };
  const { body } = findingsMessage({
    ...where,
    incident: analysed('93 wiki\n{"tool":"analyze_processes"}', { findings }),
    reasons: [{ code: 'model_asks_for_human', text: 'The model says that a human should look.' }],
    notification: { message: 'Look at the wiki.' },
  });
  expect(body).toContain('Remedia thinks: The model says that a human should look.');
  expect(body).toContain('The model says: "Look at the wiki."');
  expect(body.endsWith('Findings:\n93 wiki')).toBe(true);
});

it.each([
  ['an escalation', (incident: Incident) => escalationMessage({ ...where, incident, reasons: why })],
  [
    'a question',
    (incident: Incident) => approvalMessage({ ...where, incident, decision: aDecision(), links: [] }),
  ],
])('puts what was found before it into %s', (_, write) => {
  expect(write(analysed('93 wiki')).body).toContain('Findings:\n93 wiki');
});

it('tells a storm once for all, and a dead letter as it is', () => {
  expect(stormMessage({ source: 'zabbix', alerts: 120, within: '5m' })).toMatchObject({
    incidentId: 'storm/zabbix',
    priority: 'critical',
    body: expect.stringContaining('120 problems arrived within 5m'),
  });
  expect(deadLetterMessage({ queue: 'remedia-jobs\ndead', messageId: 'm-1' })).toMatchObject({
    incidentId: 'dead-letter/m-1',
    subject: 'Remedia could not read a message of the queue remedia-jobs dead',
  });
});

describe('a comment', () => {
  it('says how it ended, what was decided and tried, whether a human knows, and where to read more', () => {
    const incident = anIncident({
      outcome: 'failed',
      escalation: 'delivered',
      decisions: [aDecision({ dispatch: { claimedAt: NOON, sent: 'yes', executionStatus: 'failed' } })],
    });
    expect(commentOf(incident, LINK).split('\n')).toEqual([
      'Remedia: failed.',
      'Ask a human whether to run cleanup_disk(path=/var) on web-01.',
      'The policy wants a yes.',
      'Tried: cleanup_disk {"path":"/var"} on web-01: failed.',
      'A human was told.',
      'https://remedia.test/api/v1/incidents/inc_0123456789abcdef01234567',
    ]);
  });

  it('of an incident that was not decided says where it stands', () => {
    expect(commentOf(anIncident(), LINK)).toMatch(/^Remedia: received\.\nTried: nothing/);
  });

  it('fits what Zabbix takes', () => {
    const reasons = Array.from({ length: 40 }, () => ({ code: 'denied' as const, text: 'x'.repeat(100) }));
    const incident = anIncident({ decisions: [aDecision({ verdict: { kind: 'escalate', reasons } })] });
    const comment = commentOf(incident, LINK);
    expect(comment).toHaveLength(2000);
    expect(comment).toMatch(/incidents\/inc_0123456789abcdef01234567$/);
  });
});
