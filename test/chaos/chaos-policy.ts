/** The policy of the simulation: every autonomy, an allow-list, limits and cooldowns that are really met. */
import { policySchema } from '#lib/core/policy.ts';
import type { StoredPolicy } from '#lib/workflow/ports.ts';
import { NOON } from '#test/builders/incidents.ts';

const linux = { host_groups: ['Linux servers'] };

/**
 * With `askAlways` a human is asked about every job, so that many wait for an answer. `tightened` is what an operator
 * pushes in the middle of it all: no restart of a service runs any more, and whoever would clean up has to ask.
 */
export function chaosPolicy({ askAlways = false, tightened = false } = {}): StoredPolicy {
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
        ...(tightened ? [{ tools: ['cleanup_disk'], where: linux, autonomy: 'approve' }] : []),
      ],
      ...(tightened && { deny: [{ tools: ['restart_service'] }] }),
      allow: { paths: ['/var'], services: ['nginx*', 'nginx.service'], applications: ['shop'] },
      cleanup_roots: ['/var/log', '/var/tmp'],
      cooldowns: { default: '10m' },
      limits: { global: { per_hour: 40 } },
      storm: { alerts: 40, within: '5m' },
    }),
    hash: (tightened ? 'd' : 'c').repeat(64),
    pushedAt: NOON,
    pushedBy: 'chaos',
  };
}

/** Said once more and by hand: what may run on whose word, so that the policy's own code is not its judge. */
export function mayRun(
  { hash }: StoredPolicy,
  { tool, target, host, groups }: { tool: string; target: string; host: string; groups: readonly string[] },
): 'never' | 'asked' | 'auto' {
  const tightened = hash.startsWith('d');
  if (!groups.includes('Linux servers')) return 'never';
  switch (tool) {
    case 'cleanup_disk':
      return target !== '/var' ? 'never' : tightened ? 'asked' : 'auto';
    case 'restart_service':
      return tightened || host === 'app-1' || !target.startsWith('nginx') ? 'never' : 'auto';
    case 'analyze_processes':
      return 'auto';
    case 'restart_application':
      return target === 'shop' ? 'asked' : 'never';
    default:
      return 'never';
  }
}
