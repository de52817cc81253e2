import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDynamoClient, createIncidentsTable, tableDefinition } from '#lib/adapters/incidents-table.ts';
import { awsForTests, LOCAL_AWS } from '../aws.ts';

const folder = mkdtempSync(join(tmpdir(), 'policy-'));
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
let environment: Record<string, string> = {};
/** Runs the command as npm does, and brings back what it printed and its exit code. */
const run = (...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((done) => {
    const env = { PATH: process.env['PATH'], ...environment };
    execFile(
      process.execPath,
      ['scripts/policy.ts', ...args],
      { env, timeout: 25_000 },
      (error, out, err) => {
        done({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err });
      },
    );
  });

const alert = (part: object = {}) =>
  JSON.stringify({
    event_id: '5',
    event_value: '1',
    event_nseverity: '4',
    event_name: 'Nginx is down\u001b[31m',
    event_tags: '[{"tag":"env","value":"prod"}]',
    host_host: 'web-01',
    trigger_id: '7',
    item_key: 'nginx.proc.num[nginx]',
    ...part,
  });
const strict = `version: 1
deny:
  - { name: freeze, where: { host_groups: [Payments] } }
  - { tools: [cleanup_disk], where: { tags: { owner: ann } } }
rules:
  - { name: web, tools: [restart_service], where: { hosts: [web-*], environments: [test] }, autonomy: auto }
  - { tools: [cleanup_disk], autonomy: auto, windows: [{ from: "22:00", to: "06:00" }] }
routing:
  - { team: web, priority: high }
`;

afterAll(() => rmSync(folder, { recursive: true }));

describe('policy:check', () => {
  it('accepts a valid policy, and remarks what is odd', async () => {
    const { code, out } = await run('check', file('ok.yaml', 'version: 1\n'));

    expect(code).toBe(0);
    expect(out).toContain('note: There are no rules');
    expect(out).toMatch(/ok\.yaml is valid: 0 rules, 0 denials, version [0-9a-f]{12}\n/);
  });

  it('names every fault with its place, and fails', async () => {
    const path = file('bad.yaml', 'version: 1\nrulez: []\nstorm: {alerts: 0}\n');
    const { code, out, err } = await run('check', path);

    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(`${path}:2:1 rulez: unknown key`);
    expect(err).toContain(`${path}:3:17 storm.alerts: expected a number of at least 1`);
    expect(err).toContain('2 problems');
  });

  it.each([
    [['check', join(folder, 'nowhere.yaml')], 1, /nowhere\.yaml cannot be read \(ENOENT\)/],
    [['frobnicate'], 2, /^There is no policy:frobnicate\.\n\nusage:/],
    [['check', '--nonsense'], 2, /^Unknown option '--nonsense'\.\n\nusage:/],
    [['check', 'a', 'b'], 2, /^Unexpected argument 'b'\.\n\nusage:/],
    [['explain'], 2, /^The alert is missing.*\n\nusage:/],
    [['explain', 'a.json', '--at', 'noon'], 2, /^--at noon: expected a time/],
    [['push'], 1, /INCIDENTS_TABLE is missing/],
  ] as const)('answers %j with one sentence', async (args, status, message) => {
    const { code, err } = await run(...args);

    expect(code).toBe(status);
    expect(err).toMatch(message);
    expect(err).not.toContain('    at ');
  });
});

describe('policy:explain', () => {
  it('says which denials hold and which rules match, and why not', async () => {
    const path = file('alert.json', alert());
    const policy = file('strict.yaml', strict);
    const { code, out } = await run('explain', path, '--policy', policy, '--at', '2026-11-28T12:00:00Z');

    expect(code).toBe(0);
    expect(out).toContain(
      'alert     problem 5 of web-01, severity 4\nnode      web-01\ntold      team web, priority high\n',
    );
    expect(out).toContain('denial 1 "freeze", every tool: holds (the alert does not say host_groups)');
    expect(out).toContain('denial 2, cleanup_disk: does not hold: there is no tags.owner');
    expect(out).toContain('restart_service: refused, denied');
    expect(out).toContain('rule 1 "web" (auto): does not match: environments is "prod"');
    expect(out).toContain('rule 2 (auto): does not match: outside its windows');
    expect(out).not.toContain('\u001b');
  });

  it('says which tools the evidence makes possible, with which values, or that none is', async () => {
    const policy = ['--policy', 'local/policy.yaml'];
    const nginx = await run('explain', file('nginx.json', alert()), ...policy);
    const quiet = await run('explain', file('quiet.json', alert({ item_key: 'custom.thing' })), ...policy);

    expect(nginx.out).toMatch(/restart_service is possible: service_name nginx\.service \(.+\)\n/);
    expect(quiet.out).toContain('No tool is possible: a human is told, and no model is asked.');
  });

  it('says of a recovery what it does, and of an update what follows from it', async () => {
    const recovery = await run('explain', 'local/samples/disk-recovery.json');
    const update = await run('explain', file('update.json', alert({ event_update_status: '1' })));

    expect(recovery.out).toContain(
      'alert     recovery 5 of web-01, severity 4\nA recovery is never decided about',
    );
    expect(recovery.out).not.toContain('is possible');
    expect(update.out).toContain('An update is not decided about by itself');
    expect(update.out).toContain('restart_service is possible');
  });

  it.each([
    ['not JSON', 'hello', 'is not JSON'],
    ['a test post', alert({ event_id: '{EVENT.ID}' }), 'is a test post'],
    ['no trigger event', alert({ event_source: '3' }), "is no trigger's event"],
    ['an invalid alert', alert({ host_host: '' }), 'host_host: expected'],
  ])('refuses %s', async (_name, text, message) => {
    const { code, err } = await run('explain', file('other.json', text));

    expect(code).toBe(1);
    expect(err).toContain(message);
  });
});

describe('policy:push and policy:show', () => {
  let stop = async () => {};
  beforeAll(async () => {
    const { endpoint, close } = await awsForTests('dynamodb');
    stop = close;
    const tableName = `policy-${process.pid}`;
    const client = createDynamoClient({ endpoint, ...LOCAL_AWS });
    await client.send(new CreateTableCommand(tableDefinition(tableName)));
    environment = {
      INCIDENTS_TABLE: tableName,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: LOCAL_AWS.region,
      AWS_ACCESS_KEY_ID: LOCAL_AWS.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: LOCAL_AWS.credentials.secretAccessKey,
    };
    const { loadPolicy } = createIncidentsTable({ client, tableName });
    expect(await loadPolicy()).toBeUndefined();
  });
  afterAll(async () => {
    environment = {};
    await stop();
  });

  it('puts a version into the table and tells what changed, stricter or looser', async () => {
    const before = await run('show');
    const dry = await run('push', file('a.yaml', 'version: 1\n'), '--dry-run');
    const first = await run('push', file('a.yaml', 'version: 1\n'), '--by', 'ann');
    const again = await run('push', file('a.yaml', 'version: 1\n'));
    const second = await run(
      'push',
      file('b.yaml', 'version: 1\nallow: { paths: [/var] }\nminimum_severity: 2\nrouting: [{ team: a }]\n'),
    );
    const shown = await run('show', '--yaml');

    expect(before).toMatchObject({ code: 1, err: expect.stringContaining('counts as paused') });
    expect(dry.out).toContain('Dry run: nothing was written.');
    expect(first.out).toContain('No valid policy is in the table yet');
    expect(first.out).toContain('Pushed by ann');
    expect(again.out).toContain('holds this version already');
    expect(second.out).toContain('  LOOSER    allow.paths: also /var\n');
    expect(second.out).toContain('  stricter  minimum_severity: 0 → 2\n');
    expect(shown.out).toContain('minimum_severity: 2');
  });

  it('without a table a dry run still says whether the file is valid', async () => {
    const { AWS_ENDPOINT_URL = '' } = environment;
    const named = environment;
    // An endpoint is named, so that no pipeline that happens to run here is asked.
    environment = { AWS_ENDPOINT_URL };
    const valid = await run('push', file('d.yaml', 'version: 1\n'), '--dry-run');
    const broken = await run('push', file('e.yaml', 'version: 2\n'), '--dry-run');
    environment = named;

    expect(valid).toMatchObject({ code: 0, out: expect.stringContaining('d.yaml is valid') });
    expect(valid.out).toContain('compared with nothing');
    expect(broken.code).toBe(1);
  });

  it('puts nothing that is not valid', async () => {
    const { code, err } = await run('push', file('c.yaml', 'version: 1\nrules: [{ tools: [rm] }]\n'));
    const shown = await run('show');

    expect(code).toBe(1);
    expect(err).toContain('c.yaml:2:19 rules[0].tools[0]: expected one of cleanup_disk');
    expect(shown.out).toContain('"minimum_severity": 2');
  });
});
