/** /api/v1/pause: shows the one switch that stops every job, and turns it. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import * as z from 'zod';
import {
  bearerGate,
  contentTypes,
  type HttpAnswer,
  httpHandler,
  jsonOf,
  problem,
} from '#lib/runtime/http.ts';
import type { Log } from '#lib/runtime/logger.ts';
import type { PauseState } from '#lib/workflow/pause.ts';

const wanted = z.strictObject({
  paused: z.boolean('true or false'),
  by: z.string('who says so').trim().min(1, 'who says so').max(100),
  reason: z.string().trim().max(300).optional(),
});

/** The endpoint as a Lambda handler; both reading and turning need one of the operators' tokens. */
export function makePauseEndpoint(parts: {
  readonly tokens: readonly string[];
  readonly show: () => Promise<PauseState>;
  readonly set: (wanted: {
    readonly paused: boolean;
    readonly by: string;
    readonly reason?: string | undefined;
  }) => Promise<PauseState>;
  readonly log: Log;
}): (event: APIGatewayProxyEvent, context: unknown) => Promise<APIGatewayProxyResult> {
  const { tokens, show, set, log } = parts;
  const json = contentTypes(['application/json']);
  return httpHandler({
    methods: ['GET', 'POST', 'PUT'],
    gates: [bearerGate(tokens), (request) => (request.method === 'GET' ? undefined : json(request))],
    log,
    handle: async (request) => {
      if (request.method === 'GET') return answer(await show());
      const read = wanted.safeParse(jsonOf(request)?.json);
      if (!read.success) {
        const errors = read.error.issues.map(({ path, message }) => ({
          field: path.join('.'),
          expected: message,
        }));
        return problem(400, 'Bad Request', 'The switch cannot be turned.', { errors });
      }
      const state = await set(read.data);
      const { waitingInAll, sentAgain } = state;
      log.warn(read.data.paused ? 'paused' : 'resumed', {
        by: read.data.by,
        waiting: waitingInAll,
        ...(sentAgain !== undefined && { sent_again: sentAgain }),
      });
      return answer(state);
    },
  });
}

function answer({ pause, waiting, waitingInAll, sentAgain }: PauseState): HttpAnswer {
  return {
    status: 200,
    json: {
      paused: pause.paused,
      ...(pause.by !== undefined && { by: pause.by }),
      ...(pause.since !== undefined && { since: new Date(pause.since).toISOString() }),
      ...(pause.reason !== undefined && { reason: pause.reason }),
      waitingInAll,
      ...(sentAgain !== undefined && { sentAgain, left: Math.max(0, waitingInAll - sentAgain) }),
      waiting: waiting.map(({ incidentId, alert, openedAt }) => ({
        incidentId,
        host: alert?.host.host,
        eventName: alert?.eventName,
        openedAt: new Date(openedAt).toISOString(),
      })),
    },
  };
}
