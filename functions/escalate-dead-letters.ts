/** From the dead-letter queues: tells a human about every message that nobody could handle. */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { openIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { makeTellHuman } from '#lib/adapters/people.ts';
import { makeTellByJob } from '#lib/adapters/tell-by-job.ts';
import { traceOfXray } from '#lib/core/trace.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { LINK_SETTINGS, linksOf } from '#lib/runtime/link-settings.ts';
import { inLogContext } from '#lib/runtime/log-context.ts';
import { errorFields } from '#lib/runtime/logger.ts';
import { observeIncidents } from '#lib/runtime/metrics.ts';
import { PEOPLE_SETTINGS, peopleOf } from '#lib/runtime/people-settings.ts';
import { watchFunction } from '#lib/runtime/watch-function.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { makeEscalateDeadLetters } from '#lib/workflow/escalate-dead-letters.ts';

const { log, measure, narrate, channels } = watchFunction('escalate-dead-letters');

export const handler = whenReady<SQSEvent, SQSBatchResponse>(async () => {
  const settings = await loadSettings([
    'INCIDENTS_TABLE',
    'RETENTION_DAYS',
    ...LINK_SETTINGS,
    ...PEOPLE_SETTINGS,
  ]);
  const escalate = makeEscalateDeadLetters(
    {
      ...observeIncidents(openIncidentsTable(settings), measure),
      tellHuman: makeTellHuman(peopleOf(settings), channels),
      tellByJob: makeTellByJob(peopleOf(settings)),
      clock: Date.now,
      narrate,
    },
    linksOf(settings),
  );
  return async ({ Records }) => {
    const batchItemFailures: { itemIdentifier: string }[] = [];
    const about: string[] = [];
    for (const { messageId, body, attributes, eventSourceARN } of Records) {
      const context = {
        incident_id: /\b(?:inc|sim)_[0-9a-f]{24}\b/.exec(body)?.[0],
        trace_id: traceOfXray(attributes.AWSTraceHeader),
      };
      try {
        await inLogContext(context, () =>
          escalate({ queue: eventSourceARN.split(':').at(-1) ?? '', messageId, body }),
        );
      } catch (error) {
        log.error('a human could not be told of a dead letter', {
          ...context,
          message_id: messageId,
          ...errorFields(error),
        });
        batchItemFailures.push({ itemIdentifier: messageId });
        about.push(`${messageId} (${context.incident_id ?? 'of no incident'})`);
      }
    }
    // A partial failure is in no metric. Of several letters, those that were told must not come again for this.
    if (Records.length > 0 && batchItemFailures.length === Records.length) {
      throw new Error(`No human could be told of the dead letter ${about.join(', ')}`);
    }
    return { batchItemFailures };
  };
}, log);
