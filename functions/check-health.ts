/** GET /api/v1/health: asks queues, table and Rundeck whether they are there. */
import { createDynamoClient, createIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { createSqsClient, queueDepths } from '#lib/adapters/queue.ts';
import { rundeckHealth } from '#lib/adapters/rundeck.ts';
import { makeHealthEndpoint, queueCheck, tableCheck } from '#lib/endpoints/health-endpoint.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { makeLog } from '#lib/runtime/logger.ts';
import { whenReady } from '#lib/runtime/when-ready.ts';

const log = makeLog({ function: 'check-health' });

export const handler = whenReady(async () => {
  const settings = await loadSettings([
    'INCIDENTS_TABLE',
    'ALERTS_QUEUE_URL',
    'JOBS_QUEUE_URL',
    'CHECKS_QUEUE_URL',
    'INTAKE_TOKENS',
    'OPERATOR_TOKENS',
    'RUNDECK_URL',
    'RUNDECK_API_TOKEN',
  ]);
  const { RUNDECK_URL: url, RUNDECK_API_TOKEN: token } = settings;
  const client = createSqsClient();
  const queue = (queueUrl: string) =>
    queueCheck(() => queueDepths({ client, queueUrls: { queue: queueUrl } }));
  return makeHealthEndpoint({
    tokens: [...settings.OPERATOR_TOKENS, ...settings.INTAKE_TOKENS],
    checks: {
      table: tableCheck(
        createIncidentsTable({ client: createDynamoClient(), tableName: settings.INCIDENTS_TABLE }),
      ),
      alerts_queue: queue(settings.ALERTS_QUEUE_URL),
      jobs_queue: queue(settings.JOBS_QUEUE_URL),
      checks_queue: queue(settings.CHECKS_QUEUE_URL),
      rundeck: async () =>
        url !== undefined && token !== undefined
          ? rundeckHealth({ url, token })
          : { ok: false, detail: 'RUNDECK_URL or RUNDECK_API_TOKEN is not set' },
    },
    log,
  });
}, log);
