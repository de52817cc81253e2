/** Alerts as Remedia sees them, made from the labelled triggers of Zabbix's own templates. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { TOOL_NAMES } from '#lib/catalogue/tool.ts';
import type { Alert } from '#lib/core/alert.ts';

const tool = z.enum(TOOL_NAMES);
const labelled = z.object({
  name: z.string(),
  nseverity: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(5)]),
  tags: z.array(z.object({ tag: z.string(), value: z.string() })),
  item_key: z.string(),
  trigger_name: z.string(),
  host: z.string(),
  remediation: tool,
  also_acceptable: z.array(tool),
});
export type LabelledTrigger = z.infer<typeof labelled>;

export const labelledTriggers: readonly LabelledTrigger[] = readFileSync(
  new URL('../fixtures/zabbix/labelled-triggers.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => labelled.parse(JSON.parse(line)));

/** The one labelled trigger of this name. Throws when there is none. */
export function triggerNamed(name: string): LabelledTrigger {
  const found = labelledTriggers.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no labelled trigger is called ${name}`);
  return found;
}

export function alertOf(trigger: LabelledTrigger, part: Partial<Alert> = {}): Alert {
  return {
    formatVersion: 1,
    source: 'zabbix-a',
    kind: 'problem',
    eventId: '4711',
    eventName: trigger.name,
    severity: trigger.nseverity,
    tags: trigger.tags,
    hostGroups: ['Linux servers'],
    host: { host: trigger.host },
    trigger: { id: '25212', nameOrig: trigger.trigger_name },
    item: { key: trigger.item_key },
    receivedAt: Date.UTC(2026, 10, 28, 12),
    ...part,
  };
}
