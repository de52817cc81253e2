/** Everything around the functions on one machine: queues, table, pollers, and stand-ins for what is not there. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { createDynamoClient, createIncidentsTable } from '#lib/adapters/incidents-table.ts';
import { readPolicy } from '#lib/adapters/policy-file.ts';
import { claimDataDirectory } from './data-directory.ts';
import { type EmbeddedAws, REGION, serviceSchema, startEmbeddedAws, startPollers } from './embedded-aws.ts';
import { makeGiveWay } from './give-way.ts';
import { invoke } from './invoke.ts';
import { LOCAL_INTAKE_TOKEN, type LocalSettings, readLocalSettings } from './local-settings.ts';
import { say, sayLoudly } from './output.ts';
import { startRemediaRundeck } from './rundeck/remedia-project.ts';
import { announceStack } from './running-stack.ts';
import { startSimulatedModel } from './simulated-model.ts';
import { startSimulatedPeople } from './simulated-people.ts';

const RETRY_AFTER_SECONDS = 5;

export interface OneMachine {
  readonly stop: () => Promise<void>;
}

/** What of serverless's service is changed: each function's environment gets the values of this machine. */
interface Service {
  readonly functions: Record<string, { environment?: Record<string, unknown> }>;
}

/**
 * Starts everything but the API itself, and begins to poll as soon as the Lambda endpoint listens.
 * Throws one sentence when a setting, the policy or a part cannot be used.
 */
export async function startOneMachine({
  service,
  lambdaEndpoint,
  httpPort,
}: {
  readonly service: Service;
  readonly lambdaEndpoint: string;
  readonly httpPort: number;
}): Promise<OneMachine> {
  const settings = readLocalSettings(process.env);
  const described = serviceSchema.parse(service);
  const ends: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    // What feeds stops before what is fed.
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    ends.push(await claimDataDirectory(settings.dataDir));
    const aws = await startEmbeddedAws({ service: described, dataDir: settings.dataDir });
    ends.push(aws.stop);
    Object.assign(process.env, aws.environment);
    await preparePolicy(aws, settings);

    const publicBaseUrl = settings.given['PUBLIC_BASE_URL'] ?? `http://127.0.0.1:${httpPort}`;
    // Only this process and its simulated Rundeck know it.
    const executionToken = randomBytes(16).toString('hex');
    const simulated: Record<string, string> = {};
    const defaults: Record<string, string> = {
      PUBLIC_BASE_URL: publicBaseUrl,
      INTAKE_TOKENS: LOCAL_INTAKE_TOKEN,
      OPERATOR_TOKENS: settings.given['INTAKE_TOKENS'] ?? LOCAL_INTAKE_TOKEN,
      EXECUTION_TOKENS: executionToken,
      APPROVAL_SIGNING_KEY: await signingKey(settings.dataDir, 'signing-key'),
      LINK_SIGNING_KEY: await signingKey(settings.dataDir, 'link-signing-key'),
      OLLAMA_URL: settings.ollamaUrl,
      OLLAMA_MODEL: settings.ollamaModel,
    };
    const missing = settings.decider === 'rules' ? undefined : await whatOllamaLacks(settings);
    if (settings.decider === 'rules')
      say('Model: none. DECIDER=rules: evidence, words and policy alone decide.');
    else if (missing === undefined)
      say(`Model: ${settings.ollamaModel} of the Ollama at ${settings.ollamaUrl}`);
    else {
      const model = await startSimulatedModel();
      ends.push(() => model.close());
      simulated['OLLAMA_URL'] = model.url;
      sayLoudly(`SIMULATED: the model. ${missing}`);
    }
    if (!settings.rundeck) {
      const { rundeck, env: access } = await startRemediaRundeck({
        notificationUrl: `http://rundeck:${executionToken}@127.0.0.1:${httpPort}/api/v1/rundeck/execution`,
        jobMs: 1500,
        stateFile: join(settings.dataDir, 'simulated-rundeck.json'),
        print: (line) => say(`          ${line}`),
      });
      ends.push(() => rundeck.close());
      Object.assign(simulated, access);
      sayLoudly('SIMULATED: Rundeck. Jobs only pretend; RUNDECK_URL and RUNDECK_WEBHOOKS name a real one.');
    }
    if (!settings.people) {
      const people = await startSimulatedPeople((text) => sayLoudly(`A HUMAN IS TOLD: ${text}`));
      ends.push(people.stop);
      simulated['ESCALATION_CHAT_URL'] = people.url;
      sayLoudly('SIMULATED: people. What they are told is printed here; ESCALATION_CHAT_URL names a chat.');
    }
    ends.push(
      await announceStack(settings.dataDir, {
        ...aws.environment,
        DECIDER: settings.decider,
        OLLAMA_URL: simulated['OLLAMA_URL'] ?? settings.ollamaUrl,
        OLLAMA_MODEL: settings.ollamaModel,
        INCIDENTS_TABLE: aws.tableName,
        ALERTS_QUEUE_URL: aws.queues.get('AlertsQueue')?.url ?? '',
        JOBS_QUEUE_URL: aws.queues.get('JobsQueue')?.url ?? '',
        CHECKS_QUEUE_URL: aws.queues.get('ChecksQueue')?.url ?? '',
      }),
    );
    setEnvironment(service, {
      references: new Map<string, string>([
        ['IncidentsTable', aws.tableName],
        ...[...aws.queues].map(([id, { url }]) => [id, url] as const),
      ]),
      values: { ...defaults, ...settings.given, ...simulated },
    });
    const stopping = new AbortController();
    ends.push(async () => stopping.abort());
    void answering(lambdaEndpoint, stopping.signal).then(() => {
      if (stopping.signal.aborted) return;
      ends.push(
        startPollers({
          service: described,
          aws,
          invoke: (name, event) => invoke(lambdaEndpoint, name, event),
          retryAfterSeconds: RETRY_AFTER_SECONDS,
          onFault: say,
          giveWay: makeGiveWay(),
        }),
      );
      // What was due while nothing ran is not left waiting for the next minute.
      const sweeps = Object.values(described.functions)
        .filter(({ events }) => events.some(({ schedule }) => schedule !== undefined))
        .map(({ name }) => invoke(lambdaEndpoint, name, {}));
      ends.push(async () => {
        await Promise.all(sweeps);
      });
      say(`Ready: http://127.0.0.1:${httpPort} takes alerts. Data: ${settings.dataDir}`);
    });
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Why the model has to be simulated, in one sentence; `undefined` when Ollama answers and has it. */
async function whatOllamaLacks({ ollamaUrl, ollamaModel }: LocalSettings): Promise<string | undefined> {
  try {
    const response = await fetch(`${ollamaUrl.replace(/\/$/, '')}/api/show`, {
      method: 'POST',
      // A pinned digest is no part of the name.
      body: JSON.stringify({ model: ollamaModel.split('@sha256:')[0] }),
      signal: AbortSignal.timeout(2000),
    });
    await response.arrayBuffer();
    return response.ok
      ? undefined
      : `The Ollama at ${ollamaUrl} has no ${ollamaModel}; OLLAMA_MODEL names one that it has.`;
  } catch {
    return `No Ollama answers at ${ollamaUrl}; OLLAMA_URL names one.`;
  }
}

/** Kept, so that the links of yesterday's messages still work. */
async function signingKey(dataDir: string, name: string): Promise<string> {
  const file = join(dataDir, name);
  try {
    return await readFile(file, 'utf8');
  } catch {
    const key = randomBytes(32).toString('hex');
    await writeFile(file, key, { mode: 0o600 });
    return key;
  }
}

/**
 * Pushes the policy's file when the table holds none, or when the user named one and it has changed. What was pushed
 * by hand stays. Throws one sentence with file, line and what was expected.
 */
async function preparePolicy(
  { dynamoEndpoint, tableName }: EmbeddedAws,
  { policyFile, policyNamed }: LocalSettings,
): Promise<void> {
  const client = createDynamoClient({ endpoint: dynamoEndpoint, region: REGION });
  try {
    const { loadPolicy, savePolicy } = createIncidentsTable({ client, tableName });
    const text = await readFile(policyFile, 'utf8').catch((error: unknown) => {
      throw new Error(
        `The policy ${policyFile} cannot be read: ${error instanceof Error ? error.message : error}.`,
      );
    });
    const reading = readPolicy(text);
    if (reading.kind === 'problems') {
      const [first] = reading.problems;
      throw new Error(
        `The policy ${policyFile} cannot be used: line ${first?.line}, column ${first?.column}: ` +
          `${first?.path ? `${first.path}: ` : ''}${first?.message}.`,
      );
    }
    const stored = await loadPolicy();
    if (stored !== undefined && (!policyNamed || stored.hash === reading.hash)) return;
    await savePolicy({
      policy: reading.policy,
      hash: reading.hash,
      pushedAt: Date.now(),
      pushedBy: `npm start (${userInfo().username})`,
    });
    say(`Policy: ${policyFile}`);
  } finally {
    client.destroy();
  }
}

/** Waits until something answers there; serverless-offline tells nobody when it is ready. */
async function answering(endpoint: string, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    try {
      await fetch(endpoint, { signal: AbortSignal.timeout(1000) });
      return;
    } catch {
      await sleep(50);
    }
  }
}

/**
 * Gives every function its settings as they are on this machine, and no function a setting that serverless.yml does
 * not give it: what was set by the user first, then what a reference of the template stands for here.
 */
function setEnvironment(
  service: Service,
  here: {
    readonly references: ReadonlyMap<string, string>;
    readonly values: Readonly<Record<string, string>>;
  },
): void {
  const reference = z.object({ Ref: z.string() });
  for (const definition of Object.values(service.functions)) {
    const environment: Record<string, unknown> = definition.environment ?? {};
    for (const [name, value] of Object.entries(environment)) {
      const referred = reference.safeParse(value);
      // What the template makes is always this machine's own, whatever the shell was left with.
      const made = referred.success ? here.references.get(referred.data.Ref) : undefined;
      const local = made ?? here.values[name];
      // A secret that nobody gave stands in the template as the name of a parameter which is not there.
      environment[name] = local ?? (typeof value === 'string' && !value.startsWith('ssm:') ? value : '');
    }
    definition.environment = environment;
  }
}
