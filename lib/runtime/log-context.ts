/** What every log line of one request or message carries, however deep it is written, and which trace an incident has. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Incident } from '#lib/core/incident.ts';
import { traceIdOf, xrayHeader } from '#lib/core/trace.ts';

export interface LogContext {
  incident_id?: string | undefined;
  trace_id?: string | undefined;
  request_id?: string | undefined;
}

/** More than a function handles at a time; a trace that is forgotten comes back with the record. */
const MOST_REMEMBERED = 1_000;

const storage = new AsyncLocalStorage<LogContext>();
const traces = new Map<string, string>();

/** Runs with these fields in every log line. */
export function inLogContext<Result>(context: LogContext, run: () => Result): Result {
  return storage.run({ ...context }, run);
}

/** Adds what has become known meanwhile; outside any context it does nothing. */
export function addToLogContext(more: LogContext): void {
  const context = storage.getStore();
  if (context !== undefined) Object.assign(context, more);
}

/** The fields of the request or message that is being handled. */
export function logContext(): Readonly<LogContext> {
  return storage.getStore() ?? {};
}

/** Keeps the trace of an incident at hand for its log lines and its messages. */
export function rememberTrace(incident: Pick<Incident, 'incidentId' | 'openedAt' | 'traceId'>): void {
  const { incidentId } = incident;
  traces.delete(incidentId);
  traces.set(incidentId, traceIdOf(incident));
  const [oldest] = traces.keys();
  if (traces.size > MOST_REMEMBERED && oldest !== undefined) traces.delete(oldest);
}

/** The trace of an incident as far as it is known here. */
export function traceFor(incidentId: string | undefined): string | undefined {
  const { incident_id, trace_id } = logContext();
  const known = incidentId === undefined ? undefined : traces.get(incidentId);
  return known ?? (incident_id === undefined || incident_id === incidentId ? trace_id : undefined);
}

/** SQS's `AWSTraceHeader` of a message about an incident. */
export function traceHeaderFor({ incidentId }: { readonly incidentId: string }): string | undefined {
  const traceId = traceFor(incidentId);
  return traceId === undefined ? undefined : xrayHeader(traceId);
}
