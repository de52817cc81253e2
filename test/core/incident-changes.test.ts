/** The changes of an incident: what each does, when it does nothing, and that none forgets the timeline. */
import { describe, expect, it } from 'vitest';
import type { Decision, HumanMessage, Incident, Verdict } from '#lib/core/incident.ts';
import {
  answerApproval,
  claim,
  claimTelling,
  close,
  doneSince,
  hold,
  lookAgain,
  MOST_MESSAGE_ATTEMPTS,
  noteCommented,
  noteDispatched,
  noteExecution,
  noteNotTold,
  noteRecovery,
  noteRepeat,
  noteRequeued,
  noteSending,
  noteTold,
  noteUpdate,
  noteZabbix,
  openIncident,
  openRecovered,
  openRejected,
  openStorm,
  pend,
  recordDecision,
  release,
  reopen,
  saysWhat,
  stepToDecide,
} from '#lib/core/incident-changes.ts';
import { aContext } from '#test/builders/host-contexts.ts';
import { anAlert, anIncident, NOON } from '#test/builders/incidents.ts';

const later = NOON + 5_000;
const message: HumanMessage = {
  kind: 'escalation',
  incidentId: 'inc_0123456789abcdef01234567',
  subject: 'Needs a human',
  body: 'Look.',
  severity: 3,
  links: [],
};
const job = {
  tool: 'cleanup_disk',
  arguments: { path: '/var', min_size: '100M' },
  node: 'web-01',
  reasons: [{ code: 'chosen_by_model', text: 'The model chose it.' }],
} as const;
const remediate: Verdict = { kind: 'remediate', autonomy: 'auto', ...job };
const aDecision = (over: Partial<Decision> = {}): Decision => ({
  decisionId: 'inc_0123456789abcdef01234567#1',
  step: 1,
  at: NOON,
  verdict: remediate,
  expiresAt: NOON + 900_000,
  ...over,
});
const claimed = (sent: 'no' | 'yes' | 'unknown' = 'no', over: Partial<Incident> = {}): Incident =>
  anIncident({
    state: 'dispatching',
    decisions: [aDecision({ dispatch: { claimedAt: NOON, sent } })],
    ...over,
  });
const last = (incident: Incident | undefined) => incident?.timeline.at(-1);

describe("Zabbix's word", () => {
  it('is kept, and noted once while it stays the same', () => {
    const once = noteZabbix(anIncident(), aContext(), later);
    const twice = noteZabbix(once, aContext({ at: later }), later);

    expect(last(once)).toEqual({
      at: later,
      kind: 'zabbix_asked',
      text: 'Zabbix said: the problem is open.',
    });
    expect(twice.zabbix).toEqual(aContext({ at: later }));
    expect(twice.timeline).toEqual(once.timeline);
  });

  it('is forgotten when Zabbix is not heard any more, and that is said', () => {
    const silent = noteZabbix(noteZabbix(anIncident(), aContext(), NOON), 'Zabbix was not heard.', later);

    expect(silent).not.toHaveProperty('zabbix');
    expect(last(silent)?.text).toBe('Zabbix was not heard.');
  });
});

describe('the beginning', () => {
  it('of a problem waits for its decision, and the sweeper looks after it', () => {
    const facts = {
      incidentId: 'inc_1',
      alert: anAlert(),
      mode: 'live',
      now: NOON,
      decideWithinMs: 900_000,
    } as const;
    expect(openIncident(facts)).toEqual({
      incidentId: 'inc_1',
      source: 'zabbix',
      eventId: '4711',
      mode: 'live',
      state: 'received',
      escalation: 'none',
      alert: anAlert(),
      hostKey: 'zabbix/web-01',
      openedAt: NOON,
      updatedAt: NOON,
      decideBy: NOON + 900_000,
      dueAt: NOON + 60_000,
      decisions: [],
      timeline: [{ at: NOON, kind: 'received', text: '/var: Disk space is low on web-01, severity 3.' }],
      version: 1,
    });
  });

  it('of an event of which only the recovery came is its end', () => {
    const alert = anAlert({ kind: 'recovery' });
    const incident = openRecovered({ incidentId: 'inc_1', alert, mode: 'live', now: NOON });
    expect(openRecovered({ incidentId: 'inc_1', alert, mode: 'live', now: NOON, traceId: 't' }).traceId).toBe(
      't',
    );
    expect(incident).toMatchObject({
      state: 'closed',
      outcome: 'recovered_before_action',
      escalation: 'none',
      recoveredAt: NOON,
      closedAt: NOON,
    });
    expect(incident).not.toHaveProperty('alert');
    expect(incident).not.toHaveProperty('dueAt');
  });

  it('of a post that is no alert is its end, told when it is the first of its kind', () => {
    const facts = { incidentId: 'inc_1', source: 'zabbix', mode: 'live', now: NOON, text: 'No.' } as const;
    expect(openRejected(facts)).toMatchObject({ state: 'closed', outcome: 'rejected', escalation: 'none' });
    expect(openRejected(facts)).not.toHaveProperty('dueAt');
    expect(openRejected({ ...facts, message })).toMatchObject({
      escalation: 'pending',
      message,
      messageAttempts: 0,
      dueAt: NOON + 60_000,
    });
  });

  it('of a storm is its end, and its summary is to be told', () => {
    expect(openStorm({ incidentId: 'inc_1', source: 'zabbix', now: NOON, message })).toMatchObject({
      mode: 'live',
      state: 'closed',
      outcome: 'handed_over',
      escalation: 'pending',
      message,
      dueAt: NOON + 60_000,
      hostKey: 'zabbix/storm',
      timeline: [{ kind: 'received', text: 'Needs a human' }],
    });
  });

  it('takes control characters out of what is noted, and cuts it', () => {
    const alert = anAlert({ eventName: `a\u0000\u001b[31m\u202eb\u2028${'x'.repeat(900)}` });
    const { timeline } = openIncident({ incidentId: 'i', alert, mode: 'live', now: NOON, decideWithinMs: 1 });
    expect(timeline[0]?.text).toMatch(/^a \[31m b x+$/);
    expect(timeline[0]?.text).toHaveLength(500);
  });
});

describe('what Zabbix posts', () => {
  it('again is noted', () => {
    expect(noteRepeat(anIncident(), later)).toMatchObject({ updatedAt: later, state: 'received' });
    expect(last(noteRepeat(anIncident(), later))?.kind).toBe('repeated');
  });

  it.each([
    ['an undecided incident takes the new severity', anIncident(), 5, 5],
    ['an update without a new severity changes nothing', anIncident(), 3, 3],
    [
      'a decided incident keeps the severity it was decided by',
      anIncident({ decisions: [aDecision()] }),
      5,
      3,
    ],
  ] as const)('%s', (_, incident, severity, expected) => {
    const updated = noteUpdate(incident, anAlert({ kind: 'update', severity }), later);
    expect(updated.alert?.severity).toBe(expected);
    expect(last(updated)?.kind).toBe('updated');
  });

  it('as an update of an incident without an alert is noted', () => {
    const { alert: _, ...rest } = anIncident();
    expect(last(noteUpdate(rest, anAlert(), later))?.text).toBe('Zabbix posted an update.');
  });

  it.each(['post', 'api'] as const)('as the recovery counts once (%s)', (by) => {
    const recovered = noteRecovery(anIncident({ dueAt: NOON + 1 }), NOON + 1, later, by);
    expect(recovered).toMatchObject({ recoveredAt: NOON + 1, updatedAt: later, dueAt: NOON + 1 });
    expect(recovered && noteRecovery(recovered, later, later, by)).toBeUndefined();
  });

  it('as the recovery makes an open question due', () => {
    const open = anIncident({ state: 'awaiting_approval', dueAt: NOON + 1_800_000 });
    expect(noteRecovery(open, later, later, 'post')?.dueAt).toBe(later);
  });
});

describe('a decision', () => {
  it('that waits is noted once for each reason', () => {
    const held = hold(anIncident(), NOON, 'Paused.', NOON + 60_000);
    expect(held).toMatchObject({ state: 'held', dueAt: NOON + 60_000 });
    const again = hold(held, later, 'Paused.', later + 60_000);
    expect(again).toMatchObject({ updatedAt: later, dueAt: later + 60_000 });
    expect(again.timeline).toEqual(held.timeline);
    expect(hold(again, later, 'Busy.', later).timeline).toHaveLength(held.timeline.length + 1);
  });

  it.each([
    ['remediate', remediate, 'decided', NOON + 60_000],
    [
      'needs_approval',
      { kind: 'needs_approval', autonomy: 'approve', ...job },
      'awaiting_approval',
      NOON + 900_000,
    ],
    ['observe', { kind: 'observe', autonomy: 'observe', ...job }, 'decided', NOON + 60_000],
    ['ignore', { kind: 'ignore', reasons: [] }, 'decided', NOON + 60_000],
    ['escalate', { kind: 'escalate', reasons: [] }, 'decided', NOON + 60_000],
  ] as const)('to %s leads to its state', (_, verdict, state, dueAt) => {
    const decided = recordDecision(anIncident(), aDecision({ verdict }), NOON);
    expect(decided).toMatchObject({ state, dueAt, decisions: [{ verdict }] });
    expect(last(decided)?.kind).toBe('decided');
  });

  it.each([
    ['nothing', undefined, 'nothing'],
    [
      'a proposal',
      { kind: 'proposal', tool: 'cleanup_disk', arguments: { path: '/var' } },
      'cleanup_disk {"path":"/var"}',
    ],
    ['a refusal', { kind: 'refusal', code: 'no_call', reason: 'It talked.' }, 'no_call, It talked.'],
  ] as const)('says what the model answered: %s', (_, proposal, text) => {
    const model = { model: 'llama3.2', promptHash: 'a', totalMilliseconds: 1234 };
    const decision = aDecision({ model, ...(proposal && { proposal }) });
    const { timeline } = recordDecision(anIncident(), decision, NOON);
    expect(timeline.at(-2)).toEqual({
      at: NOON,
      kind: 'model_asked',
      text: `llama3.2 answered in 1.2 s: ${text}`,
    });
  });

  it('says when the answer is one that was given before', () => {
    const model = { model: 'llama3.2', promptHash: 'a', totalMilliseconds: 0, remembered: true } as const;
    const { timeline } = recordDecision(anIncident(), aDecision({ model }), NOON);
    expect(timeline.at(-2)?.text).toBe('llama3.2 answered before: nothing');
  });

  it.each([
    [{ kind: 'proposal', tool: 'cleanup_disk', arguments: { path: '/var' } }, 'cleanup_disk {"path":"/var"}'],
    [{ kind: 'refusal', code: 'unsure', reason: 'Two are possible.' }, 'unsure, Two are possible.'],
  ] as const)('says that rules chose, and no model', (proposal, text) => {
    const { timeline } = recordDecision(anIncident(), aDecision({ decider: 'rules', proposal }), NOON);
    expect(timeline.at(-2)).toEqual({
      at: NOON,
      kind: 'chosen_by_rules',
      text: `No model is asked here; evidence and words alone: ${text}`,
    });
  });

  it.each([
    ['rules', { decider: 'rules' }],
    ['a model that failed', { proposal: { kind: 'refusal', code: 'model_busy', reason: 'Busy.' } }],
  ] as const)('says nothing of a choice where %s made none', (_, more) => {
    const { timeline } = recordDecision(anIncident(), aDecision(more), NOON);
    expect(timeline.map(({ kind }) => kind)).not.toContain('chosen_by_rules');
  });

  it('of the same step replaces, of another joins', () => {
    const first = recordDecision(anIncident(), aDecision(), NOON);
    expect(recordDecision(first, aDecision({ at: later }), later).decisions).toHaveLength(1);
    expect(recordDecision(first, aDecision({ step: 2 }), later).decisions.map(({ step }) => step)).toEqual([
      1, 2,
    ]);
  });

  it.each([
    [remediate, 'Run cleanup_disk(path=/var, min_size=100M) on web-01.'],
    [
      { kind: 'needs_approval', autonomy: 'approve', ...job },
      'Ask a human whether to run cleanup_disk(path=/var, min_size=100M) on web-01.',
    ],
    [
      { kind: 'observe', autonomy: 'observe', ...job },
      'Only observe: would run cleanup_disk(path=/var, min_size=100M) on web-01.',
    ],
    [{ kind: 'ignore', reasons: [] }, 'Ignore.'],
    [{ kind: 'escalate', reasons: [] }, 'Hand over to a human.'],
  ] as const)('is said in words: %j', (verdict, text) => {
    expect(saysWhat(aDecision({ verdict }))).toBe(text);
  });
});

describe('the end', () => {
  it('comes once, and leaves nothing due', () => {
    const closed = close(anIncident({ dueAt: NOON }), { outcome: 'verified', now: later, text: 'Over.' });
    expect(closed).toMatchObject({
      state: 'closed',
      outcome: 'verified',
      closedAt: later,
      escalation: 'none',
    });
    expect(closed).not.toHaveProperty('dueAt');
    expect(last(closed)).toEqual({ at: later, kind: 'closed', text: 'verified: Over.' });
    expect(closed && close(closed, { outcome: 'failed', now: later, text: '' })).toBeUndefined();
  });

  it('has its message pending in the same change, and is due until it is told', () => {
    const closed = close(anIncident(), { outcome: 'failed', now: later, text: '', message });
    expect(closed).toMatchObject({
      escalation: 'pending',
      message,
      messageAttempts: 0,
      dueAt: later + 60_000,
    });
  });

  it('withdraws a question that was never sent, and names who is told instead', () => {
    const asking = pend(anIncident({ state: 'awaiting_approval' }), { ...message, kind: 'approval' }, NOON);
    const closed = close(asking, { outcome: 'handed_over', now: later, text: '', coveredBy: 'storm/zabbix' });
    expect(closed).toMatchObject({ escalation: 'none', coveredBy: 'storm/zabbix' });
    expect(closed).not.toHaveProperty('message');
    expect(closed).not.toHaveProperty('messageAttempts');
  });
});

describe('a message', () => {
  const closed = pend(anIncident({ state: 'closed' }), message, NOON);
  const asking = pend(
    anIncident({ state: 'awaiting_approval', decisions: [aDecision()] }),
    { ...message, kind: 'approval' },
    NOON,
  );

  it('that was told leaves a closed incident with nothing due', () => {
    const told = noteTold(closed, later, message);
    expect(told).toMatchObject({ escalation: 'delivered', message });
    expect(told).not.toHaveProperty('dueAt');
    expect(last(told)).toEqual({ at: later, kind: 'escalated', text: 'A human was told: Needs a human' });
    expect(told && noteTold(told, later, message)).toBeUndefined();
  });

  it.each([
    ['kind', { ...message, kind: 'approval' }],
    ['body', { ...message, body: 'Something else.' }],
  ] as const)('of another %s was told: the one that is pending now is still to be told', (_, other) => {
    expect(noteTold(closed, later, other)).toBeUndefined();
  });

  it('without which something is pending is not told', () => {
    const { message: _, ...rest } = closed;
    expect(noteTold(rest, later, message)).toBeUndefined();
  });

  it('that asks leaves the question open until it expires', () => {
    expect(noteTold(asking, later, { ...message, kind: 'approval' })?.dueAt).toBe(NOON + 900_000);
  });

  it.each([
    ['without a decision', { ...asking, decisions: [] }],
    ['that somebody answered meanwhile', { ...asking, state: 'decided' }],
  ] as const)('that asks %s leaves the date as it is', (_, incident) => {
    expect(noteTold(incident, later, { ...message, kind: 'approval' })?.dueAt).toBe(NOON + 60_000);
  });

  describe('whose telling is claimed', () => {
    it('is told by nobody else until the claim ends, and due then', () => {
      const claimed = claimTelling(closed, NOON, message);
      expect(claimed).toMatchObject({
        tellAfter: NOON + 60_000,
        dueAt: NOON + 60_000,
        escalation: 'pending',
      });
      expect(claimed && claimTelling(claimed, NOON + 59_999, message)).toBeUndefined();
      expect(claimed && claimTelling(claimed, NOON + 60_000, message)).toMatchObject({
        tellAfter: NOON + 120_000,
      });
    });

    it.each([
      ['was told', noteTold(closed, NOON, message)],
      ['is not the pending one', { ...closed, message: { ...message, body: 'Something else.' } }],
    ] as const)('cannot be claimed when it %s', (_, incident) => {
      expect(incident && claimTelling(incident, later, message)).toBeUndefined();
    });

    it('leaves a question due when it expires', () => {
      const question = { ...message, kind: 'approval' } as const;
      expect(claimTelling(asking, NOON + 880_000, question)?.dueAt).toBe(NOON + 900_000);
    });

    it.each([
      ['told', (claimed: Incident) => noteTold(claimed, later, message)],
      ['replaced by another', (claimed: Incident) => pend(claimed, { ...message, body: 'B' }, later)],
      [
        'withdrawn',
        (claimed: Incident) =>
          close({ ...claimed, state: 'running' }, { outcome: 'verified', now: later, text: '' }),
      ],
    ] as const)('leaves no claim behind when it is %s', (_, change) => {
      const claimed = claimTelling(closed, NOON, message);
      expect(claimed && change(claimed)).not.toHaveProperty('tellAfter');
    });

    it('waits for everybody when it failed', () => {
      const claimed = claimTelling(closed, NOON, message);
      const failed = claimed && noteNotTold(claimed, NOON + 5_000, message, 'down');
      expect(failed).toMatchObject({ tellAfter: NOON + 65_000, dueAt: NOON + 65_000, messageAttempts: 1 });
      expect(failed && claimTelling(failed, NOON + 64_999, message)).toBeUndefined();
    });

    it('does not count a failure of a message that is not pending any more', () => {
      expect(noteNotTold(closed, later, { ...message, body: 'An older one.' }, 'down')).toBeUndefined();
    });
  });

  it('is tried ever more seldom, then every hour, and never forgotten', () => {
    let incident: Incident = closed;
    const due: (number | undefined)[] = [];
    const escalations: string[] = [];
    for (let attempt = 1; attempt <= MOST_MESSAGE_ATTEMPTS + 2; attempt += 1) {
      incident = noteNotTold(incident, NOON, message, 'down') ?? incident;
      due.push(incident.dueAt === undefined ? undefined : (incident.dueAt - NOON) / 60_000);
      escalations.push(incident.escalation);
      expect(incident.tellAfter).toBe(incident.dueAt);
    }
    expect(due).toEqual([1, 2, 4, 8, 60, 60, 60]);
    expect(escalations.map((each) => each === 'undeliverable')).toEqual([
      ...Array.from({ length: 4 }, () => false),
      ...Array.from({ length: 3 }, () => true),
    ]);
    expect(incident.messageAttempts).toBe(7);
    // Of the hours that follow, the number says enough.
    expect(last(incident)?.text).toBe('Attempt 5 to tell a human failed: down');
  });

  describe('that counts as undeliverable', () => {
    const undeliverable: Incident = {
      ...closed,
      escalation: 'undeliverable',
      messageAttempts: 5,
      tellAfter: later,
      dueAt: later,
    };

    it('is claimed and told as any other, and then done with', () => {
      expect(claimTelling(undeliverable, later - 1, message)).toBeUndefined();
      const claimed = claimTelling(undeliverable, later, message);
      expect(claimed).toMatchObject({ escalation: 'undeliverable', dueAt: later + 60_000 });
      const told = claimed && noteTold(claimed, later, message);
      expect(told?.escalation).toBe('delivered');
      expect(told).not.toHaveProperty('dueAt');
      expect(told).not.toHaveProperty('tellAfter');
    });

    it('and asks is due when its question expires, if that is sooner', () => {
      const question = { ...message, kind: 'approval' } as const;
      const untold = { ...asking, message: question, messageAttempts: 4 };
      expect(noteNotTold(untold, NOON, question, 'down')).toMatchObject({
        escalation: 'undeliverable',
        tellAfter: NOON + 3_600_000,
        dueAt: NOON + 900_000,
      });
    });

    it('and asks is withdrawn when there is nothing left to answer', () => {
      const asked: Incident = {
        ...asking,
        escalation: 'undeliverable',
        messageAttempts: 5,
        tellAfter: later,
      };
      const ended = close(asked, { outcome: 'recovered_before_action', now: later, text: '' });
      expect(ended?.escalation).toBe('none');
      for (const gone of ['message', 'messageAttempts', 'tellAfter', 'dueAt'])
        expect(ended).not.toHaveProperty(gone);
    });
  });

  it('without a count is tried for the first time', () => {
    const { messageAttempts: _, ...rest } = closed;
    expect(noteNotTold(rest, NOON, message, 'down')?.messageAttempts).toBe(1);
  });
});

describe('an answer', () => {
  const asking = anIncident({ state: 'awaiting_approval', decisions: [aDecision()] });
  const yes = { step: 1, answer: 'approved', by: 'ann', now: later } as const;

  it('is taken once, with who gave it', () => {
    const answered = answerApproval(asking, yes);
    expect(answered).toMatchObject({
      state: 'decided',
      dueAt: later + 60_000,
      decisions: [{ approval: { answer: 'approved', by: 'ann', at: later } }],
    });
    expect(last(answered)).toEqual({ at: later, kind: 'approved', text: 'ann approved it.' });
    expect(answered && answerApproval(answered, yes)).toBeUndefined();
    expect(answered && answerApproval({ ...answered, state: 'awaiting_approval' }, yes)).toBeUndefined();
  });

  it.each([
    ['to another step', { ...yes, step: 2 }, asking],
    ['to what is not asked', yes, anIncident({ state: 'decided', decisions: [aDecision()] })],
  ] as const)('%s is not taken', (_, answer, incident) => {
    expect(answerApproval(incident, answer)).toBeUndefined();
  });
});

describe('a claim', () => {
  const decided = anIncident({ state: 'decided', decisions: [aDecision(), aDecision({ step: 2 })] });

  it.each(['decided', 'held'] as const)('is given once (%s)', (state) => {
    const taken = claim({ ...decided, state }, 1, later);
    expect(taken).toMatchObject({
      state: 'dispatching',
      dueAt: later + 180_000,
      decisions: [{ dispatch: { claimedAt: later, sent: 'no' } }, { step: 2 }],
    });
    expect(taken?.decisions[1]).not.toHaveProperty('dispatch');
    expect(taken && claim(taken, 1, later)).toBeUndefined();
    expect(taken && claim({ ...taken, state: 'decided' }, 1, later)).toBeUndefined();
  });

  it.each([
    ['of a simulation', { ...decided, mode: 'simulate' }],
    ['of what waits for a human', { ...decided, state: 'awaiting_approval' }],
    ['of nothing that was decided', { ...decided, decisions: [] }],
  ] as const)('%s is not given', (_, incident) => {
    expect(claim(incident, 1, later)).toBeUndefined();
  });

  const facts = { now: later, why: 'Not sent.', dueAt: later + 1, state: 'decided' } as const;

  it.each([
    ['decided', 'dispatch_failed'],
    ['held', 'held'],
  ] as const)('that was never used can be given back (%s)', (state, kind) => {
    const released = release(claimed(), 1, { ...facts, state });
    expect(released).toMatchObject({ state, dueAt: later + 1 });
    expect(released?.decisions[0]).not.toHaveProperty('dispatch');
    expect(last(released)).toEqual({ at: later, kind, text: 'Not sent.' });
  });

  it('after whose post nobody knows can only be given back by its owner', () => {
    expect(release(claimed('unknown'), 1, facts)).toBeUndefined();
    const own = { ...facts, ownClaim: NOON };
    expect(release(claimed('unknown'), 1, own)).toMatchObject({ state: 'decided' });
    expect(release(claimed('unknown'), 1, { ...facts, ownClaim: NOON - 1 })).toBeUndefined();
    expect(release(claimed('no'), 1, { ...facts, ownClaim: NOON - 1 })).toBeUndefined();
  });

  it.each([
    ['is not claimed', anIncident({ state: 'dispatching', decisions: [aDecision()] })],
    ['runs already', claimed('yes', { state: 'running' })],
  ])('that %s is not given back', (_, incident) => {
    expect(release(incident, 1, { ...facts, ownClaim: NOON })).toBeUndefined();
  });

  it('announces its post before it is sent, once', () => {
    const sending = noteSending(claimed(), 1, later, NOON);
    expect(sending).toMatchObject({ updatedAt: later, decisions: [{ dispatch: { sent: 'unknown' } }] });
    expect(sending && noteSending(sending, 1, later, NOON)).toBeUndefined();
    expect(noteSending(claimed('no', { state: 'held' }), 1, later, NOON)).toBeUndefined();
    expect(noteSending(claimed(), 2, later, NOON)).toBeUndefined();
    expect(noteSending(claimed(), 1, later, NOON - 1)).toBeUndefined();
  });

  it('announces no post of what is over', () => {
    expect(noteSending(claimed('no', { recoveredAt: NOON + 1 }), 1, later, NOON)).toBeUndefined();
  });
});

describe('an execution', () => {
  const started = { now: later, executionId: '77', dueAt: later + 1 };
  const running = claimed('yes', { state: 'running' });
  const ended = { now: later, status: 'succeeded', ended: true, dueAt: later + 1 };

  it('runs from when Rundeck says so', () => {
    const dispatched = noteDispatched(claimed('unknown'), 1, { ...started, url: 'https://rundeck.test/77' });
    expect(dispatched).toMatchObject({
      state: 'running',
      dueAt: later + 1,
      decisions: [{ dispatch: { sent: 'yes', executionId: '77', executionUrl: 'https://rundeck.test/77' } }],
    });
    expect(noteDispatched(claimed('unknown'), 1, started)?.decisions[0]?.dispatch).not.toHaveProperty(
      'executionUrl',
    );
  });

  it.each([
    ['another step', claimed('unknown'), 2],
    ['an incident that was closed meanwhile', claimed('unknown', { state: 'closed' }), 1],
  ] as const)('is not begun for %s', (_, incident, step) => {
    expect(noteDispatched(incident, step, started)).toBeUndefined();
  });

  it('that goes on is only looked at', () => {
    const looked = noteExecution(running, 1, { ...ended, status: 'running', ended: false });
    expect(looked).toMatchObject({
      state: 'running',
      dueAt: later + 1,
      decisions: [{ dispatch: { executionStatus: 'running' } }],
    });
    expect(looked?.timeline).toEqual(running.timeline);
  });

  it('that ended is verified next, with its output', () => {
    const output = `${'x'.repeat(5000)}end`;
    const seen = noteExecution(running, 1, { ...ended, endedAt: NOON + 1, url: 'u', output });
    expect(seen?.state).toBe('verifying');
    expect(seen?.decisions[0]?.dispatch).toMatchObject({ executionUrl: 'u', endedAt: NOON + 1 });
    expect(seen?.decisions[0]?.dispatch?.output).toHaveLength(4000);
    expect(seen?.decisions[0]?.dispatch?.output).toMatch(/end$/);
    expect(last(seen)?.text).toBe('The execution ended: succeeded.');
  });

  it('that ended at an unknown time, without output, ended now', () => {
    const dispatch = noteExecution(running, 1, { ...ended, output: '' })?.decisions[0]?.dispatch;
    expect(dispatch).toMatchObject({ endedAt: later });
    expect(dispatch).not.toHaveProperty('output');
  });

  it.each([
    ['after now', later + 1],
    ['before it was claimed', NOON - 1],
  ])('that ended %s, by a clock that goes wrong, ended now', (_, endedAt) => {
    const dispatch = noteExecution(running, 1, { ...ended, endedAt })?.decisions[0]?.dispatch;
    expect(dispatch).toMatchObject({ endedAt: later });
  });

  it.each([
    ['another step', running, 2],
    ['what does not run', claimed('yes', { state: 'verifying' }), 1],
    ['what was never claimed', anIncident({ state: 'running', decisions: [aDecision()] }), 1],
  ] as const)('of %s is not noted', (_, incident, step) => {
    expect(noteExecution(incident, step, ended)).toBeUndefined();
  });
});

describe('a second step', () => {
  const findings = { resource: 'cpu', top: [] } as const;
  const looked = (over: Partial<Incident> = {}) =>
    anIncident({
      state: 'verifying',
      decisions: [aDecision({ dispatch: { claimedAt: NOON, sent: 'yes', endedAt: NOON, findings } })],
      ...over,
    });
  const facts = { now: later, decideBy: later + 900_000, found: 'application shop uses most of the cpu' };

  it('begins with what an analysis found, once', () => {
    const opened = reopen(looked(), facts);
    expect(opened).toMatchObject({ state: 'received', decideBy: later + 900_000, dueAt: later + 60_000 });
    expect(last(opened)).toMatchObject({ kind: 'checked', text: expect.stringContaining(facts.found) });
    expect(opened && reopen(opened, facts)).toBeUndefined();
  });

  it.each([
    ['another state', looked({ state: 'closed' })],
    ['findings that could not be read', looked({ decisions: [aDecision()] })],
    ['no decision', looked({ decisions: [] })],
    ['a step that is the second', looked({ decisions: [...looked().decisions, aDecision({ step: 2 })] })],
  ])('does not begin with %s', (_, incident) => {
    expect(reopen(incident, facts)).toBeUndefined();
  });

  it.each([
    ['nothing', anIncident(), 1],
    ['nothing, and it is held', anIncident({ state: 'held' }), 1],
    ['an analysis that ended', looked({ state: 'received' }), 2],
    ['an analysis that ended, and it is held', looked({ state: 'held' }), 2],
    ['an analysis whose end is being looked at', looked(), undefined],
    ['a job that is held', anIncident({ state: 'held', decisions: [aDecision()] }), undefined],
    [
      'two steps',
      looked({ state: 'held', decisions: [...looked().decisions, aDecision({ step: 2 })] }),
      undefined,
    ],
  ])('is what is to be decided after %s: %#', (_, incident, step) => {
    expect(stepToDecide(incident)).toBe(step);
  });

  it('is not ended by late news of the first', () => {
    const { decisions } = looked();
    const dispatch = { claimedAt: NOON, sent: 'yes' } as const;
    const running = looked({ state: 'running', decisions: [...decisions, aDecision({ step: 2, dispatch })] });
    const ended = { now: later, status: 'succeeded', ended: true, dueAt: later + 1 };
    expect(noteExecution(running, 1, ended)).toBeUndefined();
    expect(noteExecution(running, 2, { ...ended, findings })?.decisions[1]?.dispatch).toMatchObject({
      findings,
    });
  });
});

it('looks again without a word, notes a comment, and sends again with a word unless it was held', () => {
  expect(lookAgain(anIncident(), later, later + 1)).toEqual({
    ...anIncident(),
    updatedAt: later,
    dueAt: later + 1,
  });
  expect(last(noteCommented(anIncident(), later))?.kind).toBe('commented');
  expect(last(noteRequeued(anIncident(), later, later + 1))?.kind).toBe('queued');
  const held = anIncident({ state: 'held' });
  expect(noteRequeued(held, later, later + 1)).toEqual({ ...held, updatedAt: later, dueAt: later + 1 });
});

describe('since when all is done about an incident', () => {
  const closed = anIncident({ state: 'closed', outcome: 'failed', updatedAt: NOON + 1, closedAt: NOON });
  const { closedAt: _none, ...undated } = closed;
  const told = (at: number) => ({ at, kind: 'escalated', text: 'A human was told: Needs a human' }) as const;

  it.each([
    ['it is over', closed, NOON],
    ['it is over, by a record that does not say when', undated, NOON + 1],
    ['a human was told after its end', { ...closed, timeline: [told(NOON + 9)] }, NOON + 9],
    ['a human was asked before its end', { ...closed, timeline: [told(NOON - 9)] }, NOON],
    ['a message is still to be told', { ...closed, escalation: 'pending' as const }, undefined],
    ['nobody could be told', { ...closed, escalation: 'undeliverable' as const }, undefined],
    ['it is open', anIncident(), undefined],
  ])('%s', (_, incident, since) => {
    expect(doneSince(incident)).toBe(since);
  });
});
