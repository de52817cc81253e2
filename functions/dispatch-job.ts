/** From the jobs queue: runs the job of one decision, at most once. */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { openIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { makeTellHuman } from '#lib/adapters/people.ts';
import { openQueues, toCheck } from '#lib/adapters/pipeline-queues.ts';
import { makeFindExecution, makeRunJob, parseWebhooks } from '#lib/adapters/rundeck.ts';
import { makeTellByJob } from '#lib/adapters/tell-by-job.ts';
import { makeReadHostContext } from '#lib/adapters/zabbix.ts';
import { catalogue } from '#lib/catalogue/index.ts';
import { batchHandler } from '#lib/runtime/batch.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { LINK_SETTINGS, linksOf, zabbixOf } from '#lib/runtime/link-settings.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { observeIncidents } from '#lib/runtime/metrics.ts';
import { PEOPLE_SETTINGS, peopleOf } from '#lib/runtime/people-settings.ts';
import { watchFunction } from '#lib/runtime/watch-function.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { makeDispatchJob } from '#lib/workflow/dispatch-job.ts';
import { jobMessageSchema } from '#lib/workflow/queue-messages.ts';

const { log, measure, narrate, channels } = watchFunction('dispatch-job');

export const handler = whenReady<SQSEvent, SQSBatchResponse>(async () => {
  const settings = await loadSettings([
    'INCIDENTS_TABLE',
    'RETENTION_DAYS',
    'CHECKS_QUEUE_URL',
    'RUNDECK_URL',
    'RUNDECK_API_TOKEN',
    'RUNDECK_WEBHOOKS',
    'RUNDECK_TIMEOUT_SECONDS',
    'ZABBIX_API_TOKEN',
    ...LINK_SETTINGS,
    ...PEOPLE_SETTINGS,
  ]);
  const queues = openQueues(traceHeaderFor);
  const { RUNDECK_URL: url, RUNDECK_API_TOKEN: token } = settings;
  const zabbix = zabbixOf(settings);
  const dispatch = makeDispatchJob(
    {
      ...observeIncidents(openIncidentsTable(settings), measure),
      runJob: makeRunJob({
        webhooks: parseWebhooks(settings.RUNDECK_WEBHOOKS),
        catalogue,
        timeoutMs: settings.RUNDECK_TIMEOUT_SECONDS * 1000,
      }),
      findExecution:
        url !== undefined && token !== undefined ? makeFindExecution({ url, token, catalogue }) : undefined,
      sendToCheck: toCheck(queues, settings.CHECKS_QUEUE_URL),
      tellHuman: makeTellHuman(peopleOf(settings), channels),
      tellByJob: makeTellByJob(peopleOf(settings)),
      readHostContext: zabbix && makeReadHostContext(zabbix),
      clock: Date.now,
      narrate,
    },
    linksOf(settings),
  );
  return batchHandler({ schema: jobMessageSchema, handle: dispatch, log, measure });
}, log);
