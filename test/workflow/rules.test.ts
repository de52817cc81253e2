/** Without a model: rules choose in its place, every other check stays, and whoever reads of it learns that none was asked. */
import { describe, expect, it } from 'vitest';
import { makeReplayDecision } from '#lib/workflow/replay-decision.ts';
import { analysisOutput } from '#test/builders/findings.ts';
import { anAlert, NOON } from '#test/builders/incidents.ts';
import { type House, openHouse, policyOf } from '#test/workflow/house.ts';

const MINUTE = 60_000;
const cpu = anAlert({
  eventName: 'High CPU utilization',
  tags: [{ tag: 'component', value: 'cpu' }],
  item: { key: 'system.cpu.util' },
});
const tools = ['cleanup_disk', 'restart_service', 'analyze_processes', 'restart_application'];
const saying = (autonomy: string) => policyOf({ rules: [{ tools, autonomy }] });
const open = (more: Parameters<typeof openHouse>[0] = {}) => openHouse({ ...more, without: ['model'] });
async function play(house: House, alert = anAlert()): Promise<string> {
  await house.ready;
  const id = await house.post(alert);
  house.later(3 * MINUTE, () => house.recover(alert));
  await house.settle();
  return id;
}
const NOBODY_ASKED = /No model was asked: evidence and words alone chose/;

describe('rules in place of a model', () => {
  it('do what evidence makes possible, once, and it is verified', async () => {
    const house = open();
    const id = await play(house);
    expect(house.incident(id)).toMatchObject({
      outcome: 'verified',
      escalation: 'none',
      decisions: [
        {
          decider: 'rules',
          proposal: { tool: 'cleanup_disk', arguments: { path: '/var' } },
          verdict: { kind: 'remediate', reasons: [{ code: 'chosen_by_rules' }, { code: 'autonomy_auto' }] },
        },
      ],
    });
    expect(house.incident(id).decisions[0]).not.toHaveProperty('model');
    expect(house.rundeck.orders()).toHaveLength(1);
    expect(house.questions).toEqual([]);
  });

  it('say in the timeline, in the narration and in Zabbix that no model was asked', async () => {
    const house = open();
    const id = await play(house);
    const { timeline } = house.incident(id);
    expect(timeline.filter(({ kind }) => kind === 'chosen_by_rules')).toMatchObject([
      { text: 'No model is asked here; evidence and words alone: cleanup_disk {"path":"/var"}' },
    ]);
    expect(timeline.map(({ kind }) => kind)).not.toContain('model_asked');
    expect(house.lines).toContain('rules: no model is asked; evidence and words alone: cleanup_disk');
    expect(house.zabbix.comments('4711').at(-1)?.message).toMatch(NOBODY_ASKED);
  });

  it.each([
    ['is asked for a yes', 'approve', 'awaiting_approval'],
    ['is told what did not help', 'auto', 'closed'],
  ])('a human who %s learns it', async (_, autonomy, state) => {
    const house = open({ policy: saying(autonomy) });
    await house.ready;
    const id = await house.post(anAlert());
    await house.settle(NOON + 5 * MINUTE);
    if (state === 'closed') await house.settle();
    expect(house.people.messages[0]?.body).toMatch(NOBODY_ASKED);
    expect(house.incident(id).decisions[0]?.decider).toBe('rules');
  });

  it('only observe where the policy does', async () => {
    const house = open({ policy: saying('observe') });
    const id = await play(house);
    expect(house.incident(id)).toMatchObject({ outcome: 'observed' });
    expect(house.rundeck.orders()).toEqual([]);
  });

  it('leave to a human what has no evidence', async () => {
    const house = open();
    const id = await play(house, anAlert({ tags: [], item: { key: 'orders.stuck' } }));
    expect(house.incident(id)).toMatchObject({
      outcome: 'handed_over',
      decisions: [
        { decider: 'rules', verdict: { kind: 'escalate', reasons: [{ code: 'no_eligible_tool' }] } },
      ],
    });
    expect(house.incident(id).timeline.map(({ kind }) => kind)).not.toContain('chosen_by_rules');
  });

  it('decide about what an analysis found, too, and never a third time', async () => {
    const house = open();
    await house.ready;
    house.rundeck.endAs('succeeded', analysisOutput(['shop 180 shop.service', 'sshd 1 ssh.service']));
    const id = await house.post(cpu);
    await house.settle();
    expect(house.rundeck.orders().map(({ decisionId, tool }) => `${decisionId} ${tool}`)).toEqual([
      `${id}#1 analyze_processes`,
      `${id}#2 restart_application`,
    ]);
    expect(house.incident(id).decisions.map(({ decider }) => decider)).toEqual(['rules', 'rules']);
    expect(house.people.messages).toHaveLength(1);
    expect(house.questions).toEqual([]);
  });

  it('say with the findings that no model chose to look', async () => {
    const house = open({ policy: policyOf({ after_analysis: 'never' }) });
    await house.ready;
    house.rundeck.endAs('succeeded', analysisOutput(['shop 180 shop.service']));
    await house.post(cpu);
    await house.settle();
    expect(house.people.messages.map(({ subject }) => subject)).toEqual([
      expect.stringContaining('Findings'),
    ]);
    expect(house.people.messages[0]?.body).toMatch(NOBODY_ASKED);
  });
});

describe('a replay', () => {
  const replayOf = async (house: House, recorded: boolean) => {
    const incidentId = await play(house);
    const policy = policyOf();
    const stored = {
      policy,
      hash: house.incident(incidentId).decisions[0]?.policyHash ?? '',
      pushedAt: NOON,
    };
    const steps: string[] = [];
    const replay = makeReplayDecision({
      ...house.table,
      askModel: recorded ? () => Promise.reject(new Error('the model must not be asked')) : undefined,
      narrate: ({ step }) => steps.push(step),
    });
    return { steps, result: await replay({ incidentId, stored: { ...stored, pushedBy: 'test' }, recorded }) };
  };

  it.each([false, true])('of what rules chose differs in nothing (recorded: %s)', async (recorded) => {
    const { steps, result } = await replayOf(open(), recorded);
    expect(result).toMatchObject({ kind: 'decided', replayed: { decider: 'rules' }, differences: [] });
    expect(steps).toEqual(['zabbix', 'history', 'rules']);
  });

  it('by rules of what a model chose says so', async () => {
    const { result } = await replayOf(openHouse({}), false);
    expect(result).toMatchObject({
      differences: expect.arrayContaining([
        {
          what: 'reasons',
          recorded: 'chosen_by_model, autonomy_auto',
          replayed: 'chosen_by_rules, autonomy_auto',
        },
        { what: 'model', recorded: 'scripted', replayed: 'rules' },
      ]),
    });
  });
});
