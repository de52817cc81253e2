/** Every minute: picks up whatever is due and nobody seems to be working on. */
import { createDynamoClient, createIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { makeTellHuman } from '#lib/adapters/people.ts';
import { createSqsClient, sendTo } from '#lib/adapters/queue.ts';
import { makeFindExecution } from '#lib/adapters/rundeck.ts';
import { makeTellByJob } from '#lib/adapters/tell-by-job.ts';
import { catalogue } from '#lib/catalogue/index.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { LINK_SETTINGS, linksOf } from '#lib/runtime/link-settings.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { makeLog } from '#lib/runtime/logger.ts';
import { makeMeasure, observeIncidents } from '#lib/runtime/metrics.ts';
import { makeNarrate } from '#lib/runtime/narrate.ts';
import { PEOPLE_SETTINGS, peopleOf } from '#lib/runtime/people-settings.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { makeReconcileClaim } from '#lib/workflow/dispatch-job.ts';
import { alertMessageSchema, checkMessageSchema, jobMessageSchema } from '#lib/workflow/queue-messages.ts';
import { makeSweepIncidents } from '#lib/workflow/sweep-incidents.ts';

const log = makeLog({ function: 'sweep-incidents' });
const measure = makeMeasure();

export const handler = whenReady(async () => {
  const settings = await loadSettings([
    'INCIDENTS_TABLE',
    'RETENTION_DAYS',
    'ALERTS_QUEUE_URL',
    'JOBS_QUEUE_URL',
    'CHECKS_QUEUE_URL',
    'RUNDECK_URL',
    'RUNDECK_API_TOKEN',
    ...LINK_SETTINGS,
    ...PEOPLE_SETTINGS,
  ]);
  const { RUNDECK_URL: url, RUNDECK_API_TOKEN: token } = settings;
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
    sendToCheck: sendTo({
      client,
      queueUrl: settings.CHECKS_QUEUE_URL,
      schema: checkMessageSchema,
      traceHeaderFor,
    }),
    tellHuman: makeTellHuman(peopleOf(settings), { log: (failure) => log.warn('a channel failed', failure) }),
    tellByJob: makeTellByJob(peopleOf(settings)),
    findExecution:
      url !== undefined && token !== undefined ? makeFindExecution({ url, token, catalogue }) : undefined,
    clock: Date.now,
    narrate: makeNarrate(log),
  };
  const where = linksOf(settings);
  const sweep = makeSweepIncidents({ ...ports, reconcileClaim: makeReconcileClaim(ports, where) }, where);
  return async () => {
    const { swept, undeliverable, failed } = await sweep();
    log.info('swept', { swept, failed: failed.length });
    // A failed invocation is what the alarm watches: nobody else is left to tell.
    if (undeliverable.length > 0)
      throw new Error(
        `Nobody could be told about ${undeliverable.length} incidents: ${undeliverable.join(', ')}`,
      );
    return { swept };
  };
}, log);
