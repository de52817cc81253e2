/** Rundeck 5: runs a tool's job by its webhook, at most once, and reads executions through the API. */
import * as z from 'zod';
import { TOOL_NAMES, type Tool, type ToolName } from '#lib/catalogue/tool.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type {
  Execution,
  FindExecution,
  JobOrder,
  ReadExecution,
  ReadOutput,
  RunJob,
} from '#lib/workflow/ports.ts';
import { type ExchangeResult, exchange } from './http-exchange.ts';

/** Rundeck 4 and 5 speak it (5.20.1: 14 to 58). */
const API_VERSION = 41;
const CONNECT_TIMEOUT_MS = 5_000;
const MAX_OUTPUT_CHARACTERS = 4_000;
/** What an option gets that the decision left open: Rundeck drops an empty option, and the next word would move up. */
const LEFT_OPEN = 'default';

/** One tool's webhook. `secret` is compared by Rundeck with the whole `Authorization` header. */
export interface Webhook {
  readonly url: URL;
  readonly secret?: string;
}
export type Webhooks = Readonly<Partial<Record<ToolName, Webhook>>>;

function refuse(code: string, detail: string): UpstreamError {
  return new UpstreamError('rundeck', code, detail, { sent: 'no', retry: false });
}

const webhookEntry = z.union([
  z.string(),
  z.strictObject({ url: z.string(), secret: z.string().min(1).optional() }),
]);
const webhookEntries = z.record(z.string(), webhookEntry);

function readEntries(text: string): readonly (readonly [string, z.infer<typeof webhookEntry>])[] {
  if (text.trimStart().startsWith('{')) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw refuse('misconfigured', 'RUNDECK_WEBHOOKS begins like JSON and is none');
    }
    const parsed = webhookEntries.safeParse(value);
    if (!parsed.success) {
      throw refuse('misconfigured', 'RUNDECK_WEBHOOKS must map each tool to a URL or to {url, secret}');
    }
    return Object.entries(parsed.data);
  }
  const entries: [string, string][] = [];
  for (const part of text.split(/[\s,;]+/).filter((word) => word !== '')) {
    const cut = part.indexOf('=');
    if (cut < 1) throw refuse('misconfigured', 'RUNDECK_WEBHOOKS must be a list of tool=url');
    entries.push([part.slice(0, cut), part.slice(cut + 1)]);
  }
  return entries;
}

/**
 * Reads `RUNDECK_WEBHOOKS`: JSON (`{"cleanup_disk": "https://…"}`, or `{url, secret}` for each) or a list of
 * `tool=url`, separated by white space or commas. The URL is what Rundeck's page shows, with or without `#name`.
 * Throws UpstreamError `misconfigured`, whose text names tools and never a value.
 */
export function parseWebhooks(text: string): Webhooks {
  const webhooks: Partial<Record<ToolName, Webhook>> = {};
  for (const [name, entry] of readEntries(text)) {
    const tool = TOOL_NAMES.find((known) => known === name);
    if (tool === undefined) {
      throw refuse('misconfigured', `RUNDECK_WEBHOOKS names a tool that is none of ${TOOL_NAMES.join(', ')}`);
    }
    const given = typeof entry === 'string' ? { url: entry } : entry;
    const url = URL.canParse(given.url) ? new URL(given.url) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      throw refuse('misconfigured', `RUNDECK_WEBHOOKS: the URL of ${tool} is no http or https URL`);
    }
    if (!/\/api\/\d+\/webhook\/[^/]+$/.test(url.pathname)) {
      throw refuse(
        'misconfigured',
        `RUNDECK_WEBHOOKS: the URL of ${tool} must end in /api/N/webhook/<token>`,
      );
    }
    if (url.username !== '' || url.password !== '') {
      throw refuse('misconfigured', `RUNDECK_WEBHOOKS: the URL of ${tool} must hold no user or password`);
    }
    // A fragment is never sent; Rundeck's page shows the webhook's name there.
    url.hash = '';
    webhooks[tool] = 'secret' in given && given.secret ? { url, secret: given.secret } : { url };
  }
  return webhooks;
}

// What is posted

/** C0 but nothing else injects options in Rundeck 5.20; C1, DEL and the line separators have no place in a value. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/** Letters, digits, dot, dash, underscore; no leading dash or dot. Rundeck would read anything else as filter syntax. */
const NODE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$/;
const CLEANUP_ROOT = /^(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/;
const MAX_VALUE_CHARACTERS = 4_096;

/** The node's name as a Rundeck node filter takes it: a regular expression over the whole name. */
function nodeFilterOf(node: string): string {
  // The texts `null` and the empty name are what Rundeck makes of a missing field.
  if (!NODE_NAME.test(node) || node === 'null') {
    throw refuse('node_refused', 'the node is no plain host name, so no job was started');
  }
  return node.replaceAll('.', '\\.');
}

/** Every field of the post, all of them text: Rundeck turns a missing field or JSON null into the text `null`. */
function fieldsOf(order: JobOrder, tool: Tool): Readonly<Record<string, string>> {
  const roots = order.cleanupRoots;
  if (roots.some((root) => !CLEANUP_ROOT.test(root) || root.includes('/..'))) {
    throw refuse('value_refused', 'a cleanup root of the policy is no plain absolute folder');
  }
  const fields: Record<string, string> = {
    format_version: '1',
    remedia_decision_id: order.decisionId,
    remedia_incident_id: order.incidentId,
    remedia_event_id: order.eventId,
    remedia_trace_id: order.traceId,
    remedia_trigger_id: order.triggerId,
    remedia_source: order.source,
    host: order.host,
    node: order.node,
    node_filter: nodeFilterOf(order.node),
    severity: String(order.severity),
    tool: order.tool,
    decided_at: new Date(order.decidedAt).toISOString(),
    mode: order.mode,
    link: order.link,
    cleanup_roots: roots.length === 0 ? 'none' : roots.join(':'),
  };
  const names = Object.keys(tool.parameters.shape);
  for (const name of Object.keys(order.arguments)) {
    if (!names.includes(name)) throw refuse('value_refused', 'an argument is none of the tool’s parameters');
  }
  for (const name of names) {
    const value = Object.hasOwn(order.arguments, name) ? order.arguments[name] : undefined;
    fields[name] = value === undefined ? LEFT_OPEN : String(value);
  }
  for (const [name, value] of Object.entries(fields)) {
    if (value === '' || value === 'null' || value.length > MAX_VALUE_CHARACTERS) {
      throw refuse('value_refused', `the value of ${name} is empty, null or too long`);
    }
    if (CONTROL.test(value)) throw refuse('value_refused', `the value of ${name} holds a control character`);
  }
  return fields;
}

// What the webhook answered

interface Refusal {
  readonly pattern: RegExp;
  readonly code: string;
  readonly detail: string;
  readonly retry: boolean;
}

/**
 * Rundeck answers 400 for what is wrong for good and for what is only busy, so the text decides. Sources: Rundeck
 * 5.20.1, WebhookService, JobRunWebhookEventPlugin, ExecutionService and messages.properties.
 */
const REFUSALS: readonly Refusal[] = [
  {
    pattern: /Limit of running executions has been reached/i,
    code: 'busy',
    detail: 'the limit of running executions of the job has been reached',
    retry: true,
  },
  {
    pattern: /is currently being executed|Execution had a conflict/i,
    code: 'busy',
    detail: 'the job is already running and does not run twice at once',
    retry: true,
  },
  {
    pattern: /Executions are disabled/i,
    code: 'passive',
    detail: 'Rundeck is in passive mode: executions are disabled',
    retry: true,
  },
  {
    pattern: /Webhook not found/i,
    code: 'webhook_missing',
    detail: 'the token is valid but no webhook is behind it',
    retry: false,
  },
  {
    pattern: /Webhook not enabled/i,
    code: 'webhook_disabled',
    detail: 'the webhook is disabled',
    retry: false,
  },
  {
    pattern: /not authorized to perform this action/i,
    code: 'unauthorized',
    detail: 'the access policy does not let the webhook’s user post',
    retry: false,
  },
  {
    pattern: /Failed webhook authorization/i,
    code: 'unauthorized',
    detail: 'the webhook’s secret is wrong or missing',
    retry: false,
  },
  {
    pattern: /Unable to parse posted JSON data/i,
    code: 'body_refused',
    detail: 'the body was not understood',
    retry: false,
  },
  {
    pattern: /Failed to substitute data/i,
    code: 'webhook_misconfigured',
    detail: 'the webhook’s argument string names an unknown variable',
    retry: false,
  },
  {
    pattern: /Cannot run job, not found/i,
    code: 'job_missing',
    detail: 'the webhook’s job is missing or not visible to its user',
    retry: false,
  },
  {
    pattern: /api-version\.unsupported|API Version/i,
    code: 'api_version',
    detail: 'the URL’s API version is not supported',
    retry: false,
  },
  {
    pattern: /execution is disabled|disabled or being deleted/i,
    code: 'job_disabled',
    detail: 'the job or its project is disabled',
    retry: false,
  },
];

/** Names the options that Rundeck refused; their values are left out, since they come from the alert. */
function refusedOptions(text: string): string | undefined {
  const names = [...text.matchAll(/Option '?([A-Za-z0-9_.-]{1,64})'?(?: is required| value)/g)].map(
    (match) => match[1],
  );
  return names.length === 0 ? undefined : [...new Set(names)].join(', ');
}

function readRefusal(status: number, text: string): UpstreamError {
  // First, because the text of a refused option holds its value, which could be any other text.
  const options = refusedOptions(text);
  if (options !== undefined) return refuse('options_refused', `it refused the job options ${options}`);
  const known = REFUSALS.find(({ pattern }) => pattern.test(text));
  if (known) {
    return new UpstreamError('rundeck', known.code, `${known.detail} (${status})`, {
      sent: 'no',
      retry: known.retry,
    });
  }
  if (/attempting to run job/i.test(text)) {
    return refuse('run_refused', `it did not run the job, for a reason unknown here (${status})`);
  }
  if (status === 401 || status === 403)
    return refuse('unauthorized', `the token is unknown or expired (${status})`);
  if (status === 404) return refuse('webhook_missing', 'nothing answers at the webhook’s URL (404)');
  if (status === 429) {
    return new UpstreamError('rundeck', 'busy', 'too many requests (429)', { sent: 'no', retry: true });
  }
  return refuse('refused', `it answered ${status} with a text unknown here`);
}

const started = z.object({
  executionId: z.union([z.string().regex(/^\d{1,19}$/), z.int().positive()]),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unknownOutcome(detail: string, code = 'unanswered'): UpstreamError {
  return new UpstreamError('rundeck', code, detail, { sent: 'unknown', retry: false });
}

function neverSent(result: Extract<ExchangeResult, { kind: 'never_connected' }>): UpstreamError {
  // A refused certificate stays refused until a human mends it; everything else may be over in a minute.
  return result.certificate
    ? refuse('certificate', `the TLS connection was refused (${result.code})`)
    : new UpstreamError('rundeck', 'refused', `no connection (${result.code})`, { sent: 'no', retry: true });
}

/**
 * Posts one decision to its tool's webhook on a connection of its own, once, and never again by itself.
 * 5xx counts as `sent: 'unknown'`: a proxy may answer it after Rundeck has started the job.
 * @param timeoutMs for the whole post; Rundeck answers when the job starts, not when it ends
 */
export function makeRunJob(settings: {
  readonly webhooks: Webhooks;
  readonly catalogue: Readonly<Record<ToolName, Tool>>;
  readonly timeoutMs?: number;
}): RunJob {
  return async (order) => {
    const webhook = settings.webhooks[order.tool];
    if (webhook === undefined) {
      throw refuse('not_configured', `RUNDECK_WEBHOOKS has no webhook for ${order.tool}`);
    }
    const body = JSON.stringify(fieldsOf(order, settings.catalogue[order.tool]));
    const result = await exchange({
      method: 'POST',
      url: webhook.url,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(webhook.secret === undefined ? {} : { authorization: webhook.secret }),
      },
      body,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      timeoutMs: settings.timeoutMs ?? 15_000,
      maxBytes: 65_536,
    });
    if (result.kind === 'never_connected') throw neverSent(result);
    if (result.kind === 'unanswered') throw unknownOutcome(`no answer to the webhook (${result.code})`);
    const { status, text } = result;
    if (status === 200) {
      const answer = started.safeParse(parseJson(text));
      if (answer.success) return { executionId: String(answer.data.executionId) };
      if (text.trim() === 'ok') {
        throw refuse('wrong_plugin', 'the webhook only logs events: its plugin must be "Run Job"');
      }
      throw unknownOutcome('the webhook answered 200 without an execution id');
    }
    if (status >= 300 && status < 400) {
      throw refuse('redirected', `the webhook’s URL redirects (${status}); give the final one`);
    }
    if (status >= 400 && status < 500 && status !== 408) throw readRefusal(status, text);
    throw unknownOutcome(`the webhook answered ${status}`, 'failed');
  };
}

// The API

/** Where Rundeck's API is; the token needs `read` on the jobs and on the project's events, and nothing more. */
export interface RundeckApi {
  readonly url: string;
  readonly token: string;
  readonly timeoutMs?: number;
}

async function readApi(
  api: RundeckApi,
  path: string,
  maxBytes = 2_097_152,
): Promise<{ readonly found: boolean; readonly body: unknown }> {
  const result = await exchange({
    method: 'GET',
    url: new URL(`${api.url.replace(/\/+$/, '')}/api/${API_VERSION}${path}`),
    headers: { accept: 'application/json', 'x-rundeck-auth-token': api.token },
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    timeoutMs: api.timeoutMs ?? 10_000,
    maxBytes,
  });
  if (result.kind === 'never_connected') throw neverSent(result);
  if (result.kind === 'unanswered') {
    const code = result.code === 'TIMED_OUT' ? 'timed_out' : 'failed';
    throw new UpstreamError('rundeck', code, `no answer from the API (${result.code})`, {
      sent: 'unknown',
      retry: true,
    });
  }
  const { status, text } = result;
  if (status === 404) return { found: false, body: undefined };
  if (status === 401 || status === 403) {
    throw new UpstreamError('rundeck', 'unauthorized', `the API token may not do this (${status})`, {
      sent: 'yes',
      retry: false,
    });
  }
  const body = status === 200 ? parseJson(text) : undefined;
  if (body === undefined) {
    throw new UpstreamError('rundeck', 'failed', `the API answered ${status} without usable JSON`, {
      sent: 'yes',
      retry: status >= 500 || status === 429 || status === 200,
    });
  }
  return { found: true, body };
}

const execution = z.object({
  id: z.union([z.int().positive(), z.string().regex(/^\d{1,19}$/)]),
  status: z.string().max(64),
  permalink: z.string().nullish(),
  'date-started': z.object({ unixtime: z.number() }).nullish(),
  'date-ended': z.object({ unixtime: z.number() }).nullish(),
  job: z.object({ options: z.record(z.string(), z.unknown()).nullish() }).nullish(),
});

function unreadable(): UpstreamError {
  return new UpstreamError('rundeck', 'failed', 'the API’s answer has another shape than Rundeck’s', {
    sent: 'yes',
    retry: false,
  });
}

function toExecution(read: z.infer<typeof execution>): Execution {
  const decisionId = read.job?.options?.['remedia_decision_id'];
  const ended = read['date-ended']?.unixtime;
  return {
    id: String(read.id),
    status: read.status,
    ...(read.permalink && /^https?:\/\//.test(read.permalink) ? { url: read.permalink } : {}),
    ...(ended === undefined ? {} : { endedAt: ended }),
    ...(typeof decisionId === 'string' ? { decisionId } : {}),
  };
}

function executionPath(executionId: string): string {
  if (!/^\d{1,19}$/.test(executionId)) throw refuse('value_refused', 'the execution id is no number');
  return `/execution/${executionId}`;
}

/** Reads one execution's state; `undefined` when Rundeck does not know it. Throws UpstreamError `rundeck`. */
export function makeReadExecution(api: RundeckApi): ReadExecution {
  return async (executionId) => {
    const { found, body } = await readApi(api, executionPath(executionId));
    if (!found) return undefined;
    const read = execution.safeParse(body);
    if (!read.success) throw unreadable();
    return toExecution(read.data);
  };
}

const output = z.object({ entries: z.array(z.object({ log: z.string().nullish() })).nullish() });
// biome-ignore lint/suspicious/noControlCharactersInRegex: ANSI sequences begin with ESC
const ANSI = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
const CONTROL_BUT_NEWLINE = /[^\P{Cc}\n]|[\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Reads the tail of an execution's output; empty when there is none. Throws UpstreamError `rundeck`. */
export function makeReadOutput(api: RundeckApi): ReadOutput {
  return async (executionId) => {
    const { found, body } = await readApi(
      api,
      `${executionPath(executionId)}/output?lastlines=200`,
      4_194_304,
    );
    if (!found) return '';
    const read = output.safeParse(body);
    if (!read.success) throw unreadable();
    const lines = (read.data.entries ?? []).map((entry) => entry.log ?? '');
    const text = lines
      .join('\n')
      .replaceAll(ANSI, '')
      .replaceAll('\t', ' ')
      .replaceAll(CONTROL_BUT_NEWLINE, '');
    return text.length <= MAX_OUTPUT_CHARACTERS ? text : `…${text.slice(1 - MAX_OUTPUT_CHARACTERS)}`;
  };
}

const executions = z.object({ executions: z.array(execution) });
const PAGE = 100;
const MAX_PAGES = 10;
/** Rundeck's clock and ours may differ by so much. */
const CLOCK_TOLERANCE_MS = 600_000;

/**
 * Finds the execution of a decision among the job's: first the running ones, then those that ended, newest first
 * (Rundeck orders by the end, and where unfinished ones come depends on its database). Needs `read` on the job and on
 * the project's events. Throws UpstreamError `rundeck`.
 */
export function makeFindExecution(
  api: RundeckApi & { readonly catalogue: Readonly<Record<ToolName, Tool>> },
): FindExecution {
  return async ({ tool, decisionId, since }) => {
    const job = api.catalogue[tool].job;
    if (job === undefined) return undefined;
    const oldest = since - CLOCK_TOLERANCE_MS;
    for (const filter of ['status=running&', '']) {
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const { found, body } = await readApi(
          api,
          `/job/${encodeURIComponent(job.uuid)}/executions?${filter}max=${PAGE}&offset=${page * PAGE}`,
        );
        if (!found) throw refuse('job_missing', `Rundeck has no job ${job.name} with the catalogue’s UUID`);
        const read = executions.safeParse(body);
        if (!read.success) throw unreadable();
        const all = read.data.executions;
        const hit = all.find((one) => one.job?.options?.['remedia_decision_id'] === decisionId);
        if (hit) return toExecution(hit);
        const ended = all.flatMap((one) => one['date-ended']?.unixtime ?? []);
        if (all.length < PAGE || ended.some((at) => at < oldest)) break;
      }
    }
    return undefined;
  };
}

/** Whether the API answers to this token, in one sentence for a person. Never throws, never runs anything. */
export async function rundeckHealth(
  api: RundeckApi,
): Promise<{ readonly ok: boolean; readonly detail: string }> {
  try {
    const { found, body } = await readApi({ timeoutMs: 3_000, ...api }, '/projects');
    if (!found || !Array.isArray(body)) return { ok: false, detail: 'no Rundeck API answers at RUNDECK_URL' };
    return body.length > 0
      ? { ok: true, detail: 'the API answers to the token' }
      : { ok: false, detail: 'the API answers, but the token sees no project' };
  } catch (error) {
    return { ok: false, detail: error instanceof UpstreamError ? error.message : 'rundeck: failed' };
  }
}
