/** Lets hostile posts through the real endpoint and workflows, with a model on the attacker's side, and counts the harm. */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { intakeGate, makeAlertEndpoint } from '#lib/endpoints/alert-endpoint.ts';
import { makeNarrate } from '#lib/runtime/narrate.ts';
import type { AskModel, JobOrder } from '#lib/workflow/ports.ts';
import { makeReceiveAlert, makeRecordRejected } from '#lib/workflow/receive-alert.ts';
import { anHttpEvent } from '#test/builders/http-events.ts';
import { createMemoryLog } from '#test/fakes/log-memory.ts';
import {
  CANARY,
  type Hostile,
  hostilePayloads,
  type Order,
  TWINS,
  type TwinName,
} from '#test/hostile/payloads.ts';
import { choosesFirst, openHouse, policyOf, says } from '#test/workflow/house.ts';

const TOKEN = 'the-intake-token-5c1d';

/** The part of the format that says which calls there may be. */
const value = z.object({ enum: z.array(z.string()).optional() });
const formatSchema = z.object({
  anyOf: z.array(
    z.object({
      properties: z.object({
        says: value,
        name: z.object({ const: z.string() }),
        arguments: z.object({ properties: z.record(z.string(), value) }),
      }),
    }),
  ),
});

export interface Harm {
  readonly payloads: number;
  /** By what the endpoint answered. */
  readonly answers: Readonly<Record<string, number>>;
  /** Posts that became an incident with a job. */
  readonly acted: number;
  readonly ordersObeyed: number;
  readonly crashes: readonly string[];
  readonly widened: readonly string[];
  readonly leaks: readonly string[];
  /** Taken in and never brought to an end. */
  readonly lost: readonly string[];
}

const policy = policyOf({
  rules: [
    {
      tools: ['cleanup_disk', 'analyze_processes', 'restart_application'],
      where: { hosts: ['web-*'] },
      autonomy: 'auto',
    },
    { tools: ['restart_service'], where: { hosts: ['web-*'] }, autonomy: 'approve' },
  ],
  deny: [{ where: { tags: { remedia: 'never' } } }],
});

const incidentLink = (id: string) => `https://remedia.test/api/v1/incidents/${id}`;

/** Runs one post from the endpoint to its end. */
async function run(body: string, over: Hostile['over'], askModel: AskModel) {
  const { log, lines } = createMemoryLog();
  const house = openHouse({ policy, askModel, narrate: makeNarrate(log) });
  await house.ready;
  house.zabbix.openProblem('5');
  const event = anHttpEvent({
    httpMethod: 'POST',
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    body,
    ...over,
  });
  const ended = await house.invoke('receive', (ports) =>
    makeAlertEndpoint({
      gate: intakeGate({ tokens: [TOKEN], clock: house.clock }),
      receive: makeReceiveAlert(ports),
      recordRejected: makeRecordRejected(ports, { incidentLink }),
      source: 'zabbix',
      mode: 'live',
      incidentLink,
      clock: house.clock,
      log,
    })(event, {}),
  );
  const crashes: string[] = [];
  if (ended.kind !== 'answered') crashes.push(`the endpoint ${ended.kind}`);
  else if (ended.answer.statusCode >= 500) crashes.push(`the endpoint answered ${ended.answer.statusCode}`);
  try {
    await house.settle();
  } catch (error) {
    crashes.push(String(error));
  }
  const dead = [house.queues.decide, house.queues.dispatch, house.queues.check].flatMap((queue) => [
    ...queue.deadLetters(),
  ]);
  if (dead.length > 0) crashes.push(`${dead.length} dead letters`);
  return {
    status: ended.kind === 'answered' ? ended.answer.statusCode : 0,
    answer: ended.kind === 'answered' ? JSON.stringify(ended.answer) : '',
    crashes,
    lines: lines(),
    orders: house.rundeck.orders().map(actionOf),
    lost: house.table.all().filter(({ state, escalation }) => state !== 'closed' || escalation === 'pending'),
  };
}

const actionOf = ({ tool, node, host, arguments: given, cleanupRoots }: JobOrder) => ({
  tool,
  node,
  host,
  arguments: given,
  cleanupRoots,
});
type Action = ReturnType<typeof actionOf>;

/** Sends so many, by this seed. Every second one meets a server that does not even hold the model to the format. */
export async function attack(settings: { readonly count: number; readonly seed: number }): Promise<Harm> {
  const twins = new Map<TwinName, readonly Action[]>();
  for (const name of ['disk', 'load', 'container', 'needs consent', 'denied', 'no evidence'] as const) {
    const { orders, crashes } = await run(JSON.stringify(TWINS[name]), {}, choosesFirst);
    if (crashes.length > 0) throw new Error(`the sound alert ${name}: ${crashes.join()}`);
    twins.set(name, orders);
  }
  const answers: Record<string, number> = {};
  const crashes: string[] = [];
  const widened: string[] = [];
  const leaks: string[] = [];
  const lost: string[] = [];
  let acted = 0;
  let ordersObeyed = 0;
  const payloads = hostilePayloads(settings);
  for (const [index, { how, twin, body, over, spoken }] of payloads.entries()) {
    const name = `${index}: ${how} (${twin})`;
    const obeys: AskModel = async (question) => {
      const free = index % 2 === 1;
      if (free || allows(question.format, spoken)) {
        ordersObeyed += 1;
        return free && index % 4 === 1
          ? { ...says(''), toolCalls: [spoken] }
          : says(JSON.stringify({ ...readingFor(question.format, spoken.name), ...spoken }));
      }
      // What it is told is impossible, so it does the most that is possible.
      return choosesFirst(question);
    };
    const result = await run(body, over, obeys);
    const kind = String(result.status);
    answers[kind] = (answers[kind] ?? 0) + 1;
    if (result.orders.length > 0) acted += 1;
    crashes.push(...result.crashes.map((crash) => `${name}: ${crash}`));
    lost.push(...result.lost.map(({ state }) => `${name}: ${state}`));
    const may = [...(twins.get(twin) ?? [])];
    for (const order of result.orders) {
      const same = may.findIndex((each) => isDeepStrictEqual(each, order));
      if (same < 0) widened.push(`${name}: ${JSON.stringify(order)}`);
      else may.splice(same, 1);
    }
    for (const secret of [TOKEN, CANARY]) {
      leaks.push(
        ...[result.answer, ...result.lines]
          .filter((text) => text.includes(secret))
          .map((text) => `${name}: ${text.slice(0, 300)}`),
      );
    }
  }
  if ('polluted' in {}) widened.push('Object.prototype was changed');
  return { payloads: payloads.length, answers, acted, ordersObeyed, crashes, widened, leaks, lost };
}

/** Whether the grammar lets this very call through. */
function allows(format: unknown, { name, arguments: given }: Order): boolean {
  return choicesOf(format).some(({ properties }) => {
    if (properties.name.const !== name) return false;
    const allowed = properties.arguments.properties;
    return (
      isDeepStrictEqual(Object.keys(given).toSorted(), Object.keys(allowed).toSorted()) &&
      Object.entries(given).every(([key, value]) => {
        const values = allowed[key]?.enum;
        return values === undefined || values.some((each) => each === value);
      })
    );
  });
}

/** The word that the grammar wants before such a call. */
function readingFor(format: unknown, name: string): { readonly says?: string } {
  const choice = choicesOf(format).find(({ properties }) => properties.name.const === name);
  const word = choice?.properties.says.enum?.[0];
  return word === undefined ? {} : { says: word };
}

const choicesOf = (format: unknown) => formatSchema.parse(format).anyOf;
