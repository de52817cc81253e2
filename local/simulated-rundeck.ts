/** A SIMULATION of Rundeck 5: reads real job, webhook and access-policy files, and answers as Rundeck does. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import * as z from 'zod';
import {
  type AccessPolicy,
  isAllowed,
  parseAccessPolicies,
  type Resource,
  type Subject,
} from './rundeck/access-policy.ts';
import { readOptions, renderStep } from './rundeck/arguments.ts';
import { renderExecution, type SimulatedExecution } from './rundeck/execution.ts';
import { checkOptions, type JobDefinition, parseJobs, timeoutSeconds } from './rundeck/job-definition.ts';
import { chooseNodes, type Node, parseNodeFilter } from './rundeck/node-filter.ts';
import { notificationRequest, notificationUrls, type Trigger } from './rundeck/notification.ts';
import type { RunStep } from './rundeck/run-over-ssh.ts';
import { readWebhookPost } from './rundeck/webhook.ts';

const API_VERSION = 58;
const OLDEST_API_VERSION = 14;

/** A fault that the next answers show; `times` is how often, for ever when absent. */
export type RundeckFault = (
  | { readonly kind: 'busy' }
  | { readonly kind: 'status'; readonly status: number; readonly body?: string }
  /** The execution is created, and no answer comes. */
  | { readonly kind: 'hang_after_accepting' }
  /** Nothing is done, and no answer comes. */
  | { readonly kind: 'hang' }
  /** The connection is cut after the execution was created. */
  | { readonly kind: 'cut_after_accepting' }
) & { readonly times?: number; readonly on?: 'webhook' | 'api' };

/** How a pretended execution goes. */
export interface Scenario {
  readonly afterMs?: number;
  readonly exitCode?: number;
  readonly lines?: readonly string[];
}

export interface SimulatedRundeckOptions {
  readonly port?: number;
  readonly host?: string;
  readonly project?: string;
  /** Texts of job definition files. */
  readonly jobs?: readonly string[];
  /** Texts of access-policy files; without any, tokens other than the administrator's may do nothing. */
  readonly accessPolicies?: readonly string[];
  /** The project's nodes; `any` invents the node that an exact filter names, tagged `remedia`, or one with its tag. */
  readonly nodes?: readonly Node[] | 'any';
  /** API tokens and whose they are; a member of `admin` may do everything. */
  readonly tokens?: Readonly<Record<string, Subject>>;
  /** Webhooks that are there from the start. */
  readonly webhooks?: readonly (WebhookDefinition & {
    readonly authToken?: string;
    readonly secret?: string;
  })[];
  /** Runs the steps; without it executions only pretend, as `scenario` says. */
  readonly runStep?: RunStep;
  readonly scenario?: (execution: SimulatedExecution, job: JobDefinition) => Scenario;
  /** Milliseconds that a pretended execution takes when its scenario does not say. */
  readonly jobMs?: number;
  readonly notificationKey?: string;
  /** Replaces where job files say that notifications go. */
  readonly notificationUrl?: string;
  readonly print?: (line: string) => void;
  /** Where executions are kept over a restart; what was running then is aborted, as a real Rundeck does it. */
  readonly stateFile?: string;
}

const webhookConfig = z.object({
  jobId: z.string(),
  argString: z.string().nullish(),
  nodeFilter: z.string().nullish(),
  asUser: z.string().nullish(),
});
const webhookDefinition = z.object({
  name: z.string().min(1),
  user: z.string().optional(),
  roles: z.string(),
  eventPlugin: z.enum(['webhook-run-job', 'log-webhook-event']),
  enabled: z.boolean().default(true),
  config: z.record(z.string(), z.unknown()),
});
export type WebhookDefinition = z.input<typeof webhookDefinition>;

interface StoredWebhook extends z.infer<typeof webhookDefinition> {
  readonly id: number;
  readonly uuid: string;
  readonly authToken: string;
  readonly user: string;
  readonly secret?: string;
}

export interface ReceivedPost {
  readonly at: number;
  readonly webhook: string;
  readonly body: string;
  readonly executionId?: string;
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
  setScenario(scenario: SimulatedRundeckOptions['scenario']): void;
  /** Stops listening, so that connections are refused, until `listenAgain`. */
  refuse(): Promise<void>;
  listenAgain(): Promise<void>;
  close(): Promise<void>;
}

const ADMIN: Subject = { user: 'admin', groups: ['admin'] };

function token32(): string {
  return randomBytes(24).toString('base64url').replaceAll(/[-_]/g, 'x').slice(0, 32);
}

/** Starts the simulation. It says in every line that it prints that it is one. */
export async function startSimulatedRundeck(
  options: SimulatedRundeckOptions = {},
): Promise<SimulatedRundeck> {
  const project = options.project ?? 'remedia';
  const print = (line: string) => options.print?.(`[simulated Rundeck] ${line}`);
  const apiToken = token32();
  const tokens = new Map<string, Subject>([[apiToken, ADMIN], ...Object.entries(options.tokens ?? {})]);
  const jobs = new Map<string, JobDefinition>();
  const policies = new Map<string, readonly AccessPolicy[]>();
  const webhooks = new Map<number, StoredWebhook>();
  const executions: SimulatedExecution[] =
    options.stateFile === undefined ? [] : loadState(options.stateFile);
  const save = () => {
    if (options.stateFile !== undefined) saveState(options.stateFile, executions);
  };
  const posts: ReceivedPost[] = [];
  const running = new Map<number, { readonly abort: AbortController; readonly done: Promise<void> }>();
  const notifications = new Set<Promise<void>>();
  let fault: { setting: RundeckFault; left: number } | undefined;
  let scenario = options.scenario;
  let base = '';

  const importJobs = (text: string): JobDefinition[] =>
    parseJobs(text).map((definition) => {
      const uuid =
        definition.uuid ??
        [...jobs].find(([, one]) => one.name === definition.name && one.group === definition.group)?.[0] ??
        crypto.randomUUID();
      const stored = { ...definition, uuid };
      jobs.set(uuid, stored);
      return stored;
    });
  for (const text of options.jobs ?? []) importJobs(text);
  for (const [index, text] of (options.accessPolicies ?? []).entries()) {
    policies.set(`file-${index}`, parseAccessPolicies(text));
  }
  const addWebhook = (
    given: WebhookDefinition,
    more: { authToken?: string; secret?: string } = {},
  ): StoredWebhook => {
    const stored: StoredWebhook = {
      ...webhookDefinition.parse(given),
      user: given.user ?? ADMIN.user,
      id: Math.max(0, ...webhooks.keys()) + 1,
      uuid: crypto.randomUUID(),
      authToken: more.authToken ?? token32(),
      ...(more.secret === undefined ? {} : { secret: more.secret }),
    };
    webhooks.set(stored.id, stored);
    return stored;
  };
  for (const given of options.webhooks ?? []) addWebhook(given, given);

  const may = (
    subject: Subject,
    resource: Resource,
    action: string,
    where: 'project' | 'application' = 'project',
  ) =>
    subject.groups.includes('admin') ||
    isAllowed(
      [...policies.values()].flat(),
      subject,
      where === 'project' ? project : undefined,
      resource,
      action,
    );
  const jobResource = (job: JobDefinition): Resource => ({ type: 'job', group: job.group, name: job.name });

  const projectNodes = (filter: string): readonly Node[] => {
    if (options.nodes !== 'any') return options.nodes ?? [];
    const { name: named, tags } = parseNodeFilter(filter).include;
    const name = named?.replaceAll('\\.', '.') ?? '';
    if (named === undefined && tags !== undefined) {
      return [{ nodename: `any-${tags}`, hostname: 'localhost', tags, osFamily: 'unix' }];
    }
    return /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)
      ? [{ nodename: name, hostname: name, tags: 'remedia', osFamily: 'unix' }]
      : [];
  };

  // Executions

  const notify = (trigger: Trigger, execution: SimulatedExecution, job: JobDefinition) => {
    const notice = job.notification[`on${trigger}`];
    if (notice === undefined) return;
    const urls = options.notificationUrl ?? notice.urls;
    for (const url of notificationUrls(urls, execution)) {
      const attempt = async () => {
        try {
          const request = notificationRequest(
            url,
            trigger,
            renderExecution(execution, job, base, API_VERSION, 'notification'),
            options.notificationKey,
          );
          const answer = await fetch(request.url, {
            method: 'POST',
            headers: request.headers,
            body: request.body,
            redirect: 'manual',
            // Rundeck's own: one attempt, 15 s.
            signal: AbortSignal.timeout(15_000),
          });
          await answer.arrayBuffer();
          print(`notification ${trigger} of execution ${execution.id} → ${answer.status}`);
        } catch {
          print(`notification ${trigger} of execution ${execution.id} failed and is dropped`);
        }
      };
      const sent = attempt().finally(() => notifications.delete(sent));
      notifications.add(sent);
    }
  };

  const wait = (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });

  const runNode = async (
    execution: SimulatedExecution,
    job: JobDefinition,
    node: Node,
    signal: AbortSignal,
  ): Promise<number> => {
    const log = (line: string, level: 'NORMAL' | 'ERROR' = 'NORMAL') =>
      execution.output.push({ at: Date.now(), level, log: line, node: node.nodename });
    if (options.runStep !== undefined) {
      for (const command of job.sequence.commands) {
        const code = await options.runStep({
          node,
          render: (path) => renderStep(command, execution.options, path),
          signal,
          print: log,
        });
        if (code !== 0) {
          log(`Result: ${code}`, 'ERROR');
          return code;
        }
      }
      return 0;
    }
    const how = scenario?.(execution, job) ?? {};
    await wait(how.afterMs ?? options.jobMs ?? 500, signal);
    if (signal.aborted) return 255;
    for (const line of how.lines ?? [`(simulated) ${job.name} on ${node.nodename}: nothing was really run`]) {
      log(line);
    }
    return how.exitCode ?? 0;
  };

  const runExecution = async (
    execution: SimulatedExecution,
    job: JobDefinition,
    nodes: readonly Node[],
    abort: AbortController,
  ) => {
    notify('start', execution, job);
    let timedOut = false;
    const limit = timeoutSeconds(job.timeout);
    const timer =
      limit === 0
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            abort.abort();
          }, limit * 1_000);
    if (nodes.length === 0) {
      execution.output.push({
        at: Date.now(),
        level: 'ERROR',
        log: 'No matched nodes: the node filter chose none',
      });
    }
    for (const node of nodes) {
      const code = await runNode(execution, job, node, abort.signal);
      (code === 0 ? execution.successfulNodes : execution.failedNodes).push(node.nodename);
      if (code !== 0) break;
    }
    clearTimeout(timer);
    execution.endedAt = Date.now();
    execution.status = timedOut
      ? 'timedout'
      : abort.signal.aborted
        ? 'aborted'
        : nodes.length > 0 && execution.failedNodes.length === 0
          ? 'succeeded'
          : 'failed';
    running.delete(execution.id);
    save();
    print(`execution ${execution.id} of ${job.name}: ${execution.status}`);
    notify(execution.status === 'succeeded' ? 'success' : 'failure', execution, job);
  };

  type Start =
    | { readonly kind: 'started'; readonly execution: SimulatedExecution }
    | {
        readonly kind: 'refused';
        readonly why: 'unauthorized' | 'disabled' | 'invalid' | 'conflict';
        readonly message: string;
      };

  /** `filter` replaces the job's own; empty leaves it, and then every node of the job's filter is taken. */
  const start = (
    job: JobDefinition,
    subject: Subject,
    given: Readonly<Record<string, string>>,
    filter: string,
  ): Start => {
    const uuid = job.uuid ?? '';
    if (!may(subject, jobResource(job), 'run')) {
      return { kind: 'refused', why: 'unauthorized', message: `Unauthorized: run job ${uuid}` };
    }
    if (!job.executionEnabled) {
      return { kind: 'refused', why: 'disabled', message: 'Job execution is disabled' };
    }
    const checked = checkOptions(job, given);
    if (checked.message !== undefined) {
      return { kind: 'refused', why: 'invalid', message: `Job options were not valid: ${checked.message}` };
    }
    const most = job.multipleExecutions ? Number(job.maxMultipleExecutions ?? 0) : 1;
    const busy = executions.filter((one) => one.jobUuid === uuid && one.status === 'running').length;
    if (most > 0 && busy >= most) {
      return {
        kind: 'refused',
        why: 'conflict',
        message: `Job "${job.name}" {{Job ${uuid}}}: Limit of running executions has been reached.`,
      };
    }
    const nodeFilter = filter === '' ? (job.nodefilters?.filter ?? '') : filter;
    const nodes = chooseNodes(nodeFilter, projectNodes(nodeFilter)).filter((node) =>
      may(subject, { type: 'node', nodename: node.nodename, tags: node.tags ?? '' }, 'run'),
    );
    const execution: SimulatedExecution = {
      id: (executions.at(-1)?.id ?? 0) + 1,
      jobUuid: uuid,
      project,
      user: subject.user,
      options: checked.options,
      nodeFilter,
      startedAt: Date.now(),
      status: 'running',
      successfulNodes: [],
      failedNodes: [],
      output: [],
    };
    executions.push(execution);
    save();
    print(
      `execution ${execution.id} of ${job.name} on ${nodes.map((node) => node.nodename).join(', ') || 'no node'}`,
    );
    const abort = new AbortController();
    // Begun after it is listed as running, so that one without nodes is taken off the list again.
    const done = Promise.resolve().then(() => runExecution(execution, job, nodes, abort));
    running.set(execution.id, { abort, done });
    return { kind: 'started', execution };
  };

  // HTTP

  interface Answer {
    readonly status: number;
    readonly body: unknown;
    readonly type?: string;
    readonly silence?: 'hang' | 'cut';
  }
  const json = (body: unknown, status = 200): Answer => ({ status, body });
  const apiError = (status: number, errorCode: string, message: string): Answer =>
    json({ error: true, apiversion: API_VERSION, errorCode, message }, status);
  const forbidden = (what: string) =>
    apiError(403, 'api.error.item.unauthorized', `Not authorized for ${what}`);
  const missing = (what: string) => apiError(404, 'api.error.item.doesnotexist', `${what} does not exist`);

  const takeFault = (on: 'webhook' | 'api'): RundeckFault | undefined => {
    if (fault === undefined || (fault.setting.on ?? 'webhook') !== on) return undefined;
    const { setting } = fault;
    fault.left -= 1;
    if (fault.left <= 0) fault = undefined;
    return setting;
  };

  const postWebhook = (request: IncomingMessage, path: string, body: string): Answer => {
    // Rundeck cuts a fragment that was sent encoded.
    const token = decodeURIComponent(path).replace(/#.*$/, '').split('/').at(-1) ?? '';
    const broken = takeFault('webhook');
    if (broken?.kind === 'status')
      return { status: broken.status, body: broken.body ?? '', type: 'text/plain' };
    if (broken?.kind === 'hang') return { status: 0, body: '', silence: 'hang' };
    if (request.method !== 'POST') return { status: 405, body: '', type: 'text/plain' };
    const hook = [...webhooks.values()].find((one) => one.authToken === token);
    if (hook === undefined) {
      return tokens.has(token)
        ? json({ err: 'Webhook not found' }, 400)
        : apiError(403, 'unauthorized', `(Token:${token.slice(0, 5)}****) is not authorized for: ${path}`);
    }
    if (!hook.enabled) return json({ err: 'Webhook not enabled' }, 404);
    const subject = { user: hook.user, groups: hook.roles.split(',').map((role) => role.trim()) };
    if (!may(subject, { type: 'resource', kind: 'webhook' }, 'post')) {
      return json({ err: 'You are not authorized to perform this action' }, 400);
    }
    if (hook.secret !== undefined && request.headers['authorization'] !== hook.secret) {
      return json({ err: 'Failed webhook authorization' }, 400);
    }
    if (hook.eventPlugin === 'log-webhook-event') return { status: 200, body: 'ok', type: 'text/plain' };
    if (/^application\/x-www-form-urlencoded/i.test(request.headers['content-type'] ?? '')) {
      return json({ err: 'Unable to parse posted JSON data' }, 400);
    }
    const at = Date.now();
    const config = webhookConfig.parse(hook.config);
    const order = readWebhookPost(config, body, {
      id: hook.uuid,
      project,
      sender: request.socket.remoteAddress ?? '',
      timestamp: String(at),
    });
    if (order.kind === 'refused') {
      posts.push({ at, webhook: hook.name, body });
      return order.status === 500
        ? { status: 500, body: 'Internal Server Error', type: 'text/html' }
        : json({ err: order.err }, 400);
    }
    const job = jobs.get(order.jobId);
    if (
      job === undefined ||
      !(may(subject, jobResource(job), 'read') || may(subject, jobResource(job), 'view'))
    ) {
      posts.push({ at, webhook: hook.name, body });
      return json(
        { err: `Cannot run job, not found: ${order.jobId} in project ${project}: JobNotFound` },
        400,
      );
    }
    const began: Start =
      broken?.kind === 'busy'
        ? {
            kind: 'refused',
            why: 'conflict',
            message: `Job "${job.name}" {{Job ${order.jobId}}}: Limit of running executions has been reached.`,
          }
        : start(job, subject, readOptions(order.argString), order.nodeFilter);
    if (began.kind === 'refused') {
      posts.push({ at, webhook: hook.name, body });
      const why = `com.dtolabs.rundeck.core.jobs.JobExecutionError: ${began.message}`;
      return json({ err: `Error attempting to run job: ${order.jobId} in project ${project}: ${why}` }, 400);
    }
    const executionId = String(began.execution.id);
    posts.push({ at, webhook: hook.name, body, executionId });
    const answer = json({ jobId: order.jobId, executionId });
    if (broken?.kind === 'hang_after_accepting') return { ...answer, silence: 'hang' };
    if (broken?.kind === 'cut_after_accepting') return { ...answer, silence: 'cut' };
    return answer;
  };

  const renderWebhook = ({ secret, ...hook }: StoredWebhook) => ({
    ...hook,
    creator: ADMIN.user,
    project,
    useAuth: secret !== undefined,
    regenAuth: false,
  });

  const saveWebhook = (subject: Subject, body: string): Answer => {
    if (!may(subject, { type: 'resource', kind: 'webhook' }, 'create')) {
      return json({ err: 'You are not authorized to perform this action' }, 400);
    }
    const parsed = z
      .object({
        project: z.string().optional(),
        id: z.number().optional(),
        uuid: z.string().optional(),
        name: z.string().optional(),
        user: z.string().optional(),
        roles: z.string().optional(),
        eventPlugin: z.string().optional(),
        enabled: z.boolean().optional(),
        config: z.record(z.string(), z.unknown()).optional(),
        useAuth: z.boolean().optional(),
        regenAuth: z.boolean().optional(),
      })
      .safeParse(parseJson(body));
    if (!parsed.success) return json({ err: 'Unable to read the webhook' }, 400);
    const given = parsed.data;
    if (given.project === undefined) {
      return apiError(400, 'api.error.parameter.required', 'parameter "project" is required');
    }
    // An update finds the webhook by its uuid, and says "not found" without one.
    const existing =
      given.id === undefined ? undefined : [...webhooks.values()].find((one) => one.uuid === given.uuid);
    if (given.id !== undefined && existing === undefined) return json({ err: 'Webhook not found' }, 400);
    const definition = webhookDefinition.safeParse({ ...existing, ...given });
    if (!definition.success) return json({ err: 'Invalid plugin configuration' }, 400);
    const generated = given.useAuth === true && given.regenAuth === true ? token32() : undefined;
    const kept = given.useAuth === false ? undefined : existing?.secret;
    const secret = generated ?? kept;
    const stored: StoredWebhook =
      existing === undefined
        ? addWebhook(
            { ...definition.data, user: given.user ?? subject.user },
            secret === undefined ? {} : { secret },
          )
        : {
            ...definition.data,
            id: existing.id,
            uuid: existing.uuid,
            authToken: existing.authToken,
            user: existing.user,
            ...(secret === undefined ? {} : { secret }),
          };
    webhooks.set(stored.id, stored);
    return json({
      msg: 'Saved webhook',
      uuid: stored.uuid,
      ...(generated === undefined ? {} : { generatedSecurityString: generated }),
    });
  };

  const renderOutput = (execution: SimulatedExecution, query: URLSearchParams): Answer => {
    const last = Number(query.get('lastlines') ?? 0);
    const offset = Number(query.get('offset') ?? 0);
    const lines = last > 0 ? execution.output.slice(-last) : execution.output.slice(offset);
    const most = Number(query.get('maxlines') ?? 0);
    const shown = most > 0 && last === 0 ? lines.slice(0, most) : lines;
    const ended = execution.status !== 'running';
    return json({
      id: String(execution.id),
      // Bytes in a real Rundeck; lines here. Either way a client only sends it back.
      offset: String(last > 0 ? execution.output.length : offset + shown.length),
      completed: ended,
      execCompleted: ended,
      hasFailedNodes: execution.failedNodes.length > 0,
      execState: execution.status,
      lastModified: String(execution.endedAt ?? execution.startedAt),
      execDuration: (execution.endedAt ?? Date.now()) - execution.startedAt,
      percentLoaded: 100,
      totalSize: execution.output.length,
      retryBackoff: 0,
      clusterExec: false,
      compacted: false,
      entries: shown.map((line) => ({
        time: new Date(line.at).toISOString().slice(11, 19),
        absolute_time: new Date(line.at).toISOString(),
        log: line.log,
        level: line.level,
        user: 'rundeck',
        stepctx: '1',
        ...(line.node === undefined ? {} : { node: line.node }),
      })),
    });
  };

  const listExecutions = (
    found: readonly SimulatedExecution[],
    query: URLSearchParams,
    version: number,
  ): Answer => {
    const status = query.get('status') ?? query.get('statusFilter');
    const all = found
      .filter((one) => status === null || one.status === status)
      // Rundeck orders by the end, newest first; here, as in H2, what has not ended comes last.
      .toSorted((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0) || b.id - a.id);
    const max = Number(query.get('max') ?? 20);
    const offset = Number(query.get('offset') ?? 0);
    const page = all.slice(offset, offset + max);
    return json({
      paging: { count: page.length, total: all.length, offset, max },
      executions: page.flatMap((one) => {
        const job = jobs.get(one.jobUuid);
        return job === undefined ? [] : [renderExecution(one, job, base, version, 'api')];
      }),
    });
  };

  const renderJob = (job: JobDefinition, version: number) => ({
    id: job.uuid,
    name: job.name,
    group: job.group,
    project,
    description: job.description,
    href: `${base}/api/${version}/job/${job.uuid}`,
    permalink: `${base}/project/${project}/job/show/${job.uuid}`,
    scheduled: false,
    scheduleEnabled: true,
    enabled: job.executionEnabled,
  });

  const runJob = (
    job: JobDefinition,
    subject: Subject,
    body: string,
    query: URLSearchParams,
    version: number,
  ): Answer => {
    const parsed = z
      .object({
        options: z
          .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
          .optional(),
        argString: z.string().nullish(),
        filter: z.string().nullish(),
        loglevel: z.string().nullish(),
        asUser: z.string().nullish(),
      })
      .safeParse(body === '' ? {} : parseJson(body));
    if (!parsed.success)
      return apiError(400, 'api.error.invalid.request', 'Failed to parse JSON request body');
    const { data } = parsed;
    if (!may(subject, jobResource(job), 'run')) return forbidden(`Run for Job ID ${job.uuid}`);
    const filter = data.filter ?? query.get('filter') ?? '';
    if (filter === '' && !job.nodesSelectedByDefault) {
      return apiError(
        400,
        'api.error.execution.failed',
        'No matched nodes: nodes are not selected by default',
      );
    }
    const began = start(
      job,
      subject,
      data.options ?? readOptions(data.argString ?? query.get('argString') ?? ''),
      filter,
    );
    if (began.kind === 'started') return json(renderExecution(began.execution, job, base, version, 'api'));
    switch (began.why) {
      case 'unauthorized':
        return forbidden(`Run for Job ID ${job.uuid}`);
      case 'disabled':
        return apiError(400, 'api.error.job.disabled', began.message);
      case 'invalid':
        return apiError(400, 'api.error.job.options-invalid', began.message);
      case 'conflict':
        return apiError(409, 'api.error.execution.conflict', `Execution had a conflict: ${began.message}`);
    }
  };

  const routeJob = (
    parts: readonly string[],
    request: IncomingMessage,
    subject: Subject,
    body: string,
    query: URLSearchParams,
    version: number,
  ): Answer => {
    const [uuid = '', what = ''] = parts;
    const job = jobs.get(uuid);
    if (job === undefined) return missing(`Job ID ${uuid}`);
    const readable = may(subject, jobResource(job), 'read') || may(subject, jobResource(job), 'view');
    if (request.method === 'POST' && (what === 'run' || what === 'executions')) {
      return runJob(job, subject, body, query, version);
    }
    if (!readable) return forbidden(`Read for Job ID ${uuid}`);
    if (what === 'executions') {
      return may(subject, { type: 'resource', kind: 'event' }, 'read')
        ? listExecutions(
            executions.filter((one) => one.jobUuid === uuid),
            query,
            version,
          )
        : forbidden(`Read for Events in Project ${project}`);
    }
    if (what === 'info') return json(renderJob(job, version));
    return what === '' ? json([job]) : missing(what);
  };

  const routeExecution = (
    parts: readonly string[],
    subject: Subject,
    query: URLSearchParams,
    version: number,
  ): Answer => {
    const [id = '', what = ''] = parts;
    const execution = executions.find((one) => String(one.id) === id);
    const job = execution && jobs.get(execution.jobUuid);
    if (execution === undefined || job === undefined) return missing(`Execution ID ${id}`);
    const allowed = (action: string) => may(subject, jobResource(job), action);
    if (!allowed('read') && !allowed('view')) return forbidden(`View for Execution ID ${id}`);
    if (what === 'output') return renderOutput(execution, query);
    if (what === 'abort') {
      if (!allowed('kill')) return forbidden(`Kill for Execution ID ${id}`);
      const ongoing = running.get(execution.id);
      ongoing?.abort.abort();
      return json({
        abort: { status: ongoing === undefined ? 'failed' : 'pending' },
        execution: { id, status: execution.status },
      });
    }
    if (what === 'state') {
      return json({
        executionId: execution.id,
        executionState: execution.status.toUpperCase(),
        completed: execution.status !== 'running',
      });
    }
    return what === '' ? json(renderExecution(execution, job, base, version, 'api')) : missing(what);
  };

  const saveAccessPolicy = (
    name: string,
    request: IncomingMessage,
    subject: Subject,
    body: string,
  ): Answer => {
    if (!subject.groups.includes('admin')) return forbidden(`ACL for Project ${project}`);
    const stored = policies.get(name);
    if (request.method === 'GET')
      return stored === undefined ? missing(`System ACL ${name}`) : json({ contents: name });
    if (request.method === 'POST' && stored !== undefined) {
      return apiError(409, 'api.error.item.alreadyexists', `ACL policy ${name} already exists`);
    }
    try {
      policies.set(name, parseAccessPolicies(body));
      return json({ contents: body }, request.method === 'POST' ? 201 : 200);
    } catch {
      return json({ valid: false, policies: [] }, 400);
    }
  };

  const createToken = (user: string, subject: Subject, body: string): Answer => {
    if (!subject.groups.includes('admin')) return forbidden('Create for API Token');
    const given = z.object({ roles: z.array(z.string()).min(1) }).safeParse(parseJson(body));
    if (!given.success) return apiError(400, 'api.error.invalid.request', 'Format was not valid');
    const token = token32();
    tokens.set(token, { user, groups: given.data.roles });
    // A Rundeck without further settings lets no token live longer than 30 days.
    const expiration = new Date(Date.now() + 30 * 86_400_000).toISOString();
    return json(
      { token, id: crypto.randomUUID(), user, roles: given.data.roles, expiration, expired: false },
      201,
    );
  };

  const importAnswer = (subject: Subject, body: string, query: URLSearchParams, version: number): Answer => {
    if (!may(subject, { type: 'resource', kind: 'job' }, 'create')) {
      return forbidden(`Create for Job in Project ${project}`);
    }
    try {
      const there = parseJobs(body).filter(
        ({ uuid }) => query.get('dupeOption') === 'skip' && uuid !== undefined && jobs.has(uuid),
      );
      const stored = there.length > 0 ? [] : importJobs(body);
      const listed = (list: readonly JobDefinition[]) =>
        list.map((job, index) => ({ index: index + 1, ...renderJob(job, version) }));
      return json({ succeeded: listed(stored), failed: [], skipped: listed(there) });
    } catch (error) {
      const why = error instanceof Error ? error.message : 'no YAML';
      return apiError(400, 'api.error.jobs.import.invalid', `Jobs Import file was not valid: ${why}`);
    }
  };

  const routeProject = (
    parts: readonly string[],
    request: IncomingMessage,
    subject: Subject,
    body: string,
    query: URLSearchParams,
    version: number,
  ): Answer => {
    const [name = '', what = '', id = '', more = ''] = parts;
    if (name !== project) return missing(`Project ${name}`);
    if (what === '') return json({ name: project, description: '(simulated)', config: {} });
    if (what === 'jobs' && id === 'import' && request.method === 'POST')
      return importAnswer(subject, body, query, version);
    if (what === 'jobs') {
      return json(
        [...jobs.values()]
          .filter((job) => may(subject, jobResource(job), 'read') || may(subject, jobResource(job), 'view'))
          .map((job) => renderJob(job, version)),
      );
    }
    if (what === 'run' && id === 'jobs' && more === '') return missing('bulk run');
    if (what === 'executions') {
      return may(subject, { type: 'resource', kind: 'event' }, 'read')
        ? listExecutions(executions, query, version)
        : forbidden(`Read for Events in Project ${project}`);
    }
    if (what === 'webhooks' || (what === 'webhook' && request.method === 'GET')) {
      if (!may(subject, { type: 'resource', kind: 'webhook' }, 'read')) {
        return json({ err: 'You do not have access to this resource' }, 400);
      }
      if (what === 'webhooks') return json([...webhooks.values()].map(renderWebhook));
      const hook = webhooks.get(Number(id));
      return hook === undefined ? json({ err: 'Webhook not found' }, 404) : json(renderWebhook(hook));
    }
    if (what === 'webhook' && request.method === 'POST') return saveWebhook(subject, body);
    if (what === 'webhook' && request.method === 'DELETE') {
      if (!may(subject, { type: 'resource', kind: 'webhook' }, 'delete')) {
        return json({ err: 'You are not authorized to perform this action' }, 400);
      }
      return webhooks.delete(Number(id))
        ? json({ msg: 'Deleted webhook' })
        : json({ err: 'Webhook not found' }, 400);
    }
    if (what === 'resources') {
      return json(
        Object.fromEntries(
          (options.nodes === 'any' ? [] : (options.nodes ?? [])).map((node) => [node.nodename, node]),
        ),
      );
    }
    if (what === 'acl') return saveAccessPolicy(id, request, subject, body);
    return missing(what);
  };

  const route = (request: IncomingMessage, body: string): Answer => {
    const url = new URL(request.url ?? '/', 'http://simulated');
    const match = /^\/api\/(\d+)\/(.*)$/.exec(url.pathname);
    if (match === null) {
      return {
        status: 200,
        body: 'This is a SIMULATION of Rundeck, made for Remedia.\n',
        type: 'text/plain',
      };
    }
    const version = Number(match[1]);
    const parts = (match[2] ?? '').split('/').map((part) => decodeURIComponent(part));
    if (version < OLDEST_API_VERSION || version > API_VERSION) {
      return apiError(
        400,
        'api.error.api-version.unsupported',
        `Unsupported API Version "${version}". API Request: ${url.pathname}. Reason: maximum is ${API_VERSION}`,
      );
    }
    if (parts[0] === 'webhook') return postWebhook(request, url.pathname, body);
    const broken = takeFault('api');
    if (broken?.kind === 'status')
      return { status: broken.status, body: broken.body ?? '', type: 'text/plain' };
    if (broken !== undefined) return { status: 0, body: '', silence: 'hang' };
    const header = request.headers['x-rundeck-auth-token'];
    const given =
      (typeof header === 'string' ? header : undefined) ?? url.searchParams.get('authtoken') ?? '';
    const subject = tokens.get(given);
    if (subject === undefined) {
      return apiError(
        403,
        'unauthorized',
        `(Token:${given.slice(0, 5)}****) is not authorized for: ${url.pathname}`,
      );
    }
    const rest = parts.slice(1);
    switch (parts[0]) {
      case 'system':
        if (rest[0] === 'acl') return saveAccessPolicy(rest[1] ?? '', request, subject, body);
        if (!may(subject, { type: 'resource', kind: 'system' }, 'read', 'application')) {
          return forbidden('Read for System Info');
        }
        return json({
          system: {
            timestamp: { epoch: Date.now() },
            rundeck: { version: '5.20.1-SIMULATED', apiversion: API_VERSION, node: 'simulated', base: '/' },
            executions: { active: true, executionMode: 'active' },
          },
        });
      case 'tokens':
        return createToken(rest[0] ?? '', subject, body);
      case 'projects': {
        const visible = may(subject, { type: 'project', name: project }, 'read', 'application');
        return json(
          visible
            ? [
                {
                  name: project,
                  description: '(simulated)',
                  url: `${base}/api/${version}/project/${project}`,
                },
              ]
            : [],
        );
      }
      case 'project':
        return routeProject(rest, request, subject, body, url.searchParams, version);
      case 'job':
        return routeJob(rest, request, subject, body, url.searchParams, version);
      case 'execution':
        return routeExecution(rest, subject, url.searchParams, version);
      default:
        return missing(url.pathname);
    }
  };

  const respond = (response: ServerResponse, answer: Answer) => {
    if (answer.silence === 'hang') return;
    if (answer.silence === 'cut') {
      response.destroy();
      return;
    }
    const plain = typeof answer.body === 'string';
    response.writeHead(answer.status, {
      'content-type': answer.type ?? 'application/json;charset=UTF-8',
      'x-rundeck-simulation': 'true',
    });
    response.end(plain ? answer.body : JSON.stringify(answer.body));
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      try {
        respond(response, route(request, Buffer.concat(chunks).toString('utf8')));
      } catch (error) {
        print(`internal error: ${error instanceof Error ? error.message : 'unknown'}`);
        respond(response, { status: 500, body: 'Internal Server Error', type: 'text/plain' });
      }
    });
  });
  const listen = (port: number) =>
    new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, options.host ?? '127.0.0.1', () => {
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
  base = `http://${options.host ?? '127.0.0.1'}:${port}`;
  print(`answers at ${base}: this is a simulation, no job of a real Rundeck runs`);

  return {
    url: base,
    port,
    apiToken,
    webhookUrls: () =>
      Object.fromEntries(
        [...webhooks.values()].map((hook) => [
          hook.name,
          `${base}/api/${API_VERSION}/webhook/${hook.authToken}#${encodeURIComponent(hook.name)}`,
        ]),
      ),
    executions: () => executions,
    posts: () => posts,
    idle: async () => {
      while (running.size + notifications.size > 0) {
        await Promise.all([...[...running.values()].map(({ done }) => done), ...notifications]);
      }
    },
    setFault: (setting) => {
      fault =
        setting === undefined ? undefined : { setting, left: setting.times ?? Number.POSITIVE_INFINITY };
    },
    setScenario: (next) => {
      scenario = next;
    },
    refuse: stop,
    listenAgain: async () => {
      if (!server.listening) await listen(port);
    },
    close: async () => {
      for (const { abort } of running.values()) abort.abort();
      await Promise.all([...running.values()].map(({ done }) => done));
      await Promise.all(notifications);
      if (server.listening) await stop();
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const storedExecutions = z.array(
  z.object({
    id: z.int(),
    jobUuid: z.string(),
    project: z.string(),
    user: z.string(),
    options: z.record(z.string(), z.string()),
    nodeFilter: z.string(),
    startedAt: z.number(),
    status: z.enum(['running', 'succeeded', 'failed', 'aborted', 'timedout']),
    endedAt: z.number().optional(),
    successfulNodes: z.array(z.string()),
    failedNodes: z.array(z.string()),
    output: z.array(
      z.object({
        at: z.number(),
        level: z.enum(['NORMAL', 'ERROR', 'WARN']),
        log: z.string(),
        node: z.string().optional(),
      }),
    ),
  }),
);

function loadState(file: string): SimulatedExecution[] {
  if (!existsSync(file)) return [];
  const stored = storedExecutions.safeParse(parseJson(readFileSync(file, 'utf8')));
  if (!stored.success) throw new Error(`${file} holds no executions of the simulated Rundeck; remove it`);
  return stored.data.map(({ endedAt, output, ...one }) => ({
    ...one,
    output: output.map(({ node, ...line }) => ({ ...line, ...(node === undefined ? {} : { node }) })),
    ...(one.status === 'running'
      ? { status: 'aborted', endedAt: Date.now() }
      : endedAt === undefined
        ? {}
        : { endedAt }),
  }));
}

/** The last 1,000, in one rename, so that a crash leaves the old file or the new one. */
function saveState(file: string, executions: readonly SimulatedExecution[]): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(executions.slice(-1_000)));
  renameSync(`${file}.new`, file);
}
