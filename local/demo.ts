/** `npm run demo`: starts everything on free ports, sends sample alerts, and exits 0 only if each ended as it should. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import colors from 'picocolors';
import * as z from 'zod';
import { readArguments } from '../scripts/command-line.ts';
import { LOCAL_INTAKE_TOKEN } from './local-settings.ts';

readArguments(
  `usage: npm run demo

Starts the pipeline on free ports in a temporary folder, sends sample alerts, and ends with 0 only if each ended as it
should. The model is simulated unless OLLAMA_URL (and OLLAMA_MODEL) names a real one; with DECIDER=rules there is none.`,
  {},
);

/** An idle machine needs five seconds; a busy one may have a minute. */
const READY_WITHIN_MS = 60_000;
const ENDED_WITHIN_MS = 90_000;

const accepted = z.object({ incidentId: z.string(), status: z.string() });
const incidentSchema = z.object({
  state: z.string(),
  outcome: z.string().optional(),
  escalation: z.string(),
  decisions: z.array(
    z.object({
      verdict: z.looseObject({ kind: z.string(), tool: z.string().optional() }),
      dispatch: z
        .looseObject({ executionId: z.string().optional(), endedAt: z.number().optional() })
        .optional(),
    }),
  ),
});
type Incident = z.infer<typeof incidentSchema>;

interface Scene {
  readonly title: string;
  /** A file in local/samples, without `.json`. */
  readonly sample: string;
  readonly change?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Zabbix sees the problem vanish after the job. */
  readonly recovers?: boolean;
  readonly outcome: string;
  readonly tool?: string;
  readonly jobs: number;
  readonly humanTold: boolean;
}

const scenes: readonly Scene[] = [
  {
    title: 'A file system fills up; after the cleanup Zabbix reports that it is well again',
    sample: 'disk-problem',
    recovers: true,
    outcome: 'verified',
    tool: 'cleanup_disk',
    jobs: 1,
    humanTold: false,
  },
  {
    title: 'A service is down; it is restarted',
    sample: 'service-problem',
    recovers: true,
    outcome: 'verified',
    tool: 'restart_service',
    jobs: 1,
    humanTold: false,
  },
  {
    title: 'A container is unhealthy; the application is restarted',
    sample: 'application-problem',
    recovers: true,
    outcome: 'verified',
    tool: 'restart_application',
    jobs: 1,
    humanTold: false,
  },
  {
    title: 'The load is too high; what causes it is found out and told',
    sample: 'cpu-problem',
    outcome: 'analysed',
    tool: 'analyze_processes',
    jobs: 1,
    humanTold: true,
  },
  {
    title: 'A disk breaks: no tool helps, a human is told',
    sample: 'unknown-problem',
    outcome: 'handed_over',
    jobs: 0,
    humanTold: true,
  },
  {
    title: 'An alert whose text gives orders: nothing runs, a human is told',
    sample: 'hostile-problem',
    outcome: 'handed_over',
    jobs: 0,
    humanTold: true,
  },
  {
    title: 'Simulation: decided and recorded, nothing runs',
    sample: 'service-problem',
    change: { event_id: '9201', host_host: 'web-04' },
    headers: { 'X-Remedia-Mode': 'simulate' },
    outcome: 'simulated',
    jobs: 0,
    humanTold: false,
  },
  {
    title: 'A recovery of a problem that nobody told of',
    sample: 'disk-recovery',
    change: { event_id: '9301' },
    outcome: 'recovered_before_action',
    jobs: 0,
    humanTold: false,
  },
];

/** Answers the exit code. */
async function demo(): Promise<number> {
  const started = performance.now();
  const dataDir = await mkdtemp(join(tmpdir(), 'remedia-demo-'));
  const port = await freePort();
  const api = `http://127.0.0.1:${port}/api/v1`;
  const child = startPipeline(port, dataDir);
  const wrong: string[] = [];
  try {
    await untilReady(child, api);
    say(`Ready after ${seconds(started)}.`);
    for (const [index, scene] of scenes.entries()) {
      say('');
      say(colors.bold(`${index + 1}. ${scene.title}`));
      const problem = await play(api, scene);
      say(problem === undefined ? colors.green('   as it should') : colors.red(`   WRONG: ${problem}`));
      if (problem !== undefined) wrong.push(`${index + 1}. ${scene.title}: ${problem}`);
    }
    say('');
    const repeated = await sayTwice(api);
    if (repeated !== undefined) wrong.push(repeated);
  } catch (error) {
    wrong.push(error instanceof Error ? error.message : String(error));
  } finally {
    child.kill('SIGINT');
    if (child.exitCode === null) await Promise.race([once(child, 'exit'), sleep(10_000)]);
    if (child.exitCode === null) child.kill('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  }
  say('');
  for (const each of wrong) say(colors.red(each));
  say(
    wrong.length === 0 ? colors.green(`All as it should, in ${seconds(started)}.`) : `${wrong.length} wrong.`,
  );
  return wrong.length === 0 ? 0 : 1;
}

/** Nothing real can be reached: what the shell names is left out, but for an Ollama, or rules, that were named on purpose. */
function startPipeline(port: number, dataDir: string): ChildProcess {
  const { PATH, HOME, DECIDER, OLLAMA_URL, OLLAMA_MODEL, FORCE_COLOR, NO_COLOR } = process.env;
  const child = spawn(process.execPath, [join(import.meta.dirname, 'start.ts')], {
    env: {
      ...{ PATH, HOME, DECIDER, OLLAMA_MODEL, FORCE_COLOR, NO_COLOR },
      // Port 1 answers nobody, so that the model is simulated.
      OLLAMA_URL: OLLAMA_URL ?? 'http://127.0.0.1:1',
      REMEDIA_PORT: String(port),
      REMEDIA_DATA_DIR: dataDir,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.on('data', (chunk: Buffer) => process.stdout.write(chunk));
  return child;
}

async function untilReady(child: ChildProcess, api: string): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS;
  while (Date.now() < until) {
    if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}`);
    try {
      const { status } = await fetch(`${api}/health`, { headers: authorization });
      if (status === 200) return;
    } catch {
      // Not listening yet.
    }
    await sleep(100);
  }
  throw new Error(`not ready after ${READY_WITHIN_MS / 1000} s`);
}

const authorization = { authorization: `Bearer ${LOCAL_INTAKE_TOKEN}` };

async function sampleOf(name: string): Promise<Record<string, string>> {
  const text = await readFile(join(import.meta.dirname, 'samples', `${name}.json`), 'utf8');
  return z.record(z.string(), z.string()).parse(JSON.parse(text));
}

async function post(
  api: string,
  body: Readonly<Record<string, string>>,
  headers = {},
): Promise<z.infer<typeof accepted>> {
  const response = await fetch(`${api}/zabbix/alert`, {
    method: 'POST',
    headers: { ...authorization, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  if (response.status !== 202) throw new Error(`the alert got ${response.status}: ${JSON.stringify(answer)}`);
  return accepted.parse(answer);
}

async function until(api: string, id: string, done: (incident: Incident) => boolean): Promise<Incident> {
  const end = Date.now() + ENDED_WITHIN_MS;
  let last: Incident | undefined;
  while (Date.now() < end) {
    const response = await fetch(`${api}/incidents/${id}`, { headers: authorization });
    if (response.ok) {
      last = incidentSchema.parse(await response.json());
      if (done(last)) return last;
    }
    await sleep(100);
  }
  throw new Error(`incident ${id} is still ${last?.state ?? 'unknown'} after ${ENDED_WITHIN_MS / 1000} s`);
}

/** Sends the scene's alert and answers what was wrong with its end. */
async function play(api: string, scene: Scene): Promise<string | undefined> {
  const body = { ...(await sampleOf(scene.sample)), ...scene.change };
  const { incidentId } = await post(api, body, scene.headers);
  if (scene.recovers) {
    await until(
      api,
      incidentId,
      ({ decisions, state }) => state === 'closed' || decisions.some(({ dispatch }) => dispatch?.endedAt),
    );
    await post(api, { ...body, event_value: '0', event_recovery_id: `${body['event_id']}9` });
  }
  const settled = ({ state, escalation }: Incident): boolean =>
    state === 'closed' && escalation !== 'pending';
  const incident = await until(api, incidentId, settled);
  const jobs = incident.decisions.filter(({ dispatch }) => dispatch?.executionId).length;
  const tool = incident.decisions[0]?.verdict.tool;
  if (incident.outcome !== scene.outcome) return `ended as ${incident.outcome}, not as ${scene.outcome}`;
  if (scene.tool !== undefined && tool !== scene.tool) return `chose ${tool}, not ${scene.tool}`;
  if (jobs !== scene.jobs) return `${jobs} jobs ran, not ${scene.jobs}`;
  if ((incident.escalation === 'delivered') !== scene.humanTold)
    return `escalation is ${incident.escalation}, and a human should ${scene.humanTold ? '' : 'not '}be told`;
  return undefined;
}

/** The first alert once more: the same incident, and still one job. */
async function sayTwice(api: string): Promise<string | undefined> {
  say(colors.bold(`${scenes.length + 1}. The first alert once more: the same incident, and still one job`));
  const body = await sampleOf('disk-problem');
  const [first, second] = [await post(api, body), await post(api, body)];
  const incident = await until(api, first.incidentId, ({ state }) => state === 'closed');
  const jobs = incident.decisions.filter(({ dispatch }) => dispatch?.executionId).length;
  const fine = first.incidentId === second.incidentId && second.status === 'repeated' && jobs === 1;
  say(fine ? colors.green('   as it should') : colors.red('   WRONG'));
  return fine ? undefined : `the repeated alert: ${JSON.stringify({ first, second, jobs })}`;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exit(await demo());
