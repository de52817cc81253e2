import { describe, expect, it } from 'vitest';
import { decide, decideWithoutModel, recheck } from '#lib/core/decide.ts';
import type { HostContext } from '#lib/core/host-context.ts';
import type { Decision, Proposal } from '#lib/core/incident.ts';
import { aContext } from '#test/builders/host-contexts.ts';
import {
  aDecision,
  anAlert,
  anIncident,
  aPolicy,
  NOON,
  nginxIsPossible,
  noHistory,
  remediateNginx,
  restartNginx,
} from './examples.ts';

const facts = {
  alert: anAlert(),
  proposal: restartNginx,
  grounding: nginxIsPossible,
  history: noHistory,
  policy: aPolicy(),
  stormOpen: false,
  now: NOON,
};
type Facts = Parameters<typeof decide>[0];
const verdictOf = (part: Partial<Facts>) => {
  const verdict = decide({ ...facts, ...part });
  return `${verdict.kind} ${verdict.reasons.map(({ code }) => code).join(' ')}`;
};
const proposing = (tool: Proposal['tool'], args: Proposal['arguments']): Proposal => ({
  kind: 'proposal',
  tool,
  arguments: args,
});
const past = (part: object = {}) => ({
  incidentId: 'inc_0',
  step: 1 as const,
  at: NOON - 60_000,
  knownAt: NOON - 30_000,
  tool: 'restart_service' as const,
  arguments: { service_name: 'nginx.service' },
  ...part,
});
const analysis = { tool: 'analyze_processes' as const, arguments: { resource_type: 'cpu' } };

describe('decide', () => {
  it('remediates what evidence, model and policy agree on', () => {
    expect(decide(facts)).toEqual({
      kind: 'remediate',
      autonomy: 'auto',
      tool: 'restart_service',
      arguments: { service_name: 'nginx.service' },
      node: 'web-01',
      reasons: [
        { code: 'chosen_by_model', text: 'The model chose restart_service among what the evidence allows.' },
        { code: 'autonomy_auto', text: 'The policy says auto for restart_service here (rule 1).' },
      ],
    });
  });

  it('looks, where looking needs no reading of the name, although the model asks for a human', () => {
    const looking = {
      tool: 'analyze_processes',
      values: { resource_type: ['memory', 'cpu'] },
      sufficient: true,
    } as const;
    const asking = { ...facts, proposal: proposing('notify', { message: 'Look.' }) };
    expect(decide({ ...asking, grounding: { ...nginxIsPossible, eligible: [looking] } })).toMatchObject({
      kind: 'remediate',
      tool: 'analyze_processes',
      arguments: { resource_type: 'memory' },
      reasons: [{ code: 'evidence_suffices' }, { code: 'autonomy_auto' }],
    });
    const { sufficient: _, ...doubtful } = looking;
    const nothing = { ...looking, values: { resource_type: [] } };
    for (const eligible of [[doubtful], [nothing], [...nginxIsPossible.eligible]]) {
      expect(decide({ ...asking, grounding: { ...nginxIsPossible, eligible } })).toMatchObject({
        kind: 'escalate',
        reasons: [{ code: 'model_asks_for_human' }],
      });
    }
    const grounding = { ...nginxIsPossible, eligible: [looking] };
    for (const autonomy of ['observe', 'approve'] as const) {
      const policy = aPolicy({ rules: [{ tools: ['analyze_processes'], autonomy }] });
      expect(decide({ ...asking, grounding, policy })).toMatchObject({
        kind: 'escalate',
        reasons: [{ code: 'model_asks_for_human' }],
      });
    }
    const refused = decide({
      ...facts,
      proposal: { kind: 'refusal', code: 'unparseable', reason: 'No JSON.' },
      grounding: { ...nginxIsPossible, eligible: [looking] },
    });
    expect(refused.kind).toBe('escalate');
  });

  it('says so where rules chose and no model was asked', () => {
    expect(decide({ ...facts, decider: 'rules' })).toMatchObject({
      kind: 'remediate',
      tool: 'restart_service',
      reasons: [
        {
          code: 'chosen_by_rules',
          text: 'No model was asked: evidence and words alone chose restart_service.',
        },
        { code: 'autonomy_auto' },
      ],
    });
    expect(verdictOf({ decider: 'model' })).toBe('remediate chosen_by_model autonomy_auto');
  });

  it('leaves what a model has to have read to a human where rules chose', () => {
    const eligible = nginxIsPossible.eligible.map((each) => ({ ...each, needsReader: true as const }));
    const grounding = { ...nginxIsPossible, eligible };
    expect(verdictOf({ grounding, decider: 'rules' })).toBe('escalate no_eligible_tool');
    expect(verdictOf({ grounding })).toBe('remediate chosen_by_model autonomy_auto');
  });

  it('looks where rules cannot choose between two restarts, and where looking needs no reading of the name', () => {
    const looking = {
      tool: 'analyze_processes',
      values: { resource_type: ['cpu'] },
      sufficient: true,
    } as const;
    const torn = decide({
      ...facts,
      decider: 'rules',
      proposal: { kind: 'refusal', code: 'unsure', reason: 'Two are possible.' },
      grounding: { ...nginxIsPossible, eligible: [...nginxIsPossible.eligible, looking] },
    });
    expect(torn).toMatchObject({ kind: 'remediate', tool: 'analyze_processes' });
    expect(torn.reasons[0]).toEqual({
      code: 'evidence_suffices',
      text: 'Without a model it is not clear what to do; the evidence is enough to look first, which changes nothing.',
    });
  });

  it('does nothing where the host has more history than can be seen', () => {
    expect(decide({ ...facts, historyCut: true })).toMatchObject({
      kind: 'escalate',
      reasons: [{ code: 'flapping', text: expect.stringContaining('history') }],
    });
    const nothing = { ...nginxIsPossible, eligible: [] };
    expect(decide({ ...facts, historyCut: true, grounding: nothing })).toMatchObject({
      reasons: [{ code: 'no_eligible_tool' }],
    });
  });

  it('looks where the model is not sure, by the same rules, and does nothing else then', () => {
    const unsure = { kind: 'refusal', code: 'unsure', reason: 'Only 51 % sure.' } as const;
    const looking = {
      tool: 'analyze_processes',
      values: { resource_type: ['memory'] },
      sufficient: true,
    } as const;
    const doubting = { ...facts, proposal: unsure };
    expect(decide({ ...doubting, grounding: { ...nginxIsPossible, eligible: [looking] } })).toMatchObject({
      kind: 'remediate',
      tool: 'analyze_processes',
      reasons: [{ code: 'evidence_suffices' }, { code: 'autonomy_auto' }],
    });
    expect(decide({ ...doubting, grounding: nginxIsPossible })).toEqual({
      kind: 'escalate',
      reasons: [{ code: 'unsure', text: 'Only 51 % sure.' }],
    });
  });

  it.each([
    ['observes', { rules: [{ tools: ['restart_service'] }] }, 'observe chosen_by_model autonomy_observe'],
    [
      'asks a human',
      { rules: [{ tools: ['restart_service'], autonomy: 'approve' }] },
      'needs_approval chosen_by_model autonomy_approve',
    ],
    ['refuses what no rule allows', { rules: [] }, 'escalate tool_not_allowed'],
    ['refuses what is denied', { deny: [{}] }, 'escalate denied'],
    ['refuses a value outside the lists', { allow: { services: [] } }, 'escalate value_not_allowed'],
    ['ignores what is below the minimum', { minimum_severity: 5 }, 'ignore informational'],
    ['refuses another node than the grounded', { node: { field: 'host_name' } }, 'escalate host_not_allowed'],
  ])('%s', (_name, policy, expected) => {
    expect(verdictOf({ policy: aPolicy(policy) })).toBe(expected);
  });

  it.each<[string, Partial<Facts>, string]>([
    ['a recovery', { alert: anAlert({ kind: 'recovery' }) }, 'ignore not_a_trigger_event'],
    ['an update', { alert: anAlert({ kind: 'update' }) }, 'ignore not_a_trigger_event'],
    ['a storm', { stormOpen: true }, 'escalate storm'],
    ['flapping', { history: { ...noHistory, sameTriggerProblems: 4 } }, 'escalate flapping'],
    [
      'nearly flapping',
      { history: { ...noHistory, sameTriggerProblems: 3 } },
      'remediate chosen_by_model autonomy_auto',
    ],
    ['nothing eligible', { grounding: { ...nginxIsPossible, eligible: [] } }, 'escalate no_eligible_tool'],
    [
      'nothing eligible, and it is known why',
      {
        proposal: undefined,
        grounding: {
          ...nginxIsPossible,
          eligible: [],
          reasons: [{ code: 'unsupported_platform', text: '' }],
        },
      },
      'escalate unsupported_platform',
    ],
    ['a model that was not asked', { proposal: undefined }, 'escalate no_call'],
    [
      'a refusal',
      { proposal: { kind: 'refusal', code: 'several_calls', reason: 'two' } },
      'escalate several_calls',
    ],
    [
      'a tool without evidence',
      { proposal: proposing('cleanup_disk', { path: '/' }) },
      'escalate tool_not_allowed',
    ],
    ['no target', { proposal: proposing('restart_service', {}) }, 'escalate mistyped_argument'],
    [
      'a target of a wrong type',
      { proposal: proposing('restart_service', { service_name: 1 }) },
      'escalate mistyped_argument',
    ],
    [
      'an argument that the tool does not have',
      { proposal: proposing('restart_service', { service_name: 'nginx.service', host: 'db-01' }) },
      'escalate mistyped_argument',
    ],
    [
      'a harsher action than the usual one',
      { proposal: proposing('restart_service', { service_name: 'nginx.service', force: true }) },
      'escalate ungrounded_value',
    ],
    [
      'its usual option, said aloud',
      { proposal: proposing('restart_service', { service_name: 'nginx.service', force: false }) },
      'remediate chosen_by_model autonomy_auto',
    ],
    [
      'a target without evidence',
      { proposal: proposing('restart_service', { service_name: 'sshd.service' }) },
      'escalate ungrounded_value',
    ],
    [
      'a grounding that forgot the target',
      { grounding: { ...nginxIsPossible, eligible: [{ tool: 'restart_service', values: {} }] } },
      'escalate ungrounded_value',
    ],
    ['no valid node', { alert: anAlert({ host: { host: 'a b' } }) }, 'escalate host_not_allowed'],
    [
      'the same failure before',
      { history: { ...noHistory, failedActions: [past()] } },
      'escalate repeated_failure',
    ],
    [
      'the same failure, other options',
      {
        history: {
          ...noHistory,
          failedActions: [past(), past({ arguments: { service_name: 'nginx.service', force: true } })],
        },
      },
      'escalate repeated_failure',
    ],
    [
      'failures of other actions',
      {
        history: {
          ...noHistory,
          failedActions: [past(analysis), past({ arguments: { service_name: 'apache2.service' } })],
        },
      },
      'remediate chosen_by_model autonomy_auto',
    ],
    [
      'an action after an action',
      { history: { ...noHistory, chain: [past()] } },
      'escalate chain_did_not_help',
    ],
    [
      'an action after an analysis',
      { history: { ...noHistory, chain: [past(analysis)] } },
      'remediate chosen_by_model autonomy_auto',
    ],
    [
      'an action after an analysis, where the policy wants a yes for that',
      { history: { ...noHistory, chain: [past(analysis)] }, policy: aPolicy({ after_analysis: 'approve' }) },
      'needs_approval chosen_by_model autonomy_approve',
    ],
    [
      'an action after an analysis, where it is only observed anyway',
      {
        history: { ...noHistory, chain: [past(analysis)] },
        policy: aPolicy({ after_analysis: 'approve', rules: [{ tools: ['restart_service'] }] }),
      },
      'observe chosen_by_model autonomy_observe',
    ],
    [
      'an action after an analysis, where the policy lets nothing follow',
      { history: { ...noHistory, chain: [past(analysis)] }, policy: aPolicy({ after_analysis: 'never' }) },
      'escalate tool_not_allowed',
    ],
    [
      'a first action, whatever may follow on an analysis',
      { policy: aPolicy({ after_analysis: 'never' }) },
      'remediate chosen_by_model autonomy_auto',
    ],
    [
      'a third step',
      { history: { ...noHistory, chain: [past(analysis), past(analysis)] } },
      'escalate chain_did_not_help',
    ],
    [
      'the same analysis again',
      {
        history: { ...noHistory, chain: [past(analysis)] },
        proposal: proposing('analyze_processes', { resource_type: 'cpu' }),
        grounding: {
          ...nginxIsPossible,
          eligible: [{ tool: 'analyze_processes', values: { resource_type: ['cpu'] } }],
        },
      },
      'escalate chain_did_not_help',
    ],
  ])('on %s', (_name, part, expected) => {
    expect(verdictOf(part)).toBe(expected);
  });

  it('says how often an action failed already', () => {
    const verdict = decide({ ...facts, history: { ...noHistory, failedActions: [past(), past()] } });

    expect(verdict.reasons[0]?.text).toBe(
      'The same action did not help on this host 2 times within 24h, so it is not tried again.',
    );
  });

  it.each<[string, Proposal['arguments'], object[], object]>([
    ['its sentence', { message: 'Disk is dying. Buy a new one.' }, [], { message: 'Disk is dying.' }],
    ['no sentence', {}, [], { message: '' }],
    ['a priority', { message: 'Look.', priority: 'high' }, [], { message: 'Look.', priority: 'high' }],
    ['a priority that is none', { message: 'Look.', priority: 'huge' }, [], { message: 'Look.' }],
    [
      'a team that nobody knows',
      { message: 'Look.', team: 'evil' },
      [{ priority: 'low' }],
      { message: 'Look.', priority: 'low' },
    ],
    [
      'a team that the routing knows',
      { message: 'Look.', team: 'db' },
      [{ where: { hosts: ['db-*'] }, team: 'db' }],
      { message: 'Look.', team: 'db' },
    ],
    [
      'less than the routing',
      { message: 'Look.', team: 'db', priority: 'low' },
      [{ team: 'web', priority: 'critical' }, { team: 'db' }],
      {
        message: 'Look.',
        team: 'web',
        priority: 'critical',
      },
    ],
  ])('tells a human when the model asks for one, with %s', (_name, args, routing, notification) => {
    const verdict = decide({
      ...facts,
      proposal: proposing('notify', args),
      policy: aPolicy({ routing }),
    });

    expect(verdict).toEqual({
      kind: 'escalate',
      reasons: [{ code: 'model_asks_for_human', text: 'The model says that a human should look.' }],
      notification,
    });
  });

  it.each([
    ['auto', 'escalate cooldown'],
    ['approve', 'escalate cooldown'],
    ['observe', 'observe chosen_by_model autonomy_observe'],
  ])('hands over at once while the cooldown runs, where the policy says %s', (autonomy, expected) => {
    const policy = aPolicy({
      rules: [{ tools: ['restart_service'], autonomy }],
      cooldowns: { default: '20m' },
    });
    expect(verdictOf({ policy, coolingDown: true })).toBe(expected);
  });

  it('says how long the cooldown is', () => {
    const policy = aPolicy({ cooldowns: { tools: { restart_service: '2h' } } });
    expect(decide({ ...facts, policy, coolingDown: true }).reasons[0]?.text).toBe(
      'restart_service ran on this host within its cooldown of 2h, and there is a problem again.',
    );
  });

  it.each<[Partial<HostContext>, string]>([
    [{}, 'remediate chosen_by_model autonomy_auto'],
    [{ event: 'unknown', host: 'unknown' }, 'remediate chosen_by_model autonomy_auto'],
    [{ maintenance: true }, 'escalate in_maintenance'],
    [{ acknowledged: true }, 'escalate human_at_it'],
    [{ host: 'not_monitored' }, 'escalate not_monitored'],
  ])('listens to Zabbix, which says %o of the host', (said, expected) => {
    expect(verdictOf({ zabbix: aContext(said) })).toBe(expected);
  });

  it('ignores what is ignored and stops in a storm whatever Zabbix says', () => {
    const zabbix = aContext({ maintenance: true });
    expect(verdictOf({ zabbix, policy: aPolicy({ minimum_severity: 5 }) })).toBe('ignore informational');
    expect(verdictOf({ zabbix, stormOpen: true })).toBe('escalate storm');
  });

  it('needs the model only when it could matter', () => {
    expect(decideWithoutModel(facts)).toBeUndefined();
    expect(decideWithoutModel({ ...facts, stormOpen: true })).toEqual(decide({ ...facts, stormOpen: true }));
  });
});

describe('recheck', () => {
  const approved = { answer: 'approved', by: 'ann', at: NOON } as const;
  const rejected = { answer: 'rejected', by: 'ann', at: NOON } as const;
  const needsApproval = { ...remediateNginx, kind: 'needs_approval', autonomy: 'approve' } as const;
  const approve = { tools: ['restart_service'], autonomy: 'approve' };
  const check = {
    incident: anIncident(),
    decision: aDecision(),
    policy: aPolicy(),
    paused: false,
    now: NOON + 1_000,
  };
  const { alert: _none, ...withoutAlert } = anIncident();
  const withoutHash = (decision: Decision) => {
    const { proposalHash: _none, ...rest } = decision;
    return rest;
  };
  const second = () => {
    const { proposalHash: _of1, ...rest } = aDecision({ step: 2 });
    return rest;
  };
  type Check = Parameters<typeof recheck>[0];

  it.each<[string, Partial<Check>, string]>([
    ['nothing changed', {}, 'go'],
    ['it is calm', { stormOpen: false }, 'go'],
    ['the problem is over', { incident: anIncident({ recoveredAt: NOON }) }, 'stop recovered'],
    [
      'over, even while paused',
      { paused: true, incident: anIncident({ recoveredAt: NOON }) },
      'stop recovered',
    ],
    ['too late', { now: NOON + 900_000 }, 'stop decision_expired'],
    [
      'only observed',
      { decision: aDecision({ verdict: { ...remediateNginx, kind: 'observe', autonomy: 'observe' } }) },
      'stop autonomy_observe',
    ],
    [
      'escalated',
      { decision: aDecision({ verdict: { kind: 'escalate', reasons: [] } }) },
      'stop autonomy_observe',
    ],
    [
      'a human said no',
      { decision: aDecision({ verdict: needsApproval, approval: rejected }) },
      'stop rejected_by_human',
    ],
    ['no human said yes', { decision: aDecision({ verdict: needsApproval }) }, 'stop autonomy_approve'],
    ['a human said yes', { decision: aDecision({ verdict: needsApproval, approval: approved }) }, 'go'],
    [
      'the record was changed',
      { decision: aDecision({ proposalHash: 'f'.repeat(64) }) },
      'stop value_not_allowed',
    ],
    ['an automatic decision has no hash', { decision: withoutHash(aDecision()) }, 'go'],
    [
      'an approved one has no hash',
      { decision: withoutHash(aDecision({ verdict: needsApproval, approval: approved })) },
      'stop value_not_allowed',
    ],
    ['no policy', { policy: undefined }, 'hold policy_missing'],
    ['paused', { paused: true }, 'hold paused'],
    ['a storm', { stormOpen: true }, 'hold storm'],
    ['Zabbix says nothing new', { zabbix: aContext() }, 'go'],
    ['Zabbix says that it is over', { zabbix: aContext({ event: 'recovered' }) }, 'stop recovered'],
    ['people work there', { zabbix: aContext({ maintenance: true }) }, 'hold in_maintenance'],
    ['somebody is at it', { zabbix: aContext({ acknowledged: true }) }, 'stop human_at_it'],
    [
      'nobody watches any more, even while paused',
      { paused: true, zabbix: aContext({ host: 'not_monitored' }) },
      'stop not_monitored',
    ],
    [
      'whoever said yes acknowledged it, too',
      {
        zabbix: aContext({ acknowledged: true }),
        decision: aDecision({ verdict: needsApproval, approval: approved }),
      },
      'go',
    ],
    [
      'a human said yes before the maintenance began',
      {
        zabbix: aContext({ maintenance: true }),
        decision: aDecision({ verdict: needsApproval, approval: approved }),
      },
      'hold in_maintenance',
    ],
    ['nothing like it failed', { history: { ...noHistory, failedActions: [past(analysis)] } }, 'go'],
    [
      'the same failed meanwhile, even while paused',
      { paused: true, history: { ...noHistory, failedActions: [past()] } },
      'stop repeated_failure',
    ],
    [
      'the same failed after a human said yes',
      {
        history: { ...noHistory, failedActions: [past({ knownAt: NOON + 1 })] },
        decision: aDecision({ verdict: needsApproval, approval: approved }),
      },
      'stop repeated_failure',
    ],
    [
      'the same had failed when a human said yes',
      {
        history: { ...noHistory, failedActions: [past()] },
        historyCut: true,
        decision: aDecision({ verdict: needsApproval, approval: approved }),
      },
      'go',
    ],
    ['too much happens to see it all', { history: noHistory, historyCut: true }, 'stop flapping'],
    ['all was seen', { history: noHistory, historyCut: false }, 'go'],
    ['no alert', { incident: withoutAlert }, 'stop policy_tightened'],
    ['the tool is denied now', { policy: aPolicy({ deny: [{}] }) }, 'stop policy_tightened'],
    [
      'tightened, even while paused',
      { paused: true, policy: aPolicy({ deny: [{}] }) },
      'stop policy_tightened',
    ],
    ['the severity is ignored now', { policy: aPolicy({ minimum_severity: 5 }) }, 'stop policy_tightened'],
    [
      "the alert's platform is not the policy's now",
      { policy: aPolicy({ platforms: ['windows'] }) },
      'stop policy_tightened',
    ],
    [
      'what was analysed runs where the policy no longer acts',
      { policy: aPolicy({ platforms: ['unix'] }), decision: second() },
      'stop policy_tightened',
    ],
    ['the policy has one more platform', { policy: aPolicy({ platforms: ['linux', 'windows'] }) }, 'go'],
    ['the value is no longer allowed', { policy: aPolicy({ allow: {} }) }, 'stop policy_tightened'],
    [
      'only observed now',
      { policy: aPolicy({ rules: [{ tools: ['restart_service'] }] }) },
      'stop policy_tightened',
    ],
    ['consent is wanted now', { policy: aPolicy({ rules: [approve] }) }, 'stop policy_tightened'],
    [
      'consent is wanted and given',
      {
        policy: aPolicy({ rules: [approve] }),
        decision: aDecision({ verdict: needsApproval, approval: approved }),
      },
      'go',
    ],
    [
      'nothing may follow on an analysis now',
      { policy: aPolicy({ after_analysis: 'never' }), decision: second() },
      'stop policy_tightened',
    ],
    [
      'consent is wanted now for what follows on an analysis',
      { policy: aPolicy({ after_analysis: 'approve' }), decision: second() },
      'stop policy_tightened',
    ],
    ['it follows on an analysis, as it may', { decision: second() }, 'go'],
    [
      'the window is over',
      { policy: aPolicy({ rules: [{ ...approve, windows: [{ from: '01:00', to: '02:00' }] }] }) },
      'stop outside_window',
    ],
    [
      'another node',
      { policy: aPolicy({ node: { overrides: { 'web-01': 'web-02' } } }) },
      'stop policy_tightened',
    ],
    [
      'no target',
      { decision: aDecision({ verdict: { ...remediateNginx, arguments: {} } }) },
      'stop policy_tightened',
    ],
    [
      'nothing that is a job',
      { decision: aDecision({ verdict: { ...remediateNginx, tool: 'notify' } }) },
      'stop policy_tightened',
    ],
  ])('when %s', (_name, part, expected) => {
    const result = recheck({ ...check, ...part });

    expect(result.kind === 'go' ? 'go' : `${result.kind} ${result.reason.code}`).toBe(expected);
  });
});
