/** Where the links in messages lead, for every function that may have to tell a human. */
import type { SettingName, Settings } from '#lib/runtime/environment.ts';

export const LINK_SETTINGS = ['PUBLIC_BASE_URL', 'ZABBIX_API_URL'] as const satisfies readonly SettingName[];

/** The same as the workflows know them; Zabbix's pages are where its API is. */
export function linksOf(settings: Settings<(typeof LINK_SETTINGS)[number]>) {
  const { PUBLIC_BASE_URL: publicBaseUrl, ZABBIX_API_URL: api } = settings;
  return { publicBaseUrl, zabbixUrl: api?.replace(/\/*(?:api_jsonrpc\.php)?$/, '') };
}
