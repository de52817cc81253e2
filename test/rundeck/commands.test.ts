/** rundeck:setup and rundeck:verify as an administrator runs them, by their commands, against the simulated server. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SimulatedRundeck, startSimulatedRundeck } from '#local/simulated-rundeck.ts';

let rundeck: SimulatedRundeck;
const file = join(mkdtempSync(join(tmpdir(), 'rundeck-')), 'rundeck.env');
beforeAll(async () => {
  rundeck = await startSimulatedRundeck({ nodes: [{ nodename: 'web-01', tags: 'remedia' }], jobMs: 1 });
});
afterAll(() => rundeck.close());

const run = (script: string, words: readonly string[], env: Readonly<Record<string, string>>) =>
  new Promise<{ code: number; output: string }>((resolve) => {
    const child = spawn(process.execPath, [`scripts/${script}.ts`, ...words], {
      env: { PATH: process.env['PATH'], ...env },
      timeout: 30_000,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    child.on('close', (code) => resolve({ code: code ?? 255, output }));
  });

describe('from nothing to a checked server', () => {
  it('sets up, and keeps secrets out of what it prints', async () => {
    const ran = await run('rundeck-setup', ['--file', file], {
      RUNDECK_URL: rundeck.url,
      RUNDECK_ADMIN_TOKEN: rundeck.apiToken,
    });
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.output).toContain('✓ job remedia/cleanup-disk imported');
    const secrets = [
      ...readFileSync(file, 'utf8').matchAll(/webhook\/(\w+)|"secret":"(\w+)"|API_TOKEN='(\w+)'/g),
    ].map(([, a, b, c]) => a ?? b ?? c ?? '');
    expect(secrets).toHaveLength(11);
    for (const secret of [...secrets, rundeck.apiToken]) expect(ran.output).not.toContain(secret);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('writes a file that a shell can source', async () => {
    const { stdout } = spawnSync('sh', ['-c', `set -a; . '${file}'; printf %s "$RUNDECK_WEBHOOKS"`], {
      encoding: 'utf8',
    });
    expect(Object.keys(JSON.parse(stdout))).toHaveLength(5);
  });

  it('prints the webhooks when asked to', async () => {
    const ran = await run('rundeck-setup', ['--file', file, '--print'], {
      RUNDECK_URL: rundeck.url,
      RUNDECK_ADMIN_TOKEN: rundeck.apiToken,
    });
    expect(ran.output).toContain('RUNDECK_WEBHOOKS={"cleanup_disk":{"url":"http://127.0.0.1:');
  });

  it('checks what it set up', async () => {
    const ran = await run('rundeck-verify', ['--file', file, '--node', 'web-01'], {});
    expect(ran.output).toContain('Everything Remedia relies on is there.');
    expect(ran.code).toBe(0);
  });

  it('a second run leaves the job that only tells to the administrator', async () => {
    const env = { RUNDECK_URL: rundeck.url, RUNDECK_ADMIN_TOKEN: rundeck.apiToken };
    const again = await run('rundeck-setup', ['--file', file], env);
    expect(again.output).toContain('✓ job remedia/notify is there, and left as it is');
    expect(again.output).toContain('✓ job remedia/cleanup-disk imported');
  });

  it('finds a host that is no node', async () => {
    const ran = await run('rundeck-verify', ['--file', file, '--node', 'web-02'], {});
    expect(ran.code).toBe(1);
    expect(ran.output).toMatch(/✗ cleanup_disk: dry run \d+ is failed/);
  });

  it.each([
    ['rundeck-setup', [], {}, 'RUNDECK_URL is missing:\n    the server'],
    ['rundeck-setup', [], {}, 'RUNDECK_ADMIN_TOKEN is missing:\n    an API token'],
    [
      'rundeck-setup',
      [],
      { RUNDECK_URL: 'http://127.0.0.1:1', RUNDECK_ADMIN_TOKEN: 'SECRET' },
      'No connection to Rundeck',
    ],
    [
      'rundeck-setup',
      [],
      { RUNDECK_URL: 'http://127.0.0.1:1', RUNDECK_ADMIN_TOKEN: 'SECRET', RUNDECK_PROJECT: '../x' },
      'RUNDECK_PROJECT',
    ],
    ['rundeck-verify', ['--node', 'web-01', '--file', '/nowhere'], {}, 'Missing or wrong: RUNDECK_URL'],
    ['rundeck-verify', ['--node', 'web-01', '--file', '/nowhere'], {}, 'npm run rundeck:setup makes'],
    ['rundeck-verify', ['--node', 'web-01', '--file', '/tmp'], {}, '/tmp cannot be read (EISDIR)'],
    ['rundeck-verify', [], {}, '--node is missing'],
    ['rundeck-verify', ['--node', 'web-01', '--wait', 'long'], {}, '--wait long: expected a whole number'],
  ] as const)('%s %j %j says what is missing', async (script, words, env, text) => {
    const ran = await run(script, words, env);
    expect(ran.code).not.toBe(0);
    expect(ran.output).toContain(text);
    expect(ran.output).not.toContain('SECRET');
  });
});
