/** The way of one alert through all workflows: each verdict, each outcome, and who is told. */
import { describe, expect, it } from 'vitest';
import type { Alert } from '#lib/core/alert.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import { anAlert } from '#test/builders/incidents.ts';
import { type House, notifies, openHouse, policyOf, says } from '#test/workflow/house.ts';

const MINUTE = 60_000;
const TOOLS = ['cleanup_disk', 'restart_service', 'analyze_processes'];
const withAutonomy = (autonomy: string) => policyOf({ rules: [{ tools: TOOLS, autonomy }] });
const aCpuAlert = () =>
  anAlert({
    eventName: 'High CPU utilization',
    tags: [{ tag: 'component', value: 'cpu' }],
    item: { key: 'system.cpu.util' },
  });

async function play(house: House, alert: Alert = anAlert(), recoverAfter?: number): Promise<string> {
  await house.ready;
  const id = await house.post(alert);
  if (recoverAfter !== undefined) house.later(recoverAfter, () => house.recover(alert));
  await house.settle();
  return id;
}

describe('a job', () => {
  it('is verified when it succeeds and Zabbix sees the recovery; nobody is woken', async () => {
    const house = openHouse({});
    const id = await play(house, anAlert(), 2 * MINUTE);
    const incident = house.incident(id);
    expect(incident).toMatchObject({ state: 'closed', outcome: 'verified', escalation: 'none' });
    expect(incident).not.toHaveProperty('dueAt');
    expect(house.rundeck.orders()).toMatchObject([
      {
        tool: 'cleanup_disk',
        arguments: { path: '/var' },
        node: 'web-01',
        cleanupRoots: ['/var/log'],
        decisionId: `${id}#1`,
        incidentId: id,
        eventId: '4711',
        triggerId: '23456',
        host: 'web-01',
        mode: 'live',
        link: `https://remedia.test/api/v1/incidents/${id}`,
      },
    ]);
    expect(house.people.messages).toEqual([]);
    expect(house.zabbix.comments('4711')).toMatchObject([{ acknowledged: true }]);
    expect(house.questions).toHaveLength(1);
    expect(incident.decisions[0]).toMatchObject({
      decisionId: `${id}#1`,
      model: { model: 'scripted', promptHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      proposalHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('is failed when it fails, and a human learns its status and its output is kept', async () => {
    const house = openHouse({});
    house.rundeck.endAs('failed', ['no space left']);
    const id = await play(house);
    expect(house.incident(id)).toMatchObject({ outcome: 'failed', escalation: 'delivered' });
    expect(house.incident(id).decisions[0]?.dispatch).toMatchObject({
      executionStatus: 'failed',
      output: 'no space left',
    });
    expect(house.people.messages).toHaveLength(1);
    expect(house.people.messages[0]?.body).toContain('cleanup_disk');
    expect(house.people.messages[0]?.body).toContain('The job ended as failed.');
    expect(house.zabbix.comments('4711')).toMatchObject([{ acknowledged: true }]);
  });

  it('says so when it failed and the problem is over all the same', async () => {
    const house = openHouse({
      over: ({ rundeck }) => ({
        readExecution: async (executionId) => {
          const execution = await rundeck.readExecution(executionId);
          return (
            execution && { ...execution, status: house.clock() < started + 90_000 ? 'running' : 'aborted' }
          );
        },
      }),
    });
    const started = house.clock();
    const id = await play(house, anAlert(), MINUTE);
    expect(house.incident(id)).toMatchObject({ outcome: 'failed' });
    expect(house.people.messages[0]?.body).toContain('The problem is over all the same.');
  });

  it('is failed when it succeeds and Zabbix still sees the problem', async () => {
    const house = openHouse({});
    const id = await play(house);
    expect(house.incident(id)).toMatchObject({ outcome: 'failed', escalation: 'delivered' });
    expect(house.people.messages[0]?.body).toContain('Zabbix still sees the problem');
  });

  it.each([
    ['no API of Zabbix is configured', { without: ['zabbix'] }],
    ['Zabbix is down', { without: [] }],
  ] as const)('is unverifiable when %s and no recovery is posted', async (why, { without }) => {
    const house = openHouse({ without });
    if (why === 'Zabbix is down') house.zabbix.become('down');
    const id = await play(house);
    expect(house.incident(id)).toMatchObject({ outcome: 'unverifiable', escalation: 'delivered' });
  });

  it('is verified by a post alone when no API of Zabbix is configured', async () => {
    const house = openHouse({ without: ['zabbix'] });
    const id = await play(house, anAlert(), 2 * MINUTE);
    expect(house.incident(id)).toMatchObject({ outcome: 'verified' });
  });

  it('is verified by the API alone when the recovery is never posted', async () => {
    const house = openHouse({});
    await house.ready;
    const id = await house.post(anAlert());
    house.later(2 * MINUTE, async () => house.zabbix.recover('4711', house.clock() - 1000));
    await house.settle();
    const { outcome, recoveredAt, closedAt = 0 } = house.incident(id);
    expect(outcome).toBe('verified');
    expect(recoveredAt).toBeLessThan(closedAt);
  });

  it.each([
    ['it runs for ever', () => ({}), 'long after its time limit'],
    [
      'Rundeck has lost it',
      () => ({ readExecution: async () => undefined }),
      'does not say how the job ended',
    ],
    [
      'Rundeck is down ever since',
      () => ({
        readExecution: async () => {
          throw new UpstreamError('rundeck', 'refused', 'injected', { sent: 'no' as const, retry: true });
        },
      }),
      'does not say how the job ended',
    ],
  ] as const)('is unverifiable when %s', async (_, over, text) => {
    const house = openHouse({ over });
    house.rundeck.endAs('running');
    const id = await play(house);
    expect(house.incident(id)).toMatchObject({ outcome: 'unverifiable', escalation: 'delivered' });
    expect(house.people.messages[0]?.body).toContain(text);
  });

  it('is unverifiable without the API of Rundeck', async () => {
    const house = openHouse({ without: ['rundeck api'] });
    const id = await play(house, anAlert(), 2 * MINUTE);
    expect(house.incident(id)).toMatchObject({ outcome: 'unverifiable' });
  });

  it('is checked ever more seldom, in one series whatever else asks', async () => {
    const house = openHouse({});
    house.rundeck.endAs('running');
    await house.ready;
    const id = await house.post(anAlert());
    for (const seconds of [20, 21, 22]) {
      house.later(seconds * 1000, () => house.notifyExecution('1'));
    }
    await house.settle(house.clock() + 5 * MINUTE);
    expect(house.queues.check.waiting()).toEqual([{ incidentId: id, step: 1 }]);
    const checks = house.used.filter((each) => each === 'check: readExecution').length;
    expect(checks).toBeGreaterThan(6);
    expect(checks).toBeLessThan(20);
  });

  it('is looked at again at once when Rundeck says that it ended, and others are not ours', async () => {
    const house = openHouse({});
    await house.ready;
    await house.post(anAlert());
    await house.settle(house.clock());
    expect(await house.notifyExecution('1')).toEqual({ kind: 'answered', answer: 'checking' });
    expect(await house.notifyExecution('77')).toEqual({ kind: 'answered', answer: 'not_ours' });
  });

  it('does not start when the problem recovers between the claim and the post', async () => {
    const house = openHouse({
      over: ({ table }) => ({
        takeAllowance: async (...given) => {
          if (given[0].startsWith('limit/')) await house.recover(anAlert());
          return table.takeAllowance(...given);
        },
      }),
    });
    await house.ready;
    const id = await house.post(anAlert());
    await house.decide({ incidentId: id });
    expect(await house.dispatch({ incidentId: id, step: 1 })).toMatchObject({ answer: 'stopped' });
    expect(house.incident(id)).toMatchObject({ outcome: 'recovered_before_action', escalation: 'none' });
    expect(house.rundeck.orders()).toEqual([]);
    // What was taken for it is there for the next one.
    expect(
      await house.table.takeAllowance('cooldown/zabbix/web-01/cleanup_disk', 1, house.clock() + MINUTE),
    ).toBe(true);
  });

  it('does not start when the problem recovers before', async () => {
    const house = openHouse({});
    await house.ready;
    const id = await house.post(anAlert());
    await house.decide({ incidentId: id });
    await house.recover(anAlert());
    await house.settle();
    expect(house.incident(id)).toMatchObject({ outcome: 'recovered_before_action', escalation: 'none' });
    expect(house.rundeck.orders()).toEqual([]);
    expect(house.people.messages).toEqual([]);
  });

  it('does not start under a policy that was tightened meanwhile', async () => {
    const house = openHouse({});
    await house.ready;
    const id = await house.post(anAlert());
    await house.decide({ incidentId: id });
    await house.setPolicy(policyOf({ rules: [] }));
    await house.settle();
    expect(house.incident(id)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(house.rundeck.orders()).toEqual([]);
    expect(house.people.messages[0]?.body).toContain('policy no longer allows this');
  });

  it('waits for room in a limit, and is handed over when there is none in time', async () => {
    const house = openHouse({ policy: policyOf({ limits: { global: { per_hour: 1 } } }) });
    const first = await play(house);
    const second = await play(house, anAlert({ eventId: '4712', host: { host: 'web-02' } }));
    expect(house.incident(first).outcome).toBe('failed');
    expect(house.incident(second)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(house.incident(second).timeline.some(({ kind }) => kind === 'held')).toBe(true);
    expect(house.rundeck.orders()).toHaveLength(1);
  });

  it('gives the claim back when the limits cannot be read', async () => {
    let broken = false;
    const house = openHouse({
      over: ({ table }) => ({
        takeAllowance: async (key, ...asked) => {
          if (!broken || key.startsWith('storm/')) return table.takeAllowance(key, ...asked);
          broken = false;
          throw new UpstreamError('incidents_table', 'throttled', 'injected', { sent: 'no', retry: true });
        },
      }),
    });
    await house.ready;
    const id = await house.post(anAlert());
    await house.decide({ incidentId: id });
    // Its arrival takes a unit too, of the storm's counter; only the job's are meant here.
    broken = true;
    expect(await house.dispatch({ incidentId: id, step: 1 })).toMatchObject({ kind: 'threw' });
    expect(house.incident(id).state).toBe('decided');
    expect(house.incident(id).decisions[0]).not.toHaveProperty('dispatch');
    await house.settle(house.clock());
    expect(house.rundeck.orders()).toHaveLength(1);
  });

  it('runs once when the same messages come many times and at once', async () => {
    const house = openHouse({});
    await house.ready;
    const id = await house.post(anAlert());
    await Promise.all([1, 2, 3].map(() => house.decide({ incidentId: id })));
    await Promise.all([1, 2, 3, 4].map(() => house.dispatch({ incidentId: id, step: 1 })));
    await house.post(anAlert());
    await house.settle();
    expect(house.rundeck.orders()).toHaveLength(1);
    expect(house.table.all()).toHaveLength(1);
    expect(house.incident(id).decisions).toHaveLength(1);
  });
});

describe('an analysis', () => {
  it('ends with its findings in the record and with a human', async () => {
    const house = openHouse({});
    house.rundeck.endAs('succeeded', ['42 % java', '17 % postgres']);
    const id = await play(house, aCpuAlert());
    expect(house.incident(id)).toMatchObject({ outcome: 'analysed', escalation: 'delivered' });
    expect(house.incident(id).decisions[0]?.dispatch?.output).toBe('42 % java\n17 % postgres');
    expect(house.people.messages).toHaveLength(1);
    expect(house.people.messages[0]?.subject).toContain('Findings');
    expect(house.people.messages[0]?.body).toContain('42 % java\n17 % postgres');
    expect(house.zabbix.comments('4711')).toMatchObject([{ acknowledged: true }]);
  });

  it('is handed over without findings when the output cannot be read', async () => {
    const house = openHouse({
      over: () => ({
        readOutput: async () => {
          throw new UpstreamError('rundeck', 'failed', 'injected', { sent: 'yes', retry: true });
        },
      }),
    });
    const id = await play(house, aCpuAlert());
    expect(house.incident(id)).toMatchObject({ outcome: 'analysed', escalation: 'delivered' });
    expect(house.people.messages[0]?.body).toContain('The job printed nothing.');
  });
});

describe('no job', () => {
  it("tells a human the model's one sentence, marked as the model's, when it wants one", async () => {
    const house = openHouse({ askModel: notifies });
    const id = await play(house);
    expect(house.incident(id)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(house.people.messages[0]?.body).toContain('The model says: "Please look at the disk."');
  });

  it('tells a human without asking the model when no tool fits', async () => {
    const house = openHouse({});
    const id = await play(
      house,
      anAlert({ eventName: 'Certificate expires', tags: [], item: { key: 'web.certificate.get[shop]' } }),
    );
    expect(house.incident(id)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(house.questions).toEqual([]);
    expect(house.people.messages[0]?.links[0]).toEqual({
      title: 'Timeline',
      url: `https://remedia.test/api/v1/incidents/${id}`,
    });
  });

  it('only observes where the policy says so, and tells nobody', async () => {
    const house = openHouse({ policy: withAutonomy('observe') });
    const id = await play(house);
    expect(house.incident(id)).toMatchObject({ outcome: 'observed', escalation: 'none' });
    expect(house.rundeck.orders()).toEqual([]);
    expect(house.people.messages).toEqual([]);
  });

  it('ignores what is below the minimum severity, without a comment', async () => {
    const house = openHouse({ policy: policyOf({ minimum_severity: 4 }) });
    const id = await play(house);
    expect(house.incident(id)).toMatchObject({ outcome: 'ignored', escalation: 'none' });
    expect(house.zabbix.comments('4711')).toEqual([]);
  });

  it('is decided about a recovered problem, whether it was over before or while the model thought', async () => {
    const early = openHouse({});
    await early.ready;
    const first = await early.post(anAlert());
    await early.recover(anAlert());
    await early.settle();
    expect(early.incident(first)).toMatchObject({ outcome: 'recovered_before_action', decisions: [] });
    expect(early.questions).toEqual([]);

    const late = openHouse({
      askModel: async () => {
        await late.recover(anAlert());
        return says('{"name":"notify","arguments":{"message":"Look."}}');
      },
    });
    const second = await play(late);
    expect(late.incident(second)).toMatchObject({ outcome: 'recovered_before_action', escalation: 'none' });
    expect(late.incident(second).decisions).toHaveLength(1);
    expect(late.people.messages).toEqual([]);
  });

  it('is decided about a record without an alert: a human is told', async () => {
    const house = openHouse({});
    await house.ready;
    const id = await house.post(anAlert());
    await house.table.changeIncident(id, ({ alert: _, ...rest }) => rest);
    await house.settle();
    expect(house.incident(id)).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
  });

  it.each(['decide', 'check'] as const)('comes of a %s message whose incident is gone', async (which) => {
    const house = openHouse({});
    await house.ready;
    const incidentId = 'inc_000000000000000000000000';
    const ended =
      which === 'decide' ? await house.decide({ incidentId }) : await house.check({ incidentId, step: 1 });
    expect(ended.kind).toBe('answered');
    expect(await house.dispatch({ incidentId, step: 1 })).toEqual({ kind: 'answered', answer: 'gone' });
  });

  it('comes of a check for a decision that is not there', async () => {
    const house = openHouse({});
    await house.ready;
    const id = await house.post(anAlert());
    expect(await house.check({ incidentId: id, step: 2 })).toEqual({ kind: 'answered', answer: 'gone' });
    expect(await house.dispatch({ incidentId: id, step: 1 })).toEqual({ kind: 'answered', answer: 'gone' });
  });
});

describe('a simulation', () => {
  it.each([
    ['a job', undefined, 'cleanup_disk'],
    ['an escalation', notifies, 'Hand over to a human'],
  ] as const)('of %s decides and records, and nothing leaves', async (_, askModel, text) => {
    const house = openHouse({ askModel });
    await house.ready;
    await house.setPause(true);
    const id = await house.post(anAlert(), 'simulate');
    await house.settle();
    const incident = house.incident(id);
    expect(id).toMatch(/^sim_/);
    expect(incident).toMatchObject({ outcome: 'simulated', escalation: 'none' });
    expect(incident.timeline.at(-1)?.text).toContain(text);
    expect(house.rundeck.orders()).toEqual([]);
    expect(house.people.messages).toEqual([]);
    expect(house.zabbix.comments('4711')).toEqual([]);
    expect(house.used.filter((port) => /takeAllowance|sendToDispatch|sendToCheck/.test(port))).toEqual([]);
    expect(await house.dispatch({ incidentId: id, step: 1 })).toMatchObject({ answer: 'not_claimed' });
    expect(await house.check({ incidentId: id, step: 1 })).toMatchObject({ answer: 'gone' });
  });

  it('that cannot be decided in time ends without a message too', async () => {
    const house = openHouse({ policy: 'none' });
    const id = await house.post(anAlert(), 'simulate');
    await house.settle();
    expect(house.incident(id)).toMatchObject({ outcome: 'simulated', escalation: 'none' });
    expect(house.people.messages).toEqual([]);
  });
});

describe('many alerts', () => {
  it('of one flapping trigger are told once, and each names the message that covers it', async () => {
    const house = openHouse({});
    await house.ready;
    for (let event = 1; event <= 7; event += 1) {
      await house.post(anAlert({ eventId: String(event) }));
      await house.settle(house.clock() + 30_000);
    }
    await house.settle();
    const flapping = house.table
      .all()
      .filter(({ decisions }) => decisions[0]?.verdict.reasons[0]?.code === 'flapping');
    expect(flapping).toHaveLength(4);
    const [first, ...others] = flapping;
    expect(first).toMatchObject({ escalation: 'delivered' });
    expect(others.map(({ coveredBy }) => coveredBy)).toEqual(others.map(() => first?.incidentId));
    const told = house.people.messages.filter(({ incidentId }) =>
      flapping.some((each) => each.incidentId === incidentId),
    );
    expect(told).toHaveLength(1);
  });

  it('of a storm start nothing and are told as one summary, and the next storm is told again', async () => {
    const house = openHouse({ policy: policyOf({ storm: { alerts: 3, within: '5m' } }) });
    await house.ready;
    const storm = async (from: number) => {
      for (let event = from; event < from + 6; event += 1) {
        await house.post(anAlert({ eventId: String(event), host: { host: `web-${event}` } }));
      }
      await house.settle(house.clock() + MINUTE);
    };
    const summaries = () => house.people.messages.filter(({ incidentId }) => incidentId === 'storm/zabbix');
    await storm(10);
    expect(summaries()).toHaveLength(1);
    expect(house.people.messages).toHaveLength(1);
    expect(house.rundeck.orders()).toEqual([]);
    const struck = house.table.all().filter(({ alert }) => alert !== undefined);
    expect(struck.map(({ outcome, coveredBy }) => ({ outcome, coveredBy }))).toEqual(
      Array.from({ length: 6 }, () => ({ outcome: 'handed_over', coveredBy: 'storm/zabbix' })),
    );

    house.pass(10 * MINUTE);
    await house.post(anAlert({ eventId: '20', host: { host: 'web-20' } }));
    await house.settle(house.clock() + 2 * MINUTE);
    expect(house.rundeck.orders()).toHaveLength(1);

    house.pass(MINUTE);
    await storm(30);
    expect(summaries()).toHaveLength(2);
  });

  describe('in storms', () => {
    const policy = policyOf({ storm: { alerts: 3, within: '1m' } });
    const open = () => {
      const house = openHouse({ policy });
      let event = 10;
      return {
        house,
        /** So many problems at once, each on a host of its own. */
        arrive: async (alerts: number) => {
          for (let each = 0; each < alerts; each += 1) {
            event += 1;
            await house.post(anAlert({ eventId: String(event), host: { host: `web-${event}` } }));
          }
        },
        summaries: () =>
          house.people.messages.filter(({ incidentId }) => incidentId === 'storm/zabbix').length,
      };
    };

    it('are told for each storm, also when the next one comes minutes after the last, and nobody saw that it was calm', async () => {
      const { house, arrive, summaries } = open();
      await house.ready;
      for (const storms of [1, 2, 3]) {
        await arrive(5);
        await house.settle(house.clock() + 3 * MINUTE);
        expect(summaries()).toBe(storms);
      }
    });

    it('are told once while a storm lasts, whatever minute of it they come in', async () => {
      const { house, arrive, summaries } = open();
      await house.ready;
      for (let minute = 0; minute < 45; minute += 1) {
        await arrive(3);
        await house.settle(house.clock() + MINUTE);
      }
      expect(summaries()).toBe(1);
    });

    it('are told again about once an hour when it goes on and on', async () => {
      const { house, arrive, summaries } = open();
      await house.ready;
      for (let minute = 0; minute < 200; minute += 1) {
        await arrive(3);
        await house.settle(house.clock() + MINUTE);
      }
      expect(summaries()).toBe(4);
    });
  });
});

describe('a host that needs the same tool again within its cooldown', () => {
  const nginx = {
    tags: [{ tag: 'service', value: 'nginx.service' }],
    item: { key: 'systemd.unit.info["nginx.service",ActiveState]', value: 'failed' },
    trigger: { id: '102', nameOrig: 'Service is not running' },
  };
  const first = anAlert({ eventId: '1', ...nginx });
  const second = anAlert({ eventId: '2', ...nginx });

  it('is told to a human at once, with the reason', async () => {
    const house = openHouse({});
    await house.ready;
    await house.post(first);
    house.later(MINUTE, () => house.recover(first));
    await house.settle();
    house.pass(5 * MINUTE);
    const from = house.clock();
    const id = await house.post(second);
    await house.settle(from);
    expect(house.incident(id)).toMatchObject({
      outcome: 'handed_over',
      escalation: 'delivered',
      closedAt: from,
    });
    expect(house.people.messages.at(-1)?.body).toContain('within its cooldown of 30m');
    expect(house.rundeck.orders()).toHaveLength(1);
  });

  it('is told at once also when both were decided before either ran', async () => {
    const house = openHouse({});
    await house.ready;
    house.rundeck.endAs('running');
    const ids = [await house.post(first), await house.post(second)];
    for (const incidentId of ids) await house.decide({ incidentId });
    await house.settle(house.clock());
    const after = ids.map((id) => house.incident(id));
    expect(after).toMatchObject([{ state: 'running' }, { outcome: 'handed_over', escalation: 'delivered' }]);
    expect(house.people.messages[0]?.body).toContain('cooldown of restart_service on this host');
    expect(house.rundeck.orders()).toHaveLength(1);
  });

  it('waits for a full hour all the same, which passes', async () => {
    const house = openHouse({ policy: policyOf({ limits: { global: { per_hour: 1 } } }) });
    await house.ready;
    await house.post(first);
    const id = await house.post(anAlert({ ...second, host: { host: 'web-2' } }));
    await house.settle(house.clock() + MINUTE);
    expect(house.incident(id)).toMatchObject({ state: 'held', escalation: 'none' });
  });
});

describe('an invocation that was frozen for longer than a claim lasts', () => {
  const frozen = async (sleepsIn: 'loadPause' | 'takeAllowance') => {
    const asleep = Promise.withResolvers<void>();
    let first = true;
    const sleepOnce = async () => {
      if (!first) return;
      first = false;
      await asleep.promise;
      if (sleepsIn === 'takeAllowance')
        throw new UpstreamError('incidents_table', 'throttled', 'injected', { sent: 'no', retry: true });
    };
    const house = openHouse({
      policy: policyOf({ cooldowns: { default: '1s' } }),
      over: ({ table }) => ({
        loadPause: async () => {
          if (sleepsIn === 'loadPause' && deciding === 'over') await sleepOnce();
          return table.loadPause();
        },
        takeAllowance: async (key, ...rest) => {
          if (sleepsIn === 'takeAllowance' && key.startsWith('limit/')) await sleepOnce();
          return table.takeAllowance(key, ...rest);
        },
      }),
    });
    let deciding = '';
    await house.ready;
    const id = await house.post(anAlert());
    await house.decide({ incidentId: id });
    deciding = 'over';
    const sleeper = house.dispatch({ incidentId: id, step: 1 });
    return { house, id, wake: asleep.resolve, sleeper };
  };

  it.each(['loadPause', 'takeAllowance'] as const)(
    'neither posts nor gives back what another has claimed since (%s)',
    async (sleepsIn) => {
      const { house, id, wake, sleeper } = await frozen(sleepsIn);
      await new Promise((resolve) => setImmediate(resolve));
      house.pass(4 * MINUTE);
      await house.sweep();
      house.rundeck.endAs('running');
      expect(await house.dispatch({ incidentId: id, step: 1 })).toMatchObject({ answer: 'started' });
      wake();
      await sleeper;
      expect(house.rundeck.orders()).toHaveLength(1);
      expect(house.incident(id).state).toBe('running');
    },
  );
});
