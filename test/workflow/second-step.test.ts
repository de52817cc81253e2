/** Investigate, then act: what an analysis finds goes to the model once more, under the same rules, and never a third time. */
import { describe, expect, it } from 'vitest';
import type { Incident } from '#lib/core/incident.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { AskModel } from '#lib/workflow/ports.ts';
import { analysisOutput } from '#test/builders/findings.ts';
import { anAlert } from '#test/builders/incidents.ts';
import { choosesFirst, type House, notifies, openHouse, policyOf } from '#test/workflow/house.ts';

const MINUTE = 60_000;
const cpu = anAlert({
  eventName: 'High CPU utilization',
  tags: [{ tag: 'component', value: 'cpu' }],
  item: { key: 'system.cpu.util' },
});
const SHOP = analysisOutput(['shop 180 shop.service', 'sshd 1 ssh.service']);
const isSecond = ({ brief }: Parameters<AskModel>[0]) => /^found: /m.test(brief);
/** Looks first; about what was found it says this. */
const then =
  (second: AskModel): AskModel =>
  (question) =>
    isSecond(question) ? second(question) : choosesFirst(question);

async function play(
  house: House,
  { output = SHOP, recoverAfter = 0 }: { output?: readonly string[]; recoverAfter?: number } = {},
): Promise<string> {
  await house.ready;
  house.rundeck.endAs('succeeded', output);
  const id = await house.post(cpu);
  if (recoverAfter > 0) house.later(recoverAfter, () => house.recover(cpu));
  await house.settle();
  return id;
}
/** Until the first step's job is done and its findings wait to be decided about. */
async function untilFound(house: House): Promise<string> {
  await house.ready;
  house.rundeck.endAs('succeeded', SHOP);
  const id = await house.post(cpu);
  await house.decide({ incidentId: id });
  await house.dispatch({ incidentId: id, step: 1 });
  await house.check({ incidentId: id, step: 1 });
  return id;
}
const orders = (house: House) =>
  house.rundeck.orders().map(({ decisionId, tool }) => `${decisionId} ${tool}`);
const bodies = (house: House) => house.people.messages.map(({ body }) => body);

describe('findings that name one culprit', () => {
  it('become a second job, which is verified; nobody is woken', async () => {
    const house = openHouse({});
    const id = await play(house, { recoverAfter: 2 * MINUTE });
    expect(orders(house)).toEqual([`${id}#1 analyze_processes`, `${id}#2 restart_application`]);
    expect(house.rundeck.orders()[1]).toMatchObject({ arguments: { app_name: 'shop' }, node: 'web-01' });
    expect(house.incident(id)).toMatchObject({ outcome: 'verified', escalation: 'none' });
    expect(house.incident(id).decisions).toMatchObject([
      { step: 1, dispatch: { findings: { resource: 'cpu', top: [{ name: 'shop' }, { name: 'sshd' }] } } },
      { step: 2, decisionId: `${id}#2`, proposalHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(house.people.messages).toEqual([]);
    expect(house.askedAgain).toEqual([]);
  });

  it('are told to the model in one line of code, behind the same constant part', async () => {
    const house = openHouse({});
    await play(house);
    const [first, second] = house.questions;
    expect(house.questions).toHaveLength(2);
    expect(second?.brief).toBe(
      first?.brief.replace(
        /possible: .*/,
        'found: application shop uses most of the cpu\npossible: restart_application shop, notify',
      ),
    );
    expect({ ...second, brief: '', format: {} }).toEqual({ ...first, brief: '', format: {} });
  });

  it('end with a human, who gets them, when acting upon them did not help', async () => {
    const house = openHouse({});
    const id = await play(house);
    expect(house.incident(id)).toMatchObject({ outcome: 'failed', escalation: 'delivered' });
    expect(house.incident(id).decisions).toHaveLength(2);
    expect(bodies(house)).toHaveLength(1);
    expect(bodies(house)[0]).toContain('What the analysis found was acted upon');
    expect(bodies(house)[0]).toContain('180 100 app shop');
    expect(orders(house)).toHaveLength(2);
  });

  it.each([
    ['the model wants a human', { askModel: then(notifies) }, 'The model says: "Please look at the disk."'],
    [
      'the model does not answer',
      {
        askModel: then(async () => {
          throw new UpstreamError('ollama', 'timed_out', 'injected', { sent: 'unknown', retry: true });
        }),
      },
      'The model did not answer',
    ],
    [
      'the policy only observes the tool',
      {
        policy: policyOf({
          rules: [{ tools: ['analyze_processes'], autonomy: 'auto' }, { tools: ['restart_application'] }],
        }),
      },
      'Only observe: would run restart_application(app_name=shop)',
    ],
    [
      'the policy allows the tool nowhere',
      { policy: policyOf({ rules: [{ tools: ['analyze_processes'], autonomy: 'auto' }] }) },
      'No rule of the policy allows restart_application.',
    ],
    [
      'the policy lets nothing follow',
      { policy: policyOf({ after_analysis: 'never' }) },
      'lets nothing follow',
    ],
  ])('go to a human when %s, and nothing else runs', async (_, options, text) => {
    const house = openHouse(options);
    const id = await play(house);
    expect(house.incident(id)).toMatchObject({ outcome: 'analysed', escalation: 'delivered' });
    expect(orders(house)).toEqual([`${id}#1 analyze_processes`]);
    expect(bodies(house)).toHaveLength(1);
    expect(bodies(house)[0]).toContain(text);
    expect(bodies(house)[0]).toContain('180 100 app shop');
  });

  it('wait for a busy model, and are then acted upon', async () => {
    let asked = 0;
    const house = openHouse({
      askModel: then(async (question) => {
        asked += 1;
        if (asked < 3) throw new UpstreamError('ollama', 'busy', 'busy', { sent: 'no', retry: true });
        return choosesFirst(question);
      }),
    });
    await play(house);
    expect(orders(house)).toHaveLength(2);
  });

  it('ask a human first where the policy wants that, with the findings in the question', async () => {
    const house = openHouse({ policy: policyOf({ after_analysis: 'approve' }) });
    await house.ready;
    house.rundeck.endAs('succeeded', SHOP);
    const id = await house.post(cpu);
    house.later(5 * MINUTE, async () => {
      const proposalHash = house.incident(id).decisions[1]?.proposalHash ?? '';
      await house.answer({ incidentId: id, step: 2, proposalHash, answer: 'approved', by: 'ann' });
    });
    await house.settle();
    const [question] = house.people.messages;
    expect(question).toMatchObject({ kind: 'approval' });
    expect(question?.body).toContain('180 100 app shop');
    expect(question?.body).toContain('restart_application(app_name=shop)');
    expect(orders(house)).toEqual([`${id}#1 analyze_processes`, `${id}#2 restart_application`]);
  });

  it.each([
    ['a cooldown', { cooldowns: { default: '1s', tools: { restart_application: '2h' } } }],
    ['a limit', { limits: { global: { per_hour: 20 }, tools: { restart_application: { per_hour: 0 } } } }],
  ])('are held back by %s like any other job', async (_, more) => {
    const house = openHouse({ policy: policyOf(more) });
    await house.ready;
    await house.table.takeAllowance(
      'cooldown/zabbix/web-01/restart_application',
      1,
      house.clock() + 120 * MINUTE,
    );
    const id = await play(house);
    expect(orders(house)).toEqual([`${id}#1 analyze_processes`]);
    expect(house.incident(id).escalation).toBe('delivered');
    expect(bodies(house)[0]).toContain('180 100 app shop');
  });

  it('wait while Remedia is paused, and go to a human when it stays so', async () => {
    const house = openHouse({});
    const id = await untilFound(house);
    await house.setPause(true);
    await house.settle(house.clock() + 5 * MINUTE);
    expect(house.incident(id)).toMatchObject({ state: 'held' });
    await house.settle();
    expect(house.incident(id)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(bodies(house)[0]).toContain('180 100 app shop');
    expect(orders(house)).toHaveLength(1);
  });

  it('are checked once more before the job: a policy that was tightened stops it', async () => {
    const house = openHouse({});
    const id = await untilFound(house);
    await house.decide({ incidentId: id });
    await house.setPolicy(policyOf({ after_analysis: 'never' }));
    await house.settle();
    expect(orders(house)).toHaveLength(1);
    expect(house.incident(id)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(bodies(house)[0]).toContain('lets nothing follow on an analysis');
  });

  it.each(['before', 'while'])('are only told when the problem is over %s it is decided', async (when) => {
    const house = openHouse({
      askModel: then(async (question) => {
        if (when === 'while') await house.recover(cpu);
        return choosesFirst(question);
      }),
    });
    const id = await untilFound(house);
    if (when === 'before') await house.recover(cpu);
    await house.settle();
    expect(house.incident(id)).toMatchObject({ outcome: 'analysed', escalation: 'delivered' });
    expect(orders(house)).toHaveLength(1);
    expect(bodies(house)[0]).toContain('Zabbix says that it is over.');
  });

  it('are told beside the storm that broke out meanwhile, and nothing runs', async () => {
    const house = openHouse({ policy: policyOf({ storm: { alerts: 5, within: '5m' } }) });
    const id = await untilFound(house);
    const minute = new Date(house.clock()).toISOString().slice(0, 16);
    for (let count = 0; count < 9; count += 1) {
      await house.table.takeAllowance(`storm/zabbix/${minute}`, 99, house.clock() + 99 * MINUTE);
    }
    await house.settle();
    expect(house.incident(id)).toMatchObject({ outcome: 'analysed', escalation: 'delivered' });
    expect(orders(house)).toHaveLength(1);
    expect(house.people.messages.map(({ incidentId }) => incidentId)).toEqual(['storm/zabbix', id]);
  });

  it('are decided about once, however often and late each message comes again', async () => {
    const house = openHouse({});
    const id = await untilFound(house);
    const repeat = async (step: 1 | 2) => {
      await Promise.all([1, 2].map(() => house.check({ incidentId: id, step })));
      await Promise.all([1, 2].map(() => house.dispatch({ incidentId: id, step })));
      await Promise.all([1, 2].map(() => house.decide({ incidentId: id })));
    };
    await repeat(1);
    house.rundeck.endAs('running');
    await house.dispatch({ incidentId: id, step: 2 });
    await repeat(1);
    expect(house.incident(id)).toMatchObject({ state: 'running' });
    expect(house.incident(id).decisions[1]?.dispatch).not.toHaveProperty('endedAt');
    house.rundeck.endAs('succeeded');
    await repeat(2);
    await house.settle();
    expect(orders(house)).toEqual([`${id}#1 analyze_processes`, `${id}#2 restart_application`]);
    expect(house.incident(id).decisions).toHaveLength(2);
    expect(house.people.messages).toHaveLength(1);
  });

  it('are decided about although the message between the two functions got lost', async () => {
    const house = openHouse({});
    const id = await untilFound(house);
    expect(house.incident(id)).toMatchObject({ state: 'received' });
    while (house.queues.decide.receive() !== undefined);
    await house.settle();
    expect(house.incident(id).decisions).toHaveLength(2);
    expect(orders(house)).toHaveLength(2);
  });

  it('do not make the next analysis of the host a repeated failure', async () => {
    const house = openHouse({ policy: policyOf({ cooldowns: { default: '1s' } }) });
    await play(house, { recoverAfter: 2 * MINUTE });
    const next = await house.post({ ...cpu, eventId: '4712', trigger: { id: '9' } });
    await house.settle(house.clock() + MINUTE);
    expect(house.incident(next).decisions[0]?.verdict).toMatchObject({ kind: 'remediate' });
  });
});

describe('findings that name none', () => {
  it.each([
    ['a database', analysisOutput(['postgres 180']), 'postgres uses 100 % of the cpu'],
    ['a name that gives orders', analysisOutput(['restart-shop-now 180']), 'restart-shop-now uses 100 %'],
    ['no clear share', analysisOutput(['shop 90', 'other 80']), 'no single application or service'],
    ['no list', ['42 % java'], 'no list that Remedia could read'],
  ])(
    '(%s) go to a human at once, with what Remedia thinks, and the model is not asked again',
    async (_, output, thinks) => {
      const house = openHouse({});
      const id = await play(house, { output });
      expect(house.incident(id)).toMatchObject({ outcome: 'analysed', escalation: 'delivered' });
      expect(bodies(house)[0]).toContain('Remedia thinks: ');
      expect(bodies(house)[0]).toContain(thinks);
      expect(house.questions).toHaveLength(1);
      expect(orders(house)).toHaveLength(1);
    },
  );

  it('also go there when the problem is over, or no policy can be read', async () => {
    const over = openHouse({});
    await over.ready;
    over.rundeck.endAs('succeeded', SHOP);
    const id = await over.post(cpu);
    await over.decide({ incidentId: id });
    await over.dispatch({ incidentId: id, step: 1 });
    await over.recover(cpu);
    await over.settle();
    expect(bodies(over)[0]).toContain('Remedia thinks: The problem is over.');

    const without = openHouse({
      over: ({ table }) => ({
        loadPolicy: async () => (without.rundeck.orders().length > 0 ? undefined : table.loadPolicy()),
      }),
    });
    await play(without);
    expect(bodies(without)[0]).toContain('No valid policy is readable.');
  });
});

it('A simulation analyses nothing, so nothing follows', async () => {
  const house = openHouse({});
  await house.ready;
  house.rundeck.endAs('succeeded', SHOP);
  const id = await house.post(cpu, 'simulate');
  await house.settle();
  expect(house.incident(id)).toMatchObject({ outcome: 'simulated', decisions: [{ step: 1 }] });
  expect(house.questions).toHaveLength(1);
});

it('findings that are being decided about are not handed over by a check that is late', async () => {
  let stale: Incident | undefined;
  let late = false;
  const house = openHouse({
    over: ({ table }) => ({
      changeIncident: async (incidentId, change) => {
        const changed = await table.changeIncident(incidentId, change);
        if (changed.incident?.state === 'verifying') stale ??= changed.incident;
        return changed;
      },
      loadIncident: async (incidentId) => (late && stale ? stale : table.loadIncident(incidentId)),
      loadPolicy: async () => (late ? undefined : table.loadPolicy()),
    }),
  });
  const id = await untilFound(house);
  expect(stale).toMatchObject({ state: 'verifying' });
  late = true;
  await house.check({ incidentId: id, step: 1 });

  expect(house.incident(id)).toMatchObject({ state: 'received', escalation: 'none' });
});

describe('findings that come in a storm', () => {
  it('are told, for the summary of the storm does not hold them', async () => {
    const house = openHouse({ policy: policyOf({ storm: { alerts: 10, within: '5m' } }) });
    await house.ready;
    house.rundeck.endAs('succeeded', analysisOutput(['shop 180', 'sshd 1']));
    const high = { eventName: 'High CPU utilization', tags: [{ tag: 'component', value: 'cpu' }] };
    const id = await house.post(anAlert({ ...high, item: { key: 'system.cpu.util' } }));
    await house.settle(house.clock() + 1000);
    for (let index = 0; index < 12; index += 1) {
      await house.post(anAlert({ eventId: String(9000 + index), trigger: { id: String(50 + index) } }));
    }

    await house.settle(house.clock() + 30 * 60_000);

    const told = house.people.messages.filter(({ incidentId }) => incidentId === id);
    expect(told.map(({ body }) => body.includes('shop'))).toEqual([true]);
  });
});
