/** The jobs made from the catalogue: what Rundeck lets through, and what reaches the shell of a host. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Rundeck’s own templates look like that
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogue as tools } from '#lib/catalogue/index.ts';
import type { Tool, ToolName } from '#lib/catalogue/tool.ts';
import { isAllowed, parseAccessPolicies } from '#local/rundeck/access-policy.ts';
import { renderStep } from '#local/rundeck/arguments.ts';
import { checkOptions, parseJobs, timeoutSeconds } from '#local/rundeck/job-definition.ts';
import { jobWebhooks, jobYaml } from '../../rundeck/jobs.ts';

const catalogue: Readonly<Record<ToolName, Tool>> = tools;

const jobOf = (name: ToolName) => {
  const [job] = parseJobs(jobYaml(catalogue[name]) ?? '[]');
  if (job === undefined) throw new Error('no job');
  return job;
};
const runnable = Object.values<Tool>(catalogue).flatMap(({ name, job }) => (job === undefined ? [] : [name]));
const TRACE = {
  mode: 'live',
  remedia_decision_id: 'inc_0123456789abcdef01234567#1',
  remedia_incident_id: 'inc_0123456789abcdef01234567',
  remedia_event_id: '42',
  remedia_trace_id: '0af7651916cd43dd8448eb211c80319c',
  remedia_link: 'http://127.0.0.1:3000/api/v1/incidents/inc_0123456789abcdef01234567',
};
const GOOD: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  cleanup_disk: {
    path: '/srv/data',
    min_size: '10M',
    file_age: '7d',
    cleanup_roots: '/srv/data/tmp:/var/tmp',
  },
  restart_service: { service_name: 'nginx.service', force: 'false', timeout: '60' },
  analyze_processes: { resource_type: 'cpu', top_count: '10' },
  restart_application: { app_name: 'shop', graceful: 'true', timeout: 'default' },
  notify: { message: 'Needs a human: the disk of web-01 is full', team: 'night shift', priority: 'high' },
};
/** What a shell would read in a word that Rundeck hands over without quotes. */
const PLAIN_WORD = /^[A-Za-z0-9_/.][A-Za-z0-9_/.@:,-]*$/;
const isRelay = (name: ToolName) => catalogue[name].job?.on === 'relay';

it('a tool without a job has none', () => {
  const { job: _job, ...without } = catalogue.notify;
  expect(jobYaml(without)).toBeUndefined();
  expect(jobWebhooks([without])).toEqual([]);
});

it('there are five', () => {
  expect(runnable).toHaveLength(5);
});

describe.each(runnable)('%s', (name) => {
  const job = jobOf(name);
  const good = { ...GOOD[name], ...TRACE };

  it('takes what the adapter sends, every option given', () => {
    const checked = checkOptions(job, good);
    expect(checked.message).toBeUndefined();
    expect(checked.unknown).toEqual([]);
    expect(Object.keys(good).toSorted()).toEqual(job.options.map((option) => option.name).toSorted());
  });

  it('is named, bounded in time, and reaches no node by default', () => {
    expect(job).toMatchObject({
      name: name.replaceAll('_', '-'),
      group: 'remedia',
      nodesSelectedByDefault: false,
      multipleExecutions: true,
    });
    expect(timeoutSeconds(job.timeout)).toBe(catalogue[name].job?.timeLimitSeconds);
  });

  it.each(Object.keys(good))('refuses %s when it is empty, missing, or the text null', (option) => {
    expect(checkOptions(job, { ...good, [option]: '' }).errors).toHaveProperty(option);
    expect(checkOptions(job, { ...good, [option]: 'null' }).errors).toHaveProperty(option);
    const rest = Object.fromEntries(Object.entries(good).filter(([each]) => each !== option));
    expect(checkOptions(job, rest).errors).toHaveProperty(option);
  });

  it('lets through nothing that begins with a dash or holds a character of the shell', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          ...job.options.map((option) => option.name).filter((option) => option in (GOOD[name] ?? {})),
        ),
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 12 }),
          fc.constantFrom(
            '-x',
            '$(id)',
            '`id`',
            'a;id',
            'a b',
            "a'b",
            'a"b',
            '*',
            '?',
            '~',
            '#',
            'a\nb',
            'a\tb',
          ),
        ),
        (option, value) => {
          if (checkOptions(job, { ...good, [option]: value }).errors[option] === undefined) {
            // Prose and names of teams may hold spaces; then Rundeck quotes the whole word.
            if (!isRelay(name) || !value.includes(' ')) expect(value).toMatch(PLAIN_WORD);
            expect(value).not.toMatch(/^-|\p{Cc}/u);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('calls one script, by sudo on the alert’s host, each option a word of its own', () => {
    const [step] = job.sequence.commands;
    if (step === undefined) throw new Error('no step');
    const { command, script } = renderStep(step, { ...good, mode: '$(touch /tmp/x)' });
    expect(script).toBeUndefined();
    expect(command).toMatch(
      new RegExp(
        `^${isRelay(name) ? '' : 'sudo -n '}/usr/local/lib/remedia/${name.replaceAll('_', '-')}\\.sh --`,
      ),
    );
    expect(command).toMatch(/ --mode '\$\(touch \/tmp\/x\)'( --link \S+)?$/);
    expect(step.exec).not.toMatch(/[^ ]\$\{|\}[^ ]|unquotedoption/);
    // Only the webhook's own fields trace back; they do not reach the host. A message says where more is told.
    expect(step.exec?.replace('${option.remedia_link}', '')).not.toContain('remedia_');
  });

  it('its webhook fills exactly the job’s options, for one host that bears the tag, or for the relay', () => {
    const [webhook] = jobWebhooks([catalogue[name]]);
    const filled = [...(webhook?.config.argString.matchAll(/-(\w+) \$\{data\.\w+\}/g) ?? [])].map(
      (match) => match[1],
    );
    expect(filled).toEqual(job.options.map((option) => option.name));
    expect(webhook).toMatchObject({
      name: `remedia-${name}`,
      config: {
        jobId: job.uuid,
        nodeFilter: isRelay(name) ? 'tags: remedia-notify' : 'name: ${data.node_filter} tags: remedia',
      },
    });
  });

  it('has a script whose options are the job’s', () => {
    const file = new URL(`../../rundeck/host/${name.replaceAll('_', '-')}.sh`, import.meta.url);
    const taken = [...readFileSync(file, 'utf8').matchAll(/^ {4}(--[a-z-]+)\)/gm)].map((match) => match[1]);
    const given = [...(job.sequence.commands[0]?.exec ?? '').matchAll(/ (--[a-z-]+)(?= )/g)].map(
      (match) => match[1],
    );
    expect(taken.toSorted()).toEqual(given.toSorted());
  });
});

describe('a message is hostile text', () => {
  const job = jobOf('notify');
  const good = { ...GOOD['notify'], ...TRACE };
  const [step] = job.sequence.commands;
  const messages = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc
      .array(
        fc.constantFrom(
          '$(touch /tmp/x)',
          '`id`',
          "'",
          '"',
          ';',
          '#',
          '~',
          '-x',
          '*',
          ' ',
          '[a-z]',
          '\\',
          'é',
          '!!',
          '\n',
          '\t',
          '${option.team}',
        ),
        { minLength: 1, maxLength: 8 },
      )
      .map((parts) => parts.join('')),
  );

  it('what the job takes reaches the script as one word, the same to the last character', () => {
    // Printed by a real shell, with a folder around it in which every pattern would find something.
    const folder = mkdtempSync(join(tmpdir(), 'message-'));
    for (const name of ['a', 'b', 'x y']) writeFileSync(join(folder, name), '');
    fc.assert(
      fc.property(messages, (message) => {
        if (checkOptions(job, { ...good, message }).errors['message'] !== undefined || step === undefined)
          return;
        const { command } = renderStep(step, { ...good, message });
        const words = command.replace('/usr/local/lib/remedia/notify.sh', "printf '%s\\0'");
        const { stdout } = spawnSync('sh', ['-c', words], { cwd: folder, encoding: 'utf8' });
        expect(stdout.split('\0')).toEqual([
          '--message',
          message,
          '--team',
          'night shift',
          '--priority',
          'high',
          '--mode',
          'live',
          '--link',
          TRACE.remedia_link,
          '',
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    '-rf /',
    '~root',
    '#not-there',
    '[a-b]',
    'one\ntwo lines',
    'a tab\there',
    'null',
    '',
    `long ${'x'.repeat(300)}`,
    'nul \0',
    'c1 \x85',
    'line \u2028 separator',
  ])('%j is refused', (message) => {
    expect(checkOptions(job, { ...good, message }).errors).toHaveProperty('message');
  });

  it.each(["It's $(not) run; `nor` this", '~ is home', '# 1 of 2', 'Größe: 5 µm', 'ok'])(
    '%j is taken',
    (message) => {
      expect(checkOptions(job, { ...good, message }).message).toBeUndefined();
    },
  );
});

describe('the access policy', () => {
  const policies = parseAccessPolicies(
    readFileSync(new URL('../../rundeck/remedia.aclpolicy', import.meta.url), 'utf8'),
  );
  const may = (group: string, type: string, more: Readonly<Record<string, string>>, action: string) =>
    isAllowed(policies, { user: 'x', groups: [group] }, 'remedia', { type, ...more }, action);
  const job = { group: 'remedia', name: 'cleanup_disk' };
  const remedia = { nodename: 'web-01', tags: 'remedia, web' };

  it.each([
    ['remedia-webhook', 'resource', { kind: 'webhook' }, ['post']],
    ['remedia-webhook', 'resource', { kind: 'event' }, []],
    ['remedia-webhook', 'resource', { kind: 'job' }, []],
    ['remedia-webhook', 'job', job, ['read', 'run']],
    ['remedia-webhook', 'job', { group: 'remedia/sub', name: 'x' }, []],
    ['remedia-webhook', 'job', { group: 'other', name: 'x' }, []],
    ['remedia-webhook', 'node', remedia, ['read', 'run']],
    ['remedia-webhook', 'node', { nodename: 'db-01', tags: 'db' }, []],
    ['remedia-webhook', 'adhoc', {}, []],
    ['remedia-reader', 'resource', { kind: 'event' }, ['read']],
    ['remedia-reader', 'resource', { kind: 'webhook' }, []],
    ['remedia-reader', 'job', job, ['read']],
    ['remedia-reader', 'node', remedia, []],
    ['remedia-reader', 'adhoc', {}, []],
    ['remedia-webhook', 'node', { nodename: 'relay', tags: 'remedia-notify' }, []],
    ['remedia-notify', 'resource', { kind: 'webhook' }, ['post']],
    ['remedia-notify', 'job', { group: 'remedia', name: 'notify' }, ['read', 'run']],
    ['remedia-notify', 'job', { group: 'remedia', name: 'cleanup-disk' }, []],
    ['remedia-notify', 'node', { nodename: 'relay', tags: 'remedia-notify' }, ['read', 'run']],
    ['remedia-notify', 'node', remedia, []],
    ['remedia-notify', 'adhoc', {}, []],
    ['somebody', 'job', job, []],
  ] as const)('%s on %s %j: %j', (group, type, more, allowed) => {
    const actions = ['post', 'read', 'view', 'run', 'runAs', 'kill', 'create', 'update', 'delete', 'admin'];
    expect(actions.filter((action) => may(group, type, more, action))).toEqual([...allowed].toSorted());
  });
});
