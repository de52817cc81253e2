/** How an administrator lists, saves and deletes webhooks of the simulated Rundeck. */
import * as z from 'zod';
import type { Subject } from './access-policy.ts';
import { type Answer, apiError, err, json, parseJson } from './answers.ts';
import {
  ADMIN,
  addWebhook,
  may,
  type ProjectState,
  readWebhookDefinition,
  type StoredWebhook,
  token32,
} from './project-state.ts';

const givenWebhook = z.object({
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
});

const render = ({ project }: ProjectState, { secret, ...hook }: StoredWebhook) => ({
  ...hook,
  creator: ADMIN.user,
  project,
  useAuth: secret !== undefined,
  regenAuth: false,
});

/** `webhooks`, and `webhook/ID` by GET. */
export function showWebhooks(state: ProjectState, subject: Subject, id: string | undefined): Answer {
  if (!may(state, subject, { type: 'resource', kind: 'webhook' }, 'read')) {
    return err('You do not have access to this resource');
  }
  if (id === undefined) return json([...state.webhooks.values()].map((hook) => render(state, hook)));
  const hook = state.webhooks.get(Number(id));
  return hook === undefined ? err('Webhook not found', 404) : json(render(state, hook));
}

export function deleteWebhook(state: ProjectState, subject: Subject, id: string): Answer {
  if (!may(state, subject, { type: 'resource', kind: 'webhook' }, 'delete')) {
    return err('You are not authorized to perform this action');
  }
  return state.webhooks.delete(Number(id)) ? json({ msg: 'Deleted webhook' }) : err('Webhook not found');
}

export function saveWebhook(state: ProjectState, subject: Subject, body: string): Answer {
  const { webhooks } = state;
  if (!may(state, subject, { type: 'resource', kind: 'webhook' }, 'create')) {
    return err('You are not authorized to perform this action');
  }
  const parsed = givenWebhook.safeParse(parseJson(body));
  if (!parsed.success) return err('Unable to read the webhook');
  const given = parsed.data;
  if (given.project === undefined) {
    return apiError(400, 'api.error.parameter.required', 'parameter "project" is required');
  }
  // An update finds the webhook by its uuid, and says "not found" without one.
  const existing =
    given.id === undefined ? undefined : [...webhooks.values()].find((one) => one.uuid === given.uuid);
  if (given.id !== undefined && existing === undefined) return err('Webhook not found');
  const definition = readWebhookDefinition({ ...existing, ...given });
  if (definition === undefined) return err('Invalid plugin configuration');
  const generated = given.useAuth === true && given.regenAuth === true ? token32() : undefined;
  const kept = given.useAuth === false ? undefined : existing?.secret;
  const secret = generated ?? kept;
  const stored: StoredWebhook =
    existing === undefined
      ? addWebhook(
          state,
          { ...definition, user: given.user ?? subject.user },
          secret === undefined ? {} : { secret },
        )
      : {
          ...definition,
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
}
