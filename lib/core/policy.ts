/** The policy: what may be done where, how often, and with whose consent. A strict schema; everything unsaid is "no". */
import * as z from 'zod';
import { TOOL_NAMES } from '#lib/catalogue/tool.ts';
import { durationMs } from '#lib/core/duration.ts';

const text = z.string().min(1).max(256);
const patterns = z.array(text).max(1000);
/** In a scope an empty list would match nothing and look like "all". */
const conditions = z.array(text).min(1).max(1000);
/** A human may always be told, so `notify` is nothing that a policy could allow, deny or limit. */
const toolName = z.enum(TOOL_NAMES).exclude(['notify']);
const autonomy = z.enum(['observe', 'approve', 'auto']);
/** `30m`, `2h`, `1d`, `45s`. */
const duration = z
  .string()
  .regex(/^[1-9][0-9]{0,4}[smhd]$/, 'expected a duration such as 45s, 30m, 2h or 1d');
const clockTime = z
  .string()
  .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$/, 'expected a time such as 08:00');
const day = z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']);

/** The longest look back that the storm's counters, one a minute, are made for. */
const LONGEST_STORM_MS = 3_600_000;

/**
 * A Rundeck node's name: no space, quote, comma or regular expression's sign but the dot, which is escaped where the
 * node filter is made. Any other name could reach further nodes.
 */
export const NODE_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

/**
 * A folder that may be cleaned: plain segments only, for `//` and `/tmp/..` would be the whole machine, and nothing of
 * the system itself, whatever somebody writes into a policy.
 */
const CLEANUP_ROOT =
  /^(?!\/(?:bin|boot|dev|etc|lib|lib32|lib64|proc|run|sbin|sys|usr)(?:\/|$))(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/;

const scope = z
  .strictObject({
    hosts: conditions.optional(),
    host_groups: conditions.optional(),
    tags: z.record(text, text).optional(),
    environments: conditions.optional(),
    severities: z.array(z.int().min(0).max(5)).min(1).max(6).optional(),
  })
  .describe(
    'Every condition that is given must match; a list matches when one of its entries does. Patterns with * and ?',
  );

const window = z
  .strictObject({
    days: z.array(day).min(1).max(7).optional(),
    from: clockTime.refine((from) => from !== '24:00', 'expected a time before 24:00, such as 00:00'),
    to: clockTime.describe('Earlier than `from`: on the next day'),
    time_zone: text
      .refine(isTimeZone, 'expected the name of a time zone, such as Europe/Berlin or UTC')
      .default('UTC'),
  })
  .refine(({ from, to }) => from !== to, {
    path: ['to'],
    message: 'expected another time than `from`; the whole day is from 00:00 to 24:00',
  });

const windows = z.array(window).max(20).describe('Holds only inside one of these windows');

const rule = z.strictObject({
  name: text.optional(),
  tools: z.array(toolName).min(1),
  where: scope.default({}),
  autonomy: autonomy
    .default('observe')
    .describe('observe: record only; approve: a human says yes; auto: at once'),
  windows: windows.optional(),
});

const denial = z.strictObject({
  name: text.optional(),
  tools: z.array(toolName).min(1).optional(),
  where: scope.default({}),
  windows: windows.optional(),
});

const limit = z.strictObject({ per_hour: z.int().min(0).max(10_000) });

export const policySchema = z.strictObject({
  version: z.literal(1),
  node: z
    .strictObject({
      field: z.enum(['host_host', 'host_name']).default('host_host'),
      overrides: z
        .record(text, z.string().regex(NODE_NAME, 'expected the name of a Rundeck node'))
        .default({})
        .describe("By the host's technical name, whatever `field` says"),
    })
    .prefault({})
    .describe('Which field of the alert names the Rundeck node, and exceptions from it'),
  platforms: z
    .array(z.enum(['linux', 'windows', 'unix']))
    .default(['linux'])
    .describe(
      'Evidence of another platform goes to a human; `unix` is every other one with a shell: BSD, macOS, Solaris, AIX, HP-UX',
    ),
  environment_tag: text.default('env').describe('The tag whose value is the environment'),
  deny: z.array(denial).max(1000).default([]).describe('Wins over every rule'),
  rules: z
    .array(rule)
    .max(1000)
    .default([])
    .describe('No rule that covers a tool means "not allowed"; of all that do, the strictest autonomy holds'),
  allow: z
    .strictObject({
      paths: patterns.default([]),
      services: patterns.default([]),
      applications: patterns.default([]),
    })
    .prefault({})
    .describe('The only values a job may get; patterns with * and ?'),
  aliases: z
    .strictObject({
      services: z.record(text, z.array(text).min(1).max(20)).default({}),
      applications: z.record(text, z.array(text).min(1).max(20)).default({}),
      paths: z.record(text, z.array(text).min(1).max(20)).default({}),
    })
    .prefault({})
    .describe("What an alert's subject is called on the host; the first value that is allowed is taken"),
  cleanup_roots: z
    .array(
      z
        .string()
        .max(256)
        .regex(CLEANUP_ROOT, 'expected an absolute path of plain names, outside of the system folders'),
    )
    .max(50)
    .default([])
    .describe('Folders that cleanup_disk may clean, on the file system that fills up'),
  cooldowns: z
    .strictObject({
      default: duration.default('30m'),
      tools: z.partialRecord(toolName, duration).default({}),
    })
    .prefault({})
    .describe('After a job, so long none of the same tool on the same host'),
  limits: z
    .strictObject({
      global: limit.default({ per_hour: 20 }),
      tools: z.partialRecord(toolName, limit).default({}),
    })
    .prefault({})
    .describe('Jobs in an hour of the clock (UTC)'),
  storm: z
    .strictObject({
      alerts: z.int().min(1).max(100_000).default(50),
      within: duration
        .refine((within) => durationMs(within) <= LONGEST_STORM_MS, 'expected at most 1h')
        .default('5m'),
    })
    .prefault({})
    .describe('So many new problems in so short a time: no job runs, a human gets one summary'),
  flapping: z
    .strictObject({ problems: z.int().min(2).max(1000).default(4), within: duration.default('1h') })
    .prefault({})
    .describe('So many problems of one trigger on one host in so short a time: a human looks'),
  repeated_failure_within: duration
    .default('24h')
    .describe('An action that did not help on a host is not tried again there for so long'),
  decide_within: duration.default('15m').describe('An alert that is not decided by then goes to a human'),
  approval: z
    .strictObject({ expires_after: duration.default('30m') })
    .prefault({})
    .describe('How long a human may take to say yes'),
  after_analysis: z
    .enum(['as_tool', 'approve', 'never'])
    .default('as_tool')
    .describe(
      'What may follow when analyze_processes finds what uses up CPU or memory. as_tool: what the rules say of the tool; approve: a human is asked also where they say auto; never: the findings go to a human',
    ),
  minimum_severity: z
    .int()
    .min(0)
    .max(5)
    .default(0)
    .describe('0 not classified to 5 disaster; alerts below it are recorded and ignored'),
  routing: z
    .array(
      z.strictObject({
        where: scope.default({}),
        team: text.optional(),
        priority: z.enum(['low', 'normal', 'high', 'critical']).optional(),
      }),
    )
    .max(200)
    .default([])
    .describe('Whom a human message goes to: of the entries that match, the first that names each'),
});

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** A validated policy, every default filled in. */
export type Policy = z.infer<typeof policySchema>;
export type Scope = z.infer<typeof scope>;
export type PolicyWindow = z.infer<typeof window>;
