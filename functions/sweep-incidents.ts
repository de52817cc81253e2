/** Every minute: picks up whatever is due and nobody seems to be working on. */
import { openIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { makeTellHuman } from '#lib/adapters/people.ts';
import { openQueues, toCheck, toDecide, toDispatch } from '#lib/adapters/pipeline-queues.ts';
import { makeFindExecution } from '#lib/adapters/rundeck.ts';
import { makeTellByJob } from '#lib/adapters/tell-by-job.ts';
import { catalogue } from '#lib/catalogue/index.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { LINK_SETTINGS, linksOf } from '#lib/runtime/link-settings.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { observeIncidents } from '#lib/runtime/metrics.ts';
import { PEOPLE_SETTINGS, peopleOf } from '#lib/runtime/people-settings.ts';
import { watchFunction } from '#lib/runtime/watch-function.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { makeReconcileClaim } from '#lib/workflow/dispatch-job.ts';
import { makeSweepIncidents, whySweepFailed } from '#lib/workflow/sweep-incidents.ts';

const { log, measure, narrate, channels } = watchFunction('sweep-incidents');

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
  const queues = openQueues(traceHeaderFor);
  const ports = {
    ...observeIncidents(openIncidentsTable(settings), measure),
    sendToDecide: toDecide(queues, settings.ALERTS_QUEUE_URL),
    sendToDispatch: toDispatch(queues, settings.JOBS_QUEUE_URL),
    sendToCheck: toCheck(queues, settings.CHECKS_QUEUE_URL),
    tellHuman: makeTellHuman(peopleOf(settings), channels),
    tellByJob: makeTellByJob(peopleOf(settings)),
    findExecution:
      url !== undefined && token !== undefined ? makeFindExecution({ url, token, catalogue }) : undefined,
    clock: Date.now,
    narrate,
  };
  const where = linksOf(settings);
  const sweep = makeSweepIncidents({ ...ports, reconcileClaim: makeReconcileClaim(ports, where) }, where);
  return async () => {
    const result = await sweep();
    const { swept, failed } = result;
    log.info('swept', { swept, failed: failed.length });
    const why = whySweepFailed(result);
    if (why !== undefined) throw new Error(why);
    return { swept };
  };
}, log);
