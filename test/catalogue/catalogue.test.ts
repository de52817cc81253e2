/** The catalogue's promises, held against every tool. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { catalogue, toolByName } from '#lib/catalogue/index.ts';
import { READINGS, TOOL_NAMES, type Tool } from '#lib/catalogue/tool.ts';

const tools = Object.values<Tool>(catalogue);
const valid: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  cleanup_disk: { path: '/var', min_size: '100M', file_age: '7d' },
  restart_service: { service_name: 'nginx.service', force: false, timeout: 60 },
  analyze_processes: { resource_type: 'cpu', top_count: 5 },
  restart_application: { app_name: 'orders-api', graceful: true, timeout: 60 },
  notify: { message: 'Look at the disk of web-01.', team: 'operations', priority: 'high' },
};
const required: Readonly<Record<string, string>> = {
  cleanup_disk: 'path',
  restart_service: 'service_name',
  analyze_processes: 'resource_type',
  restart_application: 'app_name',
  notify: 'message',
};

describe.each(tools.map((tool) => [tool.name, tool] as const))('%s', (name, tool) => {
  const example = valid[name] ?? {};
  const parameter = required[name] ?? '';

  it('is found by its name, and stands under it', () => {
    expect(toolByName(name)).toBe(tool);
    expect(TOOL_NAMES).toContain(name);
  });

  it('takes all its parameters, and its required one alone', () => {
    expect(tool.parameters.safeParse(example).success).toBe(true);
    expect(tool.parameters.safeParse({ [parameter]: example[parameter] }).success).toBe(true);
  });

  it('refuses to leave out what is required, and anything it does not have', () => {
    expect(tool.parameters.safeParse({}).success).toBe(false);
    expect(tool.parameters.safeParse({ ...example, host: 'web-02' }).success).toBe(false);
  });

  it.each(['\n', '\r', '\0', '\x1b', '\x85', '\u2028'])(
    'takes the control character %j nowhere',
    (control) => {
      for (const [key, value] of Object.entries(example)) {
        if (typeof value !== 'string') continue;
        for (const text of [`${value}${control}`, `${control}${value}`, `a${control}b`]) {
          expect(tool.parameters.safeParse({ ...example, [key]: text }).success).toBe(false);
        }
      }
    },
  );

  it('describes itself and every parameter', () => {
    expect(tool.description).toMatch(/\.$/);
    const { properties = {} } = z.toJSONSchema(tool.parameters);
    for (const property of Object.values(properties)) {
      expect(property).toHaveProperty('description');
    }
  });

  it('says what an alert must say for it, unless it only tells', () => {
    expect(tool.when.length > 0).toBe(tool.safety !== 'message');
    for (const reading of tool.when) expect(Object.keys(READINGS)).toContain(reading);
    expect(tool.when).not.toContain('other');
  });

  it('names a job, and a target among its required parameters, unless it only tells: that runs on no alert’s host', () => {
    const tells = tool.safety === 'message';
    expect(tool.target?.parameter).toBe(tells ? undefined : parameter);
    expect(tool.job?.on).toBe(tells ? 'relay' : undefined);
    expect(tool.job?.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(tool.job?.timeLimitSeconds).toBeGreaterThan(0);
    for (const [name, value] of Object.entries(tool.harsher ?? {})) {
      expect(tool.parameters.safeParse({ ...example, [name]: value }).success).toBe(true);
    }
  });
});

describe('the catalogue', () => {
  it('gives every job a UUID and a name of its own', () => {
    const jobs = tools.flatMap(({ job }) => (job === undefined ? [] : [job]));
    expect(new Set(jobs.map(({ uuid }) => uuid)).size).toBe(5);
    expect(new Set(jobs.map(({ name }) => name)).size).toBe(5);
  });

  it.each(['', 'constructor', '__proto__', 'toString', 'Cleanup_Disk', 'cleanup_disk ', 'reboot'])(
    'has no tool called %j',
    (name) => {
      expect(toolByName(name)).toBeUndefined();
    },
  );

  it.each([
    ['cleanup_disk', 'path', ['/', '/var', '/var/lib/app-1', 'C:']],
    ['cleanup_disk', 'min_size', ['1K', '100M', '999999T']],
    ['cleanup_disk', 'file_age', ['1d', '7d', '9999d']],
    ['restart_service', 'service_name', ['nginx', 'php8.2-fpm.service', 'getty@tty1.service', 'W32Time']],
    ['restart_service', 'timeout', [5, 600]],
    ['restart_application', 'app_name', ['orders-api', 'app_1.blue']],
    ['restart_application', 'timeout', [5, 900]],
    ['analyze_processes', 'top_count', [1, 50]],
    ['analyze_processes', 'resource_type', ['cpu', 'memory', 'io', 'network']],
    ['notify', 'priority', ['low', 'normal', 'high', 'critical']],
  ] as const)('%s takes as %s: %j', (name, key, values) => {
    for (const value of values) {
      expect(catalogue[name].parameters.safeParse({ ...valid[name], [key]: value }).success).toBe(true);
    }
  });

  it.each([
    [
      'cleanup_disk',
      'path',
      ['', 'var', '/var/', '//', '/var/../etc', '/..', '/var//log', '/a b', '/$(x)', '/;x', '/x*'],
    ],
    ['cleanup_disk', 'path', [`/${'a'.repeat(300)}`, '-/var', 'C:\\', '/.ssh', 7, null]],
    ['cleanup_disk', 'min_size', ['0M', '100', 'M', '1.5G', '-1M', '100MB', 100]],
    ['cleanup_disk', 'file_age', ['0d', '7', '7h', '-7d', '7d ', 7]],
    ['restart_service', 'service_name', ['', '-h', '.x', 'a b', 'a;b', 'a/b', '$x', 'a'.repeat(129)]],
    ['restart_service', 'timeout', [4, 601, 60.5, '60', Number.NaN]],
    ['restart_service', 'force', ['true', 1]],
    ['restart_application', 'app_name', ['', '/orders', '--all', 'a|b']],
    ['restart_application', 'timeout', [0, 901]],
    ['analyze_processes', 'top_count', [0, 51, 1.5]],
    ['analyze_processes', 'resource_type', ['disk', 'CPU', '']],
    ['notify', 'message', ['', 'x'.repeat(301)]],
    ['notify', 'team', ['', '@here', 'x'.repeat(65)]],
    ['notify', 'priority', ['urgent']],
  ] as const)('%s refuses as %s: %j', (name, key, values) => {
    for (const value of values) {
      expect(catalogue[name].parameters.safeParse({ ...valid[name], [key]: value }).success).toBe(false);
    }
  });
});
