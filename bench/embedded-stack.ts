/** `npm start` in a process and a data folder of its own, as a benchmark needs it: with posts to send, and what it uses. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import { makePosts, type Posts } from './posts.ts';
import type { Usage } from './report-usage.ts';

const root = join(import.meta.dirname, '..');
const START_WITHIN_MS = 90_000;
const STOP_WITHIN_MS = 20_000;

const usage = z.object({ cpu: z.number(), rss: z.number() });

export interface EmbeddedStack {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string;
  /** What it takes: posts with its token, signed with its key. */
  readonly posts: Posts;
  readonly usage: () => Promise<Usage>;
  readonly pause: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts it with durable data in a temporary folder, a simulated model and a policy without limits, so that decisions
 * go on however many alerts come. Throws with its output when it is not ready in time. `profileInto` writes a CPU profile
 * there at the end.
 */
export async function startEmbeddedStack({
  profileInto,
}: {
  readonly profileInto?: string | undefined;
} = {}): Promise<EmbeddedStack> {
  const folder = await mkdtemp(join(tmpdir(), 'remedia-bench-'));
  const policyFile = join(folder, 'policy.yaml');
  await writeFile(policyFile, await policyWithoutLimits());
  const token = randomBytes(16).toString('hex');
  const hmacKey = randomBytes(16).toString('hex');
  const port = await freePort();
  const { PATH, HOME } = process.env;
  const child = spawn(
    process.execPath,
    [
      '--import',
      join(import.meta.dirname, 'report-usage.ts'),
      ...(profileInto === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileInto]),
      'local/start.ts',
    ],
    {
      cwd: root,
      env: {
        PATH,
        HOME,
        INTAKE_TOKENS: token,
        INTAKE_HMAC_KEY: hmacKey,
        // Nothing listens there, so the model is simulated, whatever Ollama runs on this machine.
        OLLAMA_URL: 'http://127.0.0.1:9',
        REMEDIA_DATA_DIR: join(folder, 'data'),
        REMEDIA_POLICY: policyFile,
        REMEDIA_PORT: String(port),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  const stop = async () => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await ready(child);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    token,
    posts: makePosts({ token, hmacKey }),
    usage: async () => {
      const answer = once(child, 'message');
      child.send('usage');
      return usage.parse((await answer)[0]);
    },
    pause: async () => {
      const response = await fetch(`${url}/api/v1/pause`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ paused: true, by: 'bench' }),
      });
      if (!response.ok) throw new Error(`pausing was answered with ${response.status}`);
    },
    stop,
  };
}

/** The sample policy, in which no limit, storm or flapping host keeps the model from being asked. */
async function policyWithoutLimits(): Promise<string> {
  const policy = z
    .record(z.string(), z.unknown())
    .parse(parse(await readFile(join(root, 'local', 'policy.yaml'), 'utf8')));
  return stringify({
    ...policy,
    limits: { global: { per_hour: 10_000 } },
    storm: { alerts: 100_000, within: '5m' },
    flapping: { problems: 50, within: '10m' },
  });
}

async function ready(child: ChildProcess): Promise<void> {
  let output = '';
  // Read to the end, or the pipe fills up and the stack waits for it.
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      if (output.length < 100_000) output += chunk.toString();
    });
  const until = Date.now() + START_WITHIN_MS;
  while (!output.includes('Ready:')) {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`the stack is not ready:\n${output}`);
    await sleep(50);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await exited;
  clearTimeout(late);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no free port'));
        else resolve(address.port);
      });
    });
  });
}
