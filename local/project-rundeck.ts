/** The simulated Rundeck with this project's own jobs, webhooks and access policy, set up as an administrator would. */
import { catalogue } from '#lib/catalogue/index.ts';
import { openRundeck } from '../rundeck/call-rundeck.ts';
import { connectRundeck } from '../rundeck/connect.ts';
import { type SimulatedRundeck, startSimulatedRundeck } from './simulated-rundeck.ts';

export interface ProjectRundeck {
  readonly rundeck: SimulatedRundeck;
  /** What the functions have to know of it, by the names of their settings. */
  readonly settings: Readonly<Record<'RUNDECK_URL' | 'RUNDECK_API_TOKEN' | 'RUNDECK_WEBHOOKS', string>>;
}

/**
 * Starts it on a free port of 127.0.0.1. `notificationUrl` is told when a job has ended; `jobMs` is how long a
 * pretended job takes; `stateFile` keeps executions over a restart.
 */
export async function startProjectRundeck(options: {
  readonly notificationUrl: string;
  readonly jobMs?: number;
  readonly stateFile?: string;
  readonly print?: (line: string) => void;
}): Promise<ProjectRundeck> {
  const { notificationUrl, ...rest } = options;
  const rundeck = await startSimulatedRundeck({ ...rest, nodes: 'any' });
  const { webhooks, apiToken } = await connectRundeck(openRundeck(rundeck.url, rundeck.apiToken), {
    url: rundeck.url,
    project: 'remedia',
    tools: Object.values(catalogue),
    user: 'admin',
    notificationUrl,
    renew: false,
  });
  return {
    rundeck,
    settings: {
      RUNDECK_URL: rundeck.url,
      RUNDECK_API_TOKEN: apiToken,
      RUNDECK_WEBHOOKS: JSON.stringify(webhooks),
    },
  };
}
