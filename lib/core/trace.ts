/** The trace of one incident, from the webhook to the Rundeck job: a W3C trace id that AWS X-Ray takes as well. */
import type { Incident } from '#lib/core/incident.ts';

/** https://www.w3.org/TR/trace-context/#traceparent-header: version, trace id, parent id, flags; all in lower case. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
/** https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
const XRAY_ROOT = /(?:^|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;|$)/;

/**
 * Of an incident, 32 hex digits: what its first request brought, else the second it was opened and the digits of its
 * id, which is X-Ray's own form of a trace id. The same incident always has the same.
 */
export function traceIdOf({
  incidentId,
  openedAt,
  traceId,
}: Pick<Incident, 'incidentId' | 'openedAt' | 'traceId'>): string {
  if (traceId !== undefined) return traceId;
  const second = Math.floor(openedAt / 1000)
    .toString(16)
    .padStart(8, '0')
    .slice(-8);
  return `${second}${incidentId.slice(-24)}`;
}

/** The trace id of a `traceparent` header; `undefined` when there is none, or it is not as W3C says. */
export function traceOfParent(header: string | undefined): string | undefined {
  return header === undefined ? undefined : TRACEPARENT.exec(header.trim())?.[1];
}

/** The trace id in the form of `X-Amzn-Trace-Id` and of SQS's `AWSTraceHeader`. */
export function xrayHeader(traceId: string): string {
  return `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;
}

/** The trace id of such a header; `undefined` when there is none in it. */
export function traceOfXray(header: string | undefined): string | undefined {
  const [, second, rest] = XRAY_ROOT.exec(header ?? '') ?? [];
  return second !== undefined && rest !== undefined ? `${second}${rest}` : undefined;
}
