/** Which part of the simulated Rundeck answers a request, after token and API version were looked at. */
import type { IncomingMessage } from 'node:http';
import type { Subject } from './access-policy.ts';
import { createToken, routePolicy, systemInfo } from './administration-api.ts';
import {
  type Answer,
  API_VERSION,
  json,
  missing,
  OLDEST_API_VERSION,
  plain,
  unknownToken,
  unsupportedVersion,
} from './answers.ts';
import { listExecutions, routeExecution } from './execution-api.ts';
import { answerOf } from './faults.ts';
import { importJobFile, listJobs, routeJob } from './job-api.ts';
import type { Node } from './node-filter.ts';
import { may, type ProjectState } from './project-state.ts';
import type { Executions } from './run-executions.ts';
import { postWebhook } from './webhook-posts.ts';
import { deleteWebhook, saveWebhook, showWebhooks } from './webhook-settings.ts';

interface Parts {
  readonly state: ProjectState;
  readonly executions: Executions;
  readonly nodes: readonly Node[];
}

interface Request {
  readonly method: string;
  readonly body: string;
  readonly query: URLSearchParams;
}

export function route(parts: Parts, request: IncomingMessage, body: string): Answer {
  const { state, executions } = parts;
  const url = new URL(request.url ?? '/', 'http://simulated');
  const match = /^\/api\/(\d+)\/(.*)$/.exec(url.pathname);
  if (match === null) return plain(200, 'This is a SIMULATION of Rundeck, made for Remedia.\n');
  const version = Number(match[1]);
  const [first = '', ...rest] = (match[2] ?? '').split('/').map((part) => decodeURIComponent(part));
  if (version < OLDEST_API_VERSION || version > API_VERSION) return unsupportedVersion(version, url.pathname);
  if (first === 'webhook') return postWebhook(state, executions, request, url.pathname, body);
  const told = answerOf(state.faults.take('api'), url.pathname);
  if (told !== undefined) return told;
  const header = request.headers['x-rundeck-auth-token'];
  const token = (typeof header === 'string' ? header : undefined) ?? url.searchParams.get('authtoken') ?? '';
  const subject = state.tokens.get(token);
  if (subject === undefined) return unknownToken(token, url.pathname);
  const asked = { method: request.method ?? '', body, query: url.searchParams };
  switch (first) {
    case 'system':
      return rest[0] === 'acl'
        ? routePolicy(state, rest[1] ?? '', asked.method, subject, body)
        : systemInfo(state, subject);
    case 'tokens':
      return createToken(state, rest[0] ?? '', subject, body);
    case 'projects':
      return listProjects(state, subject, version);
    case 'project':
      return routeProject(parts, rest, asked, subject, version);
    case 'job':
      return routeJob(state, executions, rest, asked, subject, version);
    case 'execution':
      return routeExecution(state, executions, rest, subject, asked.query, version);
    default:
      return missing(url.pathname);
  }
}

function listProjects(state: ProjectState, subject: Subject, version: number): Answer {
  const { project: name, base } = state;
  const visible = may(state, subject, { type: 'project', name }, 'read', 'application');
  const url = `${base}/api/${version}/project/${name}`;
  return json(visible ? [{ name, description: '(simulated)', url }] : []);
}

function routeProject(
  { state, nodes }: Parts,
  parts: readonly string[],
  { method, body, query }: Request,
  subject: Subject,
  version: number,
): Answer {
  const [name = '', what = '', id = ''] = parts;
  if (name !== state.project) return missing(`Project ${name}`);
  switch (what) {
    case '':
      return json({ name, description: '(simulated)', config: {} });
    case 'jobs':
      return id === 'import' && method === 'POST'
        ? importJobFile(state, subject, body, query, version)
        : listJobs(state, subject, version);
    case 'executions':
      if (id === 'running') query.set('status', 'running');
      return listExecutions(state, subject, undefined, query, version);
    case 'webhooks':
      return showWebhooks(state, subject, undefined);
    case 'webhook':
      if (method === 'GET') return showWebhooks(state, subject, id);
      if (method === 'POST') return saveWebhook(state, subject, body);
      return method === 'DELETE' ? deleteWebhook(state, subject, id) : missing(what);
    case 'resources':
      return json(Object.fromEntries(nodes.map((node) => [node.nodename, node])));
    case 'acl':
      return routePolicy(state, id, method, subject, body);
    default:
      return missing(what);
  }
}
