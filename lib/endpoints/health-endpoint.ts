/** GET /api/v1/health: really asks every part, all at once, and says which of them is down. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { httpHandler, unauthorized } from '#lib/runtime/http.ts';
import { errorFields, type Log } from '#lib/runtime/logger.ts';
import { bearerMatches } from '#lib/runtime/tokens.ts';

const LONGEST_MS = 3_000;

export interface PartHealth {
  readonly ok: boolean;
  readonly detail: string;
}
export type CheckPart = () => Promise<PartHealth>;

/** The endpoint as a Lambda handler: 200 when every part is well, else 503 with the same list. */
export function makeHealthEndpoint(parts: {
  readonly tokens: readonly string[];
  readonly checks: Readonly<Record<string, CheckPart>>;
  readonly log: Log;
}): (event: APIGatewayProxyEvent, context: unknown) => Promise<APIGatewayProxyResult> {
  const { tokens, checks, log } = parts;
  return httpHandler({
    methods: ['GET'],
    gates: [
      ({ headers }) =>
        bearerMatches(headers['authorization'], tokens)
          ? undefined
          : unauthorized('Expected Authorization: Bearer and a valid token.'),
    ],
    log,
    handle: async () => {
      const found = await Promise.all(
        Object.entries(checks).map(async ([name, check]) => [name, await bounded(check, name, log)] as const),
      );
      const down = found.filter(([, { ok }]) => !ok).map(([name]) => name);
      return {
        status: down.length === 0 ? 200 : 503,
        json: { status: down.length === 0 ? 'ok' : 'degraded', down, parts: Object.fromEntries(found) },
      };
    },
  });
}

async function bounded(check: CheckPart, name: string, log: Log): Promise<PartHealth> {
  const { promise, resolve } = Promise.withResolvers<PartHealth>();
  const timer = setTimeout(
    () => resolve({ ok: false, detail: `no answer within ${LONGEST_MS / 1000} s` }),
    LONGEST_MS,
  );
  try {
    return await Promise.race([check(), promise]);
  } catch (error) {
    log.warn(`health: ${name} failed`, errorFields(error));
    return { ok: false, detail: 'failed; the log says more' };
  } finally {
    clearTimeout(timer);
  }
}
