/** What an operator sees of one alert's whole way: every log line says whose it is, one trace, and metrics as AWS wants. */
import { readFile } from 'node:fs/promises';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { createDynamoClient } from '#lib/adapters/incidents-table.ts';
import type { Incident } from '#lib/core/incident.ts';
import { traceIdOf } from '#lib/core/trace.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import { inLogContext } from '#lib/runtime/log-context.ts';
import { makeMeasure, measureModel } from '#lib/runtime/metrics.ts';
import { type SimulatedModel, startSimulatedModel } from '#local/simulated-model.ts';
import { NOON } from '#test/builders/incidents.ts';
import { anSqsEvent, anSqsRecord } from '#test/builders/sqs-events.ts';
import { type Pipeline, startPipeline } from '#test/flow/pipeline.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

const line = z.looseObject({
  level: z.enum(['INFO', 'WARN', 'ERROR']),
  time: z.iso.datetime(),
  message: z.string(),
  incident_id: z.string().optional(),
  trace_id: z.string().optional(),
});

/**
 * A line in the Embedded Metric Format: the schema of the specification, and that what it names is there.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
const directive = z.object({
  Namespace: z.string().min(1).max(1024),
  Dimensions: z.array(z.array(z.string().min(1).max(250)).max(30)).min(1),
  Metrics: z
    .array(z.object({ Name: z.string().min(1).max(1024), Unit: z.enum(['Count', 'Milliseconds']) }))
    .min(1)
    .max(100),
});
const emf = z
  .looseObject({ _aws: z.object({ Timestamp: z.int(), CloudWatchMetrics: z.array(directive).min(1) }) })
  .superRefine((record, context) => {
    const wrong = (message: string) => context.addIssue({ code: 'custom', message });
    for (const { Dimensions, Metrics } of record._aws.CloudWatchMetrics) {
      for (const { Name } of Metrics) if (typeof record[Name] !== 'number') wrong(`${Name} is no number`);
      for (const name of Dimensions.flat()) {
        const value = record[name];
        if (typeof value !== 'string' || value === '' || value.length > 1024)
          wrong(`${name} is no dimension`);
      }
    }
  });

function measured(lines: readonly string[]): readonly Record<string, unknown>[] {
  return lines.filter((each) => each.includes('"_aws"')).map((each) => emf.parse(JSON.parse(each)));
}

describe('the way of one alert', () => {
  const written: string[] = [];
  let model: SimulatedModel;
  let pipeline: Pipeline;
  let incident: Incident;
  let spy: { readonly mockRestore: () => void };

  beforeAll(async () => {
    spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(
        ...String(text)
          .split('\n')
          .filter((each) => each.startsWith('{')),
      );
      return true;
    });
    model = await startSimulatedModel();
    pipeline = await startPipeline({ OLLAMA_URL: model.url, RETENTION_DAYS: '7' });
    const text = await readFile(new URL('../../local/samples/disk-problem.json', import.meta.url), 'utf8');
    const problem = z.record(z.string(), z.string()).parse(JSON.parse(text));
    const { incidentId } = await pipeline.post(problem, { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` });
    await pipeline.until(incidentId, ({ decisions }) =>
      decisions.some(({ dispatch }) => dispatch?.executionId),
    );
    await pipeline.post({ ...problem, event_value: '0', event_recovery_id: '99' });
    incident = await pipeline.until(incidentId, ({ state }) => state === 'closed');
  });
  afterAll(async () => {
    await pipeline.stop();
    await model.close();
    spy.mockRestore();
  });

  it('says on every line whose it is and which trace it belongs to', () => {
    const lines = written.map((each) => line.parse(JSON.parse(each)));

    // Which model decides is said at a function's start, before there is any incident.
    const ofAlerts = lines.filter(({ message }) => message !== 'the model that decides');
    expect(ofAlerts.length).toBeGreaterThan(10);
    for (const each of ofAlerts)
      expect(each).toMatchObject({ incident_id: incident.incidentId, trace_id: TRACE });
    const functions = lines.map((each) => each['function']);
    for (const name of ['receive-alert', 'decide-remediation', 'dispatch-job', 'verify-outcome'])
      expect(functions).toContain(name);
  });

  it('is one trace, from the webhook to the job', () => {
    expect(incident.traceId).toBe(TRACE);
    const [post] = pipeline.rundeck.posts();
    expect(JSON.parse(post?.body ?? '{}')).toMatchObject({ remedia_trace_id: TRACE });
  });

  it('expires as many days after its end as RETENTION_DAYS says, whichever function ended it', async () => {
    const client = createDynamoClient({ endpoint: pipeline.aws.dynamoEndpoint });
    const { Item } = await client.send(
      new GetItemCommand({ TableName: pipeline.aws.tableName, Key: { pk: { S: incident.incidentId } } }),
    );
    client.destroy();

    expect(Number(Item?.['expiresAt']?.N)).toBe(Math.ceil((incident.closedAt ?? 0) / 1000 + 7 * 86_400));
  });

  it('is measured, one valid line for each event', () => {
    const metrics = measured(written);
    const of = (name: string) => metrics.filter((each) => name in each);

    expect(of('Alerts')).toMatchObject([{ Kind: 'problem', Source: 'zabbix' }, { Kind: 'recovery' }]);
    expect(of('Decisions')).toMatchObject([
      { Verdict: 'remediate', Reason: expect.any(String), Decisions: 1 },
    ]);
    expect(of('Executions')).toMatchObject([{ Tool: 'cleanup_disk' }]);
    expect(of('ExecutionsEnded')).toMatchObject([{ Tool: 'cleanup_disk', Status: 'succeeded' }]);
    expect(of('Outcomes')).toMatchObject([{ Outcome: 'verified' }]);
    expect(of('ModelMilliseconds')).toMatchObject([{ Result: 'answered' }]);
    for (const queue of ['alerts', 'jobs', 'checks'])
      expect(of('QueueAgeMilliseconds')).toContainEqual(expect.objectContaining({ Queue: `flow-${queue}` }));
    expect(of('Messages')).toEqual([]);
  });

  it('is told to a human in a trace of its own, when nothing can be done', async () => {
    written.length = 0;
    const text = await readFile(new URL('../../local/samples/unknown-problem.json', import.meta.url), 'utf8');
    const { incidentId } = await pipeline.post(z.record(z.string(), z.string()).parse(JSON.parse(text)));
    const told = await pipeline.until(incidentId, ({ escalation }) => escalation === 'delivered');

    const trace_id = traceIdOf(told);
    expect(told).not.toHaveProperty('traceId');
    const lines = written.map((each) => line.parse(JSON.parse(each)));
    for (const each of lines) expect(each).toMatchObject({ incident_id: incidentId, trace_id });
    const metrics = measured(written);
    expect(metrics).toContainEqual(expect.objectContaining({ Messages: 1, Result: 'told' }));
    expect(metrics).toContainEqual(expect.objectContaining({ Outcomes: 1, Outcome: 'handed_over' }));
  });

  it('says whose a message is that fails, also when it is dead', async () => {
    written.length = 0;
    const incidentId = 'inc_0123456789abcdef01234567';
    const body = JSON.stringify({ incidentId, step: 3 });
    const record = anSqsRecord('m1', body);
    await pipeline.people.stop();

    // As a whole, which the alarm counts: that a message failed alone is in no metric.
    await expect(pipeline.invoke('escalate-dead-letters', anSqsEvent(record))).rejects.toThrow(
      `No human could be told of the dead letter m1 (${incidentId})`,
    );

    const lines = written.map((each) => line.parse(JSON.parse(each)));
    expect(lines.map(({ level }) => level)).toEqual(['WARN', 'ERROR']);
    for (const each of lines) expect(each).toMatchObject({ incident_id: incidentId });
  });
});

describe('a measurement', () => {
  function prepare() {
    const lines: string[] = [];
    return {
      lines,
      measure: makeMeasure(
        (text) => lines.push(text),
        () => NOON,
      ),
    };
  }

  it('is also summed over what is more special', () => {
    const { lines, measure } = prepare();

    measure({
      metric: 'Decisions',
      value: 1,
      dimensions: { Source: 'a', Verdict: 'ignore', Reason: 'storm' },
    });

    expect(measured(lines)).toMatchObject([
      {
        _aws: {
          Timestamp: NOON,
          CloudWatchMetrics: [
            {
              Namespace: 'Remedia',
              Dimensions: [['Source'], ['Source', 'Verdict'], ['Source', 'Verdict', 'Reason']],
              Metrics: [{ Name: 'Decisions', Unit: 'Count' }],
            },
          ],
        },
        Decisions: 1,
      },
    ]);
  });

  it('of a message is also summed over all sources, for an alarm cannot name them', () => {
    const { lines, measure } = prepare();

    measure({ metric: 'Messages', value: 1, dimensions: { Source: 'a', Result: 'undeliverable' } });

    expect(measured(lines)).toMatchObject([
      {
        _aws: {
          CloudWatchMetrics: [
            { Namespace: 'Remedia', Dimensions: [['Source'], ['Source', 'Result'], ['Result']] },
          ],
        },
      },
    ]);
  });

  it('carries what the line is about, as no dimension', () => {
    const { lines, measure } = prepare();

    inLogContext({ incident_id: 'inc_1', trace_id: TRACE }, () =>
      measure({ metric: 'Alerts', value: 1, dimensions: { Source: 'a' } }),
    );

    expect(measured(lines)).toMatchObject([{ incident_id: 'inc_1', trace_id: TRACE }]);
  });

  it.each([
    [new UpstreamError('ollama', 'busy', 'busy', { sent: 'no', retry: true }), 'busy'],
    [new Error('broken'), 'fault'],
  ])("of a model's failure %s has its name", async (error, Result) => {
    const { lines, measure } = prepare();
    let now = 0;
    const ask = measureModel(
      () => Promise.reject(error),
      measure,
      () => (now += 250),
    );

    const question = { system: '', examples: [], brief: '', tools: [], format: {} };
    await expect(ask(question)).rejects.toBe(error);

    expect(measured(lines)).toMatchObject([{ ModelMilliseconds: 250, Result }]);
  });
});
