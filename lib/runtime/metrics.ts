/**
 * Metrics in CloudWatch's Embedded Metric Format: one line of the log for each event, of which CloudWatch makes the
 * metrics. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import type { Measurement } from '#lib/core/measure.ts';
import { measurementsOf } from '#lib/core/measure.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import { logContext, rememberTrace, traceFor } from '#lib/runtime/log-context.ts';
import type {
  AskModel,
  ChangeIncident,
  CreateIncident,
  DueIncidents,
  LoadIncident,
} from '#lib/workflow/ports.ts';

const NAMESPACE = 'Remedia';

/** Writes one event; `about` is in the line to be searched for, and makes no metric. */
export type Measure = (measurement: Measurement, about?: { readonly incidentId?: string }) => void;

/** @param write gets one line without its end; the standard output by default */
export function makeMeasure(
  write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
  clock: () => number = Date.now,
): Measure {
  return ({ metric, value, dimensions }, { incidentId } = {}) => {
    const now = clock();
    const names = Object.keys(dimensions);
    const { incident_id = incidentId, request_id } = {
      ...logContext(),
      ...(incidentId && { incident_id: incidentId }),
    };
    write(
      JSON.stringify({
        _aws: {
          Timestamp: now,
          CloudWatchMetrics: [
            {
              Namespace: NAMESPACE,
              Dimensions: [
                // Each also summed over what is more special: all decisions of a verdict, and those with one reason.
                ...names.map((_, index) => names.slice(0, index + 1)),
                // An alarm cannot know every Zabbix that posts.
                ...(metric === 'Messages' ? [['Result']] : []),
              ],
              Metrics: [{ Name: metric, Unit: metric.endsWith('Milliseconds') ? 'Milliseconds' : 'Count' }],
            },
          ],
        },
        level: 'INFO',
        time: new Date(now).toISOString(),
        message: 'metric',
        incident_id,
        trace_id: traceFor(incident_id),
        request_id,
        ...dimensions,
        [metric]: value,
      }),
    );
  };
}

interface ObservedPorts {
  readonly loadIncident: LoadIncident;
  readonly createIncident: CreateIncident;
  readonly changeIncident: ChangeIncident;
  readonly dueIncidents: DueIncidents;
}

/** The same table, which measures what its own changes say, and keeps the traces of what was read for the log. */
export function observeIncidents<Table extends ObservedPorts>(table: Table, measure: Measure): Table {
  return {
    ...table,
    loadIncident: async (incidentId) => {
      const incident = await table.loadIncident(incidentId);
      if (incident !== undefined) rememberTrace(incident);
      return incident;
    },
    dueIncidents: async (query) => {
      const due = await table.dueIncidents(query);
      due.forEach(rememberTrace);
      return due;
    },
    createIncident: async (incident) => {
      const result = await table.createIncident(incident);
      rememberTrace(result.incident);
      if (result.kind === 'created') tell(undefined, result.incident);
      return result;
    },
    changeIncident: async (incidentId, change) => {
      let before: Parameters<typeof change>[0] | undefined;
      const result = await table.changeIncident(incidentId, (known) => {
        before = known;
        return change(known);
      });
      if (result.incident !== undefined) rememberTrace(result.incident);
      if (result.changed && result.incident !== undefined && before !== undefined)
        tell(before, result.incident);
      return result;
    },
  };

  function tell(...[before, after]: Parameters<typeof measurementsOf>): void {
    for (const each of measurementsOf(before, after)) measure(each, { incidentId: after.incidentId });
  }
}

/** The same model, whose time is measured by how the call ended. Milliseconds. */
export function measureModel(
  askModel: AskModel,
  measure: Measure,
  clock: () => number = () => performance.now(),
): AskModel {
  return async (question) => {
    const began = clock();
    const end = (Result: string) =>
      measure({
        metric: 'ModelMilliseconds',
        value: Math.round(clock() - began),
        dimensions: { Result },
      });
    try {
      const answer = await askModel(question);
      end('answered');
      return answer;
    } catch (error) {
      end(error instanceof UpstreamError ? error.code : 'fault');
      throw error;
    }
  };
}
