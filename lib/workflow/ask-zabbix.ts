/** Asks Zabbix what it knows of an incident's host; that it does not answer holds nothing up and is said. */
import type { HostContext } from '#lib/core/host-context.ts';
import { describeContext } from '#lib/core/host-context.ts';
import type { Incident } from '#lib/core/incident.ts';
import type { HostQuestion, ReadHostContext } from '#lib/workflow/ports.ts';
import { isUpstream } from '#lib/workflow/surroundings.ts';

export interface ZabbixPorts {
  /** Absent when Zabbix's API is not configured: decisions are then made from Remedia's own table. */
  readonly readHostContext?: ReadHostContext | undefined;
}

/** What Zabbix said, or in words why nothing of it is known. */
export interface Heard {
  readonly context?: HostContext;
  readonly text: string;
}

/** Never throws because of Zabbix. `past` asks for the host's problems and the item's values, too. */
export async function askZabbix(
  { readHostContext }: ZabbixPorts,
  { eventId, alert }: Incident,
  past?: Omit<NonNullable<HostQuestion['past']>, 'itemId'>,
): Promise<Heard> {
  if (readHostContext === undefined || alert === undefined) {
    return { text: "Zabbix's API is not configured, so nothing more is known of the host." };
  }
  const { trigger, host, item } = alert;
  try {
    const context = await readHostContext({
      eventId,
      triggerId: trigger.id,
      host: host.host,
      ...(past !== undefined && { past: { ...past, itemId: item.id } }),
    });
    return { context, text: describeContext(context) };
  } catch (error) {
    if (!isUpstream(error)) throw error;
    return { text: `Zabbix was not heard (${error.message}); it goes on without it.` };
  }
}
