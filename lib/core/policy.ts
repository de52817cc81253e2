/** The policy: what may be done where, how often, and with whose consent. A strict schema; everything unsaid is "no". */
import * as z from 'zod';
import { TOOL_NAMES } from '#lib/catalogue/tool.ts';

const text = z.string().min(1).max(256);
const patterns = z.array(text).max(1000);
const toolName = z.enum(TOOL_NAMES);
const autonomy = z.enum(['observe', 'approve', 'auto']);
/** `30m`, `2h`, `1d`, `45s`. */
const duration = z
  .string()
  .regex(/^[1-9][0-9]{0,4}[smhd]$/, 'expected a duration such as 45s, 30m, 2h or 1d');
const clockTime = z
  .string()
  .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$/, 'expected a time such as 08:00');
const day = z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']);

/** Every list that is given must match; a list matches when one of its entries does. Entries may use `*` and `?`. */
const scope = z.strictObject({
  hosts: patterns.optional(),
  host_groups: patterns.optional(),
  /** `tag: value-pattern`; where a tag repeats, all its values must match. */
  tags: z.record(text, text).optional(),
  environments: patterns.optional(),
  severities: z.array(z.int().min(0).max(5)).max(6).optional(),
});

const window = z.strictObject({
  days: z.array(day).min(1).max(7).optional(),
  from: clockTime,
  /** Earlier than `from` means the next day. */
  to: clockTime,
  time_zone: text.default('UTC'),
});

const rule = z.strictObject({
  name: text.optional(),
  tools: z.array(toolName).min(1),
  where: scope.default({}),
  autonomy,
  /** Only inside one of these windows, when given. */
  windows: z.array(window).max(20).optional(),
});

const denial = z.strictObject({
  name: text.optional(),
  tools: z.array(toolName).min(1).optional(),
  where: scope.default({}),
  windows: z.array(window).max(20).optional(),
});

const limit = z.strictObject({ per_hour: z.int().min(0).max(10_000) });

export const policySchema = z.strictObject({
  version: z.literal(1),
  /** Which field of the alert names the Rundeck node, and exceptions from it. */
  node: z
    .strictObject({
      field: z.enum(['host_host', 'host_name']).default('host_host'),
      overrides: z.record(text, text).default({}),
    })
    .prefault({}),
  platforms: z.array(z.enum(['linux', 'windows'])).default(['linux']),
  /** The tag whose value is the environment. */
  environment_tag: text.default('env'),
  /** Deny wins over every rule. */
  deny: z.array(denial).max(1000).default([]),
  /** The strictest autonomy of all rules that match holds; no match is "not allowed". */
  rules: z.array(rule).max(1000).default([]),
  allow: z
    .strictObject({
      paths: patterns.default([]),
      services: patterns.default([]),
      applications: patterns.default([]),
    })
    .prefault({}),
  aliases: z
    .strictObject({
      services: z.record(text, z.array(text).min(1).max(20)).default({}),
      applications: z.record(text, z.array(text).min(1).max(20)).default({}),
      paths: z.record(text, z.array(text).min(1).max(20)).default({}),
    })
    .prefault({}),
  /** Absolute folders that `cleanup_disk` may clean, below the mount point that fills up. */
  cleanup_roots: z
    .array(z.string().regex(/^\/[A-Za-z0-9._/-]+$/, 'expected an absolute path'))
    .max(50)
    .default([]),
  cooldowns: z
    .strictObject({
      default: duration.default('30m'),
      tools: z.partialRecord(toolName, duration).default({}),
    })
    .prefault({}),
  limits: z
    .strictObject({
      global: limit.default({ per_hour: 20 }),
      tools: z.partialRecord(toolName, limit).default({}),
    })
    .prefault({}),
  /** So many alerts in so short a time: no job runs, a human is told once. */
  storm: z
    .strictObject({ alerts: z.int().min(1).max(100_000).default(50), within: duration.default('5m') })
    .prefault({}),
  /** So many problems of one trigger on one host within `within` is flapping. */
  flapping: z
    .strictObject({ problems: z.int().min(2).max(1000).default(4), within: duration.default('1h') })
    .prefault({}),
  /** How far history looks back for a repeated failure. */
  repeated_failure_within: duration.default('24h'),
  decide_within: duration.default('15m'),
  approval: z.strictObject({ expires_after: duration.default('30m') }).prefault({}),
  /** Alerts below this severity are recorded and ignored. */
  minimum_severity: z.int().min(0).max(5).default(0),
  routing: z
    .array(
      z.strictObject({
        where: scope.default({}),
        team: text.optional(),
        priority: z.enum(['low', 'normal', 'high', 'critical']).optional(),
      }),
    )
    .max(200)
    .default([]),
});

/** A validated policy, every default filled in. */
export type Policy = z.infer<typeof policySchema>;
export type Scope = z.infer<typeof scope>;
export type PolicyWindow = z.infer<typeof window>;
