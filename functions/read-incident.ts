/** GET /api/v1/incidents and /api/v1/incidents/{id}: reads what happened to an alert. */
import { openIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { makeIncidentEndpoint } from '#lib/endpoints/incident-endpoint.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { zabbixPagesOf } from '#lib/runtime/link-settings.ts';
import { makeLog } from '#lib/runtime/logger.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';

const log = makeLog({ function: 'read-incident' });

export const handler = whenReady(async () => {
  const settings = await loadSettings([
    'REMEDIA_SOURCE',
    'INCIDENTS_TABLE',
    'INTAKE_TOKENS',
    'OPERATOR_TOKENS',
    'LINK_SIGNING_KEY',
    'ZABBIX_API_URL',
  ]);
  return makeIncidentEndpoint({
    ...openIncidentsTable(settings),
    tokens: [...settings.OPERATOR_TOKENS, ...settings.INTAKE_TOKENS],
    source: settings.REMEDIA_SOURCE,
    linkKey: settings.LINK_SIGNING_KEY,
    zabbixUrl: zabbixPagesOf(settings),
    clock: Date.now,
    log,
  });
}, log);
