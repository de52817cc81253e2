/** The APIs of Lambda and of its logs, as far as the suite against LocalStack needs them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import * as z from 'zod';
import { endpoint, sdk } from '../../localstack/endpoint.ts';

const configuration = z.object({
  Timeout: z.number(),
  MemorySize: z.number(),
  State: z.string(),
  LastUpdateStatus: z.string(),
  Environment: z.object({ Variables: z.record(z.string(), z.string()) }),
});
export type FunctionConfiguration = z.infer<typeof configuration>;

const client = new AwsClient({ ...sdk.credentials, region: sdk.region, service: 'lambda', retries: 0 });

const call = (method: string, path: string, input?: unknown) =>
  callLambda(method, `functions/${path}`, input);

async function callLambda(method: string, path: string, input?: unknown): Promise<Response> {
  return client.fetch(`${endpoint}/2015-03-31/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(input !== undefined && { body: JSON.stringify(input) }),
  });
}

/** @param name without stage and service, such as `decide-remediation` */
const deployed = (name: string): string => `remedia-local-${name}`;

export async function invokeFunction(
  name: string,
  event: unknown,
): Promise<{ readonly error: string | undefined; readonly payload: unknown }> {
  const response = await call('POST', `${deployed(name)}/invocations`, event);
  const text = await response.text();
  return {
    error: response.headers.get('x-amz-function-error') ?? undefined,
    payload: text === '' ? undefined : JSON.parse(text),
  };
}

/** Runs `test` while the function is set up otherwise, and sets it up as it was afterwards. */
export async function whileFunctionHas(
  name: string,
  change: {
    readonly timeout?: number;
    readonly memory?: number;
    readonly environment?: Readonly<Record<string, string>>;
  },
  test: () => Promise<void>,
): Promise<void> {
  const before = await read(name);
  await update(name, {
    ...before,
    Timeout: change.timeout ?? before.Timeout,
    MemorySize: change.memory ?? before.MemorySize,
    Environment: { Variables: { ...before.Environment.Variables, ...change.environment } },
  });
  try {
    await test();
  } finally {
    await update(name, before);
  }
}

async function read(name: string): Promise<FunctionConfiguration> {
  const response = await call('GET', `${deployed(name)}/configuration`);
  return configuration.parse(await response.json());
}

async function update(
  name: string,
  { Timeout, MemorySize, Environment }: FunctionConfiguration,
): Promise<void> {
  const response = await call('PUT', `${deployed(name)}/configuration`, { Timeout, MemorySize, Environment });
  if (!response.ok) throw new Error(`Lambda refused a change of ${name}: ${await response.text()}`);
  for (;;) {
    const { LastUpdateStatus } = await read(name);
    if (LastUpdateStatus === 'Successful') return;
    if (LastUpdateStatus === 'Failed') throw new Error(`Lambda could not change ${name}`);
    await sleep(200);
  }
}

const mappingSchema = z.object({ UUID: z.string(), State: z.string() });

/** From now on the function's queue calls it no more; what is answered lets it go on, with batches of at most so many. */
export async function holdQueue(name: string): Promise<(batchSize: number) => Promise<void>> {
  const { EventSourceMappings: found } = z
    .object({ EventSourceMappings: z.array(mappingSchema) })
    .parse(await (await callLambda('GET', `event-source-mappings/?FunctionName=${deployed(name)}`)).json());
  const [mapping] = found;
  if (!mapping) throw new Error(`no queue calls ${name}`);
  await updateMapping(mapping.UUID, { Enabled: false });
  return (BatchSize) => updateMapping(mapping.UUID, { Enabled: true, BatchSize });
}

async function updateMapping(uuid: string, change: Readonly<Record<string, unknown>>): Promise<void> {
  const response = await callLambda('PUT', `event-source-mappings/${uuid}`, change);
  if (!response.ok) throw new Error(`Lambda refused a change of a mapping: ${await response.text()}`);
  for (;;) {
    const { State } = mappingSchema.parse(
      await (await callLambda('GET', `event-source-mappings/${uuid}`)).json(),
    );
    if (State === 'Enabled' || State === 'Disabled') return;
    await sleep(200);
  }
}

const logs = new AwsClient({ ...sdk.credentials, region: sdk.region, service: 'logs', retries: 0 });

/** What a function and Lambda wrote into its log since then, a time in milliseconds; the newest of it. */
export async function logOf(name: string, since: number): Promise<string> {
  const response = await logs.fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Logs_20140328.FilterLogEvents',
    },
    body: JSON.stringify({ logGroupName: `/aws/lambda/${deployed(name)}`, startTime: since }),
  });
  const { events } = z
    .object({ events: z.array(z.object({ message: z.string() })).default([]) })
    .parse(await response.json());
  return events.map(({ message }) => message).join('\n');
}
