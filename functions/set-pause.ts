/** /api/v1/pause: the one switch that stops every job. */
import { openIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { openQueues, toDecide, toDispatch } from '#lib/adapters/pipeline-queues.ts';
import { makePauseEndpoint } from '#lib/endpoints/pause-endpoint.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { observeIncidents } from '#lib/runtime/metrics.ts';
import { watchFunction } from '#lib/runtime/watch-function.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { makeSetPause, makeShowPause } from '#lib/workflow/pause.ts';

const { log, measure } = watchFunction('set-pause');

export const handler = whenReady(async () => {
  const settings = await loadSettings([
    'INCIDENTS_TABLE',
    'RETENTION_DAYS',
    'ALERTS_QUEUE_URL',
    'JOBS_QUEUE_URL',
    'OPERATOR_TOKENS',
  ]);
  const queues = openQueues(traceHeaderFor);
  const ports = {
    ...observeIncidents(openIncidentsTable(settings), measure),
    sendToDecide: toDecide(queues, settings.ALERTS_QUEUE_URL),
    sendToDispatch: toDispatch(queues, settings.JOBS_QUEUE_URL),
    clock: Date.now,
  };
  return makePauseEndpoint({
    tokens: settings.OPERATOR_TOKENS,
    show: makeShowPause(ports),
    set: makeSetPause(ports),
    log,
  });
}, log);
