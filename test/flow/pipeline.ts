/** The whole pipeline in this process: the real functions on the embedded AWS, with parts around them to disturb. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { vi } from 'vitest';
import * as z from 'zod';
import {
  createDynamoClient,
  createIncidentsTable,
  type IncidentsTable,
} from '#lib/adapters/incidents-table.ts';
import { readPolicy } from '#lib/adapters/policy-file.ts';
import { queueDepths } from '#lib/adapters/queue.ts';
import type { Incident } from '#lib/core/incident.ts';
import {
  type EmbeddedAws,
  REGION,
  type serviceSchema,
  startEmbeddedAws,
  startPollers,
} from '#local/embedded-aws.ts';
import { startRemediaRundeck } from '#local/rundeck/remedia-project.ts';
import { type SimulatedPeople, startSimulatedPeople } from '#local/simulated-people.ts';
import type { SimulatedRundeck } from '#local/simulated-rundeck.ts';
import { describeService } from '#test/flow/described-service.ts';
import { openSmallGateway, type Route } from '#test/flow/small-gateway.ts';

const root = join(import.meta.dirname, '..', '..');
export const TOKEN = 'flow-intake-token';
const EXECUTION_TOKEN = 'flow-execution-token';

const handlerModule = z.object({
  handler: z.custom<(event: unknown, context: unknown) => Promise<unknown>>(
    (value) => typeof value === 'function',
  ),
});
type Handler = z.infer<typeof handlerModule>['handler'];
const accepted = z.object({ incidentId: z.string(), status: z.string(), link: z.string() });

export interface Pipeline {
  readonly url: string;
  readonly aws: EmbeddedAws;
  readonly table: IncidentsTable;
  readonly rundeck: SimulatedRundeck;
  readonly people: SimulatedPeople;
  /** Posts an alert as Zabbix does; answers its incident's id. */
  readonly post: (
    alert: Readonly<Record<string, unknown>>,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<z.infer<typeof accepted>>;
  /** The incident once it is as wanted; throws with its timeline when that takes too long. */
  readonly until: (incidentId: string, wanted: (incident: Incident) => boolean) => Promise<Incident>;
  /** Moves the clock of everything here, the queues' as well, so that delays pass without waiting. */
  readonly laterBy: (milliseconds: number) => void;
  /** Resolves when a message of this queue waits for its delay to pass. */
  readonly delayed: (queue: string) => Promise<void>;
  /** Puts any text into a queue, by its name in deploy/queues.yml. */
  readonly put: (queue: string, body: string) => Promise<void>;
  /** Runs a function once, such as the sweeper. */
  readonly invoke: (functionName: string, event: unknown) => Promise<unknown>;
  readonly stop: () => Promise<void>;
}

/** Starts it. `environment` adds to the settings of the functions, such as where the model is. */
export async function startPipeline(environment: Readonly<Record<string, string>>): Promise<Pipeline> {
  const { now } = Date;
  let later = 0;
  // Before anything is loaded: the functions keep a reference to it.
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + later);
  const service = await describeService('flow');
  const aws = await startEmbeddedAws({ service });
  const people = await startSimulatedPeople();
  const handlers = new Map<string, Handler>();
  const gateway = await openSmallGateway(() => routesOf(service, handlers));
  const { rundeck, env } = await startRemediaRundeck({
    notificationUrl: `http://rundeck:${EXECUTION_TOKEN}@${gateway.url.slice('http://'.length)}/api/v1/rundeck/execution`,
    // Longer than the first look at it, so that the end is told by Rundeck's own notification.
    jobMs: 300,
  });
  const urlOf = (id: string): string => aws.queues.get(id)?.url ?? '';
  Object.assign(process.env, aws.environment, env, {
    PUBLIC_BASE_URL: gateway.url,
    INCIDENTS_TABLE: aws.tableName,
    ALERTS_QUEUE_URL: urlOf('AlertsQueue'),
    JOBS_QUEUE_URL: urlOf('JobsQueue'),
    CHECKS_QUEUE_URL: urlOf('ChecksQueue'),
    INTAKE_TOKENS: TOKEN,
    EXECUTION_TOKENS: EXECUTION_TOKEN,
    APPROVAL_SIGNING_KEY: 'a key of at least sixteen characters',
    LINK_SIGNING_KEY: 'another key of at least sixteen characters',
    ESCALATION_CHAT_URL: people.url,
    ...environment,
  });
  const client = createDynamoClient({ endpoint: aws.dynamoEndpoint, region: REGION });
  const table = createIncidentsTable({ client, tableName: aws.tableName });
  const reading = readPolicy(await readFile(join(root, 'local', 'policy.yaml'), 'utf8'));
  if (reading.kind !== 'policy') throw new Error(JSON.stringify(reading.problems));
  await table.savePolicy({
    policy: reading.policy,
    hash: reading.hash,
    pushedAt: Date.now(),
    pushedBy: 'test',
  });
  // Only now: a function reads its settings as it is loaded.
  for (const name of Object.keys(service.functions))
    handlers.set(name, handlerModule.parse(await import(`../../functions/${name}.ts`)).handler);
  const invoke = (name: string, event: unknown): Promise<unknown> => {
    const handler = handlers.get(name);
    if (!handler) throw new Error(`no function ${name}`);
    return handler(event, { awsRequestId: crypto.randomUUID(), functionName: name });
  };
  const stopPollers = startPollers({
    service,
    aws,
    invoke: async (name, event) => {
      try {
        return { kind: 'answered', payload: await invoke(name, event) };
      } catch (error) {
        return { kind: 'failed', error: String(error) };
      }
    },
    retryAfterSeconds: 0,
    onFault: () => {},
  });
  return {
    url: gateway.url,
    aws,
    table,
    rundeck,
    people,
    post: async (alert, headers = {}) => {
      const response = await fetch(`${gateway.url}/api/v1/zabbix/alert`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify(alert),
      });
      return accepted.parse(await response.json());
    },
    until: async (incidentId, wanted) => {
      const end = Date.now() + 20_000;
      for (;;) {
        const incident = await table.loadIncident(incidentId);
        if (incident && wanted(incident)) return incident;
        if (Date.now() > end) {
          const way = incident?.timeline.map(({ kind, text }) => `${kind}: ${text}`) ?? ['no such incident'];
          throw new Error(`${incidentId} is ${incident?.state}, ${incident?.outcome}:\n${way.join('\n')}`);
        }
        await sleep(20);
      }
    },
    laterBy: (milliseconds) => {
      later += milliseconds;
    },
    delayed: async (queue) => {
      for (;;) {
        const depths = await queueDepths({ client: aws.sqsClient, queueUrls: { [queue]: urlOf(queue) } });
        if ((depths.get(queue)?.delayed ?? 0) > 0) return;
        await sleep(20);
      }
    },
    put: async (queue, body) => {
      await aws.sqsClient.send(new SendMessageCommand({ QueueUrl: urlOf(queue), MessageBody: body }));
    },
    invoke,
    stop: async () => {
      await stopPollers();
      await rundeck.close();
      await gateway.close();
      await people.stop();
      client.destroy();
      await aws.stop();
      clock.mockRestore();
    },
  };
}

function routesOf(
  { functions }: z.infer<typeof serviceSchema>,
  handlers: ReadonlyMap<string, Handler>,
): readonly Route[] {
  return Object.entries(functions).flatMap(([name, { events }]) =>
    events.flatMap(({ http }) => {
      const handler = handlers.get(name);
      return http && handler ? [{ path: http.path, invoke: (event: unknown) => handler(event, {}) }] : [];
    }),
  );
}
