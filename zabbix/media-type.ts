/** Makes the media type that a Zabbix administrator imports, from the webhook's script and this list of parameters. */
import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';

/**
 * What Zabbix fills in for each post. All parameters together are cut at 65,535 characters, which leaves broken JSON, so
 * whatever has no bound of its own gets one. Macros that expand user macros (passwords occur in item keys) are avoided:
 * `.ORIG` where there is one.
 */
const parameters: Readonly<Record<string, string>> = {
  url: '{ALERT.SENDTO}',
  token: '{$REMEDIA.TOKEN}',
  signing_key: '{$REMEDIA.SIGNING.KEY}',
  http_proxy: '',
  // `simulate`: everything is decided and recorded, and nothing is done.
  mode: '',
  format_version: '1',
  source: '{$REMEDIA.SOURCE}',
  event_source: '{EVENT.SOURCE}',
  event_id: '{EVENT.ID}',
  event_recovery_id: '{EVENT.RECOVERY.ID}',
  event_name: '{EVENT.NAME}',
  event_value: '{EVENT.VALUE}',
  event_update_status: '{EVENT.UPDATE.STATUS}',
  event_nseverity: '{EVENT.NSEVERITY}',
  // Cut tags are broken JSON, which Remedia refuses and tells a human about: it decides nothing on half of them.
  event_tags: capped('EVENT.TAGSJSON', 8000),
  event_opdata: capped('EVENT.OPDATA', 1000),
  event_date: '{EVENT.DATE}',
  event_time: '{EVENT.TIME}',
  host_host: '{HOST.HOST}',
  host_name: '{HOST.NAME}',
  host_ip: '{HOST.IP}',
  host_id: '{HOST.ID}',
  host_groups: capped('TRIGGER.HOSTGROUP.NAME', 4000),
  trigger_id: '{TRIGGER.ID}',
  trigger_name_orig: '{TRIGGER.NAME.ORIG}',
  trigger_description: capped('TRIGGER.DESCRIPTION', 1000),
  item_id: '{ITEM.ID}',
  item_key: '{ITEM.KEY.ORIG}',
  item_key_orig: '{ITEM.KEY.ORIG}',
  item_value: capped('ITEM.VALUE', 500),
  subject: '{ALERT.SUBJECT}',
  message: capped('ALERT.MESSAGE', 1000),
};

const description = `Remedia takes the night shift: it remediates alerts or tells a human. Import this media type, then:

1. Administration > Macros: {$REMEDIA.TOKEN} and, when Remedia checks signatures, {$REMEDIA.SIGNING.KEY} (both "Secret text"),
   {$REMEDIA.SOURCE} (how Remedia calls this Zabbix server).
2. A user of its own, time zone UTC, with this media; "Send to" is the address of Remedia.
3. A trigger action with operations, recovery operations and update operations to that user.

The guide: docs/zabbix.md of the project.`;

function capped(macro: string, characters: number): string {
  return `{{${macro}}.regsub("^([\\s\\S]{0,${characters}})","\\1")}`;
}

/** The importable YAML, export format 7.0, keys in Zabbix's own order and defaults left out as Zabbix does. */
export function mediaTypeYaml(): string {
  const script = readFileSync(new URL('media_remedia.js', import.meta.url), 'utf8');
  const mediaType = {
    name: 'Remedia',
    type: 'WEBHOOK',
    parameters: Object.entries(parameters)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, value]) => (value === '' ? { name } : { name, value })),
    // The default is one alert after the other. More go out at once only as far as the server has alerters for all media
    // (StartAlerters, 3 by default); ten are for whoever raises that.
    max_sessions: '10',
    // Five minutes of trying: an outage that lasts longer is the escalation step's.
    attempts: '10',
    attempt_interval: '30s',
    script,
    process_tags: 'YES',
    show_event_menu: 'YES',
    event_menu_url: '{EVENT.TAGS.__remedia_link}',
    event_menu_name: 'Remedia: what was done',
    description,
    message_templates: [
      template('PROBLEM', '{EVENT.NAME}', '{EVENT.OPDATA}'),
      template('RECOVERY', 'Resolved: {EVENT.NAME}', '{EVENT.DURATION}'),
      template('UPDATE', 'Updated: {EVENT.NAME}', '{EVENT.UPDATE.ACTION}: {EVENT.UPDATE.MESSAGE}'),
    ],
  };
  return `# Generated from zabbix/media_remedia.js and zabbix/media-type.ts by npm run generate; do not edit.\n${stringify(
    { zabbix_export: { version: '7.0', media_types: [mediaType] } },
    // 1.1 as in Zabbix's own exports: YES is quoted, which a reader of 1.1 would take for a boolean.
    { version: '1.1', lineWidth: 0, blockQuote: 'literal', singleQuote: true },
  )}`;
}

function template(mode: 'PROBLEM' | 'RECOVERY' | 'UPDATE', subject: string, message: string) {
  return { event_source: 'TRIGGERS', operation_mode: mode, subject, message };
}
