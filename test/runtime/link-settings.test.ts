/** Where the links in messages lead. */
import { expect, it } from 'vitest';
import { linksOf } from '#lib/runtime/link-settings.ts';

it.each([
  ['https://zabbix.test/zabbix/api_jsonrpc.php', 'https://zabbix.test/zabbix'],
  ['https://zabbix.test/', 'https://zabbix.test'],
  ['https://zabbix.test/zabbix', 'https://zabbix.test/zabbix'],
  [undefined, undefined],
])('finds the pages of Zabbix from its API: %s', (api, pages) => {
  expect(linksOf({ PUBLIC_BASE_URL: 'https://remedia.test', ZABBIX_API_URL: api })).toEqual({
    publicBaseUrl: 'https://remedia.test',
    zabbixUrl: pages,
  });
});
