/** What `serverless package` hands to AWS: least privilege, no secrets, fitting time-outs, small bundles. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { tableDefinition } from '#lib/adapters/incidents-table.ts';
import { LINK_SETTINGS } from '#lib/runtime/link-settings.ts';
import { PEOPLE_SETTINGS } from '#lib/runtime/people-settings.ts';

const root = join(import.meta.dirname, '..', '..');
const KIB = 1024;

const resource = z.object({
  Type: z.string(),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});
const template = z.object({
  Resources: z.record(z.string(), resource),
  Outputs: z.record(z.string(), z.unknown()),
});
const lambda = z.object({
  FunctionName: z.string(),
  Timeout: z.number(),
  Runtime: z.string(),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
  Role: z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }),
});
const statement = z.object({
  Effect: z.literal('Allow'),
  Action: z.array(z.string()),
  Resource: z.unknown(),
});
const role = z.object({
  Policies: z.array(z.object({ PolicyDocument: z.object({ Statement: z.array(statement) }) })),
  ManagedPolicyArns: z.array(z.unknown()),
});
const arnOf = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) });
const mapping = z.object({
  BatchSize: z.number(),
  EventSourceArn: arnOf,
  FunctionName: arnOf,
  FunctionResponseTypes: z.array(z.string()),
  ScalingConfig: z.object({ MaximumConcurrency: z.number() }).optional(),
});
const queue = z.object({
  VisibilityTimeout: z.number(),
  RedrivePolicy: z.object({ deadLetterTargetArn: arnOf, maxReceiveCount: z.number() }).optional(),
});
const alarm = z.object({
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
  AlarmActions: z.array(z.unknown()).min(1),
});

let folder: string;
let stack: z.infer<typeof template>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remedia-package-'));
  await promisify(execFile)('serverless', ['package', '--stage', 'prod', '--package', folder], {
    cwd: root,
    env: {
      ...process.env,
      REMEDIA_BUILD: 'package-test',
      AWS_ACCESS_KEY_ID: 'none',
      AWS_SECRET_ACCESS_KEY: 'none',
    },
  });
  const text = await readFile(join(folder, 'cloudformation-template-update-stack.json'), 'utf8');
  stack = template.parse(JSON.parse(text));
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

function ofType<Schema extends z.ZodType>(
  type: string,
  schema: Schema,
): (readonly [string, z.output<Schema>])[] {
  return Object.entries(stack.Resources)
    .filter(([, { Type }]) => Type === type)
    .map(([id, { Properties }]) => [id, schema.parse(Properties)]);
}
const functions = () => ofType('AWS::Lambda::Function', lambda);
const roleOf = (id: string) => role.parse(stack.Resources[id]?.Properties);
const statementsOf = (id: string) => roleOf(id).Policies.flatMap((each) => each.PolicyDocument.Statement);

describe('roles', () => {
  it('gives every function a role of its own, and makes no other', () => {
    const used = functions().map(([, { Role }]) => Role['Fn::GetAtt'][0]);
    const made = Object.entries(stack.Resources).filter(([, { Type }]) => Type === 'AWS::IAM::Role');

    expect(new Set(used).size).toBe(used.length);
    expect(made.map(([id]) => id).toSorted()).toEqual(used.toSorted());
  });

  it('allows no wildcard but the streams inside a function’s own log group', () => {
    const wild = functions().flatMap(([, { FunctionName, Role }]) =>
      statementsOf(Role['Fn::GetAtt'][0])
        .filter((each) => JSON.stringify(each).includes('*'))
        .filter(
          (each) =>
            // The names of log streams are AWS's, so they cannot be listed.
            JSON.stringify(each.Resource) !==
              JSON.stringify([
                {
                  'Fn::Sub':
                    `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}` +
                    `:log-group:/aws/lambda/${FunctionName}:*:*`,
                },
              ]) || each.Action.some((action) => !action.startsWith('logs:')),
        ),
    );

    expect(wild).toEqual([]);
  });

  it('lets a function send to exactly the queues that it is given', () => {
    for (const [, { FunctionName, Environment, Role }] of functions()) {
      const given = Object.values(Environment.Variables).flatMap((value) => {
        const reference = z.object({ Ref: z.string().endsWith('Queue') }).safeParse(value);
        return reference.success ? [reference.data.Ref] : [];
      });
      const statements = statementsOf(Role['Fn::GetAtt'][0]);
      const reached = statements
        .filter(({ Action }) => Action.includes('sqs:SendMessage'))
        .map((each) => arnOf.parse(each.Resource)['Fn::GetAtt'][0]);
      // It looks at the queues and sends nothing.
      const expected = FunctionName.endsWith('check-health') ? [] : given;
      expect([FunctionName, reached.toSorted()]).toEqual([FunctionName, expected.toSorted()]);
    }
  });

  it('lets a function read every secret that its settings name, and none outside its stage', () => {
    for (const [, { Environment, Role }] of functions()) {
      const readable = statementsOf(Role['Fn::GetAtt'][0])
        .filter(({ Action }) => Action.includes('ssm:GetParameter'))
        .flatMap((each) => z.array(z.object({ 'Fn::Sub': z.string() })).parse(each.Resource))
        // AWS adds a dash and six characters to the name of a secret in Secrets Manager.
        .map((each) =>
          each['Fn::Sub'].replace(/^.*:(parameter|secret:)/, '').replace(/^([^/])(.*)-\?{6}$/, '/$1$2'),
        );
      const named = Object.values(Environment.Variables).filter(
        (value): value is string => typeof value === 'string' && value.startsWith('ssm:'),
      );

      expect(readable.every((name) => name.startsWith('/remedia/prod/'))).toBe(true);
      for (const name of named) expect(readable).toContain(name.slice('ssm:'.length));
    }
  });
});

it('gives every function exactly the settings that it reads', async () => {
  const environments = new Map(
    functions().map(([, { FunctionName, Environment }]) => [
      FunctionName,
      Object.keys(Environment.Variables),
    ]),
  );
  const files = await readdir(join(root, 'functions'));

  expect(environments.size).toBe(files.length);
  for (const file of files) {
    const source = await readFile(join(root, 'functions', file), 'utf8');
    const read = [...source.matchAll(/'([A-Z][A-Z0-9_]+)'/g)].map(([, name]) => name ?? '');
    const expected = [
      ...read,
      ...(source.includes('...PEOPLE_SETTINGS') ? PEOPLE_SETTINGS : []),
      ...(source.includes('...LINK_SETTINGS') ? LINK_SETTINGS : []),
    ];
    expect([file, environments.get(`remedia-prod-${file.replace('.ts', '')}`)?.toSorted()]).toEqual([
      file,
      expected.toSorted(),
    ]);
  }
});

it('holds the name of a secret or nothing, never a secret', () => {
  const secret = /TOKEN|KEY|WEBHOOKS|CHAT_URL|SMTP_URL|TEAMS/;
  for (const [, { Environment }] of functions())
    for (const [name, value] of Object.entries(Environment.Variables))
      if (secret.test(name))
        expect([name, value]).toEqual([name, expect.stringMatching(/^$|^ssm:\/remedia\/prod\//)]);
});

it('creates the table that the adapter expects', () => {
  const { TableName: _, ...expected } = tableDefinition('any');

  expect(stack.Resources['IncidentsTable']?.Properties).toMatchObject({
    ...expected,
    TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
});

describe('queues', () => {
  it('hides a message for at least twice the time its function may take', () => {
    const timeouts = new Map(functions().map(([id, { Timeout }]) => [id, Timeout]));
    const mappings = ofType('AWS::Lambda::EventSourceMapping', mapping);

    expect(mappings.length).toBeGreaterThan(0);
    for (const [, { EventSourceArn, FunctionName, FunctionResponseTypes, BatchSize }] of mappings) {
      const { VisibilityTimeout } = queue.parse(stack.Resources[EventSourceArn['Fn::GetAtt'][0]]?.Properties);
      expect(VisibilityTimeout).toBeGreaterThanOrEqual(
        2 * (timeouts.get(FunctionName['Fn::GetAtt'][0]) ?? 1e9),
      );
      expect(FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
      expect(BatchSize).toBe(1);
    }
  });

  it('asks the model at most twice at a time', () => {
    const decide = ofType('AWS::Lambda::EventSourceMapping', mapping).find(
      ([, { EventSourceArn }]) => EventSourceArn['Fn::GetAtt'][0] === 'AlertsQueue',
    );

    expect(decide?.[1].ScalingConfig).toEqual({ MaximumConcurrency: 2 });
  });

  it.each(['Alerts', 'Jobs', 'Checks'])(
    'keeps dead messages of the %s queue and has somebody told',
    (name) => {
      const { RedrivePolicy } = queue.parse(stack.Resources[`${name}Queue`]?.Properties);
      const readers = ofType('AWS::Lambda::EventSourceMapping', mapping).filter(
        ([, { EventSourceArn }]) => EventSourceArn['Fn::GetAtt'][0] === `${name}DeadLetters`,
      );

      expect(RedrivePolicy?.deadLetterTargetArn['Fn::GetAtt'][0]).toBe(`${name}DeadLetters`);
      expect(RedrivePolicy?.maxReceiveCount).toBeGreaterThanOrEqual(5);
      expect(readers.length).toBe(1);
    },
  );
});

describe('alarms', () => {
  const watched = (metric: string) =>
    ofType('AWS::CloudWatch::Alarm', alarm)
      .filter(([, { MetricName }]) => MetricName === metric)
      .map(([, { Dimensions }]) => JSON.stringify(Dimensions[0]?.Value));

  it('watch the errors of every function', () => {
    expect(watched('Errors').toSorted()).toEqual(
      functions()
        .map(([, { FunctionName }]) => JSON.stringify(FunctionName))
        .toSorted(),
    );
  });

  it('watch depth and age of every dead-letter queue', () => {
    for (const metric of ['ApproximateNumberOfMessagesVisible', 'ApproximateAgeOfOldestMessage'])
      for (const name of ['AlertsDeadLetters', 'JobsDeadLetters', 'ChecksDeadLetters'])
        expect(watched(metric)).toContain(JSON.stringify({ 'Fn::GetAtt': [name, 'QueueName'] }));
  });
});

describe('the API', () => {
  it('takes any method everywhere, so that a wrong one gets our own answer', () => {
    const methods = ofType('AWS::ApiGateway::Method', z.object({ HttpMethod: z.string() }));

    expect(methods.length).toBeGreaterThan(0);
    for (const [, { HttpMethod }] of methods) expect(HttpMethod).toBe('ANY');
  });

  it('is deployed after its gateway responses, all of them problem details', () => {
    const responses = ofType(
      'AWS::ApiGateway::GatewayResponse',
      z.object({
        ResponseParameters: z.object({
          'gatewayresponse.header.Content-Type': z.literal("'application/problem+json'"),
        }),
      }),
    ).map(([id]) => id);
    const deployments = Object.values(stack.Resources).filter(
      ({ Type }) => Type === 'AWS::ApiGateway::Deployment',
    );

    expect(responses.length).toBeGreaterThan(0);
    expect(deployments.length).toBe(1);
    expect(deployments[0]?.DependsOn).toEqual(expect.arrayContaining(responses));
  });

  it('tells the URL for Zabbix', () => {
    expect(stack.Outputs).toHaveProperty('AlertUrl');
  });
});

it('packs each function small, and code alone', async () => {
  const zips = (await readdir(folder)).filter((name) => name.endsWith('.zip'));
  const sizes = await Promise.all(
    zips.map(async (name) => {
      const zip = await readFile(join(folder, name));
      return { name, kib: zip.length / KIB, files: namesIn(zip) };
    }),
  );

  expect(sizes.length).toBe(functions().length);
  for (const { name, kib, files } of sizes) {
    expect([name, kib]).toEqual([
      name,
      expect.toSatisfy((size: number) => size <= (name === 'receive-alert.zip' ? 250 : 350)),
    ]);
    expect(files).toEqual([expect.stringMatching(/^functions\/[a-z-]+\.mjs$/)]);
  }
});

/** The file names in a zip's central directory (APPNOTE 4.3.12). */
function namesIn(zip: Buffer): readonly string[] {
  const end = zip.lastIndexOf('PK\u0005\u0006');
  const names: string[] = [];
  let at = zip.readUInt32LE(end + 16);
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const length = zip.readUInt16LE(at + 28);
    names.push(zip.toString('utf8', at + 46, at + 46 + length));
    at += 46 + length + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return names;
}
