/** The jobs made from a tools: what Rundeck lets through, and what reaches the shell of a host. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Rundeck’s own templates look like that
import { readFileSync } from 'node:fs';
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
};

it('a tool without a job has none', () => {
  expect(jobYaml(catalogue.notify)).toBeUndefined();
  expect(jobWebhooks([catalogue.notify])).toEqual([]);
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
            expect(value).toMatch(/^[A-Za-z0-9_/.][A-Za-z0-9_/.@:-]*$/);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('calls one script by sudo, each option a word of its own', () => {
    const [step] = job.sequence.commands;
    if (step === undefined) throw new Error('no step');
    const { command, script } = renderStep(step, { ...good, mode: '$(touch /tmp/x)' });
    expect(script).toBeUndefined();
    expect(command).toMatch(
      new RegExp(`^sudo -n /usr/local/lib/remedia/${name.replaceAll('_', '-')}\\.sh --`),
    );
    expect(command).toMatch(/ --mode '\$\(touch \/tmp\/x\)'$/);
    expect(step.exec).not.toMatch(/[^ ]\$\{|\}[^ ]|unquotedoption/);
    // Only the webhook's own fields trace back; they do not reach the host.
    expect(step.exec).not.toContain('remedia_');
  });

  it('its webhook fills exactly the job’s options, for one host that bears the tag', () => {
    const [webhook] = jobWebhooks([catalogue[name]]);
    const filled = [...(webhook?.config.argString.matchAll(/-(\w+) \$\{data\.\w+\}/g) ?? [])].map(
      (match) => match[1],
    );
    expect(filled).toEqual(job.options.map((option) => option.name));
    expect(webhook).toMatchObject({
      name: `remedia-${name}`,
      config: { jobId: job.uuid, nodeFilter: 'name: ${data.node_filter} tags: remedia' },
    });
  });

  it('has a script whose options are the job’s', () => {
    const file = new URL(`../../rundeck/host/${name.replaceAll('_', '-')}.sh`, import.meta.url);
    const taken = [...readFileSync(file, 'utf8').matchAll(/^ {4}(--[a-z-]+)\)/gm)].map((match) => match[1]);
    const given = [...(job.sequence.commands[0]?.exec ?? '').matchAll(/ (--[a-z-]+) /g)].map(
      (match) => match[1],
    );
    expect(taken.toSorted()).toEqual(given.toSorted());
  });
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
    ['somebody', 'job', job, []],
  ] as const)('%s on %s %j: %j', (group, type, more, allowed) => {
    const actions = ['post', 'read', 'view', 'run', 'runAs', 'kill', 'create', 'update', 'delete', 'admin'];
    expect(actions.filter((action) => may(group, type, more, action))).toEqual([...allowed].toSorted());
  });
});
