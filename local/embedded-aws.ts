/** The AWS that the functions see on one machine: the table and the queues of serverless.yml, and who is called from them. */
import { join } from 'node:path';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { ChangeMessageVisibilityCommand, CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import { tableDefinition } from '#lib/adapters/incidents-table.ts';
import { type EmbeddedSqs, startEmbeddedDynamo, startEmbeddedSqs } from './embedded.ts';
import { type Apart, startApart } from './embedded-apart.ts';
import { type Invoked, startPoller } from './poller.ts';

export const REGION = 'us-east-1';
const ACCOUNT = '000000000000';
/** Nobody checks them; the SDK wants some. */
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' } as const;
const TABLE_NAME = 'remedia-local-incidents';

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
        http: z.object({ path: z.string() }).optional(),
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
/** What this needs of a service, with its variables resolved. */
export const serviceSchema = z.object({
  functions: z.record(z.string(), functionSchema),
  resources: z.object({ Resources: z.record(z.string(), z.unknown()) }),
});

export interface Queue {
  readonly name: string;
  readonly url: string;
  readonly arn: string;
}

export interface EmbeddedAws {
  readonly environment: Readonly<Record<string, string>>;
  /** By their names in deploy/queues.yml. */
  readonly queues: ReadonlyMap<string, Queue>;
  readonly tableName: string;
  readonly dynamoEndpoint: string;
  /** Waits long enough for a long poll. */
  readonly sqsClient: SQSClient;
  readonly stop: () => Promise<void>;
}

/**
 * Starts both: with a `dataDir` in threads of their own, with what is in there; empty, in memory and in this thread, whose
 * clock they then share, without one.
 */
export async function startEmbeddedAws({
  service,
  dataDir,
}: {
  readonly service: z.infer<typeof serviceSchema>;
  readonly dataDir?: string;
}): Promise<EmbeddedAws> {
  const dynamo =
    dataDir === undefined
      ? await startEmbeddedDynamo({ port: 0 })
      : await startApart('dynamo', join(dataDir, 'dynamodb'));
  const sqs =
    dataDir === undefined
      ? await startEmbeddedSqs({ port: 0 })
      : await startApart('sqs', join(dataDir, 'sqs'));
  const sqsClient = new SQSClient({
    endpoint: sqs.endpoint,
    region: REGION,
    credentials: CREDENTIALS,
    requestHandler: { requestTimeout: 30_000 },
  });
  const queues = await createQueues(sqsClient, sqs.endpoint, service.resources.Resources);
  await releaseMessages(sqsClient, sqs, queues);
  await prepareTable(dynamo.endpoint, TABLE_NAME);
  return {
    environment: {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
      AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    },
    queues,
    tableName: TABLE_NAME,
    dynamoEndpoint: dynamo.endpoint,
    sqsClient,
    stop: async () => {
      sqsClient.destroy();
      await sqs.close();
      await dynamo.close();
    },
  };
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
  sqs: EmbeddedSqs | Apart,
  queues: ReadonlyMap<string, Queue>,
): Promise<void> {
  for (const { name, url } of queues.values())
    for (const ReceiptHandle of await sqs.inFlight(name))
      await client.send(
        // Not 0: with a data directory fauxqs 2.4 fails at that, after it has taken the message out of its list.
        new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: 1 }),
      );
}

/** Creates the table when it is not there. */
async function prepareTable(endpoint: string, tableName: string): Promise<void> {
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials: CREDENTIALS });
  try {
    await client.send(new DescribeTableCommand({ TableName: tableName }));
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    await client.send(new CreateTableCommand(tableDefinition(tableName)));
  } finally {
    client.destroy();
  }
}

/** One poller for each queue that calls a function, with the batch size and concurrency that AWS would use. */
export function startPollers({
  service,
  aws,
  invoke,
  retryAfterSeconds,
  onFault,
  giveWay,
}: {
  readonly service: z.infer<typeof serviceSchema>;
  readonly aws: EmbeddedAws;
  /** @param functionName as deployed */
  readonly invoke: (functionName: string, event: SQSEvent) => Promise<Invoked>;
  readonly retryAfterSeconds: number;
  readonly onFault: (fault: string) => void;
  readonly giveWay?: () => Promise<void>;
}): () => Promise<void> {
  const pollers = Object.values(service.functions).flatMap(({ name, events }) =>
    events.flatMap(({ sqs }) => {
      const queue = sqs && aws.queues.get(sqs.arn['Fn::GetAtt'][0]);
      if (!queue) return [];
      return startPoller({
        client: aws.sqsClient,
        queueUrl: queue.url,
        queueArn: queue.arn,
        batchSize: sqs.batchSize,
        concurrency: sqs.maximumConcurrency,
        invoke: (event) => invoke(name, event),
        retryAfterSeconds,
        onFault,
        giveWay,
      });
    }),
  );
  return async () => {
    await Promise.all(pollers.map(({ stop }) => stop()));
  };
}
