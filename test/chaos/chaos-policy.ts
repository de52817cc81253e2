/** The policy of the simulation: every autonomy, an allow-list, limits and cooldowns that are really met. */
import { policySchema } from '#lib/core/policy.ts';
import type { StoredPolicy } from '#lib/workflow/ports.ts';
import { NOON } from '#test/builders/incidents.ts';

const linux = { host_groups: ['Linux servers'] };

/** With `askAlways` a human is asked about every job, so that many wait for an answer. */
export function chaosPolicy({ askAlways = false } = {}): StoredPolicy {
  return {
    policy: policySchema.parse({
      version: 1,
      rules: [
        {
          tools: ['cleanup_disk', 'restart_service', 'analyze_processes'],
          where: linux,
          autonomy: askAlways ? 'approve' : 'auto',
        },
        { tools: ['restart_application'], where: linux, autonomy: 'approve' },
        { tools: ['restart_service'], where: { hosts: ['app-1'] }, autonomy: 'observe' },
      ],
      allow: { paths: ['/var'], services: ['nginx*'], applications: ['shop'] },
      cleanup_roots: ['/var/log', '/var/tmp'],
      cooldowns: { default: '10m' },
      limits: { global: { per_hour: 40 } },
      storm: { alerts: 40, within: '5m' },
    }),
    hash: 'c'.repeat(64),
    pushedAt: NOON,
    pushedBy: 'chaos',
  };
}
