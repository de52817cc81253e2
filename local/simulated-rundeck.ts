/** A SIMULATION of Rundeck 5: reads real job, webhook and access-policy files, and answers as Rundeck does. */
import { createServer, type ServerResponse } from 'node:http';
import type { Subject } from './rundeck/access-policy.ts';
import { type Answer, API_VERSION, plain } from './rundeck/answers.ts';
import type { SimulatedExecution } from './rundeck/execution.ts';
import { makeFaults, type RundeckFault } from './rundeck/faults.ts';
import { loadExecutions, saveExecutions } from './rundeck/kept-executions.ts';
import {
  ADMIN,
  addWebhook,
  importJobs,
  importPolicies,
  type ProjectState,
  type ReceivedPost,
  token32,
  type WebhookDefinition,
} from './rundeck/project-state.ts';
import { route } from './rundeck/routes.ts';
import { type ChooseScenario, type ExecutionSettings, makeExecutions } from './rundeck/run-executions.ts';

export interface SimulatedRundeckOptions extends Omit<ExecutionSettings, 'save'> {
  readonly port?: number;
  readonly host?: string;
  readonly project?: string;
  /** Texts of job definition files. */
  readonly jobs?: readonly string[];
  /** Texts of access-policy files; without any, tokens other than the administrator's may do nothing. */
  readonly accessPolicies?: readonly string[];
  /** API tokens and whose they are; a member of `admin` may do everything. */
  readonly tokens?: Readonly<Record<string, Subject>>;
  /** Webhooks that are there from the start. */
  readonly webhooks?: readonly (WebhookDefinition & {
    readonly authToken?: string;
    readonly secret?: string;
  })[];
  readonly print?: (line: string) => void;
  /** Where executions are kept over a restart; what was running then is aborted, as a real Rundeck does it. */
  readonly stateFile?: string;
}

export interface SimulatedRundeck {
  readonly url: string;
  readonly port: number;
  /** An administrator's token. */
  readonly apiToken: string;
  /** `name → URL` of the webhooks that are there, as Rundeck's page shows them. */
  webhookUrls(): Readonly<Record<string, string>>;
  executions(): readonly SimulatedExecution[];
  /** Every post to a webhook that got as far as the plugin. */
  posts(): readonly ReceivedPost[];
  /** Resolves when no execution is running. */
  idle(): Promise<void>;
  setFault(fault: RundeckFault | undefined): void;
  setScenario(scenario: ChooseScenario | undefined): void;
  /** Stops listening, so that connections are refused, until `listenAgain`. */
  refuse(): Promise<void>;
  listenAgain(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the simulation. It says in every line that it prints that it is one. */
export async function startSimulatedRundeck(
  options: SimulatedRundeckOptions = {},
): Promise<SimulatedRundeck> {
  const { stateFile, host = '127.0.0.1', nodes } = options;
  const apiToken = token32();
  const state: ProjectState = {
    project: options.project ?? 'remedia',
    print: (line) => options.print?.(`[simulated Rundeck] ${line}`),
    tokens: new Map([[apiToken, ADMIN], ...Object.entries(options.tokens ?? {})]),
    jobs: new Map(),
    policies: new Map(),
    webhooks: new Map(),
    executions: stateFile === undefined ? [] : loadExecutions(stateFile),
    posts: [],
    faults: makeFaults(),
    base: '',
  };
  for (const text of options.jobs ?? []) importJobs(state, text);
  for (const [index, text] of (options.accessPolicies ?? []).entries()) {
    importPolicies(state, `file-${index}`, text);
  }
  for (const given of options.webhooks ?? []) addWebhook(state, given, given);
  const executions = makeExecutions(state, {
    ...options,
    save: () => {
      if (stateFile !== undefined) saveExecutions(stateFile, state.executions);
    },
  });
  const parts = { state, executions, nodes: nodes === undefined || nodes === 'any' ? [] : nodes };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      try {
        respond(response, route(parts, request, Buffer.concat(chunks).toString('utf8')));
      } catch (error) {
        state.print(`internal error: ${error instanceof Error ? error.message : 'unknown'}`);
        respond(response, plain(500, 'Internal Server Error'));
      }
    });
  });
  const listen = (port: number) =>
    new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const port = await listen(options.port ?? 0);
  const base = `http://${host}:${port}`;
  state.base = base;
  state.print(`answers at ${base}: this is a simulation, no job of a real Rundeck runs`);

  return {
    url: base,
    port,
    apiToken,
    webhookUrls: () =>
      Object.fromEntries(
        [...state.webhooks.values()].map((hook) => [
          hook.name,
          `${base}/api/${API_VERSION}/webhook/${hook.authToken}#${encodeURIComponent(hook.name)}`,
        ]),
      ),
    executions: () => state.executions,
    posts: () => state.posts,
    idle: executions.idle,
    setFault: state.faults.set,
    setScenario: executions.setScenario,
    refuse: stop,
    listenAgain: async () => {
      if (!server.listening) await listen(port);
    },
    close: async () => {
      await executions.close();
      if (server.listening) await stop();
    },
  };
}

function respond(response: ServerResponse, answer: Answer): void {
  if (answer.silence === 'hang') return;
  if (answer.silence === 'cut') {
    response.destroy();
    return;
  }
  response.writeHead(answer.status, {
    'content-type': answer.type ?? 'application/json;charset=UTF-8',
    'x-rundeck-simulation': 'true',
  });
  response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
}
