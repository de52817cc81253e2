/** From the checks queue: how did the job end, and is the problem over? */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createDynamoClient, createIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { makeTellHuman } from '#lib/adapters/people.ts';
import { createSqsClient, sendTo } from '#lib/adapters/queue.ts';
import { makeReadExecution, makeReadOutput } from '#lib/adapters/rundeck.ts';
import { makeTellByJob } from '#lib/adapters/tell-by-job.ts';
import { makeCommentEvent, makeReadEvent } from '#lib/adapters/zabbix.ts';
import { catalogue } from '#lib/catalogue/index.ts';
import { batchHandler } from '#lib/runtime/batch.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { LINK_SETTINGS, linksOf, zabbixOf } from '#lib/runtime/link-settings.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { makeLog } from '#lib/runtime/logger.ts';
import { makeMeasure, observeIncidents } from '#lib/runtime/metrics.ts';
import { makeNarrate } from '#lib/runtime/narrate.ts';
import { PEOPLE_SETTINGS, peopleOf } from '#lib/runtime/people-settings.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { alertMessageSchema, checkMessageSchema } from '#lib/workflow/queue-messages.ts';
import { makeVerifyOutcome } from '#lib/workflow/verify-outcome.ts';

const log = makeLog({ function: 'verify-outcome' });
const measure = makeMeasure();

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
  const client = createSqsClient();
  const verify = makeVerifyOutcome(
    {
      ...observeIncidents(
        createIncidentsTable({
          client: createDynamoClient(),
          tableName: settings.INCIDENTS_TABLE,
          retentionDays: settings.RETENTION_DAYS,
        }),
        measure,
      ),
      readExecution: rundeck ? makeReadExecution(rundeck) : async () => undefined,
      readOutput: rundeck ? makeReadOutput(rundeck) : async () => '',
      readEvent: zabbix && makeReadEvent(zabbix),
      commentEvent: zabbix && makeCommentEvent(zabbix),
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
      tellHuman: makeTellHuman(peopleOf(settings), {
        log: (failure) => log.warn('a channel failed', failure),
      }),
      tellByJob: makeTellByJob(peopleOf(settings)),
      clock: Date.now,
      narrate: makeNarrate(log),
    },
    { ...linksOf(settings), catalogue },
  );
  return batchHandler({ schema: checkMessageSchema, handle: verify, log, measure });
}, log);
