/** The Rundeck contract, on the fake and on the real adapter with the simulated server behind it. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Rundeck’s own templates look like that
import * as z from 'zod';
import {
  makeFindExecution,
  makeReadExecution,
  makeReadOutput,
  makeRunJob,
  parseWebhooks,
} from '#lib/adapters/rundeck.ts';
import type { Tool, ToolName } from '#lib/catalogue/tool.ts';
import { startSimulatedRundeck } from '#local/simulated-rundeck.ts';
import { rundeckContract } from '#test/contracts/rundeck.contract.ts';
import { createMemoryRundeck, type PostFault } from '#test/fakes/rundeck-memory.ts';

const UUID = '11111111-2222-4333-8444-555555555502';
const JOB = `
- name: restart_service
  group: remedia
  uuid: ${UUID}
  multipleExecutions: true
  nodesSelectedByDefault: false
  options:
    - {name: service_name, required: true}
    - {name: remedia_decision_id, required: true}
  sequence: {commands: [{exec: 'true'}]}
`;
const tool = (name: ToolName): Tool => ({
  name,
  description: 'x',
  when: ['down'],
  safety: 'disruptive',
  parameters: z.strictObject({ service_name: z.string() }),
  job: { name, uuid: UUID, timeLimitSeconds: 60 },
  recoveryWithinSeconds: 60,
});
const catalogue: Readonly<Record<ToolName, Tool>> = {
  cleanup_disk: tool('cleanup_disk'),
  restart_service: tool('restart_service'),
  analyze_processes: tool('analyze_processes'),
  restart_application: tool('restart_application'),
  notify: tool('notify'),
};

rundeckContract('in memory', async () => {
  const fake = createMemoryRundeck();
  return {
    ...fake,
    started: () => fake.orders().length,
    failNext: async (fault) => fake.failNext(fault),
    mend: async () => {},
    settled: async () => {},
    close: async () => {},
  };
});

rundeckContract('the real adapter and the simulated server', async () => {
  const server = await startSimulatedRundeck({
    jobs: [JOB],
    nodes: 'any',
    webhooks: [
      {
        name: 'restart_service',
        roles: 'admin',
        eventPlugin: 'webhook-run-job',
        config: {
          jobId: UUID,
          argString: '-service_name ${data.service_name} -remedia_decision_id ${data.remedia_decision_id}',
          nodeFilter: 'name: ${data.node_filter}',
        },
      },
    ],
  });
  const api = { url: server.url, token: server.apiToken, timeoutMs: 2_000, catalogue };
  const runWith = (changeUrl: (url: string) => string = (url) => url) =>
    makeRunJob({
      webhooks: parseWebhooks(
        JSON.stringify({ restart_service: changeUrl(server.webhookUrls()['restart_service'] ?? '') }),
      ),
      catalogue,
      timeoutMs: 300,
    });
  let runJob = runWith();
  return {
    runJob: (order) => runJob(order),
    readExecution: makeReadExecution(api),
    readOutput: makeReadOutput(api),
    findExecution: makeFindExecution(api),
    started: () => server.executions().length,
    failNext: async (fault: PostFault) => {
      if (fault === 'refused') await server.refuse();
      if (fault === 'busy') server.setFault({ kind: 'busy', times: 1 });
      if (fault === 'unanswered') server.setFault({ kind: 'hang_after_accepting', times: 1 });
      if (fault === 'unauthorized') runJob = runWith((url) => url.replace(/webhook\/.*/, 'webhook/wrong'));
    },
    mend: async () => {
      await server.listenAgain();
      server.setFault(undefined);
      runJob = runWith();
    },
    endAs: (status, lines = []) => {
      server.setScenario(() => ({
        afterMs: status === 'running' ? 600_000 : 1,
        exitCode: status === 'failed' ? 1 : 0,
        lines,
      }));
    },
    settled: async () => {
      const last = server.executions().at(-1);
      while (last?.status === 'running') await new Promise((resolve) => setImmediate(resolve));
    },
    close: server.close,
  };
});
