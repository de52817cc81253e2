/** Cold starts in a real Lambda: functions of the benchmark's own are made from packaged zips, and say when they are ready. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import { zipSync } from 'fflate';
import * as z from 'zod';
import { endpoint, sdk } from '../localstack/endpoint.ts';
import type { ColdStarts, Init } from './cold-report.ts';
import type { PackagedFunction } from './packaged-functions.ts';

const WITHIN_MS = 60_000;
const MARK = 'REMEDIA_INIT';

/**
 * Loaded by Node before the runtime: a process is ready when it first asks the runtime API for an event, and the time is
 * counted from the process's own start. Each event that comes writes the line again, for the end of a log may be cut off.
 */
const PRELOAD = `
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
const { request } = http;
let ready;
http.request = function (...given) {
  const sent = request.apply(this, given);
  if (given.some((each) => each?.path?.endsWith('/invocation/next'))) {
    ready ??= performance.now() + ' ' + (process.cpuUsage().user + process.cpuUsage().system) / 1000;
    sent.once('response', () => console.log('${MARK} ' + ready));
  }
  return sent;
};
syncBuiltinESMExports();
`;
const LOOKS = 5;

type Startable = Pick<PackagedFunction, 'name' | 'zip' | 'handler' | 'memory' | 'environment'>;

/** The least that a function can be: what it takes to start is not ours. */
export function emptyFunction(memory: number): Startable {
  const code = new TextEncoder().encode('export const handler = async () => ({ statusCode: 204 });\n');
  return {
    name: 'an empty function',
    zip: zipSync({ 'empty.mjs': code }),
    handler: 'empty.handler',
    memory,
    environment: {},
  };
}

/**
 * Starts each of them cold so often, in turns, so that what disturbs the machine disturbs all. Takes its functions away
 * again. Throws when one cannot be started at all.
 */
export async function measureColdStarts(
  functions: readonly Startable[],
  times: number,
): Promise<readonly ColdStarts[]> {
  const made = functions.map((each, index) => ({
    ...each,
    deployed: `remedia-bench-${process.pid}-${index}`,
  }));
  const inits = new Map(made.map(({ name }) => [name, [] as Init[]]));
  try {
    for (const each of made) await create(each);
    for (let round = 0; round < times; round += 1)
      for (const each of made) {
        // Another setting than before, so that no environment of before is taken.
        await change(each, round);
        inits.get(each.name)?.push(await start(each.deployed));
      }
  } finally {
    for (const { deployed } of made) await call('DELETE', deployed).catch(() => undefined);
  }
  return made.map(({ name }) => ({ name, init: inits.get(name) ?? [] }));
}

type Made = Startable & { readonly deployed: string };

async function create({ deployed, zip, handler, memory }: Made): Promise<void> {
  await call('POST', '', {
    FunctionName: deployed,
    Runtime: 'nodejs24.x',
    Handler: handler,
    Role: 'arn:aws:iam::000000000000:role/remedia-bench',
    Code: { ZipFile: Buffer.from(zip).toString('base64') },
    MemorySize: memory,
    Timeout: 10,
  });
}

async function change({ deployed, environment }: Made, round: number): Promise<void> {
  const Variables = {
    ...settingsOf(environment),
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(PRELOAD)}`,
    REMEDIA_BENCH_ROUND: String(round),
  };
  await settled(deployed);
  await call('PUT', `${deployed}/configuration`, { Environment: { Variables } });
  await settled(deployed);
}

/** What stands for this benchmark in the place of resources and secrets: nothing of it is reached while a function starts. */
export function settingsOf(environment: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => {
      if (typeof value === 'string' && !value.startsWith('ssm:')) return [name, value];
      if (/_URL$/.test(name)) return [name, `${endpoint}/000000000000/bench`];
      if (/_ARN$/.test(name)) return [name, 'arn:aws:sns:us-east-1:000000000000:bench'];
      return [name, name === 'INCIDENTS_TABLE' ? 'bench' : ''];
    }),
  );
}

/** Invokes it; how long it took to be ready for the first event. What becomes of the event does not matter. */
async function start(deployed: string): Promise<Init> {
  let log = '';
  for (let look = 0; look < LOOKS; look += 1) {
    const response = await fetchLambda('POST', `${deployed}/invocations`, {
      body: JSON.stringify({ httpMethod: 'TRACE', headers: {}, Records: [] }),
      headers: { 'x-amz-log-type': 'Tail' },
    });
    const answer = await response.text();
    const tail = Buffer.from(response.headers.get('x-amz-log-result') ?? '', 'base64').toString('utf8');
    const init = readInit(tail);
    if (init !== undefined) return init;
    log += `${tail}${answer}\n`;
  }
  throw new Error(`${deployed} did not say when it was ready:\n${log}`);
}

/** Reads it from an invocation's log. */
export function readInit(log: string): Init | undefined {
  const [, ms, cpu] = new RegExp(`${MARK} (\\d+(?:\\.\\d+)?) (\\d+(?:\\.\\d+)?)`).exec(log) ?? [];
  return ms === undefined ? undefined : { ms: Number(ms), cpu: Number(cpu) };
}

const configuration = z.object({ State: z.string(), LastUpdateStatus: z.string().optional() });

async function settled(deployed: string): Promise<void> {
  const until = Date.now() + WITHIN_MS;
  for (;;) {
    const response = await call('GET', `${deployed}/configuration`);
    const { State, LastUpdateStatus = 'Successful' } = configuration.parse(await response.json());
    if (State === 'Active' && LastUpdateStatus === 'Successful') return;
    if (State === 'Failed' || LastUpdateStatus === 'Failed' || Date.now() > until)
      throw new Error(`Lambda could not set up ${deployed}: ${State}, ${LastUpdateStatus}`);
    await sleep(100);
  }
}

const client = new AwsClient({ ...sdk.credentials, region: sdk.region, service: 'lambda', retries: 0 });

function fetchLambda(
  method: string,
  path: string,
  more: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  const { headers, ...rest } = more;
  const separator = path === '' ? '' : '/';
  return client.fetch(`${endpoint}/2015-03-31/functions${separator}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    signal: AbortSignal.timeout(WITHIN_MS),
    ...rest,
  });
}

async function call(method: string, path: string, input?: unknown): Promise<Response> {
  const response = await fetchLambda(
    method,
    path,
    input === undefined ? {} : { body: JSON.stringify(input) },
  );
  if (!response.ok) throw new Error(`Lambda answered ${response.status}: ${await response.text()}`);
  return response;
}
