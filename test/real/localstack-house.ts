/** Remedia deployed to LocalStack by `npm run localstack:deploy`, and around it what it meets: a Rundeck, people, a model. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { createIncidentsTable, type IncidentsTable } from '#lib/adapters/incidents-table.ts';
import type { Incident } from '#lib/core/incident.ts';
import { startRemediaRundeck } from '#local/rundeck/remedia-project.ts';
import { type SimulatedModel, startSimulatedModel } from '#local/simulated-model.ts';
import { type SimulatedPeople, startSimulatedPeople } from '#local/simulated-people.ts';
import type { SimulatedRundeck } from '#local/simulated-rundeck.ts';
import { endpoint, run, sdk } from '../../localstack/endpoint.ts';
import { type Deployed, readStack } from '../../localstack/stack.ts';

const root = join(import.meta.dirname, '..', '..');
const TOKEN = 'localstack-intake-token';
const EXECUTION_TOKEN = 'localstack-execution-token';
/** As deploy/table.yml names it. */
export const TABLE_NAME = 'remedia-local-incidents';

/** Executions in an hour that the policy of this house allows. */
export const PER_HOUR = 2000;
/** A second apart, so that a deployment may take its time. */
const MOST_ATTEMPTS = 60;

const accepted = z.object({ incidentId: z.string(), status: z.string() });
export type Accepted = z.infer<typeof accepted>;
export type Post = Readonly<Record<string, string>>;

export interface House {
  readonly stack: () => Deployed;
  readonly table: IncidentsTable;
  readonly sqs: SQSClient;
  readonly dynamo: DynamoDBClient;
  readonly rundeck: SimulatedRundeck;
  readonly people: SimulatedPeople;
  readonly model: SimulatedModel;
  /** What the operator and Zabbix send. */
  readonly authorization: string;
  /** Runs `npm run localstack:deploy`, with settings besides those of this house. Throws with its words. */
  readonly deploy: (settings?: Readonly<Record<string, string>>) => Promise<void>;
  readonly sample: (name: string) => Promise<Post>;
  readonly request: (
    body: unknown,
    headers?: Readonly<Record<string, string>>,
    method?: string,
  ) => Promise<Response>;
  /** Posts an alert; throws when it is not acknowledged. */
  readonly post: (body: unknown, headers?: Readonly<Record<string, string>>) => Promise<Accepted>;
  /** Posts as Zabbix does, again and again until it is acknowledged, at most so often. */
  readonly postStubbornly: (body: unknown) => Promise<Accepted & { readonly attempts: number }>;
  readonly until: (
    incidentId: string,
    wanted: (incident: Incident) => boolean,
    withinMs?: number,
  ) => Promise<Incident>;
  readonly executionsOf: (incidentId: string) => ReturnType<SimulatedRundeck['executions']>;
  readonly toldOf: (text: string) => readonly string[];
  readonly close: () => Promise<void>;
}

export const closed = ({ state, escalation }: Incident): boolean =>
  state === 'closed' && escalation !== 'pending';
export const ran = ({ decisions }: Incident): boolean =>
  decisions.some(({ dispatch }) => dispatch?.executionId);

/** The recovery that Zabbix posts for a problem. */
export const recoveryOf = (problem: Post): Post => ({
  ...problem,
  event_value: '0',
  event_recovery_id: `${problem['event_id']}1`,
});

/** Starts everything but the deployment itself. */
export async function openHouse(): Promise<House> {
  const people = await startSimulatedPeople();
  const { rundeck, env: rundeckEnv } = await startRemediaRundeck({
    jobMs: 500,
    notificationUrl:
      `http://rundeck:${EXECUTION_TOKEN}@${endpoint.replace(/^https?:\/\//, '')}` +
      '/_aws/execute-api/remedia/local/api/v1/rundeck/execution',
  });
  const model = await startSimulatedModel();
  const sqs = new SQSClient({ ...sdk });
  const dynamo = new DynamoDBClient({ ...sdk });
  const table = createIncidentsTable({ client: dynamo, tableName: TABLE_NAME });
  const folder = await mkdtemp(join(tmpdir(), 'remedia-localstack-'));
  const policyFile = join(folder, 'policy.yaml');
  const policy = await readFile(join(root, 'local', 'policy.yaml'), 'utf8');
  // Storms have tests of their own; here hundreds of alerts arrive within minutes and none of them is one.
  await writeFile(
    policyFile,
    policy
      .replace('storm: { alerts: 200, within: 5m }', 'storm: { alerts: 5000, within: 5m }')
      .replace('per_hour: 500', `per_hour: ${PER_HOUR}`),
  );
  let stack: Deployed | undefined;
  let events = Math.floor(Date.now() / 1000) * 1000;
  const authorization = `Bearer ${TOKEN}`;

  const house: House = {
    stack: () => {
      if (!stack) throw new Error('nothing is deployed');
      return stack;
    },
    table,
    sqs,
    dynamo,
    rundeck,
    people,
    model,
    authorization,
    deploy: async (settings = {}) => {
      const { code, output } = await run('npm', ['run', '-s', 'localstack:deploy'], {
        quiet: true,
        env: {
          ...rundeckEnv,
          INTAKE_TOKENS: TOKEN,
          OPERATOR_TOKENS: TOKEN,
          EXECUTION_TOKENS: EXECUTION_TOKEN,
          ESCALATION_CHAT_URL: people.url,
          OLLAMA_URL: model.url,
          REMEDIA_POLICY: policyFile,
          ...settings,
        },
      });
      if (code !== 0) throw new Error(`npm run localstack:deploy ended with ${code}:\n${output}`);
      stack ??= await readStack();
    },
    sample: async (name) => {
      const text = await readFile(join(root, 'local', 'samples', `${name}.json`), 'utf8');
      events += 1;
      return {
        ...z.record(z.string(), z.string()).parse(JSON.parse(text)),
        event_id: String(events),
        host_host: `web-${events}`,
        trigger_id: String(events),
      };
    },
    request: (body, headers = {}, method = 'POST') =>
      fetch(`${house.stack().apiUrl}/api/v1/zabbix/alert`, {
        method,
        headers: { authorization, 'content-type': 'application/json', ...headers },
        ...(method !== 'GET' && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(30_000),
      }),
    post: async (body, headers) => {
      const response = await house.request(body, headers);
      if (response.status !== 202)
        throw new Error(`the alert was answered with ${response.status}: ${await response.text()}`);
      return accepted.parse(await response.json());
    },
    postStubbornly: async (body) => {
      for (let attempts = 1; ; attempts += 1) {
        try {
          return { ...(await house.post(body)), attempts };
        } catch (error) {
          if (attempts === MOST_ATTEMPTS) throw error;
          await sleep(1000);
        }
      }
    },
    until: async (incidentId, wanted, withinMs = 180_000) => {
      const end = Date.now() + withinMs;
      for (;;) {
        const incident = await table.loadIncident(incidentId);
        if (incident && wanted(incident)) return incident;
        if (Date.now() > end) {
          const way = incident?.timeline.map(({ kind, text }) => `${kind}: ${text}`) ?? ['no such incident'];
          throw new Error(`${incidentId} is ${incident?.state}, ${incident?.outcome}:\n${way.join('\n')}`);
        }
        await sleep(100);
      }
    },
    executionsOf: (incidentId) =>
      rundeck.executions().filter(({ options }) => options['remedia_incident_id'] === incidentId),
    toldOf: (part) => people.told.filter((text) => text.includes(part)),
    close: async () => {
      await people.stop();
      await rundeck.close();
      await model.close();
      sqs.destroy();
      dynamo.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return house;
}

/** A failed message is seen again after the queue's time-out, minutes as deployed; here nobody waits for that. */
export async function whileRetriedSoon(
  { sqs, stack }: House,
  queues: readonly ('Alerts' | 'Jobs' | 'Checks')[],
  seconds: number,
  test: () => Promise<void>,
): Promise<void> {
  const before = new Map<string, string>();
  for (const name of queues) {
    const QueueUrl = stack().outputs[`${name}QueueUrl`] ?? '';
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['VisibilityTimeout'] }),
    );
    before.set(QueueUrl, Attributes?.['VisibilityTimeout'] ?? '60');
    await setVisibility(sqs, QueueUrl, String(seconds));
  }
  try {
    await test();
  } finally {
    for (const [QueueUrl, value] of before) await setVisibility(sqs, QueueUrl, value);
  }
}

async function setVisibility(sqs: SQSClient, QueueUrl: string, value: string): Promise<void> {
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: value } }));
}
