/** One machine killed in the middle of its work: nothing acknowledged is missing afterwards, and nothing ran twice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { startRemediaRundeck } from '#local/rundeck/remedia-project.ts';
import { startSimulatedModel } from '#local/simulated-model.ts';
import { startSimulatedPeople } from '#local/simulated-people.ts';

const root = join(import.meta.dirname, '..', '..');
const TOKEN = 'restart-test-token';
const ALERTS = 12;

let dataDir: string;
let environment: Record<string, string>;
let rundeck: Awaited<ReturnType<typeof startRemediaRundeck>>['rundeck'];
const ends: (() => Promise<void>)[] = [];
const children: ChildProcess[] = [];

// What is outside the machine under test outlives it, and so can say what it was asked to do.
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'remedia-restart-'));
  const model = await startSimulatedModel({ answerMs: 50 });
  const people = await startSimulatedPeople();
  const started = await startRemediaRundeck({ jobMs: 100 });
  rundeck = started.rundeck;
  environment = {
    ...started.env,
    OLLAMA_URL: model.url,
    ESCALATION_CHAT_URL: people.url,
    INTAKE_TOKENS: TOKEN,
    REMEDIA_DATA_DIR: dataDir,
  };
  ends.push(
    () => model.close(),
    people.stop,
    () => rundeck.close(),
    () => rm(dataDir, { recursive: true, force: true }),
  );
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const end of ends) await end();
});

async function startMachine(over: Readonly<Record<string, string>> = {}): Promise<{
  readonly api: string;
  readonly child: ChildProcess;
  readonly output: () => string;
}> {
  const port = await freePort();
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ['local/start.ts'], {
    cwd: root,
    env: { PATH, HOME, ...environment, ...over, REMEDIA_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const end = Date.now() + 60_000;
  while (!output.includes('Ready:')) {
    if (child.exitCode !== null || Date.now() > end) throw new Error(`not ready: ${output}`);
    await sleep(50);
  }
  return { api: `http://127.0.0.1:${port}/api/v1`, child, output: () => output };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}

const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
const accepted = z.object({ incidentId: z.string() });
const incidentSchema = z.object({
  state: z.string(),
  decisions: z.array(z.object({ dispatch: z.object({ executionId: z.string().optional() }).optional() })),
});

async function post(api: string, number: number): Promise<string> {
  const text = await readFile(join(root, 'local', 'samples', 'service-problem.json'), 'utf8');
  const sample = z.record(z.string(), z.string()).parse(JSON.parse(text));
  const event = String(700_000 + number);
  const response = await fetch(`${api}/zabbix/alert`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ ...sample, event_id: event, trigger_id: event, host_host: `web-${event}` }),
  });
  expect(response.status).toBe(202);
  return accepted.parse(await response.json()).incidentId;
}

const executionsOf = (incidentId: string) =>
  rundeck.executions().filter(({ options }) => options['remedia_incident_id'] === incidentId);

it('loses nothing that it acknowledged and does nothing twice when it is killed and started again', async () => {
  const first = await startMachine();
  const ids = await Promise.all(Array.from({ length: ALERTS }, (_, number) => post(first.api, number)));
  // In the middle: some have run, some are being decided, most wait.
  await expect.poll(() => rundeck.executions().length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(2);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const ranBefore = rundeck.executions().length;

  const second = await startMachine();
  const states = async (): Promise<readonly string[]> =>
    Promise.all(
      ids.map(async (id) => {
        const response = await fetch(`${second.api}/incidents/${id}`, { headers });
        if (response.status !== 200) return 'missing';
        const { state, decisions } = incidentSchema.parse(await response.json());
        return decisions.some(({ dispatch }) => dispatch?.executionId) ? 'has run' : state;
      }),
    );
  // One that was being posted when the process died is a claim: it is looked into later, and never simply posted again.
  const settled = ['has run', 'dispatching', 'closed'];
  await expect
    .poll(async () => (await states()).filter((state) => !settled.includes(state)), {
      timeout: 40_000,
      interval: 200,
    })
    .toEqual([]);

  expect(ranBefore).toBeLessThan(ALERTS);
  expect((await states()).filter((state) => state === 'has run').length).toBeGreaterThanOrEqual(ALERTS - 5);
  for (const id of ids)
    expect([id, executionsOf(id).length]).toEqual([id, expect.toSatisfy((count) => count <= 1)]);
  second.child.kill('SIGKILL');
  await once(second.child, 'exit');
}, 180_000);

it('lets nobody else at its data, and ends at once and cleanly on Ctrl-C', async () => {
  const { child } = await startMachine();
  await expect(startMachine()).rejects.toThrow(/^not ready: The data directory [^\n]* is in use: [^\n]*\n$/);
  const from = performance.now();

  child.kill('SIGINT');
  const [code] = await once(child, 'exit');

  expect(code).toBe(0);
  expect(performance.now() - from).toBeLessThan(10_000);
}, 90_000);

it('needs no Ollama with DECIDER=rules, simulates none, and says so', async () => {
  const REMEDIA_DATA_DIR = await mkdtemp(join(tmpdir(), 'remedia-rules-'));
  ends.push(() => rm(REMEDIA_DATA_DIR, { recursive: true, force: true }));
  const { api, child, output } = await startMachine({
    DECIDER: 'rules',
    OLLAMA_URL: 'http://127.0.0.1:9',
    REMEDIA_DATA_DIR,
  });

  const incidentId = await post(api, 900);
  await expect.poll(() => executionsOf(incidentId).length, { timeout: 30_000 }).toBe(1);
  const health = await fetch(`${api}/health`, { headers });
  child.kill('SIGINT');
  await once(child, 'exit');

  expect(output()).toContain('Model: none. DECIDER=rules: evidence, words and policy alone decide.');
  expect(output()).not.toContain('SIMULATED: the model');
  expect(await health.json()).toMatchObject({ status: 'ok', decider: 'rules' });
}, 90_000);

it('says in one sentence that its port is occupied, and ends', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ['local/start.ts'], {
    cwd: root,
    env: { PATH, HOME, REMEDIA_PORT: String(port), REMEDIA_DATA_DIR: dataDir },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });

  const [code] = await once(child, 'close');
  server.close();

  expect(code).toBe(1);
  expect(said).toBe(
    `Port ${port} of 127.0.0.1 is occupied: stop what uses it, or set REMEDIA_PORT to another one.\n`,
  );
}, 30_000);
