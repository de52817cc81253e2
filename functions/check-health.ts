/** GET /api/v1/health: asks queues, table, Rundeck and the model, where one decides, whether they are there. */
import { openIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { modelHealth } from '#lib/adapters/ollama.ts';
import { createSqsClient, queueDepths } from '#lib/adapters/queue.ts';
import { rundeckHealth } from '#lib/adapters/rundeck.ts';
import {
  type CheckPart,
  makeHealthEndpoint,
  queueCheck,
  tableCheck,
} from '#lib/endpoints/health-endpoint.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { makeLog } from '#lib/runtime/logger.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';

/** A little less than the endpoint gives each check, so that what says no is the part that knows why. */
const PART_MS = 2_800;

const log = makeLog({ function: 'check-health' });

export const handler = whenReady(async () => {
  const settings = await loadSettings([
    'INCIDENTS_TABLE',
    'ALERTS_QUEUE_URL',
    'JOBS_QUEUE_URL',
    'CHECKS_QUEUE_URL',
    'INTAKE_TOKENS',
    'OPERATOR_TOKENS',
    'DECIDER',
    'RUNDECK_URL',
    'RUNDECK_API_TOKEN',
  ]);
  const { DECIDER: decider, RUNDECK_URL: url, RUNDECK_API_TOKEN: token } = settings;
  const model = decider === 'model' ? await modelCheck() : undefined;
  const client = createSqsClient();
  const queue = (queueUrl: string) =>
    queueCheck(() => queueDepths({ client, queueUrls: { queue: queueUrl } }));
  return makeHealthEndpoint({
    decider,
    tokens: [...settings.OPERATOR_TOKENS, ...settings.INTAKE_TOKENS],
    checks: {
      table: tableCheck(openIncidentsTable(settings)),
      alerts_queue: queue(settings.ALERTS_QUEUE_URL),
      jobs_queue: queue(settings.JOBS_QUEUE_URL),
      checks_queue: queue(settings.CHECKS_QUEUE_URL),
      ...(model && { model }),
      rundeck: async () =>
        url !== undefined && token !== undefined
          ? rundeckHealth({ url, token, timeoutMs: PART_MS })
          : { ok: false, detail: 'RUNDECK_URL or RUNDECK_API_TOKEN is not set' },
    },
    log,
  });
}, log);

/** Where rules alone decide there is no model, so none of its settings is read. */
async function modelCheck(): Promise<CheckPart> {
  const { OLLAMA_URL: url, OLLAMA_MODEL: model } = await loadSettings(['OLLAMA_URL', 'OLLAMA_MODEL']);
  return () => modelHealth({ url, model, timeoutMs: PART_MS });
}
