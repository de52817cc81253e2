/** Everything around the functions on one machine: queues, table, pollers, and stand-ins for what is not there. */
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { ChangeMessageVisibilityCommand, CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { createDynamoClient, createIncidentsTable, tableDefinition } from '#lib/adapters/incidents-table.ts';
import { readPolicy } from '#lib/adapters/policy-file.ts';
import { type EmbeddedSqs, startEmbeddedDynamo, startEmbeddedSqs } from './embedded.ts';
import { invoke } from './invoke.ts';
import { LOCAL_INTAKE_TOKEN, type LocalSettings, readLocalSettings } from './local-settings.ts';
import { say, sayLoudly } from './output.ts';
import { startPoller } from './poller.ts';
import { startSimulatedPeople } from './simulated-people.ts';

const REGION = 'us-east-1';
const ACCOUNT = '000000000000';
const RETRY_AFTER_SECONDS = 5;

// What is read from serverless.yml after its variables are resolved: the queues and who is called from which.
const attribute = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) });
const functionSchema = z.object({
  name: z.string(),
  environment: z.record(z.string(), z.unknown()).default({}),
  events: z
    .array(
      z.object({
        sqs: z
          .object({
            arn: attribute,
            batchSize: z.int().default(10),
            maximumConcurrency: z.int().default(2),
            functionResponseType: z.literal('ReportBatchItemFailures'),
          })
          .optional(),
        schedule: z.unknown().optional(),
      }),
    )
    .default([]),
});
const queueSchema = z.object({
  Type: z.literal('AWS::SQS::Queue'),
  Properties: z.object({
    QueueName: z.string(),
    VisibilityTimeout: z.number(),
    RedrivePolicy: z.object({ deadLetterTargetArn: attribute, maxReceiveCount: z.number() }).optional(),
  }),
});
const serviceSchema = z.object({
  functions: z.record(z.string(), functionSchema),
  resources: z.object({ Resources: z.record(z.string(), z.unknown()) }),
});
type Functions = z.infer<typeof serviceSchema>['functions'];

interface Queue {
  readonly name: string;
  readonly url: string;
  readonly arn: string;
}

export interface OneMachine {
  readonly stop: () => Promise<void>;
}

/** What of serverless's service is changed: each function's environment gets the values of this machine. */
interface Service {
  readonly functions: Record<string, { environment?: Record<string, unknown> }>;
}

/**
 * Starts everything but the API itself, and begins to poll as soon as the Lambda endpoint listens.
 * Throws one sentence when a setting, the policy or a part cannot be used.
 */
export async function startOneMachine({
  service,
  lambdaEndpoint,
  httpPort,
}: {
  readonly service: Service;
  readonly lambdaEndpoint: string;
  readonly httpPort: number;
}): Promise<OneMachine> {
  const settings = readLocalSettings(process.env);
  const { functions, resources } = serviceSchema.parse(service);
  const ends: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    // What feeds stops before what is fed.
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const dynamo = await startEmbeddedDynamo({ port: 0, path: join(settings.dataDir, 'dynamodb') });
    ends.push(dynamo.close);
    const sqs = await startEmbeddedSqs({ port: 0, dataDir: join(settings.dataDir, 'sqs') });
    ends.push(sqs.close);
    Object.assign(process.env, {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
      AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    });
    // A poller's long poll lasts longer than any other request may.
    const sqsClient = new SQSClient({
      endpoint: sqs.endpoint,
      region: REGION,
      requestHandler: { requestTimeout: 30_000 },
    });
    ends.push(async () => sqsClient.destroy());
    const queues = await createQueues(sqsClient, sqs.endpoint, resources.Resources);
    await releaseMessages(sqsClient, sqs, queues);
    const tableName = 'remedia-local-incidents';
    await prepareTable(dynamo.endpoint, tableName);
    await preparePolicy(dynamo.endpoint, tableName, settings);

    const values: Record<string, string> = {
      PUBLIC_BASE_URL: `http://127.0.0.1:${httpPort}`,
      INTAKE_TOKENS: LOCAL_INTAKE_TOKEN,
    };
    if (!settings.people) {
      const people = await startSimulatedPeople((text) => sayLoudly(`A HUMAN IS TOLD: ${text}`));
      ends.push(people.stop);
      values['ESCALATION_CHAT_URL'] = people.url;
      sayLoudly(
        'SIMULATED: people. What they would be told is printed here; ESCALATION_CHAT_URL names a chat.',
      );
    }
    setEnvironment(service, {
      references: new Map<string, string>([
        ['IncidentsTable', tableName],
        ...[...queues].map(([id, { url }]) => [id, url] as const),
      ]),
      values: { ...values, ...settings.given },
    });
    const stopping = new AbortController();
    ends.push(async () => stopping.abort());
    void answering(lambdaEndpoint, stopping.signal).then(() => {
      if (stopping.signal.aborted) return;
      ends.push(startPollers({ functions, queues, client: sqsClient, lambdaEndpoint, onFault: say }));
      say(`Ready: http://127.0.0.1:${httpPort} takes alerts. Data: ${settings.dataDir}`);
    });
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Creates what is not there yet, dead-letter queues first; the answers are by the names in deploy/queues.yml. */
async function createQueues(
  client: SQSClient,
  endpoint: string,
  resources: Readonly<Record<string, unknown>>,
): Promise<ReadonlyMap<string, Queue>> {
  const wanted = Object.entries(resources).flatMap(([id, resource]) => {
    const queue = queueSchema.safeParse(resource);
    return queue.success ? [{ id, ...queue.data.Properties }] : [];
  });
  const queues = new Map<string, Queue>();
  const deadFirst = wanted.toSorted(
    (a, b) => Number(Boolean(a.RedrivePolicy)) - Number(Boolean(b.RedrivePolicy)),
  );
  for (const { id, QueueName, VisibilityTimeout, RedrivePolicy } of deadFirst) {
    const deadLetters = RedrivePolicy && queues.get(RedrivePolicy.deadLetterTargetArn['Fn::GetAtt'][0]);
    await client.send(
      new CreateQueueCommand({
        QueueName,
        Attributes: {
          VisibilityTimeout: String(VisibilityTimeout),
          ...(deadLetters && {
            RedrivePolicy: JSON.stringify({
              deadLetterTargetArn: deadLetters.arn,
              maxReceiveCount: RedrivePolicy.maxReceiveCount,
            }),
          }),
        },
      }),
    );
    queues.set(id, {
      name: QueueName,
      // The port may be another one than at the last start, so the URL is made, not remembered.
      url: `${endpoint}/${ACCOUNT}/${QueueName}`,
      arn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${QueueName}`,
    });
  }
  return queues;
}

/**
 * Makes visible again what was being worked on when the process ended: its only reader is gone, and on one machine
 * nobody wants to wait for the visibility time-out.
 */
async function releaseMessages(
  client: SQSClient,
  sqs: EmbeddedSqs,
  queues: ReadonlyMap<string, Queue>,
): Promise<void> {
  for (const { name, url } of queues.values())
    for (const ReceiptHandle of sqs.inFlight(name))
      await client.send(
        new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: 0 }),
      );
}

/** Creates the table when it is not there. */
async function prepareTable(endpoint: string, tableName: string): Promise<void> {
  const client = createDynamoClient({ endpoint, region: REGION });
  try {
    await client.send(new DescribeTableCommand({ TableName: tableName }));
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    await client.send(new CreateTableCommand(tableDefinition(tableName)));
  } finally {
    client.destroy();
  }
}

/**
 * Pushes the policy's file when the table holds none, or when the user named one and it has changed. What was pushed
 * by hand stays. Throws one sentence with file, line and what was expected.
 */
async function preparePolicy(
  endpoint: string,
  tableName: string,
  { policyFile, policyNamed }: LocalSettings,
): Promise<void> {
  const client = createDynamoClient({ endpoint, region: REGION });
  try {
    const { loadPolicy, savePolicy } = createIncidentsTable({ client, tableName });
    const text = await readFile(policyFile, 'utf8').catch((error: unknown) => {
      throw new Error(
        `The policy ${policyFile} cannot be read: ${error instanceof Error ? error.message : error}.`,
      );
    });
    const reading = readPolicy(text);
    if (reading.kind === 'problems') {
      const [first] = reading.problems;
      throw new Error(
        `The policy ${policyFile} cannot be used: line ${first?.line}, column ${first?.column}: ` +
          `${first?.path ? `${first.path}: ` : ''}${first?.message}.`,
      );
    }
    const stored = await loadPolicy();
    if (stored !== undefined && (!policyNamed || stored.hash === reading.hash)) return;
    await savePolicy({
      policy: reading.policy,
      hash: reading.hash,
      pushedAt: Date.now(),
      pushedBy: `npm start (${userInfo().username})`,
    });
    say(`Policy: ${policyFile}`);
  } finally {
    client.destroy();
  }
}

/** One poller for each queue that calls a function, with the batch size and concurrency that AWS would use. */
function startPollers({
  functions,
  queues,
  client,
  lambdaEndpoint,
  onFault,
}: {
  readonly functions: Functions;
  readonly queues: ReadonlyMap<string, Queue>;
  readonly client: SQSClient;
  readonly lambdaEndpoint: string;
  readonly onFault: (fault: string) => void;
}): () => Promise<void> {
  const pollers = Object.values(functions).flatMap(({ name, events }) =>
    events.flatMap(({ sqs }) => {
      const queue = sqs && queues.get(sqs.arn['Fn::GetAtt'][0]);
      if (!queue) return [];
      return startPoller({
        client,
        queueUrl: queue.url,
        queueArn: queue.arn,
        batchSize: sqs.batchSize,
        concurrency: sqs.maximumConcurrency,
        invoke: (event) => invoke(lambdaEndpoint, name, event),
        retryAfterSeconds: RETRY_AFTER_SECONDS,
        onFault,
      });
    }),
  );
  return async () => {
    await Promise.all(pollers.map(({ stop }) => stop()));
  };
}

/** Waits until something answers there; serverless-offline tells nobody when it is ready. */
async function answering(endpoint: string, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    try {
      await fetch(endpoint, { signal: AbortSignal.timeout(1000) });
      return;
    } catch {
      await sleep(50);
    }
  }
}

/**
 * Gives every function its settings as they are on this machine, and no function a setting that serverless.yml does
 * not give it: what was set by the user first, then what a reference of the template stands for here.
 */
function setEnvironment(
  service: Service,
  here: {
    readonly references: ReadonlyMap<string, string>;
    readonly values: Readonly<Record<string, string>>;
  },
): void {
  const reference = z.object({ Ref: z.string() });
  for (const definition of Object.values(service.functions)) {
    const environment: Record<string, unknown> = definition.environment ?? {};
    for (const [name, value] of Object.entries(environment)) {
      const referred = reference.safeParse(value);
      const local =
        here.values[name] ?? (referred.success ? here.references.get(referred.data.Ref) : undefined);
      // A secret that nobody gave stands in the template as the name of a parameter which is not there.
      environment[name] = local ?? (typeof value === 'string' && !value.startsWith('ssm:') ? value : '');
    }
    definition.environment = environment;
  }
}
