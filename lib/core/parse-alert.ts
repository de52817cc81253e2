/** Turns what a Zabbix webhook posts into an alert, or into a list of what is wrong with it, field by field. */
import * as z from 'zod';
import type { Alert } from '#lib/core/alert.ts';

/** One field that is not as it must be; `field` is its name in the posted object, empty for the body as a whole. */
export interface FieldProblem {
  readonly field: string;
  readonly expected: string;
}

/** What can still be read of a post that is no alert, so that a human can find its event in Zabbix. One line each. */
export interface RejectedPost {
  readonly eventId?: string;
  readonly host?: string;
  readonly eventName?: string;
}

export type ParsedAlert =
  | { readonly kind: 'alert'; readonly alert: Alert }
  /** The media type's Test button posts its macros as they stand. */
  | { readonly kind: 'test' }
  /** Discovery, autoregistration, internal and service events have no problem to mend. */
  | { readonly kind: 'not_a_trigger_event'; readonly eventSource: string }
  | { readonly kind: 'invalid'; readonly problems: readonly FieldProblem[]; readonly about: RejectedPost };

/** Longer texts are cut, not refused: a long message is no reason to lose an alert. Characters. */
const LONGEST = {
  name: 2048,
  text: 2048,
  opdata: 1024,
  key: 2048,
  value: 1024,
  tag: 255,
  group: 255,
  ip: 64,
  about: 200,
} as const;
const MOST_TAGS = 200;
const MOST_GROUPS = 200;

/**
 * Zabbix 7.0: a macro that cannot be resolved is `*UNKNOWN*` or stands as it is: `{EVENT.RECOVERY.ID}`, `{$MACRO:"of"}`,
 * and with a function around it `{{ITEM.VALUE}.regsub(…)}`.
 */
const UNRESOLVED = /^(?:\*UNKNOWN\*|\{#?[A-Z0-9_.<>]+\}|\{\$[^{}]+\}|\{\{[$#A-Z0-9_.:"]+\}\..*\})$/s;

/** Control characters, line separators, and what turns the direction of writing: they make a text look like another. */
const CONTROL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const DIGITS = /^[0-9]{1,20}$/;
const A_NUMBER = 'a string of 1 to 20 digits';
/** Zabbix 7.0: a host's technical name has these characters, no space at its ends, and at most 128 of them. */
const HOST_NAME = /^(?! )[A-Za-z0-9 ._-]{1,128}(?<! )$/;
const SOURCE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const SEVERITIES = { '0': 0, '1': 1, '2': 2, '3': 3, '4': 4, '5': 5 } as const;

/** A field that must be there and match; missing, mistyped or malformed, the answer says the same: what is expected. */
function needed(pattern: RegExp, expected: string) {
  return z.string(expected).regex(pattern, expected);
}

/** A field that may be absent, empty or an unresolved macro, which all mean the same. */
function givenAs(expected: string) {
  return z.string(expected).transform(resolve);
}
const given = givenAs('a string');

function matching(pattern: RegExp, expected: string) {
  return givenAs(expected).pipe(z.string().regex(pattern, expected).optional()).optional();
}

function text(most: number) {
  return given.transform((value) => shorten(value, most)).optional();
}

// A key is evidence: one that was cut, or that holds control characters, could mean something else.
const AN_ITEM_KEY = `an item key of up to ${LONGEST.key} characters, none of them a control character`;
const itemKey = givenAs(AN_ITEM_KEY)
  .refine((key) => key === undefined || (key.length <= LONGEST.key && key.search(CONTROL) < 0), AN_ITEM_KEY)
  .optional();

const ALL_TAGS = `JSON inside a string: an array of up to ${MOST_TAGS} objects, each with the strings tag and value`;
const tagList = z.array(z.object({ tag: z.string(), value: z.string() })).max(MOST_TAGS);
const tags = givenAs(ALL_TAGS).transform((json, context) => {
  const read = json === undefined ? [] : tagList.safeParse(fromJson(json)).data;
  if (read === undefined) {
    context.addIssue({ code: 'custom', message: ALL_TAGS });
    return z.NEVER;
  }
  return read.map(({ tag, value }) => ({ tag: tagText(tag), value: tagText(value) }));
});

const ALL_GROUPS = `up to ${MOST_GROUPS} names of up to ${LONGEST.group} characters, with a comma between them`;
const hostGroups = givenAs(ALL_GROUPS).transform((list, context) => {
  const names = (list ?? '').split(',').map((name) => name.replace(CONTROL, ' ').trim());
  if (names.length > MOST_GROUPS || names.some((name) => name.length > LONGEST.group)) {
    context.addIssue({ code: 'custom', message: ALL_GROUPS });
    return z.NEVER;
  }
  return names.filter((name) => name !== '');
});

/** Every field of format version 1, as it is posted; unknown fields are ignored. */
export const wireAlertSchema = z
  .object({
    format_version: matching(/^1$/, '1, or no such field').describe('Version of this format; absent means 1'),
    source: matching(SOURCE_NAME, 'up to 64 letters, digits, dots, dashes and underscores').describe(
      'Name of the Zabbix server, since event ids repeat across servers; absent: the setting REMEDIA_SOURCE',
    ),
    event_id: needed(DIGITS, A_NUMBER).describe(
      'EVENT.ID: the id of the problem event, in a recovery and an update too. The literal "{EVENT.ID}" is a test post',
    ),
    event_value: needed(/^[01]$/, '"1" for a problem or "0" for a recovery').describe(
      'EVENT.VALUE: 1 problem, 0 recovery',
    ),
    event_update_status: matching(/^[01]$/, '"1" for an update, else "0"').describe(
      'EVENT.UPDATE.STATUS: 1 for an update',
    ),
    event_source: matching(/^[0-4]$/, '"0", the source of trigger events').describe(
      'EVENT.SOURCE: 0 trigger; 1 discovery, 2 autoregistration, 3 internal and 4 service are answered and not acted on',
    ),
    event_recovery_id: matching(DIGITS, A_NUMBER).describe('EVENT.RECOVERY.ID: the id of the OK event'),
    event_name: z
      .string('the name of the problem')
      .transform((name) => shorten(resolve(name), LONGEST.name))
      .pipe(z.string('the name of the problem'))
      .describe(`EVENT.NAME, cut at ${LONGEST.name} characters`),
    event_nseverity: z
      .enum(['0', '1', '2', '3', '4', '5'], 'a digit from "0" to "5"')
      .describe('EVENT.NSEVERITY'),
    event_tags: tags.optional().describe(`EVENT.TAGSJSON. ${ALL_TAGS}`),
    event_opdata: text(LONGEST.opdata).describe(`EVENT.OPDATA, cut at ${LONGEST.opdata} characters`),
    host_host: needed(
      HOST_NAME,
      'a host name of up to 128 letters, digits, spaces, dots, dashes and underscores',
    ).describe('HOST.HOST: the technical name'),
    host_name: text(LONGEST.group).describe('HOST.NAME: the visible name'),
    host_id: matching(DIGITS, A_NUMBER).describe('HOST.ID'),
    host_ip: text(LONGEST.ip).describe('HOST.IP'),
    host_groups: hostGroups.optional().describe(`TRIGGER.HOSTGROUP.NAME: ${ALL_GROUPS}`),
    trigger_id: needed(DIGITS, A_NUMBER).describe('TRIGGER.ID'),
    trigger_name: text(LONGEST.name).describe(`TRIGGER.NAME, cut at ${LONGEST.name} characters`),
    trigger_name_orig: text(LONGEST.name).describe(
      'TRIGGER.NAME.ORIG: with macros unexpanded, so without their secrets',
    ),
    trigger_description: text(LONGEST.text).describe(
      `TRIGGER.DESCRIPTION, cut at ${LONGEST.text} characters`,
    ),
    item_id: matching(DIGITS, A_NUMBER).describe('ITEM.ID'),
    item_key: itemKey.describe('Used when item_key_orig is absent'),
    item_key_orig: itemKey.describe('ITEM.KEY.ORIG: with macros unexpanded, so without their secrets'),
    item_value: text(LONGEST.value).describe(`ITEM.VALUE, cut at ${LONGEST.value} characters`),
    event_timestamp: z
      .unknown()
      .optional()
      .describe('EVENT.TIMESTAMP, which Zabbix 7.0 does not have; not used: the time of arrival counts'),
    event_date: z.unknown().optional().describe('EVENT.DATE; not used, for it has no offset'),
    event_time: z.unknown().optional().describe('EVENT.TIME; not used, for it has no offset'),
    subject: z.unknown().optional().describe('ALERT.SUBJECT; not used'),
    message: z.unknown().optional().describe('ALERT.MESSAGE; not used'),
  })
  .describe('An alert as the Remedia media type posts it, format version 1. Every value is a string.');

/**
 * Parses a posted body. `source` is used when the alert names none; `receivedAt` is the time of arrival in milliseconds
 * since the epoch, since EVENT.DATE and EVENT.TIME have no offset. Never throws; names every bad field at once.
 */
export function parseAlert(
  body: unknown,
  { source, receivedAt }: { readonly source: string; readonly receivedAt: number },
): ParsedAlert {
  if (!isRecord(body))
    return rejected([{ field: '', expected: 'a JSON object with the fields of an alert' }]);
  if (body['event_id'] === '{EVENT.ID}') return { kind: 'test' };
  const eventSource = body['event_source'];
  // Other events lack hosts and triggers, so there is nothing more to ask of them.
  if (typeof eventSource === 'string' && /^[1-4]$/.test(eventSource))
    return { kind: 'not_a_trigger_event', eventSource };

  const wire = wireAlertSchema.safeParse(body);
  if (!wire.success)
    return rejected(
      wire.error.issues.map(({ path, message }) => ({ field: path.join('.'), expected: message })),
      body,
    );

  const posted = wire.data;
  const { event_value, event_update_status, event_nseverity } = posted;
  return {
    kind: 'alert',
    alert: {
      formatVersion: 1,
      source: posted.source ?? source,
      kind: event_update_status === '1' ? 'update' : event_value === '1' ? 'problem' : 'recovery',
      eventId: posted.event_id,
      ...known('recoveryEventId', posted.event_recovery_id),
      eventName: posted.event_name,
      severity: SEVERITIES[event_nseverity],
      tags: posted.event_tags ?? [],
      hostGroups: posted.host_groups ?? [],
      ...known('opdata', posted.event_opdata),
      host: {
        host: posted.host_host,
        ...known('name', posted.host_name),
        ...known('id', posted.host_id),
        ...known('ip', posted.host_ip),
      },
      trigger: {
        id: posted.trigger_id,
        ...known('name', posted.trigger_name),
        ...known('nameOrig', posted.trigger_name_orig),
        ...known('description', posted.trigger_description),
      },
      item: {
        ...known('id', posted.item_id),
        ...known('key', posted.item_key_orig ?? posted.item_key),
        ...known('value', posted.item_value),
      },
      receivedAt,
    },
  };
}

function rejected(problems: readonly FieldProblem[], body?: unknown): ParsedAlert {
  return { kind: 'invalid', problems, about: readAbout(body) };
}

/** What can be read of a post that is no alert, whatever it is. */
export function readAbout(body: unknown): RejectedPost {
  const read = (field: string) => {
    const value = isRecord(body) ? body[field] : undefined;
    return typeof value === 'string' ? shorten(resolve(value), LONGEST.about) : undefined;
  };
  return {
    ...known('eventId', read('event_id')),
    ...known('host', read('host_host')),
    ...known('eventName', read('event_name')),
  };
}

function isRecord(body: unknown): body is Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null && !Array.isArray(body);
}

/** A value that is really there: not empty, and not a macro that Zabbix could not resolve. */
function resolve(raw: string): string | undefined {
  return raw === '' || UNRESOLVED.test(raw) ? undefined : raw;
}

/** One line of at most so many characters, well-formed: no half of a surrogate pair, no control characters. */
function shorten(raw: string | undefined, most: number): string | undefined {
  const line = raw?.replace(CONTROL, ' ').toWellFormed().trim();
  if (line === undefined || line === '') return undefined;
  return line.length <= most ? line : `${line.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function fromJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Tags are evidence too: too long a one is cut, which Zabbix never sends, and then says so by its last character. */
function tagText(raw: string): string {
  return shorten(raw, LONGEST.tag) ?? '';
}

/** The field when it is known, else none: absent and undefined are not the same in what is stored. */
function known<Name extends string>(
  name: Name,
  value: string | undefined,
): { readonly [each in Name]?: string } {
  const field: { [each in Name]?: string } = {};
  if (value !== undefined) field[name] = value;
  return field;
}
