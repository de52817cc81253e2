/** From the checks queue: how did the job end, and is the problem over? */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { openIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { makeTellHuman } from '#lib/adapters/people.ts';
import { openQueues, toCheck, toDecide } from '#lib/adapters/pipeline-queues.ts';
import { makeReadExecution, makeReadOutput } from '#lib/adapters/rundeck.ts';
import { makeTellByJob } from '#lib/adapters/tell-by-job.ts';
import { makeCommentEvent, makeReadEvent } from '#lib/adapters/zabbix.ts';
import { catalogue } from '#lib/catalogue/index.ts';
import { batchHandler } from '#lib/runtime/batch.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { LINK_SETTINGS, linksOf, zabbixOf } from '#lib/runtime/link-settings.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { observeIncidents } from '#lib/runtime/metrics.ts';
import { PEOPLE_SETTINGS, peopleOf } from '#lib/runtime/people-settings.ts';
import { watchFunction } from '#lib/runtime/watch-function.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { checkMessageSchema } from '#lib/workflow/queue-messages.ts';
import { makeVerifyOutcome } from '#lib/workflow/verify-outcome.ts';

const { log, measure, narrate, channels } = watchFunction('verify-outcome');

export const handler = whenReady<SQSEvent, SQSBatchResponse>(async () => {
  const settings = await loadSettings([
    'INCIDENTS_TABLE',
    'RETENTION_DAYS',
    'ALERTS_QUEUE_URL',
    'CHECKS_QUEUE_URL',
    'RUNDECK_URL',
    'RUNDECK_API_TOKEN',
    'ZABBIX_API_TOKEN',
    ...LINK_SETTINGS,
    ...PEOPLE_SETTINGS,
  ]);
  const { RUNDECK_URL, RUNDECK_API_TOKEN } = settings;
  const rundeck =
    RUNDECK_URL !== undefined && RUNDECK_API_TOKEN !== undefined
      ? { url: RUNDECK_URL, token: RUNDECK_API_TOKEN }
      : undefined;
  const zabbix = zabbixOf(settings);
  const queues = openQueues(traceHeaderFor);
  const verify = makeVerifyOutcome(
    {
      ...observeIncidents(openIncidentsTable(settings), measure),
      readExecution: rundeck ? makeReadExecution(rundeck) : async () => undefined,
      readOutput: rundeck ? makeReadOutput(rundeck) : async () => '',
      readEvent: zabbix && makeReadEvent(zabbix),
      commentEvent: zabbix && makeCommentEvent(zabbix),
      sendToDecide: toDecide(queues, settings.ALERTS_QUEUE_URL),
      sendToCheck: toCheck(queues, settings.CHECKS_QUEUE_URL),
      tellHuman: makeTellHuman(peopleOf(settings), channels),
      tellByJob: makeTellByJob(peopleOf(settings)),
      clock: Date.now,
      narrate,
    },
    { ...linksOf(settings), catalogue },
  );
  return batchHandler({ schema: checkMessageSchema, handle: verify, log, measure });
}, log);
