/** Turns what a Zabbix webhook posts into an alert, or into a list of what is wrong with it, field by field. */
import * as z from 'zod';
import type { Alert, EventTag } from '#lib/core/alert.ts';

/** One field that is not as it must be; `field` is its name in the posted object. */
export interface FieldProblem {
  readonly field: string;
  readonly expected: string;
}

export type ParsedAlert =
  | { readonly kind: 'alert'; readonly alert: Alert }
  /** The media type's Test button posts its macros as they stand. */
  | { readonly kind: 'test' }
  /** Discovery, autoregistration, internal and service events have no problem to mend. */
  | { readonly kind: 'not_a_trigger_event'; readonly eventId: string; readonly eventSource: string }
  | { readonly kind: 'invalid'; readonly problems: readonly FieldProblem[] };

/** Longer texts are cut, not refused: a long message is no reason to lose an alert. Characters. */
const LONGEST = {
  name: 2048,
  text: 2048,
  opdata: 1024,
  key: 2048,
  value: 1024,
  tag: 255,
  group: 255,
} as const;
const MOST_TAGS = 200;
const MOST_GROUPS = 200;

/** Zabbix 7.0: a macro that cannot be resolved is `*UNKNOWN*`, or stands as it is: `{EVENT.RECOVERY.ID}`. */
const UNRESOLVED = /^(?:\*UNKNOWN\*|\{\$?#?[A-Z0-9_.:<>"]+\})$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Zabbix sends every value as a string; a sender by hand may use a number. */
const value = z.union([z.string(), z.number(), z.boolean()], 'a string').transform(String);
const optional = value.nullish();

/** Every field of format version 1, as it is posted; unknown fields are ignored. */
export const wireAlertSchema = z
  .object({
    format_version: optional.describe('Version of this format; absent means 1'),
    source: optional.describe('Name of the Zabbix server; the setting REMEDIA_SOURCE when absent'),
    event_id: value.describe('EVENT.ID: the id of the problem event, in a recovery and an update too'),
    event_value: value.describe('EVENT.VALUE: 1 problem, 0 recovery'),
    event_update_status: optional.describe('EVENT.UPDATE.STATUS: 1 for an update, else 0'),
    event_source: optional.describe('EVENT.SOURCE: 0 trigger; others are answered and not acted on'),
    event_recovery_id: optional.describe('EVENT.RECOVERY.ID: the id of the OK event'),
    event_name: value.describe('EVENT.NAME'),
    event_nseverity: value.describe('EVENT.NSEVERITY: 0 to 5'),
    event_tags: optional.describe('EVENT.TAGSJSON: JSON inside a string, [{"tag": …, "value": …}]'),
    event_opdata: optional.describe('EVENT.OPDATA'),
    host_host: value.describe('HOST.HOST: the technical name'),
    host_name: optional.describe('HOST.NAME: the visible name'),
    host_id: optional.describe('HOST.ID'),
    host_ip: optional.describe('HOST.IP'),
    host_groups: optional.describe('TRIGGER.HOSTGROUP.NAME: names with a comma between them'),
    trigger_id: value.describe('TRIGGER.ID'),
    trigger_name: optional.describe('TRIGGER.NAME'),
    trigger_name_orig: optional.describe('TRIGGER.NAME.ORIG'),
    trigger_description: optional.describe('TRIGGER.DESCRIPTION'),
    item_id: optional.describe('ITEM.ID'),
    item_key: optional.describe('ITEM.KEY.ORIG in the first media types; used when item_key_orig is absent'),
    item_key_orig: optional.describe('ITEM.KEY.ORIG: with macros unexpanded, so without their secrets'),
    item_value: optional.describe('ITEM.VALUE'),
  })
  .describe('An alert as the Remedia media type posts it, format version 1');

const digits = /^[0-9]{1,20}$/;
/** Zabbix 7.0: host names hold letters, digits, spaces, dots, dashes and underscores, 128 characters at most. */
const HOST_NAME = /^[A-Za-z0-9._-][A-Za-z0-9 ._-]{0,127}$/;

const tagList = z
  .array(
    z.object({ tag: z.string(), value: z.union([z.string(), z.number(), z.boolean()]).transform(String) }),
  )
  .max(MOST_TAGS);

/**
 * Parses a posted body. `source` is used when the alert names none; `receivedAt` is the time of arrival in milliseconds
 * since the epoch, since EVENT.DATE and EVENT.TIME have no offset. Never throws; names every bad field at once.
 */
export function parseAlert(
  body: unknown,
  { source, receivedAt }: { readonly source: string; readonly receivedAt: number },
): ParsedAlert {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return {
      kind: 'invalid',
      problems: [{ field: '', expected: 'a JSON object with the fields of an alert' }],
    };
  const wire = wireAlertSchema.safeParse(body);
  if (!wire.success)
    return {
      kind: 'invalid',
      problems: wire.error.issues.map(({ path }) => ({
        field: path.join('.'),
        expected: path.join('.') in body ? 'a string' : 'to be there',
      })),
    };
  const posted = wire.data;
  if (posted.event_id.startsWith('{EVENT.ID')) return { kind: 'test' };

  const problems: FieldProblem[] = [];
  const refuse = (field: string, expected: string) => {
    problems.push({ field, expected });
  };
  const need = (field: string, raw: string, pattern: RegExp, expected: string): string => {
    if (!pattern.test(raw)) refuse(field, expected);
    return raw;
  };
  const id = (field: string, raw: string | null | undefined): string | undefined => {
    const resolved = resolve(raw);
    if (resolved !== undefined && !digits.test(resolved)) refuse(field, 'a number of up to 20 digits');
    return resolved;
  };

  const version = resolve(posted.format_version);
  if (version !== undefined && version !== '1') refuse('format_version', '1');
  const eventSource = resolve(posted.event_source) ?? '0';
  if (!/^[0-9]$/.test(eventSource))
    refuse('event_source', 'a digit: 0 trigger, 1 discovery, 2 autoregistration, 3 internal, 4 service');
  const eventId = need('event_id', posted.event_id, digits, 'a number of up to 20 digits');
  if (problems.length === 0 && eventSource !== '0')
    return { kind: 'not_a_trigger_event', eventId, eventSource };

  const eventValue = need('event_value', posted.event_value, /^[01]$/, '1 (problem) or 0 (recovery)');
  const update = resolve(posted.event_update_status) ?? '0';
  if (!/^[01]$/.test(update)) refuse('event_update_status', '1 (update) or 0');
  const severity = need('event_nseverity', posted.event_nseverity, /^[0-5]$/, 'a number from 0 to 5');
  const triggerId = need('trigger_id', posted.trigger_id, digits, 'a number of up to 20 digits');
  const host = need(
    'host_host',
    posted.host_host,
    HOST_NAME,
    'a host name of up to 128 letters, digits, spaces, dots, dashes and underscores',
  );
  const named = resolve(posted.source) ?? source;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(named))
    refuse('source', 'up to 64 letters, digits, dots, dashes and underscores');
  const eventName = shorten(resolve(posted.event_name), LONGEST.name);
  if (eventName === undefined) refuse('event_name', 'the name of the problem');
  const recoveryEventId = id('event_recovery_id', posted.event_recovery_id);
  const hostId = id('host_id', posted.host_id);
  const itemId = id('item_id', posted.item_id);
  const tags = readTags(resolve(posted.event_tags));
  if (tags === undefined)
    refuse('event_tags', `JSON: an array of up to ${MOST_TAGS} objects with tag and value`);
  const groups = readGroups(resolve(posted.host_groups));
  if (groups === undefined) refuse('host_groups', `up to ${MOST_GROUPS} names with a comma between them`);
  const key = resolve(posted.item_key_orig) ?? resolve(posted.item_key);
  // A key is evidence: one that was cut, or that holds control characters, could mean something else.
  if (key !== undefined && (key.length > LONGEST.key || key.search(CONTROL) >= 0))
    refuse('item_key_orig', `an item key of up to ${LONGEST.key} characters without control characters`);

  if (problems.length > 0 || eventName === undefined || tags === undefined || groups === undefined)
    return { kind: 'invalid', problems };

  const kind = update === '1' ? 'update' : eventValue === '1' ? 'problem' : 'recovery';
  return {
    kind: 'alert',
    alert: {
      formatVersion: 1,
      source: named,
      kind,
      eventId,
      ...given('recoveryEventId', recoveryEventId),
      eventName,
      severity: SEVERITIES[Number(severity)] ?? 0,
      tags,
      hostGroups: groups,
      ...given('opdata', shorten(resolve(posted.event_opdata), LONGEST.opdata)),
      host: {
        host,
        ...given('name', shorten(resolve(posted.host_name), LONGEST.group)),
        ...given('id', hostId),
        ...given('ip', shorten(resolve(posted.host_ip), 64)),
      },
      trigger: {
        id: triggerId,
        ...given('name', shorten(resolve(posted.trigger_name), LONGEST.name)),
        ...given('nameOrig', shorten(resolve(posted.trigger_name_orig), LONGEST.name)),
        ...given('description', shorten(resolve(posted.trigger_description), LONGEST.text)),
      },
      item: {
        ...given('id', itemId),
        ...given('key', key),
        ...given('value', shorten(resolve(posted.item_value), LONGEST.value)),
      },
      receivedAt,
    },
  };
}

const SEVERITIES = [0, 1, 2, 3, 4, 5] as const;

/** A value that is really there: not empty, not null, not a macro that Zabbix could not resolve. */
function resolve(raw: string | null | undefined): string | undefined {
  return raw === null || raw === undefined || raw === '' || UNRESOLVED.test(raw) ? undefined : raw;
}

/** One line of at most so many characters; a surrogate pair is never cut in two. */
function shorten(text: string | undefined, most: number): string | undefined {
  const line = text
    ?.slice(0, most + 1)
    .replace(CONTROL, ' ')
    .trim();
  if (line === undefined || line === '') return undefined;
  return line.length <= most ? line : `${line.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function readTags(raw: string | undefined): readonly EventTag[] | undefined {
  if (raw === undefined) return [];
  try {
    const parsed = tagList.safeParse(JSON.parse(raw));
    return parsed.data?.map(({ tag, value: tagValue }) => ({ tag: oneLine(tag), value: oneLine(tagValue) }));
  } catch {
    return undefined;
  }
}

/** TRIGGER.HOSTGROUP.NAME: Zabbix 7.0 puts a comma and a space between the names. */
function readGroups(raw: string | undefined): readonly string[] | undefined {
  if (raw === undefined) return [];
  const names = raw.split(',').map((name) => name.replace(CONTROL, ' ').trim());
  if (names.length > MOST_GROUPS || names.some((name) => name.length > LONGEST.group)) return undefined;
  return names.filter((name) => name !== '');
}

/** Tags are evidence too: too long a one is cut where nothing can match it any more, and says so. */
function oneLine(text: string): string {
  return shorten(text, LONGEST.tag) ?? '';
}

function given<Name extends string>(
  name: Name,
  text: string | undefined,
): { readonly [each in Name]?: string } {
  const field: { [each in Name]?: string } = {};
  if (text !== undefined) field[name] = text;
  return field;
}
