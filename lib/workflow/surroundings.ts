/** What every decision and every dispatch looks at outside the incident: policy, pause, storm. */

import { readStorm, stormKeys } from '#lib/core/storm.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { LoadPause, LoadPolicy, Pause, ReadAllowances, StoredPolicy } from '#lib/workflow/ports.ts';

export interface SurroundingPorts {
  readonly loadPolicy: LoadPolicy;
  readonly loadPause: LoadPause;
  readonly readAllowances: ReadAllowances;
}

export interface Surroundings {
  readonly stored: StoredPolicy | undefined;
  readonly pause: Pause;
  readonly storm: { readonly open: boolean; readonly alerts: number };
}

/** Reads all of it at once. Throws UpstreamError `incidents_table`. */
export async function readSurroundings(
  { loadPolicy, loadPause, readAllowances }: SurroundingPorts,
  source: string,
  now: number,
): Promise<Surroundings> {
  const [stored, pause] = await Promise.all([loadPolicy(), loadPause()]);
  if (stored === undefined) return { stored, pause, storm: { open: false, alerts: 0 } };
  const { policy } = stored;
  return { stored, pause, storm: readStorm(policy, await readAllowances(stormKeys(policy, source, now))) };
}

/** True for an upstream's failure, which a message may wait for; anything else is a fault of ours. */
export function isUpstream(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError;
}
