/** POST /api/v1/zabbix/alert: takes an alert in and answers within milliseconds. */
import { openIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { openQueues, toCheck, toDecide } from '#lib/adapters/pipeline-queues.ts';
import { intakeGate, makeAlertEndpoint } from '#lib/endpoints/alert-endpoint.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { incidentLinkOf } from '#lib/runtime/link-settings.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { observeIncidents } from '#lib/runtime/metrics.ts';
import { watchFunction } from '#lib/runtime/watch-function.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { makeReceiveAlert, makeRecordRejected } from '#lib/workflow/receive-alert.ts';

const { log, measure, narrate } = watchFunction('receive-alert');
const clock = Date.now;

export const handler = whenReady(async () => {
  const settings = await loadSettings([
    'REMEDIA_MODE',
    'REMEDIA_SOURCE',
    'PUBLIC_BASE_URL',
    'INCIDENTS_TABLE',
    'RETENTION_DAYS',
    'ALERTS_QUEUE_URL',
    'CHECKS_QUEUE_URL',
    'INTAKE_TOKENS',
    'INTAKE_HMAC_KEY',
    'LINK_SIGNING_KEY',
    'LINK_VALID_DAYS',
  ]);
  const table = observeIncidents(openIncidentsTable(settings), measure);
  const queues = openQueues(traceHeaderFor);
  const ports = {
    ...table,
    sendToDecide: toDecide(queues, settings.ALERTS_QUEUE_URL),
    sendToCheck: toCheck(queues, settings.CHECKS_QUEUE_URL),
    clock,
    narrate,
  };
  const incidentLink = incidentLinkOf(settings);
  return makeAlertEndpoint({
    gate: intakeGate({ tokens: settings.INTAKE_TOKENS, hmacKey: settings.INTAKE_HMAC_KEY, clock }),
    receive: makeReceiveAlert(ports),
    recordRejected: makeRecordRejected(ports, { incidentLink }),
    source: settings.REMEDIA_SOURCE,
    mode: settings.REMEDIA_MODE,
    incidentLink,
    clock,
    log,
  });
}, log);
