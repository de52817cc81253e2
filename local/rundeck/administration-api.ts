/** What only an administrator asks the simulated Rundeck: its version, access policies, tokens. */
import * as z from 'zod';
import type { Subject } from './access-policy.ts';
import { type Answer, API_VERSION, apiError, forbidden, json, missing, parseJson } from './answers.ts';
import { importPolicies, may, type ProjectState, token32 } from './project-state.ts';

export function systemInfo(state: ProjectState, subject: Subject): Answer {
  if (!may(state, subject, { type: 'resource', kind: 'system' }, 'read', 'application')) {
    return forbidden('Read for System Info');
  }
  return json({
    system: {
      timestamp: { epoch: Date.now() },
      rundeck: { version: '5.20.1-SIMULATED', apiversion: API_VERSION, node: 'simulated', base: '/' },
      executions: { active: true, executionMode: 'active' },
    },
  });
}

export function routePolicy(
  state: ProjectState,
  name: string,
  method: string,
  subject: Subject,
  body: string,
): Answer {
  if (!subject.groups.includes('admin')) return forbidden(`ACL for Project ${state.project}`);
  const stored = state.policies.get(name);
  if (method === 'GET') {
    return stored === undefined ? missing(`System ACL ${name}`) : json({ contents: name });
  }
  if (method === 'POST' && stored !== undefined) {
    return apiError(409, 'api.error.item.alreadyexists', `ACL policy ${name} already exists`);
  }
  try {
    importPolicies(state, name, body);
    return json({ contents: body }, method === 'POST' ? 201 : 200);
  } catch {
    return json({ valid: false, policies: [] }, 400);
  }
}

export function createToken(state: ProjectState, user: string, subject: Subject, body: string): Answer {
  if (!subject.groups.includes('admin')) return forbidden('Create for API Token');
  const given = z.object({ roles: z.array(z.string()).min(1) }).safeParse(parseJson(body));
  if (!given.success) return apiError(400, 'api.error.invalid.request', 'Format was not valid');
  const token = token32();
  state.tokens.set(token, { user, groups: given.data.roles });
  // A Rundeck without further settings lets no token live longer than 30 days.
  const expiration = new Date(Date.now() + 30 * 86_400_000).toISOString();
  return json(
    { token, id: crypto.randomUUID(), user, roles: given.data.roles, expiration, expired: false },
    201,
  );
}
