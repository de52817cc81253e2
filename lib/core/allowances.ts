/** The counters that a job must find room in: the limits of the hour and the cooldown of its host and tool. */
import type { JobToolName } from '#lib/catalogue/tool.ts';
import { durationMs } from '#lib/core/duration.ts';
import type { ReasonCode } from '#lib/core/incident.ts';
import type { Policy } from '#lib/core/policy.ts';

const HOUR = 3_600_000;

/** One counter in the table: at most `limit` units until `expiresAt` (milliseconds since the epoch). */
export interface Allowance {
  readonly key: string;
  readonly limit: number;
  readonly expiresAt: number;
}

/** A counter and why a job waits when it is full. */
export interface JobAllowance extends Allowance {
  readonly reason: Extract<ReasonCode, 'hourly_limit' | 'cooldown'>;
}

/**
 * What a job must take one unit of, in this order; when one is full, those taken before it are given back. Limits
 * count by the hour of the clock (UTC), so that every caller means the same counter. The cooldown comes last: its time
 * begins when it is taken, and it should not begin for a job that a limit then holds back.
 */
export function jobAllowances(job: {
  readonly policy: Policy;
  readonly source: string;
  /** `<source>/<host>` */
  readonly hostKey: string;
  readonly tool: JobToolName;
  readonly now: number;
}): readonly JobAllowance[] {
  const { policy, source, hostKey, tool, now } = job;
  const hour = Math.floor(now / HOUR) * HOUR;
  const hourly = (name: string, limit: number): JobAllowance => ({
    key: `limit/${source}/${name}/${new Date(hour).toISOString().slice(0, 13)}`,
    limit,
    expiresAt: hour + HOUR,
    reason: 'hourly_limit',
  });
  const ofTool = policy.limits.tools[tool];
  return [
    ...(ofTool === undefined ? [] : [hourly(tool, ofTool.per_hour)]),
    hourly('all', policy.limits.global.per_hour),
    {
      key: cooldownKey(hostKey, tool),
      limit: 1,
      expiresAt: now + durationMs(cooldownOf(policy, tool)),
      reason: 'cooldown',
    },
  ];
}

/** How long after a job none of the same tool starts on the same host, as the policy says it. */
export function cooldownOf({ cooldowns }: Policy, tool: JobToolName): string {
  return cooldowns.tools[tool] ?? cooldowns.default;
}

/** The counter of the cooldown of one tool on one host: a unit of it is taken as long as it runs. */
export function cooldownKey(hostKey: string, tool: JobToolName): string {
  return `cooldown/${hostKey}/${tool}`;
}
