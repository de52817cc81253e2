/** Has serverless.yml packaged as a deployment would, and reads what would go to AWS. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';

const root = join(import.meta.dirname, '..', '..');

const resource = z.object({
  Type: z.string(),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  DeletionPolicy: z.string().optional(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});
const template = z.object({
  Resources: z.record(z.string(), resource),
  Outputs: z.record(z.string(), z.unknown()),
});

export interface Packaged {
  /** Holds the zips and the template; the caller removes it. */
  readonly folder: string;
  /** What the tool said to whoever deploys. */
  readonly said: string;
  /** The template as text, to be searched whole. */
  readonly text: string;
  readonly resources: Readonly<Record<string, z.infer<typeof resource>>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Properties of every resource of a type, by logical id. */
  readonly ofType: <Schema extends z.ZodType>(
    type: string,
    schema: Schema,
  ) => readonly (readonly [string, z.output<Schema>])[];
}

/** Packages one stage, as long as no other packaging of this folder runs. Throws with the tool's words in `stdout`. */
export async function packageStage(
  stage: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Packaged> {
  const folder = await mkdtemp(join(tmpdir(), 'remedia-package-'));
  const params = Object.entries(parameters).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
  const { stderr } = await promisify(execFile)(
    'serverless',
    ['package', '--stage', stage, '--package', folder, ...params],
    {
      cwd: root,
      env: {
        ...process.env,
        REMEDIA_BUILD: 'package-test',
        AWS_ACCESS_KEY_ID: 'none',
        AWS_SECRET_ACCESS_KEY: 'none',
      },
    },
  );
  const text = await readFile(join(folder, 'cloudformation-template-update-stack.json'), 'utf8');
  const { Resources, Outputs } = template.parse(JSON.parse(text));
  return {
    folder,
    said: stderr,
    text,
    resources: Resources,
    outputs: Outputs,
    ofType: (type, schema) =>
      Object.entries(Resources)
        .filter(([, { Type }]) => Type === type)
        .map(([id, { Properties }]) => [id, schema.parse(Properties)] as const),
  };
}

// What the tests read of the resources

const arnOf = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) });
const statement = z.object({
  Effect: z.literal('Allow'),
  Action: z.array(z.string()),
  Resource: z.unknown(),
});

export const schemas = {
  arnOf,
  function: z.object({
    FunctionName: z.string(),
    Timeout: z.number(),
    MemorySize: z.number(),
    Runtime: z.string(),
    ReservedConcurrentExecutions: z.number().optional(),
    VpcConfig: z.unknown().optional(),
    Tags: z.array(z.object({ Key: z.string(), Value: z.unknown() })).default([]),
    Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
    Role: z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }),
  }),
  role: z.object({
    Policies: z.array(z.object({ PolicyDocument: z.object({ Statement: z.array(statement) }) })),
    ManagedPolicyArns: z.array(z.unknown()),
  }),
  mapping: z.object({
    BatchSize: z.number(),
    EventSourceArn: arnOf,
    FunctionName: arnOf,
    FunctionResponseTypes: z.array(z.string()),
    MaximumBatchingWindowInSeconds: z.number().default(0),
    ScalingConfig: z.object({ MaximumConcurrency: z.number() }).optional(),
  }),
  queue: z.object({
    QueueName: z.string(),
    VisibilityTimeout: z.number(),
    MessageRetentionPeriod: z.number(),
    SqsManagedSseEnabled: z.boolean(),
    RedrivePolicy: z.object({ deadLetterTargetArn: arnOf, maxReceiveCount: z.number() }).optional(),
  }),
  alarm: z.object({
    AlarmName: z.string(),
    Namespace: z.string(),
    MetricName: z.string(),
    Threshold: z.number(),
    ComparisonOperator: z.string(),
    TreatMissingData: z.string(),
    Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
    AlarmActions: z.tuple([z.object({ Ref: z.literal('AlarmTopic') })]),
    OKActions: z.tuple([z.object({ Ref: z.literal('AlarmTopic') })]),
  }),
  logGroup: z.object({ LogGroupName: z.string(), RetentionInDays: z.number() }),
  rule: z.object({
    ScheduleExpression: z.string(),
    State: z.string(),
    Targets: z.array(z.object({ Arn: arnOf })),
  }),
} as const;
