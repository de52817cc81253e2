import { describe, expect, it } from 'vitest';
import { historyReach, summariseHistory } from '#lib/core/history.ts';
import type { Decision, Incident, Outcome } from '#lib/core/incident.ts';
import { aDecision, anAlert, anIncident, aPolicy, NOON, remediateNginx } from './examples.ts';

const MINUTE = 60_000;
const sent = (at = NOON - MINUTE) => ({ claimedAt: at, sent: 'yes' as const });
const other = (id: string, part: Partial<Incident> = {}): Incident =>
  anIncident({ incidentId: id, eventId: id, openedAt: NOON - MINUTE, ...part });
const acted = (id: string, outcome: Outcome, decision: Partial<Decision> = {}) =>
  other(id, { outcome, state: 'closed', decisions: [aDecision({ dispatch: sent(), ...decision })] });
const summary = (incidents: readonly Incident[], policy = aPolicy()) =>
  summariseHistory({ incidents, alert: anAlert(), now: NOON, policy });

describe('summariseHistory', () => {
  it('of a host without a past is empty but for this problem', () => {
    expect(summary([])).toEqual({
      entries: [],
      sameTriggerProblems: 1,
      openProblems: 0,
      failedActions: [],
      chain: [],
    });
  });

  it('leaves out the incident that is being decided, but not one of the same id of another server', () => {
    const elsewhere = anIncident({ incidentId: 'inc_2', source: 'zabbix-b' });

    expect(summary([anIncident(), elsewhere]).entries.map((each) => each.incidentId)).toEqual(['inc_2']);
  });

  it('tells the ten newest, what was tried and how it ended', () => {
    const many = Array.from({ length: 12 }, (_, index) =>
      other(`e${index}`, { openedAt: NOON - index * MINUTE }),
    );
    const { entries } = summary([
      ...many.toReversed(),
      { ...acted('newest', 'verified'), openedAt: NOON + 1 },
    ]);

    expect(entries).toHaveLength(10);
    expect(entries[0]).toEqual({
      incidentId: 'newest',
      at: NOON + 1,
      trigger: '25212',
      eventName: 'Nginx: Process is not running',
      tool: 'restart_service',
      arguments: { service_name: 'nginx.service' },
      outcome: 'verified',
      sameTrigger: true,
    });
    expect(entries[1]).not.toHaveProperty('tool');
    expect(entries[9]?.incidentId).toBe('e8');
  });

  it('says the name of the trigger, and whether it is another', () => {
    const alert = anAlert({ trigger: { id: '7', nameOrig: 'Disk {#FSNAME}' } });

    expect(summary([other('a', { alert })]).entries[0]).toMatchObject({
      trigger: 'Disk {#FSNAME}',
      sameTrigger: false,
    });
  });

  it('has nothing to tell of a recovery without a problem, nor a tool of an escalation', () => {
    const { alert: _none, ...unknown } = other('a');
    const escalated = other('b', { decisions: [aDecision({ verdict: { kind: 'escalate', reasons: [] } })] });
    const { entries } = summary([unknown, escalated]);

    expect(entries.map(({ incidentId, tool }) => [incidentId, tool])).toEqual([['b', undefined]]);
  });

  it('counts problems of this trigger within the flapping window', () => {
    const policy = aPolicy({ flapping: { within: '10m' } });
    const another = anAlert({ trigger: { id: '1' } });

    expect(
      summary(
        [
          other('a'),
          other('b', { openedAt: NOON - 9 * MINUTE }),
          other('too-old', { openedAt: NOON - 10 * MINUTE }),
          other('another-trigger', { alert: another }),
        ],
        policy,
      ).sameTriggerProblems,
    ).toBe(3);
  });

  it('counts what is still open', () => {
    expect(
      summary([
        other('a'),
        other('b', { recoveredAt: NOON }),
        other('c', { outcome: 'verified' }),
        other('d', { outcome: 'failed' }),
      ]).openProblems,
    ).toBe(2);
  });

  it('takes the newest version of an incident that comes twice, in either order', () => {
    const stale = other('a', { version: 1 });
    const fresh = other('a', { version: 2, outcome: 'verified' });

    expect(summary([stale, fresh]).openProblems).toBe(0);
    expect(summary([fresh, stale]).openProblems).toBe(0);
  });

  it.each<[Outcome, number]>([
    ['failed', 1],
    ['unverifiable', 1],
    ['unknown', 1],
    ['verified', 0],
    ['analysed', 0],
  ])('counts an action that ended %s as %i failures', (outcome, failures) => {
    expect(summary([acted('a', outcome)]).failedActions).toHaveLength(failures);
  });

  it.each<[string, Partial<Decision>]>([
    ['surely not sent', { dispatch: { claimedAt: NOON, sent: 'no' } }],
    ['too old', { dispatch: sent(NOON - 24 * 60 * MINUTE) }],
    ['no action', { verdict: { kind: 'escalate', reasons: [] } }],
  ])('does not count what was %s', (_name, decision) => {
    expect(summary([acted('a', 'failed', decision)]).failedActions).toEqual([]);
  });

  it('counts what may have been sent', () => {
    const dispatch = { claimedAt: NOON - 1, sent: 'unknown' } as const;

    expect(summary([acted('a', 'unknown', { dispatch })]).failedActions).toEqual([
      {
        incidentId: 'a',
        step: 1,
        at: NOON - 1,
        knownAt: NOON - 1,
        tool: 'restart_service',
        arguments: { service_name: 'nginx.service' },
      },
    ]);
  });

  it('says since when it is known that an action failed', () => {
    const closed = { ...acted('a', 'failed'), closedAt: NOON - 7 };

    expect(summary([closed]).failedActions).toMatchObject([{ at: NOON - MINUTE, knownAt: NOON - 7 }]);
  });

  it('of a chain counts the steps before the last as failed, even when the last helped', () => {
    const chain = other('a', {
      outcome: 'verified',
      decisions: [
        aDecision({ dispatch: sent(NOON - 2) }),
        aDecision({ decisionId: 'a#2', step: 2, dispatch: sent(NOON - 1) }),
      ],
    });

    expect(summary([chain]).failedActions.map(({ step }) => step)).toEqual([1]);
  });

  it('of a chain does not count the analysis before the last step: it was not meant to help', () => {
    const analysis = { ...remediateNginx, tool: 'analyze_processes', arguments: {} } as const;
    const decisions = [
      aDecision({ verdict: analysis, dispatch: sent(NOON - 2) }),
      aDecision({ decisionId: 'a#2', step: 2, dispatch: sent(NOON - 1) }),
    ];
    const failed = (outcome: Outcome) =>
      summary([other('a', { outcome, decisions })]).failedActions.map(({ step }) => step);

    expect(failed('verified')).toEqual([]);
    expect(failed('failed')).toEqual([2]);
  });

  it('tells what earlier steps of this incident did', () => {
    const mine = anIncident({ decisions: [aDecision({ dispatch: sent() })] });

    expect(summary([mine]).chain).toMatchObject([{ step: 1, tool: 'restart_service' }]);
    expect(summary([mine]).failedActions).toEqual([]);
  });
});

describe('historyReach', () => {
  it('is as long as flapping is looked at', () => {
    const policy = aPolicy({ repeated_failure_within: '5m', flapping: { within: '24h' } });
    expect(historyReach(policy)).toBe(86_400_000);
  });

  it('reaches an incident that waited as long as it may before its action failed', () => {
    const policy = aPolicy({ decide_within: '15m', approval: { expires_after: '2h' } });
    // Two steps: each decided late, and each with a human's yes at the last moment.
    const waited = 2 * (15 + 120) * MINUTE;

    expect(historyReach(policy)).toBeGreaterThan(24 * 60 * MINUTE + waited);
  });
});
