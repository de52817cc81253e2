/** A crash between any two effects, at every place there is: one record, one job at most, and a human told. */
import { describe, expect, it } from 'vitest';
import type { Outcome } from '#lib/core/incident.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import { analysisOutput } from '#test/builders/findings.ts';
import { anAlert } from '#test/builders/incidents.ts';
import {
  choosesFirst,
  type House,
  type Mishaps,
  notifies,
  openHouse,
  policyOf,
} from '#test/workflow/house.ts';

const MINUTE = 60_000;
const NEEDS_HUMAN: readonly Outcome[] = [
  'failed',
  'unverifiable',
  'unknown',
  'analysed',
  'handed_over',
  'rejected',
];

const cpu = anAlert({
  eventName: 'High CPU utilization',
  tags: [{ tag: 'component', value: 'cpu' }],
  item: { key: 'system.cpu.util' },
});
/** A cooldown would hold a second job back too, and hide that there was a second claim. */
const cooldowns = { default: '1s' };
const acting = policyOf({ cooldowns });
const asking = policyOf({
  cooldowns,
  rules: [{ tools: ['cleanup_disk'], autonomy: 'approve' }],
});
const askingAfterAnalysis = policyOf({ cooldowns, after_analysis: 'approve' });

interface Story {
  /** How it ends when nothing goes wrong. */
  readonly outcome: Outcome;
  /** The most that may run, each of another decision; one, unless said otherwise. */
  readonly jobs?: number;
  readonly open: (mishaps: Mishaps) => House;
  readonly run: (house: House) => Promise<string>;
}

const answerWhenAsked = (house: House, id: string, answer: 'approved' | 'rejected') => async () => {
  const { decisions } = house.incident(id);
  const proposalHash = decisions[0]?.proposalHash ?? '';
  await house.answer({ incidentId: id, step: 1, proposalHash, answer, by: 'ann' });
};

const STORIES: Readonly<Record<string, Story>> = {
  'a job that helps': {
    outcome: 'verified',
    open: (mishaps) => openHouse({ policy: acting, mishaps }),
    run: async (house) => {
      const id = await house.post(anAlert());
      house.later(3 * MINUTE, () => house.recover(anAlert()));
      return id;
    },
  },
  'a job that fails': {
    outcome: 'failed',
    open: (mishaps) => openHouse({ policy: acting, mishaps }),
    run: async (house) => {
      house.rundeck.endAs('failed');
      return house.post(anAlert());
    },
  },
  'a job that does not help': {
    outcome: 'failed',
    open: (mishaps) => openHouse({ policy: acting, mishaps }),
    run: (house) => house.post(anAlert()),
  },
  'an analysis': {
    outcome: 'analysed',
    open: (mishaps) => openHouse({ policy: acting, mishaps }),
    run: async (house) => {
      house.rundeck.endAs('succeeded', ['PID 1 eats it all']);
      return house.post(cpu);
    },
  },
  'an analysis, an action that helps': {
    outcome: 'verified',
    jobs: 2,
    open: (mishaps) => openHouse({ policy: acting, mishaps }),
    run: async (house) => {
      house.rundeck.endAs('succeeded', analysisOutput(['shop 180', 'sshd 1']));
      const id = await house.post(cpu);
      house.later(3 * MINUTE, () => house.recover(cpu));
      return id;
    },
  },
  'an analysis, an action that does not help': {
    outcome: 'failed',
    jobs: 2,
    open: (mishaps) => openHouse({ policy: acting, mishaps }),
    run: async (house) => {
      house.rundeck.endAs('succeeded', analysisOutput(['shop 180', 'sshd 1']));
      return house.post(cpu);
    },
  },
  'an analysis, a question that nobody answers': {
    outcome: 'handed_over',
    open: (mishaps) => openHouse({ policy: askingAfterAnalysis, mishaps }),
    run: async (house) => {
      house.rundeck.endAs('succeeded', analysisOutput(['shop 180', 'sshd 1']));
      return house.post(cpu);
    },
  },
  'a post that is never answered': {
    outcome: 'unknown',
    open: (mishaps) => openHouse({ policy: acting, mishaps, without: ['rundeck api'] }),
    run: async (house) => {
      house.rundeck.failNext('unanswered');
      return house.post(anAlert());
    },
  },
  'a post that is answered late': {
    outcome: 'failed',
    open: (mishaps) => openHouse({ policy: acting, mishaps }),
    run: async (house) => {
      house.rundeck.failNext('unanswered');
      return house.post(anAlert());
    },
  },
  'a Rundeck that is busy at first': {
    outcome: 'failed',
    open: (mishaps) => openHouse({ policy: acting, mishaps }),
    run: async (house) => {
      house.rundeck.failNext('busy');
      return house.post(anAlert());
    },
  },
  'a refused job': {
    outcome: 'failed',
    open: (mishaps) => openHouse({ policy: acting, mishaps }),
    run: async (house) => {
      house.rundeck.failNext('unauthorized');
      return house.post(anAlert());
    },
  },
  'a model that wants a human': {
    outcome: 'handed_over',
    open: (mishaps) => openHouse({ policy: acting, mishaps, askModel: notifies }),
    run: (house) => house.post(anAlert()),
  },
  'a model that is busy at first': {
    outcome: 'failed',
    open: (mishaps) => {
      let asked = 0;
      return openHouse({
        policy: acting,
        mishaps,
        askModel: async (question) => {
          asked += 1;
          if (asked < 3) throw new UpstreamError('ollama', 'busy', 'busy', { sent: 'no', retry: true });
          return choosesFirst(question);
        },
      });
    },
    run: (house) => house.post(anAlert()),
  },
  'a question that a human says yes to': {
    outcome: 'failed',
    open: (mishaps) => openHouse({ mishaps, policy: asking }),
    run: async (house) => {
      const id = await house.post(anAlert());
      for (const after of [12, 14, 16]) house.later(after * MINUTE, answerWhenAsked(house, id, 'approved'));
      return id;
    },
  },
  'a question that a human says no to': {
    outcome: 'rejected',
    open: (mishaps) => openHouse({ mishaps, policy: asking }),
    run: async (house) => {
      const id = await house.post(anAlert());
      for (const after of [12, 14, 16]) house.later(after * MINUTE, answerWhenAsked(house, id, 'rejected'));
      return id;
    },
  },
  'a question that nobody answers': {
    outcome: 'handed_over',
    open: (mishaps) => openHouse({ mishaps, policy: asking }),
    run: (house) => house.post(anAlert()),
  },
  'a storm': {
    outcome: 'handed_over',
    open: (mishaps) =>
      openHouse({ mishaps, policy: policyOf({ cooldowns, storm: { alerts: 1, within: '5m' } }) }),
    run: async (house) => {
      await house.table.takeAllowance(
        `storm/zabbix/${new Date(house.clock()).toISOString().slice(0, 16)}`,
        99,
        house.clock() + 99 * MINUTE,
      );
      return house.post(anAlert());
    },
  },
};

/** What must hold however it went. */
function judge(house: House, id: string, where: string, { jobs = 1 }: Story): void {
  const incidents = house.table.all().filter(({ alert }) => alert !== undefined);
  expect(incidents, where).toHaveLength(1);
  const incident = house.incident(id);
  expect(incident.state, where).toBe('closed');
  expect(incident.escalation, where).not.toBe('pending');
  const orders = house.rundeck.orders().map(({ decisionId }) => decisionId);
  expect(orders.length, where).toBeLessThanOrEqual(jobs);
  expect(orders, where).toEqual([...new Set(orders)]);
  expect(incident.decisions.length, where).toBeLessThanOrEqual(2);
  const { outcome, coveredBy } = incident;
  if (outcome !== undefined && NEEDS_HUMAN.includes(outcome)) {
    const about = house.people.messages.filter(
      ({ incidentId, kind }) => kind === 'escalation' && (incidentId === id || incidentId === coveredBy),
    );
    expect(about.length, `${where}: told of ${outcome}`).toBeGreaterThanOrEqual(1);
  }
}

/** Numbers of the effects, counted from 1; of what repeats, such as checks, the first two and the last. */
function places(used: readonly string[]): readonly number[] {
  return used.flatMap((label, index) => {
    const before = used.slice(0, index).filter((each) => each === label).length;
    return before < 2 || used.lastIndexOf(label) === index ? [index + 1] : [];
  });
}

async function play(story: Story, mishaps: Mishaps): Promise<{ house: House; id: string }> {
  const house = story.open(mishaps);
  await house.ready;
  const id = await story.run(house);
  await house.settle();
  return { house, id };
}

describe.each(Object.entries(STORIES))('%s', (_, story) => {
  it('ends the same way wherever a process dies, or an effect fails before or after it happened', async () => {
    const calm = await play(story, () => undefined);
    judge(calm.house, calm.id, 'calm', story);
    expect(calm.house.rundeck.orders().length).toBe(story.jobs ?? calm.house.rundeck.orders().length);
    expect(calm.house.incident(calm.id).outcome).toBe(story.outcome);
    const { used, people } = calm.house;
    const heard = people.messages.map(({ kind, subject }) => `${kind}: ${subject}`);
    expect(heard, 'told twice').toEqual([...new Set(heard)]);
    expect(used.length).toBeGreaterThan(5);
    for (const at of places(used)) {
      for (const kind of ['crash before', 'crash after', 'fails', 'loses its answer'] as const) {
        const { house, id } = await play(story, (index) => (index === at ? kind : undefined));
        const where = `effect ${at} of ${used.length} (${used[at - 1]}) ${kind}`;
        judge(house, id, where, story);
        expect(house.askedAgain, `${where}: asked although it was decided`).toEqual([]);
      }
    }
  });
});

describe('a mail server that is down for hours', () => {
  const story = {
    outcome: 'handed_over',
    open: (mishaps) => openHouse({ policy: acting, mishaps, askModel: notifies }),
    run: (house) => house.post(anAlert()),
  } satisfies Story;

  async function outlast(mishaps: Mishaps): Promise<{ house: House; id: string }> {
    const house = story.open(mishaps);
    await house.ready;
    house.people.become('refuse');
    const id = await story.run(house);
    await house.settle(house.clock() + 3 * 60 * MINUTE);
    expect(house.incident(id).escalation).toBe('undeliverable');
    return { house, id };
  }

  it('is never silent, wherever a process dies or an answer is lost: an alarm rings, and the human is told later', async () => {
    const calm = await outlast(() => undefined);
    for (const at of calm.house.used.map((_, index) => index + 1)) {
      for (const kind of ['crash before', 'crash after', 'fails', 'loses its answer'] as const) {
        const { house, id } = await outlast((index) => (index === at ? kind : undefined));
        const where = `effect ${at} of ${calm.house.used.length} (${calm.house.used[at - 1]}) ${kind}`;
        const lost =
          house.incident(id).timeline.findLast((each) => each.kind === 'escalation_failed')?.at ?? 0;
        const rang = house.alarms.filter((each) => each.at >= lost);
        // At once, though perhaps without a name; and within the hour by name.
        expect(
          rang.some((each) => each.at <= lost + 2 * MINUTE),
          `${where}: at once`,
        ).toBe(true);
        expect(
          rang.some((each) => each.text.includes(id) && each.at <= lost + 62 * MINUTE),
          where,
        ).toBe(true);
        house.people.become('listen');
        await house.settle(house.clock() + 62 * MINUTE);
        expect(house.incident(id), where).toMatchObject({ escalation: 'delivered', outcome: 'handed_over' });
        expect(house.people.messages.length, where).toBeGreaterThanOrEqual(1);
      }
    }
  });
});
