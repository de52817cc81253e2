/** The functions as real Lambdas behind API Gateway and SQS, on a LocalStack that is up at AWS_ENDPOINT_URL. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createIncidentsTable, type IncidentsTable } from '#lib/adapters/incidents-table.ts';
import { readPolicy } from '#lib/adapters/policy-file.ts';
import type { Incident } from '#lib/core/incident.ts';
import { startRemediaRundeck } from '#local/rundeck/remedia-project.ts';
import { type SimulatedModel, startSimulatedModel } from '#local/simulated-model.ts';
import { type SimulatedPeople, startSimulatedPeople } from '#local/simulated-people.ts';
import type { SimulatedRundeck } from '#local/simulated-rundeck.ts';
import { endpoint, sdk } from '../../localstack/endpoint.ts';
import { type Deployed, deployStack, putSecrets } from '../../localstack/stack.ts';
import { invokeFunction, whileFunctionHas } from './lambda-api.ts';
import { realPart } from './real-part.ts';

const root = join(import.meta.dirname, '..', '..');
const TOKEN = 'localstack-intake-token';
const EXECUTION_TOKEN = 'localstack-execution-token';
const part = realPart('LocalStack', ['AWS_ENDPOINT_URL']);

let stack: Deployed;
let table: IncidentsTable;
let rundeck: SimulatedRundeck;
let people: SimulatedPeople;
/** Decides wherever a test is not about the model. */
let model: SimulatedModel;
/** Decides once, when it was named. */
const ollama = process.env['OLLAMA_URL'];
if (part && !ollama) console.warn('\nNo OLLAMA_URL: every decision here is made by a SIMULATED model.\n');
const sqs = new SQSClient({ ...sdk });
const ends: (() => Promise<void> | void)[] = [() => sqs.destroy()];

beforeAll(async () => {
  if (!part) return;
  people = await startSimulatedPeople();
  const started = await startRemediaRundeck({
    jobMs: 500,
    notificationUrl:
      `http://rundeck:${EXECUTION_TOKEN}@${endpoint.replace(/^https?:\/\//, '')}` +
      '/_aws/execute-api/remedia/local/api/v1/rundeck/execution',
  });
  rundeck = started.rundeck;
  ends.push(people.stop, () => rundeck.close());
  model = await startSimulatedModel();
  ends.push(() => model.close());
  await putSecrets({
    'intake-tokens': TOKEN,
    'operator-tokens': TOKEN,
    'execution-tokens': EXECUTION_TOKEN,
    'approval-signing-key': 'a signing key for this suite alone',
    'link-signing-key': 'another signing key for this suite alone',
    'rundeck-webhooks': started.env.RUNDECK_WEBHOOKS,
    'rundeck-api-token': started.env.RUNDECK_API_TOKEN,
    'escalation-chat-url': people.url,
  });
  const from = performance.now();
  stack = await deploy();
  console.log(`deployed in ${seconds(from)}`);
  const client = new DynamoDBClient({ ...sdk });
  ends.push(() => client.destroy());
  table = createIncidentsTable({ client, tableName: 'remedia-local-incidents' });
  const reading = readPolicy(await readFile(join(root, 'local', 'policy.yaml'), 'utf8'));
  if (reading.kind !== 'policy') throw new Error(JSON.stringify(reading.problems));
  await table.savePolicy({ ...reading, pushedAt: Date.now(), pushedBy: 'test' });
}, 300_000);
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});
beforeEach(() => {
  if (part) model.setFault(undefined);
});

const seconds = (from: number): string => `${((performance.now() - from) / 1000).toFixed(1)} s`;

function deploy(parameters: Readonly<Record<string, string>> = {}) {
  return deployStack({
    quiet: true,
    env: { OLLAMA_URL: model.url, RUNDECK_URL: rundeck.url },
    parameters: { chatUrl: 'ssm:/remedia/local/escalation-chat-url', ...parameters },
  });
}

let events = Math.floor(Date.now() / 1000) * 1000;
async function sample(name: string): Promise<Record<string, string>> {
  const text = await readFile(join(root, 'local', 'samples', `${name}.json`), 'utf8');
  events += 1;
  return {
    ...z.record(z.string(), z.string()).parse(JSON.parse(text)),
    event_id: String(events),
    host_host: `web-${events}`,
    trigger_id: String(events),
  };
}
const recoveryOf = (problem: Readonly<Record<string, string>>) => ({
  ...problem,
  event_value: '0',
  event_recovery_id: `${problem['event_id']}1`,
});

const accepted = z.object({ incidentId: z.string(), status: z.string() });

function request(
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  method = 'POST',
): Promise<Response> {
  return fetch(`${stack.apiUrl}/api/v1/zabbix/alert`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    ...(method !== 'GET' && { body: JSON.stringify(body) }),
  });
}

async function post(body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await request(body, headers);
  expect(response.status).toBe(202);
  return accepted.parse(await response.json());
}

async function until(
  incidentId: string,
  wanted: (incident: Incident) => boolean,
  withinMs = 90_000,
): Promise<Incident> {
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
}

const closed = ({ state, escalation }: Incident): boolean => state === 'closed' && escalation !== 'pending';
const ran = ({ decisions }: Incident): boolean => decisions.some(({ dispatch }) => dispatch?.executionId);
const executionsOf = (incidentId: string) =>
  rundeck.executions().filter(({ options }) => options['remedia_incident_id'] === incidentId);
const toldOf = (incidentId: string) => people.told.filter((text) => text.includes(incidentId));

/** A failed message is seen again after the queue's time-out, minutes as deployed; here nobody waits for that. */
async function whileRetriedAtOnce(output: string, test: () => Promise<void>): Promise<void> {
  const QueueUrl = stack.outputs[output];
  const attribute = 'VisibilityTimeout';
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [attribute] }),
  );
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { [attribute]: '3' } }));
  try {
    await test();
  } finally {
    await sqs.send(
      new SetQueueAttributesCommand({
        QueueUrl,
        Attributes: { [attribute]: Attributes?.[attribute] ?? '60' },
      }),
    );
  }
}

describe.skipIf(!part)('on LocalStack', () => {
  it('a problem becomes a decision, a Rundeck job, and is verified by its recovery', async () => {
    const problem = await sample('disk-problem');
    const from = performance.now();

    const { incidentId } = await post(problem);
    await until(incidentId, ran);
    console.log(`posted to run in ${seconds(from)}`);
    await post(recoveryOf(problem));
    const incident = await until(incidentId, closed);

    expect(incident).toMatchObject({ outcome: 'verified', escalation: 'none' });
    expect(executionsOf(incidentId)).toHaveLength(1);
    expect(executionsOf(incidentId)[0]?.options).toMatchObject({
      path: '/',
      remedia_decision_id: `${incidentId}#1`,
    });
  });

  it.runIf(ollama)('a real Ollama decides it as well', async () => {
    const environment = {
      OLLAMA_URL: ollama ?? '',
      OLLAMA_MODEL: process.env['OLLAMA_MODEL'] ?? 'llama3.2',
      // It shares two cores with LocalStack here, and may not be loaded yet.
      OLLAMA_TIMEOUT_SECONDS: '250',
    };
    let incidentId = '';

    await whileFunctionHas('decide-remediation', { environment }, async () => {
      const from = performance.now();
      ({ incidentId } = await post(await sample('disk-problem')));
      await until(incidentId, (incident) => ran(incident) || closed(incident), 280_000);
      console.log(`posted to decided by ${environment.OLLAMA_MODEL} in ${seconds(from)}`);
    });
    const incident = await table.loadIncident(incidentId);

    expect(incident?.decisions[0]?.model).toMatchObject({ model: environment.OLLAMA_MODEL });
    expect(['verdict', incident?.decisions[0]?.proposal]).toEqual([
      'verdict',
      expect.objectContaining({ kind: 'proposal' }),
    ]);
  });

  it('answers the whole timeline of an incident, and says that all parts are well', async () => {
    const { incidentId } = await post(await sample('service-problem'));
    await until(incidentId, ran);
    const headers = { authorization: `Bearer ${TOKEN}` };

    const read = await fetch(`${stack.apiUrl}/api/v1/incidents/${incidentId}`, { headers });
    const health = await fetch(`${stack.apiUrl}/api/v1/health`, { headers });

    expect(await read.json()).toMatchObject({ incidentId, decisions: [{ decisionId: `${incidentId}#1` }] });
    expect([health.status, await health.json()]).toMatchObject([200, { status: 'ok' }]);
  });

  it('the same event ten times at once is one incident, one decision, one job', async () => {
    const problem = await sample('service-problem');

    const answers = await Promise.all(Array.from({ length: 10 }, () => post(problem)));
    const incidentId = answers[0]?.incidentId ?? '';
    const incident = await until(incidentId, ran);
    await sleep(3000);

    expect(new Set(answers.map((each) => each.incidentId)).size).toBe(1);
    expect(incident.decisions).toHaveLength(1);
    expect(executionsOf(incidentId)).toHaveLength(1);
  });

  it('a recovery before its problem means that nothing runs', async () => {
    const problem = await sample('service-problem');

    await post(recoveryOf(problem));
    const { incidentId } = await post(problem);
    const incident = await until(incidentId, closed);

    expect(incident.outcome).toBe('recovered_before_action');
    expect(executionsOf(incidentId)).toEqual([]);
  });

  it('simulation decides and records; nothing runs and nobody is told', async () => {
    const { incidentId } = await post(await sample('service-problem'), { 'x-remedia-mode': 'simulate' });
    const incident = await until(incidentId, closed);

    expect(incident.outcome).toBe('simulated');
    expect(executionsOf(incidentId)).toEqual([]);
    expect(toldOf(incidentId)).toEqual([]);
  });

  it('what no tool fits is told to a human, by chat and by topic', async () => {
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `told-${Date.now()}` }));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    );
    const sns = new SNSClient({ ...sdk });
    await sns.send(
      new SubscribeCommand({
        TopicArn: stack.outputs['EscalationTopicArn'],
        Protocol: 'sqs',
        Endpoint: Attributes?.['QueueArn'],
      }),
    );
    sns.destroy();

    const { incidentId } = await post(await sample('unknown-problem'));
    const incident = await until(incidentId, closed);
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));

    expect(incident).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(toldOf(incidentId)).toHaveLength(1);
    expect(Messages?.[0]?.Body).toContain(incidentId);
  });

  it.each([
    ['a wrong token', { authorization: 'Bearer wrong' }, 'POST', 401],
    ['a wrong method', {}, 'GET', 405],
    ['a wrong content type', { 'content-type': 'text/plain' }, 'POST', 415],
  ])('%s is answered as problem details', async (_, headers, method, status) => {
    const response = await request(await sample('disk-problem'), headers, method);

    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  it('a message that nobody can read goes to the dead letters, and a human is told of it', async () => {
    const before = people.told.length;

    await whileRetriedAtOnce('AlertsQueueUrl', async () => {
      await sqs.send(
        new SendMessageCommand({ QueueUrl: stack.outputs['AlertsQueueUrl'], MessageBody: '{"poison": ' }),
      );
      await expect.poll(() => people.told.length, { timeout: 120_000, interval: 500 }).toBe(before + 1);
    });

    expect(people.told.at(-1)).toMatch(/remedia-local-alerts/);
  });

  it('one bad record of a batch fails alone', async () => {
    const { incidentId } = await post(await sample('service-problem'));
    await until(incidentId, ran);
    const record = (messageId: string, body: string) => ({
      messageId,
      body,
      receiptHandle: messageId,
      attributes: { ApproximateReceiveCount: '1' },
      messageAttributes: {},
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:remedia-local-jobs',
      awsRegion: 'us-east-1',
    });

    const { error, payload } = await invokeFunction('dispatch-job', {
      Records: [record('good', JSON.stringify({ incidentId, step: 1 })), record('bad', 'no JSON')],
    });

    expect(error).toBeUndefined();
    expect(payload).toEqual({ batchItemFailures: [{ itemIdentifier: 'bad' }] });
    expect(executionsOf(incidentId)).toHaveLength(1);
  });

  it('a record without its message is queued by the repeat of the alert', async () => {
    const problem = await sample('service-problem');

    await whileFunctionHas(
      'receive-alert',
      { environment: { ALERTS_QUEUE_URL: `${stack.outputs['AlertsQueueUrl']}-that-is-not-there` } },
      async () => {
        const response = await request(problem);
        expect(response.status).toBe(503);
        expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
      },
    );
    const { incidentId, status } = await post(problem);
    await until(incidentId, ran);

    expect(status).toBe('repeated');
    expect(executionsOf(incidentId)).toHaveLength(1);
  });

  it('a decision that times out is made by the next delivery', async () => {
    model.setFault({ kind: 'hang' });
    let incidentId = '';

    await whileRetriedAtOnce('AlertsQueueUrl', async () => {
      await whileFunctionHas('decide-remediation', { timeout: 2 }, async () => {
        ({ incidentId } = await post(await sample('service-problem')));
        await expect.poll(() => model.abandoned(), { timeout: 60_000 }).toBeGreaterThan(0);
      });
      model.setFault(undefined);
      await until(incidentId, ran);
    });

    expect(executionsOf(incidentId)).toHaveLength(1);
    expect((await table.loadIncident(incidentId))?.decisions).toHaveLength(1);
  });

  it('a decision that runs out of memory is made by the next delivery', async () => {
    let incidentId = '';

    await whileRetriedAtOnce('AlertsQueueUrl', async () => {
      // So little that V8 gives up: the process dies in the middle of whatever it does.
      await whileFunctionHas(
        'decide-remediation',
        { environment: { NODE_OPTIONS: '--max-old-space-size=4 --max-semi-space-size=1' } },
        async () => {
          ({ incidentId } = await post(await sample('service-problem')));
          await sleep(6000);
        },
      );
      expect((await table.loadIncident(incidentId))?.state).toBe('received');
      await until(incidentId, ran);
    });

    expect(executionsOf(incidentId)).toHaveLength(1);
  });

  it('nothing is lost when it is deployed anew during traffic', async () => {
    const ids: string[] = [];
    let posting = true;
    const traffic = (async () => {
      while (posting) {
        const response = await request(await sample('service-problem'));
        // What is not acknowledged, Zabbix sends again.
        if (response.status === 202) ids.push(accepted.parse(await response.json()).incidentId);
        await sleep(500);
      }
    })();

    await deploy({ logRetentionDays: '3' });
    posting = false;
    await traffic;

    expect(ids.length).toBeGreaterThan(5);
    // LocalStack may end a function in the middle of a dispatch. Such a claim is looked into after three minutes, and is
    // found at Rundeck or told to a human, but never posted again.
    for (const id of ids) {
      const incident = await until(id, (each) => ran(each) || closed(each), 400_000);
      expect(executionsOf(id).length).toBeLessThanOrEqual(1);
      expect([id, ran(incident) || toldOf(id).length > 0]).toEqual([id, true]);
    }
  }, 900_000);
});
