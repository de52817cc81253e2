/** What can be checked of the documentation by a program: links, commands, and every setting. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '');
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read('package.json')));

describe.each(tracked)('%s', (file) => {
  const text = read(file);

  it('links to files that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, link = '']) => link);
    const dead = links.filter((link) => !existsSync(join(root, dirname(file), link)));

    expect(dead).toEqual([]);
  });

  it('names commands that exist', () => {
    const named = [...text.matchAll(/npm run (?:-s )?([a-z][a-z0-9:-]*)/g)].map(([, name = '']) => name);
    const missing = named.filter((name) => !Object.hasOwn(scripts, name));

    expect(missing).toEqual([]);
  });
});

describe('docs/operations.md', () => {
  const text = read('docs/operations.md');
  const settings = [...read('lib/runtime/environment.ts').matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map(
    ([, name = '']) => name,
  );

  it.each(settings)('explains %s', (name) => {
    expect(text).toContain(`\`${name}\``);
  });

  it('knows of many settings', () => {
    expect(settings.length).toBeGreaterThan(20);
  });
});

describe('docs/observability.md', () => {
  const sources = readdirSync(join(root, 'lib/workflow')).map((file) => read(`lib/workflow/${file}`));
  const steps = new Set(
    sources.flatMap((text) => [...text.matchAll(/step: '([a-z_]+)'/g)].map(([, step = '']) => step)),
  );

  const row = read('docs/observability.md')
    .split('\n')
    .find((line) => line.startsWith('| `step`, `text`'));

  it.each([...steps])('lists the step %s', (step) => {
    expect(row).toContain(`\`${step}\``);
  });

  it('knows of many steps', () => {
    expect(steps.size).toBeGreaterThan(15);
  });
});

describe('docs/install.md', () => {
  const secrets = [
    ...read('serverless.yml').matchAll(/^ {4}\w+: ssm:\/remedia\/\$\{sls:stage\}\/([a-z-]+)$/gm),
  ].map(([, name = '']) => name);

  it.each(secrets)('has the secret %s put in place', (name) => {
    expect(read('docs/install.md')).toContain(`put ${name} `);
  });

  it('knows of the secrets that every stage needs', () => {
    expect(secrets.length).toBeGreaterThan(3);
  });
});
