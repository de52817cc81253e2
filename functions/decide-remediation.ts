/** From the alerts queue: decides what to do about one alert, once. */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createDynamoClient, createIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { makeAskModel } from '#lib/adapters/ollama.ts';
import { makeTellHuman } from '#lib/adapters/people.ts';
import { createSqsClient, sendTo } from '#lib/adapters/queue.ts';
import { makeTellByJob } from '#lib/adapters/tell-by-job.ts';
import { makeReadHostContext } from '#lib/adapters/zabbix.ts';
import { approvalLink } from '#lib/endpoints/approval-endpoint.ts';
import { batchHandler } from '#lib/runtime/batch.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { LINK_SETTINGS, linksOf, zabbixOf } from '#lib/runtime/link-settings.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { makeLog } from '#lib/runtime/logger.ts';
import { makeMeasure, measureModel, observeIncidents } from '#lib/runtime/metrics.ts';
import { makeNarrate } from '#lib/runtime/narrate.ts';
import { PEOPLE_SETTINGS, peopleOf } from '#lib/runtime/people-settings.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { makeDecideRemediation } from '#lib/workflow/decide-remediation.ts';
import { alertMessageSchema, checkMessageSchema, jobMessageSchema } from '#lib/workflow/queue-messages.ts';
import { rememberAnswers } from '#lib/workflow/remember-answers.ts';

const log = makeLog({ function: 'decide-remediation' });
const measure = makeMeasure();

export const handler = whenReady<SQSEvent, SQSBatchResponse>(async () => {
  const settings = await loadSettings([
    'INCIDENTS_TABLE',
    'RETENTION_DAYS',
    'ALERTS_QUEUE_URL',
    'JOBS_QUEUE_URL',
    'CHECKS_QUEUE_URL',
    'APPROVAL_SIGNING_KEY',
    'OLLAMA_URL',
    'OLLAMA_MODEL',
    'OLLAMA_TIMEOUT_SECONDS',
    'OLLAMA_REMEMBER_SECONDS',
    'OLLAMA_NUM_THREAD',
    'ZABBIX_API_TOKEN',
    ...LINK_SETTINGS,
    ...PEOPLE_SETTINGS,
  ]);
  const { APPROVAL_SIGNING_KEY: key, PUBLIC_BASE_URL: publicBaseUrl } = settings;
  const links = linksOf(settings);
  const zabbix = zabbixOf(settings);
  const client = createSqsClient();
  const decide = makeDecideRemediation(
    {
      ...observeIncidents(
        createIncidentsTable({
          client: createDynamoClient(),
          tableName: settings.INCIDENTS_TABLE,
          retentionDays: settings.RETENTION_DAYS,
        }),
        measure,
      ),
      askModel: rememberAnswers(
        measureModel(
          makeAskModel({
            url: settings.OLLAMA_URL,
            model: settings.OLLAMA_MODEL,
            timeoutMs: settings.OLLAMA_TIMEOUT_SECONDS * 1000,
            numThread: settings.OLLAMA_NUM_THREAD,
          }),
          measure,
        ),
        { seconds: settings.OLLAMA_REMEMBER_SECONDS, clock: Date.now },
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
      readHostContext: zabbix && makeReadHostContext(zabbix),
      clock: Date.now,
      narrate: makeNarrate(log),
    },
    {
      ...links,
      approvalLink: (incident, decision) => approvalLink({ key, publicBaseUrl }, incident, decision),
    },
  );
  return batchHandler({ schema: alertMessageSchema, handle: decide, log, measure });
}, log);
