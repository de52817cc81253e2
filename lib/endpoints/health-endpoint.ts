/** GET /api/v1/health: really asks every part, all at once, and says which of them is down. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Decider } from '#lib/core/incident.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import { bearerGate, httpHandler } from '#lib/runtime/http.ts';
import { errorFields, type Log, redact } from '#lib/runtime/logger.ts';
import type { LoadPause, LoadPolicy } from '#lib/workflow/ports.ts';

/** Of each check; all run at once. */
const LONGEST_MS = 3_000;

export interface PartHealth {
  readonly ok: boolean;
  readonly detail: string;
}
export type CheckPart = () => Promise<PartHealth>;

/** A queue is well when it tells how many messages it holds. */
export function queueCheck(
  depths: () => Promise<
    ReadonlyMap<string, { readonly waiting: number; readonly inFlight: number; readonly delayed: number }>
  >,
): CheckPart {
  return async () => {
    const counts = [...(await depths()).values()].map(
      ({ waiting, inFlight, delayed }) => `${waiting} waiting, ${inFlight} in work, ${delayed} delayed`,
    );
    return { ok: true, detail: counts.join('; ') };
  };
}

/** The table is well when it can be read. Being paused is no fault; the detail says so, for a paused Remedia does nothing. */
export function tableCheck({
  loadPause,
  loadPolicy,
}: {
  readonly loadPause: LoadPause;
  readonly loadPolicy: LoadPolicy;
}): CheckPart {
  return async () => {
    const [pause, stored] = await Promise.all([loadPause(), loadPolicy()]);
    if (stored === undefined)
      return { ok: true, detail: 'readable; there is no readable policy, so Remedia is paused' };
    const detail = pause.paused ? 'readable; Remedia is paused' : 'readable';
    return { ok: true, detail: `${detail}; policy ${stored.hash.slice(0, 12)}` };
  };
}

/** The endpoint as a Lambda handler: 200 when every part is well, else 503 with the same list. */
export function makeHealthEndpoint(parts: {
  readonly tokens: readonly string[];
  /** Said in the answer: where rules alone decide, no model is among the parts. */
  readonly decider: Decider;
  readonly checks: Readonly<Record<string, CheckPart>>;
  readonly log: Log;
  /** Milliseconds for each check. */
  readonly within?: number;
}): (event: APIGatewayProxyEvent, context: unknown) => Promise<APIGatewayProxyResult> {
  const { tokens, decider, checks, log, within = LONGEST_MS } = parts;
  return httpHandler({
    methods: ['GET'],
    gates: [bearerGate(tokens)],
    log,
    handle: async () => {
      const found = await Promise.all(
        Object.entries(checks).map(
          async ([name, check]) => [name, await bounded(check, name, within, log)] as const,
        ),
      );
      const down = found.filter(([, { ok }]) => !ok).map(([name]) => name);
      return {
        status: down.length === 0 ? 200 : 503,
        json: {
          status: down.length === 0 ? 'ok' : 'degraded',
          decider,
          down,
          parts: Object.fromEntries(found),
        },
      };
    },
  });
}

async function bounded(check: CheckPart, name: string, within: number, log: Log): Promise<PartHealth> {
  const { promise, resolve } = Promise.withResolvers<PartHealth>();
  const timer = setTimeout(
    () => resolve({ ok: false, detail: `no answer within ${within / 1000} s` }),
    within,
  );
  try {
    return await Promise.race([check(), promise]);
  } catch (error) {
    log.warn(`health: ${name} failed`, errorFields(error));
    return {
      ok: false,
      detail: error instanceof UpstreamError ? redact(error.message) : 'failed; the log says more',
    };
  } finally {
    clearTimeout(timer);
  }
}
