/** Rings once for a whole storm: one of its incidents carries the summary that a human is told. */
import type { HumanMessage } from '#lib/core/incident.ts';
import { stormMessage } from '#lib/core/messages.ts';
import { stormSummary } from '#lib/core/storm.ts';
import type { Clock, GiveBackAllowance, ReadAllowances, TakeAllowance } from '#lib/workflow/ports.ts';
import type { Surroundings } from '#lib/workflow/surroundings.ts';

/** So long nobody else carries the summary; by then its carrier has recorded it or has come again. */
const CARRYING_MS = 15 * 60_000;

type Storm = Surroundings['storm'];

/** All of it throws UpstreamError `incidents_table`. Rather told twice than never, whoever crashes. */
export function makeStormBell(ports: {
  readonly takeAllowance: TakeAllowance;
  readonly giveBackAllowance: GiveBackAllowance;
  readonly readAllowances: ReadAllowances;
  readonly clock: Clock;
}) {
  const { takeAllowance, giveBackAllowance, readAllowances, clock } = ports;
  return {
    /** The summary when this incident is to carry it, also when it comes again after a crash; else `undefined`. */
    async summary(facts: {
      readonly source: string;
      readonly incidentId: string;
      readonly storm: Storm;
      readonly within: string;
    }): Promise<HumanMessage | undefined> {
      const { source, incidentId, storm, within } = facts;
      if (storm.told) return undefined;
      const carried = `storm/${source}/carried`;
      const own = `storm/${source}/carried-by/${incidentId}`;
      const taken = await readAllowances([carried, own]);
      if (taken.get(own) === 0) {
        if (taken.get(carried) !== 0) return undefined;
        const expiresAt = clock() + CARRYING_MS;
        await takeAllowance(own, 1, expiresAt);
        if (!(await takeAllowance(carried, 1, expiresAt))) {
          await giveBackAllowance(own);
          return undefined;
        }
      }
      return stormMessage({ source, alerts: storm.alerts, within });
    },
    /** The summary is recorded with its carrier, and nobody else needs to. */
    async rung(source: string): Promise<void> {
      const { key, limit, expiresAt } = stormSummary(source, clock());
      await takeAllowance(key, limit, expiresAt);
    },
    /** It is calm again, so the next storm is told at once. */
    async calm(source: string, storm: Storm): Promise<void> {
      if (!storm.told) return;
      await giveBackAllowance(`storm/${source}/carried`);
      await giveBackAllowance(stormSummary(source, clock()).key);
    },
  };
}
