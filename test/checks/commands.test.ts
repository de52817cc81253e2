/** Every command of package.json tells how it is called, without any setting, and refuses what it does not know. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';

const root = resolve(import.meta.dirname, '../..');
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));

/** These are commands of others, who answer for their options: one of each is enough. */
const OTHERS = /^(vitest|biome) /;
const others = ['test', 'format'].map((name) => [name, scripts[name] ?? ''] as const);
const ours = Object.entries(scripts).filter(([, line]) => !OTHERS.test(line));
/** One for each program: policy:check and policy:push refuse by the same code. */
const programs = [
  ...new Map(
    ours.map(([name, line]) => [line.split(' ').slice(0, 2).join(' '), [name, line] as const]),
  ).values(),
];

const home = mkdtempSync(join(tmpdir(), 'remedia-home-'));
afterAll(() => rmSync(home, { recursive: true }));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** As npm runs it, with nothing in the environment but the programs. */
function run(line: string, words: string): Promise<Ran> {
  const env = {
    PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
    // It is empty, so that no pipeline that runs on this machine is found.
    HOME: home,
    NO_COLOR: '1',
  };
  return new Promise((done) => {
    execFile(
      'sh',
      ['-c', `exec ${line} ${words}`],
      { cwd: root, env, timeout: 60_000 },
      (error, out, err) => {
        done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err });
      },
    );
  });
}

it('knows all commands', () => {
  expect(ours.length).toBeGreaterThan(25);
});

// Four at a time: each spends its time on loading what it imports.
describe.concurrent('a command', { timeout: 120_000 }, () => {
  it.each([...ours, ...others])('npm run %s -- --help tells how it is called', async (_, line) => {
    const { code, out, err } = await run(line, '--help');

    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^usage\b/im);
  });

  it.each(programs)(
    'npm run %s -- --no-such-thing is refused with a sentence and the usage',
    async (_, line) => {
      const { code, out, err } = await run(line, '--no-such-thing');

      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toMatch(/^.*--no-such-thing.*\n\nusage:/);
      expect(err).not.toMatch(/^\s+at .*:\d+/m);
    },
  );
});
