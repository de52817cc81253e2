/** From the alerts queue: decides what to do about one alert, once. */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { openIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { makeAskModel, modelHealth } from '#lib/adapters/ollama.ts';
import { makeTellHuman } from '#lib/adapters/people.ts';
import { openQueues, toCheck, toDecide, toDispatch } from '#lib/adapters/pipeline-queues.ts';
import { makeTellByJob } from '#lib/adapters/tell-by-job.ts';
import { makeReadHostContext } from '#lib/adapters/zabbix.ts';
import { approvalLink } from '#lib/endpoints/approval-endpoint.ts';
import { batchHandler } from '#lib/runtime/batch.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { LINK_SETTINGS, linksOf, zabbixOf } from '#lib/runtime/link-settings.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { measureModel, observeIncidents } from '#lib/runtime/metrics.ts';
import { PEOPLE_SETTINGS, peopleOf } from '#lib/runtime/people-settings.ts';
import { watchFunction } from '#lib/runtime/watch-function.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { makeDecideRemediation } from '#lib/workflow/decide-remediation.ts';
import type { AskModel } from '#lib/workflow/ports.ts';
import { alertMessageSchema } from '#lib/workflow/queue-messages.ts';
import { rememberAnswers } from '#lib/workflow/remember-answers.ts';

/** A model that is down holds up no start for longer. */
const START_MS = 2_000;

const { log, measure, narrate, channels } = watchFunction('decide-remediation');

export const handler = whenReady<SQSEvent, SQSBatchResponse>(async () => {
  const settings = await loadSettings([
    'INCIDENTS_TABLE',
    'RETENTION_DAYS',
    'ALERTS_QUEUE_URL',
    'JOBS_QUEUE_URL',
    'CHECKS_QUEUE_URL',
    'APPROVAL_SIGNING_KEY',
    'DECIDER',
    'ZABBIX_API_TOKEN',
    ...LINK_SETTINGS,
    ...PEOPLE_SETTINGS,
  ]);
  const { APPROVAL_SIGNING_KEY: key, PUBLIC_BASE_URL: publicBaseUrl } = settings;
  const links = linksOf(settings);
  const askModel = settings.DECIDER === 'model' ? await openModel() : undefined;
  if (askModel === undefined) log.info('no model decides, but rules: evidence and words alone');
  const zabbix = zabbixOf(settings);
  const queues = openQueues(traceHeaderFor);
  const decide = makeDecideRemediation(
    {
      ...observeIncidents(openIncidentsTable(settings), measure),
      askModel,
      sendToDecide: toDecide(queues, settings.ALERTS_QUEUE_URL),
      sendToDispatch: toDispatch(queues, settings.JOBS_QUEUE_URL),
      sendToCheck: toCheck(queues, settings.CHECKS_QUEUE_URL),
      tellHuman: makeTellHuman(peopleOf(settings), channels),
      tellByJob: makeTellByJob(peopleOf(settings)),
      readHostContext: zabbix && makeReadHostContext(zabbix),
      clock: Date.now,
      narrate,
    },
    {
      ...links,
      approvalLink: (incident, decision) => approvalLink({ key, publicBaseUrl }, incident, decision),
    },
  );
  return batchHandler({ schema: alertMessageSchema, handle: decide, log, measure });
}, log);

/** The model that decides. Where rules alone decide there is none, so none of its settings is read. */
async function openModel(): Promise<AskModel> {
  const settings = await loadSettings([
    'OLLAMA_URL',
    'OLLAMA_MODEL',
    'OLLAMA_TIMEOUT_SECONDS',
    'OLLAMA_REMEMBER_SECONDS',
    'OLLAMA_NUM_THREAD',
  ]);
  const { OLLAMA_URL: url, OLLAMA_MODEL: model } = settings;
  // Said once a start, and never in the way: whoever reads the log learns which model decides, or that none can.
  const { ok, detail } = await modelHealth({ url, model, timeoutMs: START_MS });
  if (ok) log.info('the model that decides', { detail });
  else log.warn('the model is not as it should be', { detail });
  const ask = makeAskModel({
    url,
    model,
    timeoutMs: settings.OLLAMA_TIMEOUT_SECONDS * 1000,
    numThread: settings.OLLAMA_NUM_THREAD,
    sayDrift: (drift) => log.warn('the model has changed', { detail: drift }),
  });
  return rememberAnswers(measureModel(ask, measure), {
    seconds: settings.OLLAMA_REMEMBER_SECONDS,
    clock: Date.now,
  });
}
