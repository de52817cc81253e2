/** POST /api/v1/rundeck/execution: Rundeck's word that an execution has ended. */

import { openQueues, toCheck } from '#lib/adapters/pipeline-queues.ts';
import { makeReadExecution } from '#lib/adapters/rundeck.ts';
import { executionGate, makeExecutionEndpoint } from '#lib/endpoints/execution-endpoint.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { traceHeaderFor } from '#lib/runtime/log-context.ts';
import { watchFunction } from '#lib/runtime/watch-function.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';
import { makeReceiveExecution } from '#lib/workflow/receive-execution.ts';

const { log, narrate } = watchFunction('receive-execution');

export const handler = whenReady(async () => {
  const settings = await loadSettings([
    'CHECKS_QUEUE_URL',
    'EXECUTION_TOKENS',
    'RUNDECK_URL',
    'RUNDECK_API_TOKEN',
  ]);
  const queues = openQueues(traceHeaderFor);
  const { RUNDECK_URL: url, RUNDECK_API_TOKEN: token } = settings;
  const receive = makeReceiveExecution({
    readExecution:
      url !== undefined && token !== undefined ? makeReadExecution({ url, token }) : async () => undefined,
    sendToCheck: toCheck(queues, settings.CHECKS_QUEUE_URL),
    narrate,
  });
  return makeExecutionEndpoint({ gate: executionGate(settings.EXECUTION_TOKENS), receive, log });
}, log);
