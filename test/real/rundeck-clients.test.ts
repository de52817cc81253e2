/** Clients that others wrote for Rundeck, against the simulated one: what they cannot read, Rundeck does not answer. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type RemediaRundeck, startRemediaRundeck } from '#local/rundeck/remedia-project.ts';
import { requirePrograms } from './real-part.ts';

const run = promisify(execFile);
const folder = join(import.meta.dirname, 'rundeck-clients');
const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'remedia', 'rundeck-clients');

/** What `install` puts into a folder, made once for what `pinned` says, and whole or not at all. */
async function installed(pinned: string, install: (into: string) => Promise<void>): Promise<string> {
  const pins = readFileSync(join(folder, pinned));
  const target = join(cache, `${pinned}-${createHash('sha256').update(pins).digest('hex').slice(0, 16)}`);
  if (existsSync(target)) return target;
  mkdirSync(cache, { recursive: true });
  const into = mkdtempSync(join(cache, 'new-'));
  try {
    await install(into);
    renameSync(into, target);
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
  return target;
}

/** python-rundeck and what it needs; pip holds every file to its hash. */
const python = () =>
  installed('requirements.txt', async (into) => {
    const words = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--require-hashes', '--platform', 'any'];
    const from = ['--only-binary=:all:', '--target', into, '--requirement', join(folder, 'requirements.txt')];
    await run('python3', [...words, ...from], { timeout: 180_000 });
  });

/** The library of the command `rd`; Maven knows no hashes of its own, so each file is held to `jars.sha256` here. */
const java = () =>
  installed('jars.sha256', async (into) => {
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${into}`];
    await run('mvn', ['-q', '-B', '-f', join(folder, 'pom.xml'), ...goal], { timeout: 240_000 });
    const found = readdirSync(into)
      .toSorted()
      .map(
        (file) =>
          `${createHash('sha256')
            .update(readFileSync(join(into, file)))
            .digest('hex')}  ${file}\n`,
      );
    if (found.join('') !== readFileSync(join(folder, 'jars.sha256'), 'utf8')) {
      throw new Error('the files that Maven brought are not those of jars.sha256');
    }
  });

const ID = 'inc_0123456789abcdef01234567';
const TRACE = {
  remedia_decision_id: `${ID}#1`,
  remedia_incident_id: ID,
  remedia_event_id: '42',
  remedia_trace_id: '0af7651916cd43dd8448eb211c80319c',
};
const LINK = 'http://127.0.0.1:3000/incident';
const OPTIONS = {
  service_name: 'nginx.service',
  force: 'false',
  timeout: '60',
  mode: 'simulate',
  remedia_link: LINK,
  ...TRACE,
};
const POST = { ...OPTIONS, node_filter: 'web-01', link: LINK };
const JOBS = ['analyze-processes', 'cleanup-disk', 'notify', 'restart-application', 'restart-service'];

const seen = z.object({
  jobs: z.array(z.string()),
  began: z.string(),
  ended: z.string(),
  nodes: z.array(z.string()),
  lines: z.array(z.string()),
  running: z.array(z.string()),
  abort: z.string(),
  aborted: z.string(),
  executions: z.array(z.string()),
  refused: z.string(),
  sent: z.string().optional(),
});

let open: RemediaRundeck;
beforeEach(async () => {
  open = await startRemediaRundeck({
    nodes: [{ nodename: 'web-01', tags: 'remedia' }],
    scenario: ({ options }) =>
      options['service_name'] === 'hanging'
        ? { afterMs: 600_000 }
        : {
            afterMs: 200,
            lines: ['one', 'zwei: äöü', '{"tool":"restart_service","result":"would_restart"}'],
          },
  });
});
afterEach(() => open.rundeck.close());

const follow = async (program: string, ...words: readonly string[]) => {
  const { url, apiToken } = open.rundeck;
  const given = [...words, url, apiToken, 'remedia', JSON.stringify(OPTIONS), JSON.stringify(POST)];
  const { stdout } = await run(program, given, { timeout: 120_000 });
  return seen.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
};
const whatBothSee = {
  jobs: JOBS.map((name) => `remedia/${name}`),
  began: 'running',
  ended: 'succeeded',
  nodes: ['web-01'],
  lines: ['one', 'zwei: äöü', '{"tool":"restart_service","result":"would_restart"}'],
  running: ['2'],
  abort: 'pending',
  aborted: 'aborted',
};

describe.skipIf(!requirePrograms('client python-rundeck', ['python3']))('python-rundeck', () => {
  it('lists jobs, runs one with options, follows its state and output, aborts one, posts to a webhook', async () => {
    const library = await python();
    const found = await follow('env', `PYTHONPATH=${library}`, 'python3', join(folder, 'follow_job.py'));
    expect(found).toMatchObject({ ...whatBothSee, executions: ['1', '2', '3'], sent: '3' });
    expect(found.refused).toMatch(/-h doesn't match regular expression/);
    expect(open.rundeck.executions()[0]).toMatchObject({ options: OPTIONS, user: 'admin' });
  });
});

describe.skipIf(!requirePrograms('client rd', ['javac', 'mvn']))('the library of rd', () => {
  it('lists jobs, runs one with options, follows its state and output, aborts one', async () => {
    const library = await java();
    const found = await follow('java', '-cp', `${library}/*`, join(folder, 'FollowJob.java'));
    expect(found).toMatchObject({ ...whatBothSee, executions: ['1', '2'] });
    expect(found.refused).toMatch(/-h doesn't match regular expression/);
    expect(open.rundeck.executions()[0]).toMatchObject({ options: OPTIONS, user: 'admin' });
  });
});
