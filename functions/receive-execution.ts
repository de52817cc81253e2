/** POST /api/v1/rundeck/execution: Rundeck's word that an execution has ended. */

import { createSqsClient, sendTo } from '#lib/adapters/queue.ts';
import { makeReadExecution } from '#lib/adapters/rundeck.ts';
import { executionGate, makeExecutionEndpoint } from '#lib/endpoints/execution-endpoint.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { makeLog } from '#lib/runtime/logger.ts';
import { makeNarrate } from '#lib/runtime/narrate.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { checkMessageSchema } from '#lib/workflow/queue-messages.ts';
import { makeReceiveExecution } from '#lib/workflow/receive-execution.ts';

const log = makeLog({ function: 'receive-execution' });

export const handler = whenReady(async () => {
  const settings = await loadSettings([
    'CHECKS_QUEUE_URL',
    'EXECUTION_TOKENS',
    'RUNDECK_URL',
    'RUNDECK_API_TOKEN',
  ]);
  const { RUNDECK_URL: url, RUNDECK_API_TOKEN: token } = settings;
  const receive = makeReceiveExecution({
    readExecution:
      url !== undefined && token !== undefined ? makeReadExecution({ url, token }) : async () => undefined,
    sendToCheck: sendTo({
      client: createSqsClient(),
      queueUrl: settings.CHECKS_QUEUE_URL,
      schema: checkMessageSchema,
      traceHeaderFor,
    }),
    narrate: makeNarrate(log),
  });
  return makeExecutionEndpoint({ gate: executionGate(settings.EXECUTION_TOKENS), receive, log });
}, log);
