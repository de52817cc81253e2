/** POST /api/v1/rundeck/execution: Rundeck says that an execution has news; only its id is believed. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import * as z from 'zod';
import { contentTypes, type Gate, httpHandler, jsonOf, problem, unauthorized } from '#lib/runtime/http.ts';
import type { Log } from '#lib/runtime/logger.ts';
import { bearerMatches } from '#lib/runtime/tokens.ts';

/** Rundeck 5: the notification has `executionId` as a number; a template may send it as text. */
const notification = z.object({
  executionId: z.union([z.int().positive().transform(String), z.string().regex(/^[0-9]{1,19}$/)]),
});

/**
 * Rundeck 5.20: a notification URL `https://remedia:<token>@host/…` is sent with `Authorization: Basic` at the first
 * request; other senders may use a bearer token.
 */
export function executionGate(tokens: readonly string[]): Gate {
  return ({ headers }) => {
    const header = headers['authorization'] ?? '';
    const [, basic = ''] = /^Basic +(\S+)$/i.exec(header) ?? [];
    const password = Buffer.from(basic, 'base64')
      .toString('utf8')
      .replace(/^[^:]*:/, '');
    const bearer = basic === '' ? header : `Bearer ${password}`;
    return bearerMatches(bearer, tokens)
      ? undefined
      : unauthorized('Expected one of the EXECUTION_TOKENS, as a bearer token or as the password of Basic.');
  };
}

/** The endpoint as a Lambda handler. */
export function makeExecutionEndpoint(parts: {
  readonly gate: Gate;
  readonly receive: (executionId: string) => Promise<'checking' | 'not_ours'>;
  readonly log: Log;
}): (event: APIGatewayProxyEvent, context: unknown) => Promise<APIGatewayProxyResult> {
  return httpHandler({
    methods: ['POST'],
    gates: [parts.gate, contentTypes(['application/json'])],
    log: parts.log,
    handle: async (request) => {
      const read = notification.safeParse(jsonOf(request)?.json);
      if (!read.success)
        return problem(400, 'Bad Request', 'This is no notification of an execution.', {
          errors: [{ field: 'executionId', expected: 'the number of an execution' }],
        });
      return { status: 202, json: { status: await parts.receive(read.data.executionId) } };
    },
  });
}
