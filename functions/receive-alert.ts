/** POST /api/v1/zabbix/alert: takes an alert in and answers within milliseconds. */
import { createDynamoClient, createIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { createSqsClient, sendTo } from '#lib/adapters/queue.ts';
import { intakeGate, makeAlertEndpoint } from '#lib/endpoints/alert-endpoint.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { incidentLinkOf } from '#lib/runtime/link-settings.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { makeLog } from '#lib/runtime/logger.ts';
import { makeMeasure, observeIncidents } from '#lib/runtime/metrics.ts';
import { makeNarrate } from '#lib/runtime/narrate.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { alertMessageSchema, checkMessageSchema } from '#lib/workflow/queue-messages.ts';
import { makeReceiveAlert, makeRecordRejected } from '#lib/workflow/receive-alert.ts';

const log = makeLog({ function: 'receive-alert' });
const measure = makeMeasure();
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
  const table = observeIncidents(
    createIncidentsTable({
      client: createDynamoClient(),
      tableName: settings.INCIDENTS_TABLE,
      retentionDays: settings.RETENTION_DAYS,
    }),
    measure,
  );
  const client = createSqsClient();
  const ports = {
    ...table,
    sendToDecide: sendTo({
      client,
      queueUrl: settings.ALERTS_QUEUE_URL,
      schema: alertMessageSchema,
      traceHeaderFor,
    }),
    sendToCheck: sendTo({
      client,
      queueUrl: settings.CHECKS_QUEUE_URL,
      schema: checkMessageSchema,
      traceHeaderFor,
    }),
    clock,
    narrate: makeNarrate(log),
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
