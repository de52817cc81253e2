/**
 * What `serverless package` hands to AWS: least privilege, no secrets, fitting time-outs, alarms, small bundles, stages.
 * All of it in one file: two packagings at the same time would write the same folder.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { tableDefinition } from '#lib/adapters/incidents-table.ts';
import { LINK_SETTINGS } from '#lib/runtime/link-settings.ts';
import { PEOPLE_SETTINGS } from '#lib/runtime/people-settings.ts';
import { type NeededPermissions, neededPermissions } from '#test/deploy/needed-permissions.ts';
import { type Packaged, packageStage, schemas } from '#test/deploy/packaging.ts';

const root = join(import.meta.dirname, '..', '..');
const KIB = 1024;
const QUEUES = ['Alerts', 'Jobs', 'Checks'] as const;
/** Every setting whose value is a secret; the secret's own name follows from it. */
const SECRET = /TOKEN|KEY|WEBHOOKS|CHAT_URL|SMTP_URL|TEAMS/;
const nameOfSecret = (setting: string) => setting.toLowerCase().replaceAll('_', '-');

const folders: string[] = [];
let stack: Packaged;
let needed: NeededPermissions;

beforeAll(async () => {
  stack = await packaged('prod');
  needed = neededPermissions();
}, 240_000);
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

async function packaged(stage: string, parameters: Readonly<Record<string, string>> = {}): Promise<Packaged> {
  const result = await packageStage(stage, parameters);
  folders.push(result.folder);
  return result;
}

const functions = () => stack.ofType('AWS::Lambda::Function', schemas.function);
const mappings = () =>
  stack.ofType('AWS::Lambda::EventSourceMapping', schemas.mapping).map(([, each]) => each);
const queueOf = (id: string) => schemas.queue.parse(stack.resources[id]?.Properties);
const roleOf = (id: string) => schemas.role.parse(stack.resources[id]?.Properties);
const statementsOf = (id: string) => roleOf(id).Policies.flatMap((each) => each.PolicyDocument.Statement);
const shortName = (functionName: string) => functionName.replace('remedia-prod-', '');

describe('roles', () => {
  it('gives every function a role of its own, and makes no other', () => {
    const used = functions().map(([, { Role }]) => Role['Fn::GetAtt'][0]);
    const made = Object.entries(stack.resources).filter(([, { Type }]) => Type === 'AWS::IAM::Role');

    expect(new Set(used).size).toBe(used.length);
    expect(made.map(([id]) => id).toSorted()).toEqual(used.toSorted());
    for (const id of used) expect(roleOf(id).ManagedPolicyArns).toEqual([]);
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

  it('is compared with calls that were really found in the code', () => {
    expect(needed.byTablePort.size).toBeGreaterThan(10);
    for (const [port, needs] of needed.byTablePort) expect([port, needs.length]).not.toEqual([port, 0]);
    expect(needed.byTablePort.get('hostHistory')).toEqual(
      expect.arrayContaining([{ action: 'dynamodb:Query', on: 'table/index/by_host' }]),
    );
    for (const [name, needs] of needed.byFunction) expect([name, needs.length]).not.toEqual([name, 0]);
  });

  it('allows each function exactly the calls that its code can make, not one more or less', () => {
    const allowed = Object.fromEntries(
      functions().map(([, { FunctionName, Role }]) => [
        shortName(FunctionName),
        statementsOf(Role['Fn::GetAtt'][0]).flatMap(callsOf).toSorted(),
      ]),
    );
    const expected = Object.fromEntries(
      functions().map(([id, { FunctionName, Environment }]) => {
        const name = shortName(FunctionName);
        const code = (needed.byFunction.get(name) ?? []).map(
          ({ action, on }) => `${action} on ${resourceOf(on, Environment.Variables)}`,
        );
        const secrets = Object.keys(Environment.Variables)
          .filter((setting) => SECRET.test(setting))
          .flatMap((setting) => [
            `ssm:GetParameter on parameter /remedia/prod/${nameOfSecret(setting)}`,
            `secretsmanager:GetSecretValue on secret remedia/prod/${nameOfSecret(setting)}`,
          ]);
        // What Lambda itself does with the function's role: its log, and the queues that call it.
        const log = ['logs:CreateLogStream', 'logs:CreateLogGroup', 'logs:PutLogEvents'].map(
          (action) => `${action} on log`,
        );
        const sources = mappings()
          .filter((each) => each.FunctionName['Fn::GetAtt'][0] === id)
          .flatMap(({ EventSourceArn }) =>
            ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'].map(
              (action) => `${action} on ${EventSourceArn['Fn::GetAtt'][0]}`,
            ),
          );
        return [name, [...new Set([...code, ...secrets, ...log, ...sources])].toSorted()];
      }),
    );

    expect(allowed).toEqual(expected);
  });
});

/** `action on resource` for each of both, in the words of this test. */
function callsOf({ Action, Resource }: { readonly Action: readonly string[]; readonly Resource: unknown }) {
  const resources = [Resource].flat().map((each) => JSON.stringify(each));
  return Action.flatMap((action) =>
    resources
      .map((text) => {
        const [, attribute] = /"Fn::GetAtt":\["(\w+)","Arn"\]/.exec(text) ?? [];
        const [, index] = /\$\{IncidentsTable\.Arn\}\/index\/([a-z_]+)"/.exec(text) ?? [];
        const [, topic] = /^\{"Ref":"(\w+)"\}$/.exec(text) ?? [];
        const [, parameter] = /:parameter(\/[a-z/-]+)"/.exec(text) ?? [];
        // AWS adds a dash and six characters to the name of a secret.
        const [, secret] = /:secret:([a-z/-]+)-\?{6}"/.exec(text) ?? [];
        if (index !== undefined) return `IncidentsTable/index/${index}`;
        if (parameter !== undefined) return `parameter ${parameter}`;
        if (secret !== undefined) return `secret ${secret}`;
        if (text.includes(':log-group:/aws/lambda/')) return 'log';
        return attribute ?? topic ?? text;
      })
      // One statement reads a secret from either store; each action fits one of them.
      .filter((on) => !(action.startsWith('ssm:') ? on.startsWith('secret ') : on.startsWith('parameter ')))
      .filter((on) => !(action.startsWith('secretsmanager:') && !on.startsWith('secret ')))
      .map((on) => `${action} on ${on}`),
  );
}

/** The logical id behind what the code names. */
function resourceOf(on: string, variables: Readonly<Record<string, unknown>>): string {
  if (on === 'topic') return 'EscalationTopic';
  if (on.startsWith('table')) return on.replace('table', 'IncidentsTable');
  return z.object({ Ref: z.string() }).parse(variables[on]).Ref;
}

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
  for (const [, { Environment }] of functions())
    for (const [name, value] of Object.entries(Environment.Variables))
      if (SECRET.test(name))
        expect([name, value]).toEqual([
          name,
          expect.toSatisfy((given) => given === '' || given === `ssm:/remedia/prod/${nameOfSecret(name)}`),
        ]);
  // CloudFormation would write a resolved one into the template's history.
  expect(stack.text).not.toMatch(/\{\{resolve:|AWS::SSM::Parameter|NoEcho/);
});

it('creates the table that the adapter expects: two indexes, TTL, recovery to any point in time', () => {
  const { TableName: _, ...expected } = tableDefinition('any');

  expect(expected.GlobalSecondaryIndexes).toHaveLength(2);
  expect(stack.resources['IncidentsTable']).toMatchObject({
    DeletionPolicy: 'Retain',
    Properties: {
      ...expected,
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
    },
  });
});

describe('queues', () => {
  it('hide a message for at least six times what its function may take', () => {
    const timeouts = new Map(functions().map(([id, { Timeout }]) => [id, Timeout]));

    expect(mappings()).toHaveLength(6);
    for (const { EventSourceArn, FunctionName, MaximumBatchingWindowInSeconds } of mappings()) {
      const id = EventSourceArn['Fn::GetAtt'][0];
      const longest = timeouts.get(FunctionName['Fn::GetAtt'][0]) ?? Number.NaN;
      expect([id, queueOf(id).VisibilityTimeout]).toEqual([
        id,
        expect.toSatisfy((seconds) => seconds >= 6 * longest + MaximumBatchingWindowInSeconds),
      ]);
    }
  });

  it('report each message of a batch by itself', () => {
    for (const { FunctionResponseTypes, BatchSize } of mappings()) {
      expect(FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
      expect(BatchSize).toBe(1);
    }
  });

  it('are never received from faster than their functions may run, so that no good message dies of throttling', () => {
    for (const { ScalingConfig } of mappings())
      expect(ScalingConfig?.MaximumConcurrency).toBeGreaterThanOrEqual(2);
    for (const [, { FunctionName, ReservedConcurrentExecutions }] of functions())
      expect([FunctionName, ReservedConcurrentExecutions]).toEqual([FunctionName, undefined]);
  });

  it('ask the model at most twice at a time', () => {
    const decide = mappings().find(({ EventSourceArn }) => EventSourceArn['Fn::GetAtt'][0] === 'AlertsQueue');

    expect(decide?.ScalingConfig).toEqual({ MaximumConcurrency: 2 });
  });

  it.each(QUEUES)(
    'keep dead messages of the %s queue longer than live ones, and have somebody told',
    (name) => {
      const { RedrivePolicy, MessageRetentionPeriod } = queueOf(`${name}Queue`);
      const dead = queueOf(`${name}DeadLetters`);
      const readers = mappings().filter(
        ({ EventSourceArn }) => EventSourceArn['Fn::GetAtt'][0] === `${name}DeadLetters`,
      );

      expect(RedrivePolicy?.deadLetterTargetArn['Fn::GetAtt'][0]).toBe(`${name}DeadLetters`);
      expect(RedrivePolicy?.maxReceiveCount).toBeGreaterThanOrEqual(5);
      // A message keeps the time of its first sending when it moves.
      expect(dead.MessageRetentionPeriod).toBeGreaterThan(MessageRetentionPeriod);
      // Nothing comes after it: whoever cannot be told is told later.
      expect(dead.RedrivePolicy).toBeUndefined();
      expect(readers).toHaveLength(1);
    },
  );

  it('are encrypted', () => {
    const queues = stack.ofType('AWS::SQS::Queue', schemas.queue);

    expect(queues).toHaveLength(6);
    for (const [, { SqsManagedSseEnabled }] of queues) expect(SqsManagedSseEnabled).toBe(true);
  });
});

describe('time-outs', () => {
  const timeout = (name: string) =>
    functions().find(([, { FunctionName }]) => shortName(FunctionName) === name)?.[1].Timeout ?? Number.NaN;
  const variable = (name: string, setting: string) =>
    Number(
      functions().find(([, { FunctionName }]) => shortName(FunctionName) === name)?.[1].Environment.Variables[
        setting
      ],
    );

  it('leave room for what a function waits for', () => {
    expect(timeout('decide-remediation')).toBeGreaterThan(
      2 * variable('decide-remediation', 'OLLAMA_TIMEOUT_SECONDS'),
    );
    // The post, then the look for it and the message to a human, ten seconds each.
    expect(timeout('dispatch-job')).toBeGreaterThan(variable('dispatch-job', 'RUNDECK_TIMEOUT_SECONDS') + 20);
  });

  it('end an answer to the outside before API Gateway does, after 29 seconds', () => {
    const called = new Set(
      stack
        .ofType('AWS::ApiGateway::Method', z.object({ Integration: z.unknown() }))
        .map(([, method]) => /"Fn::GetAtt":\["(\w+LambdaFunction)"/.exec(JSON.stringify(method))?.[1] ?? ''),
    );

    expect(called.size).toBe(6);
    for (const [id, { Timeout }] of functions())
      if (called.has(id)) expect([id, Timeout]).toEqual([id, expect.toSatisfy((seconds) => seconds < 29)]);
  });
});

it('sweeps every minute, and has one sweep end before the next begins', () => {
  const rules = stack.ofType('AWS::Events::Rule', schemas.rule);
  const [id, sweeper] =
    functions().find(([, { FunctionName }]) => shortName(FunctionName) === 'sweep-incidents') ?? [];

  expect(rules).toHaveLength(1);
  expect(rules[0]?.[1]).toMatchObject({ ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
  expect(rules[0]?.[1].Targets.map(({ Arn }) => Arn['Fn::GetAtt'][0])).toEqual([id]);
  expect(sweeper?.Timeout).toBeLessThan(60);
});

it('keeps every function’s log for the stage’s days, and no longer', () => {
  const groups = new Map(
    stack
      .ofType('AWS::Logs::LogGroup', schemas.logGroup)
      .map(([, { LogGroupName, RetentionInDays }]) => [LogGroupName, RetentionInDays]),
  );

  expect(groups).toEqual(
    new Map(functions().map(([, { FunctionName }]) => [`/aws/lambda/${FunctionName}`, 30])),
  );
});

describe('alarms', () => {
  const alarms = () => stack.ofType('AWS::CloudWatch::Alarm', schemas.alarm).map(([, each]) => each);
  const watched = (metric: string) =>
    alarms()
      .filter(({ MetricName }) => MetricName === metric)
      .map(({ Dimensions }) => JSON.stringify(Dimensions[0]?.Value));

  it('watch the errors of every function', () => {
    expect(watched('Errors').toSorted()).toEqual(
      functions()
        .map(([, { FunctionName }]) => JSON.stringify(FunctionName))
        .toSorted(),
    );
  });

  it.each(QUEUES)('watch depth and age of the %s queue’s dead letters, and the age of what waits', (name) => {
    const queue = (id: string) => JSON.stringify({ 'Fn::GetAtt': [id, 'QueueName'] });

    expect(watched('ApproximateNumberOfMessagesVisible')).toContain(queue(`${name}DeadLetters`));
    expect(watched('ApproximateAgeOfOldestMessage')).toContain(queue(`${name}DeadLetters`));
    expect(watched('ApproximateAgeOfOldestMessage')).toContain(queue(`${name}Queue`));
  });

  it('are not left without anybody who hears them by an oversight', () => {
    expect(stack.said).toContain('alarmEmail is empty: no alarm reaches anybody unless');
  });

  it('ring at the first dead letter', () => {
    const depth = alarms().filter(({ MetricName }) => MetricName === 'ApproximateNumberOfMessagesVisible');

    expect(depth).toHaveLength(QUEUES.length);
    for (const { Threshold, ComparisonOperator } of depth)
      expect([Threshold, ComparisonOperator]).toEqual([1, 'GreaterThanOrEqualToThreshold']);
  });

  it('ring at the first message that no human got, whoever posted the alert', () => {
    expect(alarms().filter(({ Namespace }) => Namespace === 'Remedia')).toMatchObject([
      {
        MetricName: 'Messages',
        Dimensions: [{ Name: 'Result', Value: 'undeliverable' }],
        Threshold: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      },
    ]);
  });

  it('ring when the sweeper is silent, and only then when there is no data', () => {
    const blind = alarms().filter(({ TreatMissingData }) => TreatMissingData === 'breaching');

    expect(blind).toMatchObject([
      {
        MetricName: 'Invocations',
        ComparisonOperator: 'LessThanThreshold',
        Dimensions: [{ Value: 'remedia-prod-sweep-incidents' }],
      },
    ]);
  });

  it('are each explained in docs/operations.md', async () => {
    const text = await readFile(join(root, 'docs/operations.md'), 'utf8');
    const names = alarms().map(({ AlarmName }) => AlarmName.replace('remedia-prod-', ''));
    // One line stands for all functions and one for all queues, where they say the same.
    const known = (name: string) =>
      text.includes(`\`${name}\``) ||
      (name.endsWith('-errors') && text.includes('`<function>-errors`')) ||
      (name.endsWith('-dead-letters') && text.includes('`<queue>-dead-letters`')) ||
      (name.endsWith('-dead-letters-stay') && text.includes('`<queue>-dead-letters-stay`'));

    expect(names.length).toBeGreaterThan(15);
    expect(names.filter((name) => !known(name))).toEqual([]);
  });
});

describe('the API', () => {
  it('takes any method everywhere, so that a wrong one gets our own answer', () => {
    const methods = stack.ofType('AWS::ApiGateway::Method', z.object({ HttpMethod: z.string() }));

    expect(methods.length).toBeGreaterThan(0);
    for (const [, { HttpMethod }] of methods) expect(HttpMethod).toBe('ANY');
  });

  it('is deployed after its gateway responses, all of them problem details', () => {
    const responses = stack
      .ofType(
        'AWS::ApiGateway::GatewayResponse',
        z.object({
          ResponseParameters: z.object({
            'gatewayresponse.header.Content-Type': z.literal("'application/problem+json'"),
          }),
        }),
      )
      .map(([id]) => id);
    const deployments = Object.values(stack.resources).filter(
      ({ Type }) => Type === 'AWS::ApiGateway::Deployment',
    );

    expect(responses.length).toBeGreaterThan(0);
    expect(deployments.length).toBe(1);
    expect(deployments[0]?.DependsOn).toEqual(expect.arrayContaining(responses));
  });

  it('tells the URL for Zabbix, and what the tools need', () => {
    expect(Object.keys(stack.outputs)).toEqual(
      expect.arrayContaining([
        'AlertUrl',
        'IncidentsTableName',
        'EscalationTopicArn',
        'AlarmTopicArn',
        ...QUEUES.flatMap((name) => [`${name}QueueUrl`, `${name}DeadLettersUrl`]),
      ]),
    );
    expect(JSON.stringify(stack.outputs['AlertUrl'])).toContain('/prod/api/v1/zabbix/alert');
  });
});

it('packs each function small, and code alone', async () => {
  const zips = (await readdir(stack.folder)).filter((name) => name.endsWith('.zip'));
  const sizes = await Promise.all(
    zips.map(async (name) => {
      const zip = await readFile(join(stack.folder, name));
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

describe('stages', () => {
  const functionsOf = (of: Packaged) =>
    of.ofType('AWS::Lambda::Function', schemas.function).map(([, each]) => each);
  const retentionOf = (of: Packaged) =>
    new Set(of.ofType('AWS::Logs::LogGroup', schemas.logGroup).map(([, each]) => each.RetentionInDays));
  /** The id that LocalStack gives the API, by a tag. */
  const localIdOf = (of: Packaged) =>
    z
      .object({ Tags: z.array(z.object({ Key: z.string(), Value: z.string() })).default([]) })
      .parse(of.resources['ApiGatewayRestApi']?.Properties)
      .Tags.find(({ Key }) => Key === '_custom_id_')?.Value;
  const topic = 'arn:aws:sns:eu-central-1:123456789012:dba';
  let local: Packaged;
  /** With all that is optional. */
  let dev: Packaged;

  beforeAll(async () => {
    local = await packaged('local');
    dev = await packaged('dev', {
      securityGroupIds: 'sg-1',
      subnetIds: 'subnet-1, subnet-2',
      teamTopicArns: topic,
      publicBaseUrl: 'https://remedia.example.com',
    });
  }, 240_000);

  it('have names and secrets of their own', () => {
    for (const [stage, of] of [['local', local] as const, ['dev', dev] as const, ['prod', stack] as const]) {
      const names = [
        ...functionsOf(of).map(({ FunctionName }) => FunctionName),
        ...of.ofType('AWS::SQS::Queue', schemas.queue).map(([, { QueueName }]) => QueueName),
        ...of.ofType('AWS::CloudWatch::Alarm', schemas.alarm).map(([, { AlarmName }]) => AlarmName),
      ];
      const secrets = [...of.text.matchAll(/ssm:(\/remedia\/[^"]+)"/g)].map(([, name = '']) => name);

      expect(names.filter((name) => !name.startsWith(`remedia-${stage}-`))).toEqual([]);
      expect(secrets.length).toBeGreaterThan(0);
      expect(secrets.filter((name) => !name.startsWith(`/remedia/${stage}/`))).toEqual([]);
    }
  });

  it('keep logs for a day, a week and a month; only production keeps its table when the stack goes', () => {
    expect([local, dev, stack].map((of) => [...retentionOf(of)])).toEqual([[1], [7], [30]]);
    expect([local, dev, stack].map((of) => of.resources['IncidentsTable']?.DeletionPolicy)).toEqual([
      'Delete',
      'Delete',
      'Retain',
    ]);
  });

  it('are told apart by tags, on functions and by the stack on all else', async () => {
    const text = await readFile(join(root, 'serverless.yml'), 'utf8');

    expect(text).toMatch(/stackTags:\n {4}application: remedia\n {4}stage: \$\{sls:stage\}/);
    for (const [stage, of] of [['local', local] as const, ['dev', dev] as const, ['prod', stack] as const])
      for (const { FunctionName, Tags } of functionsOf(of))
        expect([FunctionName, Tags]).toEqual([
          FunctionName,
          expect.arrayContaining([
            { Key: 'application', Value: 'remedia' },
            { Key: 'stage', Value: stage },
          ]),
        ]);
  });

  it('have an API whose id is known before it is there on LocalStack alone', () => {
    expect([local, dev, stack].map(localIdOf)).toEqual(['remedia', undefined, undefined]);
  });

  it('join every function to the VPC that is named, with AWS’s own permission for that, and else to none', () => {
    expect(functionsOf(stack).map(({ VpcConfig }) => VpcConfig)).toEqual(
      functionsOf(stack).map(() => undefined),
    );
    for (const { FunctionName, VpcConfig, Role } of functionsOf(dev)) {
      const { ManagedPolicyArns } = schemas.role.parse(dev.resources[Role['Fn::GetAtt'][0]]?.Properties);
      expect([FunctionName, VpcConfig]).toEqual([
        FunctionName,
        { SecurityGroupIds: ['sg-1'], SubnetIds: ['subnet-1', 'subnet-2'] },
      ]);
      // It creates and removes network interfaces, whose names nobody knows before, so AWS's own policy has a wildcard.
      expect(JSON.stringify(ManagedPolicyArns)).toMatch(
        /^[^*]*service-role\/AWSLambdaVPCAccessExecutionRole[^*]*$/,
      );
      expect(ManagedPolicyArns).toHaveLength(1);
    }
  });

  it('let who tells humans publish to the teams’ own topics that are named, and nobody else', () => {
    const publishing = dev
      .ofType('AWS::IAM::Role', schemas.role)
      .flatMap(([, { Policies }]) => Policies.flatMap((each) => each.PolicyDocument.Statement))
      .filter(({ Resource }) => JSON.stringify(Resource).includes(topic));

    expect(publishing.length).toBeGreaterThan(3);
    for (const each of publishing)
      expect(each).toEqual({
        Effect: 'Allow',
        Action: ['sns:Publish', 'sns:GetTopicAttributes'],
        Resource: [{ Ref: 'EscalationTopic' }, topic],
      });
  });

  it.each([
    ['half a VPC', { subnetIds: 'subnet-1' }, /a VPC needs both parameters, securityGroupIds and subnetIds/],
    ['a topic that is none', { teamTopicArns: 'dba' }, /teamTopicArns: expected the ARN of an SNS topic/],
  ])(
    'are not packaged with %s, and it is said why',
    async (_, parameters, words) => {
      const attempt = packaged('prod', parameters);

      await expect(attempt).rejects.toSatisfy((error) => words.test(JSON.stringify(error)));
    },
    60_000,
  );
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
