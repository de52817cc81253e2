/** What `npm run zabbix:setup` says when it cannot even begin; what it does is tested on a real Zabbix. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const complete = {
  // Nobody listens there.
  ZABBIX_API_URL: 'http://127.0.0.1:9',
  ZABBIX_ADMIN_TOKEN: 'aDmInToKeN',
  PUBLIC_BASE_URL: 'https://remedia.example',
  INTAKE_TOKENS: 'iNtAkE',
  REMEDIA_SOURCE: 'main',
  REMEDIA_HOST_GROUPS: 'Linux servers',
};
const setUp = (env: Readonly<Record<string, string>>, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/zabbix-setup.ts', ...args], {
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, said: stdout + stderr };
};

describe('npm run zabbix:setup', () => {
  it('names every setting that is missing, and where it comes from', () => {
    const { status, said } = setUp({});

    expect(status).toBe(2);
    for (const name of [
      'ZABBIX_API_URL is missing:\n    the frontend',
      'ZABBIX_ADMIN_TOKEN, or ZABBIX_API_USER and ZABBIX_API_PASSWORD is missing:\n    an API token of a super',
      'PUBLIC_BASE_URL',
      'INTAKE_TOKENS',
      'REMEDIA_SOURCE',
      'REMEDIA_HOST_GROUPS',
    ])
      expect(said).toContain(name);
  });

  it.each([
    ['an address that is none', { ...complete, PUBLIC_BASE_URL: 'sEcReT' }, /PUBLIC_BASE_URL/],
    [
      'nobody to log in as',
      { ...complete, ZABBIX_ADMIN_TOKEN: '' },
      /ZABBIX_ADMIN_TOKEN, or ZABBIX_API_USER/,
    ],
    ['a page after no time', { ...complete, REMEDIA_PAGE_AFTER: '0' }, /REMEDIA_PAGE_AFTER/],
  ])('refuses %s without repeating it', (_, env, sentence) => {
    const { status, said } = setUp(env);

    expect(status).toBe(2);
    expect(said).toMatch(sentence);
    expect(said).not.toMatch(/sEcReT|aDmInToKeN|iNtAkE/);
  });

  it('says in one sentence that Zabbix does not answer', () => {
    const { status, said } = setUp(complete);

    expect(status).toBe(1);
    expect(said.trim()).toBe('zabbix: no connection (ECONNREFUSED)');
  });

  it('tells what it wants', () => {
    const { status, said } = setUp({}, '--help');

    expect(status).toBe(0);
    expect(said).toContain('REMEDIA_PAGE_AFTER');
  });
});
