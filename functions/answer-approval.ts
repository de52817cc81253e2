/** /api/v1/approvals/{id}: shows a proposal to a human and takes their answer, once. */
import { openIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { makeTellHuman } from '#lib/adapters/people.ts';
import { openQueues, toCheck, toDispatch } from '#lib/adapters/pipeline-queues.ts';
import { makeTellByJob } from '#lib/adapters/tell-by-job.ts';
import { makeApprovalEndpoint } from '#lib/endpoints/approval-endpoint.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { LINK_SETTINGS, linksOf } from '#lib/runtime/link-settings.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { observeIncidents } from '#lib/runtime/metrics.ts';
import { PEOPLE_SETTINGS, peopleOf } from '#lib/runtime/people-settings.ts';
import { watchFunction } from '#lib/runtime/watch-function.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { makeAnswerApproval } from '#lib/workflow/answer-approval.ts';

const { log, measure, narrate, channels } = watchFunction('answer-approval');
const clock = Date.now;

export const handler = whenReady(async () => {
  const settings = await loadSettings([
    'INCIDENTS_TABLE',
    'RETENTION_DAYS',
    'JOBS_QUEUE_URL',
    'CHECKS_QUEUE_URL',
    'OPERATOR_TOKENS',
    'APPROVAL_SIGNING_KEY',
    ...LINK_SETTINGS,
    ...PEOPLE_SETTINGS,
  ]);
  const table = observeIncidents(openIncidentsTable(settings), measure);
  const queues = openQueues(traceHeaderFor);
  const links = linksOf(settings);
  const answer = makeAnswerApproval(
    {
      ...table,
      sendToDispatch: toDispatch(queues, settings.JOBS_QUEUE_URL),
      sendToCheck: toCheck(queues, settings.CHECKS_QUEUE_URL),
      tellHuman: makeTellHuman(peopleOf(settings), channels),
      tellByJob: makeTellByJob(peopleOf(settings)),
      clock,
      narrate,
    },
    links,
  );
  return makeApprovalEndpoint({
    key: settings.APPROVAL_SIGNING_KEY,
    tokens: settings.OPERATOR_TOKENS,
    loadIncident: table.loadIncident,
    answer,
    incidentLink: links.incidentLink,
    clock,
    log,
  });
}, log);
