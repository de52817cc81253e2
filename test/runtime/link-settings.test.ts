/** Where the links in messages lead, and when Zabbix's API counts as configured. */
import { expect, it } from 'vitest';
import { linksOf, zabbixOf } from '#lib/runtime/link-settings.ts';
import { NOON } from '#test/builders/incidents.ts';

const settings = {
  PUBLIC_BASE_URL: 'https://remedia.test',
  LINK_SIGNING_KEY: undefined,
  LINK_VALID_DAYS: 7,
  ZABBIX_API_URL: undefined,
};

it.each([
  ['https://zabbix.test/zabbix/api_jsonrpc.php', 'https://zabbix.test/zabbix'],
  ['https://zabbix.test/', 'https://zabbix.test'],
  ['https://zabbix.test/zabbix', 'https://zabbix.test/zabbix'],
  [undefined, undefined],
])('finds the pages of Zabbix from its API: %s', (api, pages) => {
  expect(linksOf({ ...settings, ZABBIX_API_URL: api }).zabbixUrl).toBe(pages);
});

it('leads to an incident, signed as soon as there is a key', () => {
  const plain = 'https://remedia.test/api/v1/incidents/inc_1';

  expect(linksOf(settings).incidentLink('inc_1', NOON)).toBe(plain);
  expect(
    linksOf({ ...settings, LINK_SIGNING_KEY: 'a-key-of-many-letters' }).incidentLink('inc_1', NOON),
  ).toMatch(`${plain}?expires=${NOON + 7 * 86_400_000}&signature=`);
});

it.each([
  ['https://zabbix.test', 'token', { url: 'https://zabbix.test', token: 'token' }],
  ['https://zabbix.test', undefined, undefined],
  [undefined, 'token', undefined],
])('asks Zabbix only with an address and a token: %s, %s', (url, token, api) => {
  expect(zabbixOf({ ZABBIX_API_URL: url, ZABBIX_API_TOKEN: token })).toEqual(api);
});
