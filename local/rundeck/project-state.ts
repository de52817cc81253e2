/** What the simulated Rundeck keeps for its one project, and who may do what with it. */
import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import {
  type AccessPolicy,
  isAllowed,
  parseAccessPolicies,
  type Resource,
  type Subject,
} from './access-policy.ts';
import type { SimulatedExecution } from './execution.ts';
import type { Faults } from './faults.ts';
import { type JobDefinition, parseJobs } from './job-definition.ts';

const webhookDefinition = z.object({
  name: z.string().min(1),
  user: z.string().optional(),
  roles: z.string(),
  eventPlugin: z.enum(['webhook-run-job', 'log-webhook-event']),
  enabled: z.boolean().default(true),
  config: z.record(z.string(), z.unknown()),
});
export type WebhookDefinition = z.input<typeof webhookDefinition>;
/** A definition, or `undefined` when Rundeck would refuse it. */
export const readWebhookDefinition = (given: unknown) => webhookDefinition.safeParse(given).data;

export interface StoredWebhook extends z.infer<typeof webhookDefinition> {
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

export interface ProjectState {
  readonly project: string;
  readonly print: (line: string) => void;
  readonly tokens: Map<string, Subject>;
  readonly jobs: Map<string, JobDefinition>;
  readonly policies: Map<string, readonly AccessPolicy[]>;
  readonly webhooks: Map<number, StoredWebhook>;
  readonly executions: SimulatedExecution[];
  readonly posts: ReceivedPost[];
  readonly faults: Faults;
  /** Where the server listens; known once it does. */
  base: string;
}

export const ADMIN: Subject = { user: 'admin', groups: ['admin'] };

/** 32 letters and digits, as Rundeck makes its tokens and secrets. */
export function token32(): string {
  return randomBytes(24).toString('base64url').replaceAll(/[-_]/g, 'x').slice(0, 32);
}

export const jobResource = (job: JobDefinition): Resource => ({
  type: 'job',
  group: job.group,
  name: job.name,
});

/** Whether the policies let it; a member of `admin` may do everything. */
export function may(
  state: ProjectState,
  subject: Subject,
  resource: Resource,
  action: string,
  where: 'project' | 'application' = 'project',
): boolean {
  return (
    subject.groups.includes('admin') ||
    isAllowed(
      [...state.policies.values()].flat(),
      subject,
      where === 'project' ? state.project : undefined,
      resource,
      action,
    )
  );
}

export const maySee = (state: ProjectState, subject: Subject, job: JobDefinition): boolean =>
  may(state, subject, jobResource(job), 'read') || may(state, subject, jobResource(job), 'view');

/** Imports a file of jobs; one without a UUID takes the place of its name. Throws with the parser's text. */
export function importJobs({ jobs }: ProjectState, text: string): readonly JobDefinition[] {
  return parseJobs(text).map((definition) => {
    const uuid =
      definition.uuid ??
      [...jobs].find(([, one]) => one.name === definition.name && one.group === definition.group)?.[0] ??
      crypto.randomUUID();
    const stored = { ...definition, uuid };
    jobs.set(uuid, stored);
    return stored;
  });
}

/** Replaces the policies of one name. Throws with the parser's text. */
export function importPolicies({ policies }: ProjectState, name: string, text: string): void {
  policies.set(name, parseAccessPolicies(text));
}

export function addWebhook(
  { webhooks }: ProjectState,
  given: WebhookDefinition,
  more: { readonly authToken?: string; readonly secret?: string } = {},
): StoredWebhook {
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
}
