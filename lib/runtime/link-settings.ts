/** Where Zabbix and Remedia are found: for the links in messages, and for every function that asks Zabbix itself. */
import type { IncidentLink } from '#lib/core/messages.ts';
import type { SettingName, Settings } from '#lib/runtime/environment.ts';
import { makeIncidentLink } from '#lib/runtime/incident-link.ts';

export const LINK_SETTINGS = [
  'PUBLIC_BASE_URL',
  'LINK_SIGNING_KEY',
  'LINK_VALID_DAYS',
  'ZABBIX_API_URL',
] as const satisfies readonly SettingName[];

type Links = Settings<(typeof LINK_SETTINGS)[number]>;

/** The same as the workflows know them. */
export function linksOf(settings: Links) {
  return { incidentLink: incidentLinkOf(settings), zabbixUrl: zabbixPagesOf(settings) };
}

/** The link to an incident alone, for a function that names nothing else. */
export function incidentLinkOf(settings: Omit<Links, 'ZABBIX_API_URL'>): IncidentLink {
  const { PUBLIC_BASE_URL: publicBaseUrl, LINK_SIGNING_KEY: key, LINK_VALID_DAYS: validDays } = settings;
  return makeIncidentLink({ publicBaseUrl, key, validDays });
}

/** Zabbix's pages are where its API is. */
export function zabbixPagesOf({ ZABBIX_API_URL: api }: Pick<Links, 'ZABBIX_API_URL'>): string | undefined {
  return api?.replace(/\/*(?:api_jsonrpc\.php)?$/, '');
}

/** How Zabbix's API is reached, `undefined` when it is not configured. */
export function zabbixOf(settings: Settings<'ZABBIX_API_URL' | 'ZABBIX_API_TOKEN'>) {
  const { ZABBIX_API_URL: url, ZABBIX_API_TOKEN: token } = settings;
  return url !== undefined && token !== undefined ? { url, token } : undefined;
}
