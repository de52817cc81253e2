/** /api/v1/pause: the one switch that stops every job. */
import { createDynamoClient, createIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { createSqsClient, sendTo } from '#lib/adapters/queue.ts';
import { makePauseEndpoint } from '#lib/endpoints/pause-endpoint.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { makeLog } from '#lib/runtime/logger.ts';
import { makeMeasure, observeIncidents } from '#lib/runtime/metrics.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { makeSetPause, makeShowPause } from '#lib/workflow/pause.ts';
import { alertMessageSchema, jobMessageSchema } from '#lib/workflow/queue-messages.ts';

const log = makeLog({ function: 'set-pause' });
const measure = makeMeasure();

export const handler = whenReady(async () => {
  const settings = await loadSettings([
    'INCIDENTS_TABLE',
    'RETENTION_DAYS',
    'ALERTS_QUEUE_URL',
    'JOBS_QUEUE_URL',
    'OPERATOR_TOKENS',
  ]);
  const client = createSqsClient();
  const ports = {
    ...observeIncidents(
      createIncidentsTable({
        client: createDynamoClient(),
        tableName: settings.INCIDENTS_TABLE,
        retentionDays: settings.RETENTION_DAYS,
      }),
      measure,
    ),
    sendToDecide: sendTo({
      client,
      queueUrl: settings.ALERTS_QUEUE_URL,
      schema: alertMessageSchema,
      traceHeaderFor,
    }),
    sendToDispatch: sendTo({
      client,
      queueUrl: settings.JOBS_QUEUE_URL,
      schema: jobMessageSchema,
      traceHeaderFor,
    }),
    clock: Date.now,
  };
  return makePauseEndpoint({
    tokens: settings.OPERATOR_TOKENS,
    show: makeShowPause(ports),
    set: makeSetPause(ports),
    log,
  });
}, log);
