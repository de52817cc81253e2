/** /api/v1/approvals/{id}: shows a proposal to a human and takes their answer, once. */
import { createDynamoClient, createIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { makeTellHuman } from '#lib/adapters/people.ts';
import { createSqsClient, sendTo } from '#lib/adapters/queue.ts';
import { makeTellByJob } from '#lib/adapters/tell-by-job.ts';
import { makeApprovalEndpoint } from '#lib/endpoints/approval-endpoint.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { LINK_SETTINGS, linksOf } from '#lib/runtime/link-settings.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { makeLog } from '#lib/runtime/logger.ts';
import { makeMeasure, observeIncidents } from '#lib/runtime/metrics.ts';
import { makeNarrate } from '#lib/runtime/narrate.ts';
import { PEOPLE_SETTINGS, peopleOf } from '#lib/runtime/people-settings.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { makeAnswerApproval } from '#lib/workflow/answer-approval.ts';
import { checkMessageSchema, jobMessageSchema } from '#lib/workflow/queue-messages.ts';

const log = makeLog({ function: 'answer-approval' });
const measure = makeMeasure();
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
  const table = observeIncidents(
    createIncidentsTable({
      client: createDynamoClient(),
      tableName: settings.INCIDENTS_TABLE,
      retentionDays: settings.RETENTION_DAYS,
    }),
    measure,
  );
  const client = createSqsClient();
  const links = linksOf(settings);
  const answer = makeAnswerApproval(
    {
      ...table,
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
      clock,
      narrate: makeNarrate(log),
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
