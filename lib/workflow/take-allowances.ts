/** Takes every unit a job needs, or none: hourly limits and the cooldown of its host and tool. */
import { cooldownOf, type JobAllowance, jobAllowances } from '#lib/core/allowances.ts';
import type { Reason } from '#lib/core/incident.ts';
import type { GiveBackAllowance, TakeAllowance } from '#lib/workflow/ports.ts';

export type Taken =
  | { readonly kind: 'taken'; readonly keys: readonly string[] }
  | { readonly kind: 'full'; readonly reason: Reason };

/** Throws UpstreamError `incidents_table`; what was taken until then is given back as far as that still works. */
export async function takeAllowances(
  ports: { readonly takeAllowance: TakeAllowance; readonly giveBackAllowance: GiveBackAllowance },
  job: Parameters<typeof jobAllowances>[0],
): Promise<Taken> {
  const keys: string[] = [];
  let full: JobAllowance | undefined;
  try {
    for (const allowance of jobAllowances(job)) {
      if (!(await ports.takeAllowance(allowance.key, allowance.limit, allowance.expiresAt))) {
        full = allowance;
        break;
      }
      keys.push(allowance.key);
    }
  } catch (error) {
    await giveBack(ports.giveBackAllowance, keys);
    throw error;
  }
  if (full === undefined) return { kind: 'taken', keys };
  await giveBack(ports.giveBackAllowance, keys);
  const text =
    full.reason === 'cooldown'
      ? `The cooldown of ${job.tool} on this host has not passed (${cooldownOf(job.policy, job.tool)}).`
      : `So many jobs ran this hour as the policy allows (${full.limit}).`;
  return { kind: 'full', reason: { code: full.reason, text } };
}

/** A unit that cannot be given back expires by itself: too strict for a while, never too lax. */
export async function giveBack(giveBackAllowance: GiveBackAllowance, keys: readonly string[]): Promise<void> {
  await Promise.allSettled(keys.map((key) => giveBackAllowance(key)));
}
