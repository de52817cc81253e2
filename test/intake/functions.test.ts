/** The functions of the API as Lambda loads them: their own settings, on the embedded table and queues. */
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createDynamoClient, tableDefinition } from '#lib/adapters/incidents-table.ts';
import { createSqsClient } from '#lib/adapters/queue.ts';
import { type Embedded, startEmbeddedDynamo, startEmbeddedSqs } from '#local/embedded.ts';
import { type SimulatedModel, startSimulatedModel } from '#local/simulated-model.ts';
import { anHttpEvent, answerOf } from '#test/builders/http-events.ts';
import { capturedPosts } from '#test/builders/zabbix-posts.ts';

const TABLE = 'incidents-of-functions-test';
const operator = { headers: { Authorization: 'Bearer operator-token' } };
const parts: Embedded[] = [];
let model: SimulatedModel;

beforeAll(async () => {
  const [dynamo, sqs] = await Promise.all([startEmbeddedDynamo({ port: 0 }), startEmbeddedSqs({ port: 0 })]);
  parts.push(dynamo, sqs);
  model = await startSimulatedModel({ models: ['qwen2.5-coder:1.5b'] });
  const env: Readonly<Record<string, string>> = {
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    INCIDENTS_TABLE: TABLE,
    PUBLIC_BASE_URL: 'https://remedia.example.com',
    INTAKE_TOKENS: 'intake-token',
    OPERATOR_TOKENS: 'operator-token',
    OLLAMA_URL: model.url,
    OLLAMA_MODEL: 'qwen2.5-coder:1.5b',
    // Nobody listens there.
    RUNDECK_URL: 'http://127.0.0.1:9',
    RUNDECK_API_TOKEN: 'rundeck-token',
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const client = createSqsClient();
  for (const queue of ['ALERTS', 'JOBS', 'CHECKS']) {
    await client.send(new CreateQueueCommand({ QueueName: queue.toLowerCase() }));
    // The embedded SQS names a host in its URLs that only it knows.
    vi.stubEnv(`${queue}_QUEUE_URL`, `${sqs.endpoint}/000000000000/${queue.toLowerCase()}`);
  }
  await createDynamoClient().send(new CreateTableCommand(tableDefinition(TABLE)));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all(parts.map(({ close }) => close()));
});

it('an alert goes in, is queued, and can be read back', async () => {
  const receive = await import('#functions/receive-alert.ts');
  const read = await import('#functions/read-incident.ts');
  const post = anHttpEvent({
    httpMethod: 'POST',
    headers: { Authorization: 'Bearer intake-token', 'Content-Type': 'application/json' },
    body: JSON.stringify(capturedPosts[0]?.post),
  });

  const accepted = answerOf(await receive.handler(post, {}));

  const incidentId = 'inc_54e429496450fe40e77edeb3';
  expect(accepted).toMatchObject({ status: 202, json: { status: 'accepted' } });
  const queued = await createSqsClient().send(
    new ReceiveMessageCommand({ QueueUrl: process.env['ALERTS_QUEUE_URL'] }),
  );
  expect(accepted.json).toMatchObject(JSON.parse(queued.Messages?.[0]?.Body ?? 'null'));
  const listed = answerOf(await read.handler(anHttpEvent(operator), {}));
  expect(listed.json).toMatchObject({ incidents: [{ state: 'received', host: 'web-01' }] });
  const one = answerOf(
    await read.handler(anHttpEvent({ ...operator, pathParameters: { id: incidentId } }), {}),
  );
  expect(one).toMatchObject({ status: 200, json: { eventId: '5', timeline: [{ kind: 'received' }] } });
});

it('health says which parts are down, and what it knows of those that are not', async () => {
  const health = await import('#functions/check-health.ts');

  const answer = answerOf(await health.handler(anHttpEvent(operator), {}));

  expect(answer).toMatchObject({
    status: 503,
    json: {
      decider: 'model',
      down: ['rundeck'],
      parts: {
        table: { ok: true },
        alerts_queue: { ok: true, detail: expect.stringContaining('waiting') },
        jobs_queue: { ok: true },
        checks_queue: { ok: true },
        model: {
          ok: true,
          capabilities: expect.arrayContaining(['tools']),
          contextLength: expect.any(Number),
        },
        rundeck: { ok: false },
      },
    },
  });
  // An answer in the middle of a decision would cost that decision its prefix cache.
  expect(model.chats()).toEqual([]);
});

it('health sees a model that goes away', async () => {
  const health = await import('#functions/check-health.ts');
  await model.close();

  const answer = answerOf(await health.handler(anHttpEvent(operator), {}));

  expect(answer).toMatchObject({ status: 503, json: { down: ['model', 'rundeck'] } });
});

it('health asks no model where rules decide, whatever its settings are', async () => {
  vi.resetModules();
  vi.stubEnv('DECIDER', 'rules');
  vi.stubEnv('OLLAMA_URL', 'not a URL');
  const health = await import('#functions/check-health.ts');

  const answer = answerOf(await health.handler(anHttpEvent(operator), {}));

  expect(answer).toMatchObject({ status: 503, json: { decider: 'rules', down: ['rundeck'] } });
  expect(answer.json).not.toHaveProperty('parts.model');
});
