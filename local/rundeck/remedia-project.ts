/** The simulated Rundeck as `rundeck:setup` leaves a real one: this project's jobs, webhooks, access policy, tokens. */
import { readFileSync } from 'node:fs';
import { catalogue } from '#lib/catalogue/index.ts';
import type { Tool } from '#lib/catalogue/tool.ts';
import {
  type SimulatedRundeck,
  type SimulatedRundeckOptions,
  startSimulatedRundeck,
} from '#local/simulated-rundeck.ts';
import { jobWebhooks, jobYaml } from '../../rundeck/jobs.ts';
import type { SimulatedExecution } from './execution.ts';
import type { JobDefinition } from './job-definition.ts';

export interface RemediaRundeck {
  readonly rundeck: SimulatedRundeck;
  /** What Remedia is given for it. */
  readonly env: Readonly<Record<'RUNDECK_URL' | 'RUNDECK_WEBHOOKS' | 'RUNDECK_API_TOKEN', string>>;
}

const READER_TOKEN = 'simulated-reader-token';

/** What a pretended run says; a target with `fail` in its name fails, and one with `hang` never ends. */
function pretend(execution: SimulatedExecution, job: JobDefinition) {
  const values = Object.entries(execution.options).filter(
    ([name]) => !name.startsWith('remedia_') && name !== 'mode',
  );
  const said = values.map(([name, value]) => `${name}=${value}`).join(' ');
  const target = values.map(([, value]) => value).join(' ');
  if (/hang/.test(target)) return { afterMs: 3_600_000 };
  const tool = job.name.replaceAll('-', '_');
  const end = (result: string, exit: number, more = '') =>
    `{"tool":"${tool}","result":"${result}","exit":${exit},"simulated":true${more}}`;
  if (/fail/.test(target)) {
    return { exitCode: 7, lines: [`(simulated) ${job.name} ${said}`, end('not_active', 7)] };
  }
  if (tool === 'analyze_processes')
    return {
      exitCode: 0,
      lines: [`(simulated) ${job.name} ${said}: nothing was really done`, ...pretendedFindings(target)],
    };
  return {
    exitCode: 0,
    lines: [`(simulated) ${job.name} ${said}: nothing was really done`, end('simulated', 0)],
  };
}

/** One process that no policy names uses nearly everything; so a human gets it. */
function pretendedFindings(options: string): readonly string[] {
  const resource = ['memory', 'io', 'network'].find((each) => options.includes(each)) ?? 'cpu';
  const top = [{ pid: 4242, user: 'app', name: 'report-export', value: 93, unit: '' }];
  const facts = { resource, unit: 'percent', total: 95, capacity: 100, top };
  return [
    '         percent      PID  USER             NAME',
    '            93.0     4242  app              report-export',
    JSON.stringify({ tool: 'analyze_processes', result: 'analyzed', exit: 0, simulated: true, ...facts }),
  ];
}

/** Starts it. Without `runStep` executions are pretended and take `jobMs`. */
export async function startRemediaRundeck(options: SimulatedRundeckOptions = {}): Promise<RemediaRundeck> {
  const tools = Object.values<Tool>(catalogue);
  const policy = readFileSync(new URL('../../rundeck/remedia.aclpolicy', import.meta.url), 'utf8');
  const webhooks = jobWebhooks(tools);
  const rundeck = await startSimulatedRundeck({
    jobs: tools.flatMap((tool) => jobYaml(tool) ?? []),
    accessPolicies: [policy],
    nodes: 'any',
    tokens: { [READER_TOKEN]: { user: 'remedia', groups: ['remedia-reader'] } },
    webhooks,
    scenario: pretend,
    jobMs: 1_500,
    ...options,
  });
  const urls = rundeck.webhookUrls();
  const byTool = Object.fromEntries(webhooks.map(({ name, tool }) => [tool, urls[name]]));
  return {
    rundeck,
    env: {
      RUNDECK_URL: rundeck.url,
      RUNDECK_WEBHOOKS: JSON.stringify(byTool),
      RUNDECK_API_TOKEN: READER_TOKEN,
    },
  };
}
