import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, recheck } from '#lib/core/decide.ts';
import { summariseHistory } from '#lib/core/history.ts';
import { comparePolicies } from '#lib/core/policy-change.ts';
import { matchPolicy, nodeOf, valueAllowed } from '#lib/core/policy-match.ts';
import { withZabbix } from '#lib/core/word-of-zabbix.ts';
import { aSituation, aStricterPolicy, aWordOfZabbix, freeText, targetOf } from './arbitraries.ts';
import { aDecision, anIncident } from './examples.ts';

type Situation = typeof aSituation extends fc.Arbitrary<infer T> ? T : never;
const verdictOn = (facts: Situation & { readonly decider?: 'rules' }) =>
  decide({ ...facts, history: summariseHistory(facts) });

/** How much a verdict lets happen. */
const RANK = { ignore: 0, escalate: 0, observe: 1, needs_approval: 2, remediate: 3 } as const;
const subjects = {
  cleanup_disk: 'path',
  restart_service: 'service',
  analyze_processes: 'resource',
  restart_application: 'application',
  notify: 'resource',
} as const;
const RUNS = { numRuns: 1_000 };

describe('for every alert, evidence, proposal, past and policy', () => {
  it('there is exactly one verdict, with a reason', () => {
    const seen = { ignore: 0, escalate: 0, observe: 0, needs_approval: 0, remediate: 0 };

    fc.assert(
      fc.property(aSituation, (facts) => {
        const verdict = verdictOn(facts);
        seen[verdict.kind] += 1;
        expect(Object.keys(seen)).toHaveLength(5);
        expect(verdict.reasons.length).toBeGreaterThan(0);
      }),
      RUNS,
    );

    // Else the other properties would hold for lack of cases.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(9);
  });

  it('no decision leaves what the policy allows', () => {
    fc.assert(
      fc.property(aSituation, (facts) => {
        const verdict = verdictOn(facts);
        if (!('tool' in verdict)) return;
        const { policy, alert, now } = facts;
        const { tool } = verdict;
        expect(tool).not.toBe('notify');
        expect(matchPolicy({ policy, alert, tool, now })).toMatchObject({
          kind: 'allowed',
          autonomy: verdict.autonomy,
        });
        expect(valueAllowed(policy, subjects[tool], String(verdict.arguments[targetOf(tool)]))).toBe(true);
        expect(verdict.node).toBe(nodeOf(policy, alert));
        expect(facts.proposal).toMatchObject({ tool, arguments: verdict.arguments });
      }),
      RUNS,
    );
  });

  it('who chose makes no difference but in words', () => {
    const without = ({ reasons, ...rest }: ReturnType<typeof decide>) => ({
      ...rest,
      codes: reasons.map(({ code }) => code.replace('chosen_by_rules', 'chosen_by_model')),
    });
    fc.assert(
      fc.property(aSituation, (facts) => {
        expect(without(verdictOn({ ...facts, decider: 'rules' }))).toEqual(without(verdictOn(facts)));
      }),
      RUNS,
    );
  });

  it('no free text of an alert changes anything', () => {
    fc.assert(
      fc.property(aSituation, freeText, (facts, text) => {
        const { alert } = facts;
        const written = {
          ...alert,
          eventName: text.eventName,
          opdata: text.opdata,
          trigger: { ...alert.trigger, ...text.trigger },
          item: { ...alert.item, value: text.value },
        };
        expect(verdictOn({ ...facts, alert: written })).toEqual(verdictOn(facts));
      }),
      RUNS,
    );
  });

  it('one more value of a tag that is there already never allows more', () => {
    fc.assert(
      fc.property(
        aSituation,
        fc.constantFrom('prod', 'test', 'nginx', 'x'),
        fc.nat(3),
        (facts, value, at) => {
          const { alert } = facts;
          const repeated = alert.tags.filter((_, index) => index === at).map(({ tag }) => ({ tag, value }));
          const written = { ...alert, tags: [...alert.tags, ...repeated] };
          expect(RANK[verdictOn({ ...facts, alert: written }).kind]).toBeLessThanOrEqual(
            RANK[verdictOn(facts).kind],
          );
        },
      ),
      RUNS,
    );
  });

  it('nothing that Zabbix says of the host allows more', () => {
    fc.assert(
      fc.property(aSituation, aWordOfZabbix, (facts, zabbix) => {
        const history = withZabbix(summariseHistory(facts), zabbix);
        const verdict = decide({ ...facts, history, zabbix });
        expect(RANK[verdict.kind]).toBeLessThanOrEqual(RANK[verdictOn(facts).kind]);
        if (zabbix.maintenance || zabbix.acknowledged) expect(RANK[verdict.kind]).toBe(0);
      }),
      RUNS,
    );
  });

  it('an alert that says less never gets more', () => {
    fc.assert(
      fc.property(aSituation, (facts) => {
        const silent = { ...facts.alert, tags: [], hostGroups: [] };
        expect(RANK[verdictOn({ ...facts, alert: silent }).kind]).toBeLessThanOrEqual(
          RANK[verdictOn(facts).kind],
        );
      }),
      RUNS,
    );
  });
});

const withStricter = aSituation.chain((facts) => fc.tuple(fc.constant(facts), aStricterPolicy(facts.policy)));

describe('a stricter policy', () => {
  it('never yields more', () => {
    fc.assert(
      fc.property(withStricter, ([facts, policy]) => {
        expect(RANK[verdictOn({ ...facts, policy }).kind]).toBeLessThanOrEqual(RANK[verdictOn(facts).kind]);
      }),
      RUNS,
    );
  });

  it('never lets a job start that the former would have stopped', () => {
    fc.assert(
      fc.property(withStricter, ([facts, policy]) => {
        const { alert, now } = facts;
        const verdict = verdictOn(facts);
        const check = {
          incident: anIncident({ alert }),
          decision: aDecision({ verdict, expiresAt: now + 1 }),
          policy: facts.policy,
          paused: false,
          now,
        };
        if (recheck(check).kind === 'go') expect(verdict.kind).toBe('remediate');
        else expect(recheck({ ...check, policy }).kind).not.toBe('go');
      }),
      RUNS,
    );
  });

  it('is told to be stricter, and the way back to be looser', () => {
    fc.assert(
      fc.property(withStricter, ([{ policy: before }, after]) => {
        const directions = (changes: ReturnType<typeof comparePolicies>) =>
          [...new Set(changes.map(({ direction }) => direction))].join();
        const there = comparePolicies(before, after);
        expect(['', 'stricter']).toContain(directions(there));
        expect(directions(comparePolicies(after, before))).toBe(there.length === 0 ? '' : 'looser');
      }),
      RUNS,
    );
  });
});
