/** Each static check is shown a planted fault: one that cannot fail would be worth nothing. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const copied = [
  'functions',
  'lib',
  'scripts',
  'package.json',
  'tsconfig.json',
  'biome.json',
  'knip.json',
  '.dependency-cruiser.cjs',
  '.gitignore',
];
const folders: string[] = [];

function copyOfTheProject(): string {
  const folder = mkdtempSync(join(tmpdir(), 'remedia-checks-'));
  folders.push(folder);
  for (const each of copied.filter((name) => existsSync(join(root, name))))
    cpSync(join(root, each), join(folder, each), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  spawnSync('git', ['init', '-q'], { cwd: folder });
  return folder;
}

function check(folder: string, name: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('node', ['scripts/check.ts', name], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 100_000,
  });
  return { status, output: `${stdout}${stderr}` };
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('npm run check', { timeout: 120_000 }, () => {
  it.each([
    {
      name: 'lint',
      file: 'lib/core/planted.ts',
      source: '/** Planted. */\nexport const planted = process.env.HOME as any;\n',
      says: /noExplicitAny|noProcessEnv/,
    },
    {
      name: 'types',
      file: 'lib/core/planted.ts',
      source: "/** Planted. */\nexport const planted: number = 'one';\n",
      says: /TS2322/,
    },
    {
      name: 'imports',
      file: 'lib/core/planted.ts',
      source:
        "/** Planted. */\nimport type { Clock } from '#lib/workflow/ports.ts';\nexport const planted: Clock = () => 0;\n",
      says: /core-imports-only-inward/,
    },
    {
      name: 'imports',
      file: 'lib/core/planted.ts',
      source:
        "/** Planted. */\nimport { readFileSync } from 'node:fs';\nexport const planted = readFileSync;\n",
      says: /core-is-pure/,
    },
    {
      name: 'dead-code',
      file: 'lib/core/planted.ts',
      source: '/** Planted. */\nexport const planted = 1;\n',
      says: /lib\/core\/planted\.ts/,
    },
  ])('$name is red for a planted fault in $file ($says)', ({ name, file, source, says }) => {
    const folder = copyOfTheProject();
    writeFileSync(join(folder, file), source);

    const { status, output } = check(folder, name);

    expect(status).not.toBe(0);
    expect(output).toMatch(says);
  });

  it('imports is red when it looks at nothing', () => {
    const folder = copyOfTheProject();
    for (const each of ['functions', 'lib']) {
      rmSync(join(folder, each), { recursive: true, force: true });
      mkdirSync(join(folder, each));
    }

    const { status } = check(folder, 'imports');

    expect(status).not.toBe(0);
  });
});
