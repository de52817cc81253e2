/** Looks whether a Rundeck server does what Remedia relies on: rights, refusals, and each job in a dry run. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  makeFindExecution,
  makeReadExecution,
  makeReadOutput,
  makeRunJob,
  type Webhooks,
} from '#lib/adapters/rundeck.ts';
import type { Tool, ToolArguments, ToolName } from '#lib/catalogue/tool.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { JobOrder } from '#lib/workflow/ports.ts';
import { json, openRundeck } from './call-rundeck.ts';

export interface VerifySettings {
  readonly url: string;
  readonly apiToken: string;
  readonly webhooks: Webhooks;
  readonly catalogue: Readonly<Record<ToolName, Tool>>;
  /** A host that is a node tagged `remedia`; only dry runs happen there. */
  readonly node: string;
  /** Arguments of the dry runs, by tool. */
  readonly samples: Readonly<Partial<Record<ToolName, ToolArguments>>>;
  readonly cleanupRoots: readonly string[];
  /** Milliseconds to wait for one job. */
  readonly waitMs: number;
}

export interface Finding {
  readonly ok: boolean;
  readonly text: string;
}

const reason = (error: unknown) => (error instanceof Error ? error.message : 'failed');

/** What Rundeck says when a node filter finds nothing. */
const NO_NODE = /no (matched nodes|nodes matched)/i;

/** Checks everything, one finding after the other; never runs a job but in a dry run. */
export async function* verifyRundeck(settings: VerifySettings): AsyncGenerator<Finding> {
  const { url, apiToken: token, catalogue } = settings;
  const api = { url, token, catalogue };
  const call = openRundeck(url, token);
  const readExecution = makeReadExecution(api);
  const runJob = makeRunJob({ webhooks: settings.webhooks, catalogue });
  const run = Date.now().toString(16).padStart(24, '0').slice(-24);
  const order = (tool: ToolName, step: 1 | 2, changes: Partial<JobOrder> = {}): JobOrder => ({
    tool,
    decisionId: `sim_${run}#${step}`,
    incidentId: `sim_${run}`,
    eventId: '0',
    triggerId: '0',
    source: 'verify',
    host: settings.node,
    node: settings.node,
    severity: 0,
    arguments: settings.samples[tool] ?? {},
    cleanupRoots: settings.cleanupRoots,
    decidedAt: Date.now(),
    mode: 'simulate',
    traceId: run.padStart(32, '0'),
    link: 'http://localhost/rundeck-verify',
    ...changes,
  });
  const ended = async (executionId: string) => {
    const until = Date.now() + settings.waitMs;
    for (;;) {
      const execution = await readExecution(executionId);
      if (execution?.endedAt !== undefined || Date.now() > until) return execution;
      await pause(500);
    }
  };

  for (const { name, job } of Object.values(catalogue)) {
    if (job === undefined) continue;
    // An empty option would be refused if the token could run the job at all; so nothing runs either way.
    const [seen, listed, mayRun] = [
      await call('GET', `/job/${job.uuid}/info`),
      await call('GET', `/job/${job.uuid}/executions?max=1`),
      await call('POST', `/job/${job.uuid}/run`, json({ options: { remedia_decision_id: '' } })),
    ];
    yield seen.status === 200
      ? { ok: true, text: `${name}: the API token sees the job` }
      : { ok: false, text: `${name}: the API token does not see the job ${job.uuid} (${seen.status})` };
    yield listed.status === 200
      ? { ok: true, text: `${name}: the API token lists its executions` }
      : {
          ok: false,
          text: `${name}: the API token lists no executions (${listed.status}): it needs read on events`,
        };
    yield mayRun.status === 403
      ? { ok: true, text: `${name}: the API token may not run it` }
      : { ok: false, text: `${name}: the API token may run it (${mayRun.status}); it should only read` };

    if (settings.webhooks[name] === undefined) {
      yield { ok: false, text: `${name}: RUNDECK_WEBHOOKS has no webhook for it` };
      continue;
    }
    try {
      const { executionId } = await runJob(order(name, 1));
      const execution = await ended(executionId);
      const output = await makeReadOutput(api)(executionId);
      const last = output.trimEnd().split('\n').at(-1) ?? '';
      if (job.on === 'relay' && execution?.status === 'failed' && NO_NODE.test(output)) {
        yield {
          ok: true,
          text: `${name}: no node bears the tag remedia-notify, so it tells nobody; only teams that route by Rundeck need one`,
        };
      } else
        yield execution?.status === 'succeeded'
          ? { ok: true, text: `${name}: dry run ${executionId} succeeded: ${last}` }
          : {
              ok: false,
              text: `${name}: dry run ${executionId} is ${execution?.status ?? 'unknown'}: ${last}`,
            };
      const by = await makeFindExecution(api)({
        tool: name,
        decisionId: order(name, 1).decisionId,
        since: Date.now() - 3_600_000,
      });
      yield by?.id === executionId
        ? { ok: true, text: `${name}: the execution is found by its decision` }
        : { ok: false, text: `${name}: the execution is not found by its decision` };
    } catch (error) {
      yield { ok: false, text: `${name}: the dry run was not started: ${reason(error)}` };
    }
    // The webhook of a relay names its node itself, whatever the post says.
    if (job.on !== 'relay')
      try {
        const { executionId } = await runJob(order(name, 2, { node: 'no-such-host.invalid' }));
        const execution = await ended(executionId);
        yield execution?.status === 'failed'
          ? { ok: true, text: `${name}: a host that is no node runs nothing` }
          : {
              ok: false,
              text: `${name}: for a host that is no node it says ${execution?.status ?? 'nothing'}`,
            };
      } catch (error) {
        yield error instanceof UpstreamError && error.sent === 'no'
          ? { ok: true, text: `${name}: a host that is no node is refused` }
          : { ok: false, text: `${name}: a host that is no node: ${reason(error)}` };
      }
    try {
      await runJob(order(name, 2, { eventId: 'not-a-number' }));
      yield { ok: false, text: `${name}: an option that does not fit was accepted: import the job again` };
    } catch (error) {
      yield error instanceof UpstreamError && error.code === 'options_refused'
        ? { ok: true, text: `${name}: an option that does not fit is refused` }
        : { ok: false, text: `${name}: an option that does not fit: ${reason(error)}` };
    }
  }
}
