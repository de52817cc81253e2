/** The simulated Rundeck can be told to fail in every way that Rundeck knows, and Remedia reads each of them right. */
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeReadExecution, makeRunJob, parseWebhooks } from '#lib/adapters/rundeck.ts';
import { catalogue } from '#lib/catalogue/index.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { JobOrder } from '#lib/workflow/ports.ts';
import type { ExecutionStatus } from '#local/rundeck/execution.ts';
import {
  API_REFUSALS,
  type ApiRefusal,
  type RundeckFault,
  WEBHOOK_REFUSALS,
  type WebhookRefusal,
} from '#local/rundeck/faults.ts';
import { type RemediaRundeck, startRemediaRundeck } from '#local/rundeck/remedia-project.ts';
import type { Scenario } from '#local/rundeck/run-executions.ts';

let open: RemediaRundeck;
beforeEach(async () => {
  open = await startRemediaRundeck({ jobMs: 1, scenario: () => ({}) });
});
afterEach(() => open.rundeck.close());

const ID = 'inc_0123456789abcdef01234567';
const order: JobOrder = {
  tool: 'restart_service',
  decisionId: `${ID}#1`,
  incidentId: ID,
  eventId: '42',
  triggerId: '13926',
  source: 'zabbix',
  host: 'web-01',
  node: 'web-01',
  severity: 4,
  arguments: { service_name: 'nginx.service' },
  cleanupRoots: [],
  decidedAt: 1_767_225_600_000,
  mode: 'live',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  link: `http://127.0.0.1:3000/api/v1/incidents/${ID}`,
};
const run = () => {
  const url = open.rundeck.webhookUrls()['remedia-restart_service'] ?? '';
  const webhooks = parseWebhooks(JSON.stringify({ restart_service: url }));
  return makeRunJob({ webhooks, catalogue, timeoutMs: 300 })(order);
};
const read = (id: string) =>
  makeReadExecution({ url: open.rundeck.url, token: open.rundeck.apiToken, timeoutMs: 300 })(id);
const errorOf = async (attempt: Promise<unknown>): Promise<UpstreamError> => {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UpstreamError)) throw new Error('it did not fail as it was told');
  return error;
};

type Meaning = Pick<UpstreamError, 'code' | 'sent' | 'retry'>;
const forGood = (code: string): Meaning => ({ code, sent: 'no', retry: false });
const forNow = (code: string): Meaning => ({ code, sent: 'no', retry: true });
const nobodyKnows = (code: string): Meaning => ({ code, sent: 'unknown', retry: false });

const WEBHOOK: Readonly<Record<WebhookRefusal, Meaning>> = {
  unknown_token: forGood('unauthorized'),
  webhook_not_found: forGood('webhook_missing'),
  webhook_disabled: forGood('webhook_disabled'),
  no_right_to_post: forGood('unauthorized'),
  wrong_secret: forGood('unauthorized'),
  unreadable_body: forGood('body_refused'),
  unknown_variable: forGood('webhook_misconfigured'),
  missing_parent: nobodyKnows('failed'),
  job_not_found: forGood('job_missing'),
  options_refused: forGood('options_refused'),
  job_disabled: forGood('job_disabled'),
  busy: forNow('busy'),
  passive: forNow('passive'),
  wrong_plugin: forGood('wrong_plugin'),
  wrong_method: forGood('refused'),
  unsupported_version: forGood('api_version'),
};

describe('a webhook that refuses', () => {
  it.each(WEBHOOK_REFUSALS)('%s', async (kind) => {
    open.rundeck.setFault({ kind });
    const error = await errorOf(run());
    expect(error).toMatchObject(WEBHOOK[kind]);
    expect(open.rundeck.executions()).toEqual([]);
    const token = open.rundeck.webhookUrls()['remedia-restart_service']?.split('/').at(-1) ?? '';
    expect(error.message).not.toContain(token);
    open.rundeck.setFault(undefined);
    expect(await run()).toEqual({ executionId: '1' });
  });

  it.each([
    [{ kind: 'hang' }, 0, nobodyKnows('unanswered')],
    [{ kind: 'hang_after_accepting' }, 1, nobodyKnows('unanswered')],
    [{ kind: 'cut_after_accepting' }, 1, nobodyKnows('unanswered')],
    [{ kind: 'status', status: 502, body: '<html>' }, 0, nobodyKnows('failed')],
    [{ kind: 'status', status: 200, body: '{}' }, 0, nobodyKnows('unanswered')],
    [{ kind: 'status', status: 429 }, 0, forNow('busy')],
  ] satisfies (readonly [RundeckFault, number, Meaning])[])(
    '%j leaves %i executions',
    async (fault, started, meaning) => {
      open.rundeck.setFault(fault);
      expect(await errorOf(run())).toMatchObject(meaning);
      expect(open.rundeck.executions()).toHaveLength(started);
    },
  );
});

const API: Readonly<Record<ApiRefusal, Meaning>> = {
  unknown_token: { code: 'unauthorized', sent: 'yes', retry: false },
  unauthorized: { code: 'unauthorized', sent: 'yes', retry: false },
  options_invalid: { code: 'failed', sent: 'yes', retry: false },
  job_disabled: { code: 'failed', sent: 'yes', retry: false },
  conflict: { code: 'failed', sent: 'yes', retry: false },
  execution_error: { code: 'failed', sent: 'yes', retry: true },
  unsupported_version: { code: 'failed', sent: 'yes', retry: false },
};

describe('an API that refuses', () => {
  it.each(API_REFUSALS)('%s', async (kind) => {
    await run();
    open.rundeck.setFault({ on: 'api', kind });
    expect(await errorOf(read('1'))).toMatchObject(API[kind]);
    open.rundeck.setFault({ on: 'api', kind: 'hang' });
    expect(await errorOf(read('1'))).toMatchObject({ code: 'timed_out', retry: true });
    open.rundeck.setFault(undefined);
    expect(await read('1')).toMatchObject({ id: '1' });
  });
});

describe('how an execution can stand', () => {
  it.each([
    ['running', { afterMs: 60_000 }],
    ['queued', { waits: 'queued', waitsMs: 60_000 }],
    ['scheduled', { waits: 'scheduled', waitsMs: 60_000 }],
  ] satisfies (readonly [ExecutionStatus, Scenario])[])('%s: it has not ended', async (status, scenario) => {
    open.rundeck.setScenario(() => scenario);
    const { executionId } = await run();
    const execution = await read(executionId);
    expect(execution).toMatchObject({ status });
    expect(execution).not.toHaveProperty('endedAt');
  });

  it.each([
    ['succeeded', {}, 'success'],
    ['succeeded', { waits: 'queued', waitsMs: 1 }, 'success'],
    ['failed', { exitCode: 7 }, 'failure'],
    ['aborted', { endsAs: 'aborted' }, 'failure'],
    ['timedout', { endsAs: 'timedout' }, 'failure'],
    ['missed', { endsAs: 'missed' }, 'failure'],
    ['other', { endsAs: 'other' }, 'failure'],
    // The job files listen to failures, and to none that is tried again.
    ['failed-with-retry', { exitCode: 7, endsAs: 'failed-with-retry' }, undefined],
  ] satisfies (readonly [ExecutionStatus, Scenario, string | undefined])[])(
    '%s: it has ended, %j',
    async (status, scenario, trigger) => {
      const heard: string[] = [];
      const sink = createServer((request, response) => {
        heard.push(String(request.headers['x-rundeck-notification-trigger']));
        response.end();
      });
      await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
      const address = sink.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      await open.rundeck.close();
      open = await startRemediaRundeck({
        jobMs: 1,
        scenario: () => scenario,
        notificationUrl: `http://127.0.0.1:${port}/x`,
      });
      const { executionId } = await run();
      await open.rundeck.idle();
      expect(await read(executionId)).toMatchObject({ status, endedAt: expect.any(Number) });
      expect(heard).toEqual(trigger === undefined ? [] : [trigger]);

      open.rundeck.setFault({ on: 'notification', kind: 'lost', times: 1 });
      await run();
      await open.rundeck.idle();
      expect(heard).toHaveLength(trigger === undefined ? 0 : 1);
      sink.close();
    },
  );
});
