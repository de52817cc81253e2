/** A post to a webhook of the simulated Rundeck: who may, what it runs, and what is answered. */
import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import type { Subject } from './access-policy.ts';
import { type Answer, err, json, plain, unknownToken } from './answers.ts';
import { readOptions } from './arguments.ts';
import { answerOf, type RundeckFault } from './faults.ts';
import { may, maySee, type ProjectState, type StoredWebhook } from './project-state.ts';
import type { Executions } from './run-executions.ts';
import { readWebhookPost } from './webhook.ts';

const webhookConfig = z.object({
  jobId: z.string(),
  argString: z.string().nullish(),
  nodeFilter: z.string().nullish(),
  asUser: z.string().nullish(),
});
/** Faults that Rundeck finds only when it is about to run the job. */
const OF_THE_PLUGIN: readonly RundeckFault['kind'][] = [
  'busy',
  'passive',
  'job_disabled',
  'job_not_found',
  'options_refused',
  'unknown_variable',
  'missing_parent',
];

export function postWebhook(
  state: ProjectState,
  executions: Executions,
  request: IncomingMessage,
  path: string,
  body: string,
): Answer {
  // Rundeck cuts a fragment that was sent encoded.
  const token = decodeURIComponent(path).replace(/#.*$/, '').split('/').at(-1) ?? '';
  const hook = [...state.webhooks.values()].find((one) => one.authToken === token);
  const fault = state.faults.take('webhook');
  const told = answerOf(fault, path);
  if (told !== undefined) {
    if (hook !== undefined && fault !== undefined && OF_THE_PLUGIN.includes(fault.kind)) {
      state.posts.push({ at: Date.now(), webhook: hook.name, body });
    }
    return told;
  }
  if (request.method !== 'POST') return plain(405);
  if (hook === undefined) {
    return state.tokens.has(token) ? err('Webhook not found') : unknownToken(token, path);
  }
  if (!hook.enabled) return err('Webhook not enabled', 404);
  const subject = { user: hook.user, groups: hook.roles.split(',').map((role) => role.trim()) };
  if (!may(state, subject, { type: 'resource', kind: 'webhook' }, 'post')) {
    return err('You are not authorized to perform this action');
  }
  if (hook.secret !== undefined && request.headers['authorization'] !== hook.secret) {
    return err('Failed webhook authorization');
  }
  if (hook.eventPlugin === 'log-webhook-event') return plain(200, 'ok');
  if (/^application\/x-www-form-urlencoded/i.test(request.headers['content-type'] ?? '')) {
    return err('Unable to parse posted JSON data');
  }
  const at = Date.now();
  const sender = request.socket.remoteAddress ?? '';
  const { answer, executionId } = runJob(state, executions, { hook, subject, body, sender, at });
  state.posts.push({ at, webhook: hook.name, body, ...(executionId === undefined ? {} : { executionId }) });
  if (fault?.kind === 'hang_after_accepting') return { ...answer, silence: 'hang' };
  return fault?.kind === 'cut_after_accepting' ? { ...answer, silence: 'cut' } : answer;
}

/** The plugin "Run Job". */
function runJob(
  state: ProjectState,
  executions: Executions,
  post: {
    readonly hook: StoredWebhook;
    readonly subject: Subject;
    readonly body: string;
    readonly sender: string;
    readonly at: number;
  },
): { readonly answer: Answer; readonly executionId?: string } {
  const { hook, subject, body, sender, at } = post;
  const { project } = state;
  const order = readWebhookPost(webhookConfig.parse(hook.config), body, {
    id: hook.uuid,
    project,
    sender,
    timestamp: String(at),
  });
  if (order.kind === 'refused') {
    return {
      answer: order.status === 500 ? plain(500, 'Internal Server Error', 'text/html') : err(order.err),
    };
  }
  const { jobId } = order;
  const job = state.jobs.get(jobId);
  if (job === undefined || !maySee(state, subject, job)) {
    return { answer: err(`Cannot run job, not found: ${jobId} in project ${project}: JobNotFound`) };
  }
  const began = executions.start(job, subject, readOptions(order.argString), order.nodeFilter);
  if (began.kind === 'refused') {
    const why = `com.dtolabs.rundeck.core.jobs.JobExecutionError: ${began.message}`;
    return { answer: err(`Error attempting to run job: ${jobId} in project ${project}: ${why}`) };
  }
  const executionId = String(began.execution.id);
  return { answer: json({ jobId, executionId }), executionId };
}
