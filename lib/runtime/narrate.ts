/** One log line for each step of an alert's way: a person follows it on one machine, a query finds it in the cloud. */
import type { Log } from '#lib/runtime/logger.ts';
import type { Narrate } from '#lib/workflow/ports.ts';

export function makeNarrate(log: Log): Narrate {
  return ({ incidentId, step, text }) => {
    log.info(`${step}: ${text}`, { incident_id: incidentId, step, text });
  };
}
