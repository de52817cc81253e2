/** POST /api/v1/zabbix/alert: who may post, what an alert looks like, and what each post is answered. */
import { createHash } from 'node:crypto';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Alert } from '#lib/core/alert.ts';
import type { Mode } from '#lib/core/incident.ts';
import { type FieldProblem, parseAlert } from '#lib/core/parse-alert.ts';
import {
  contentTypes,
  type Gate,
  type HttpAnswer,
  httpHandler,
  jsonOf,
  problem,
  unauthorized,
} from '#lib/runtime/http.ts';
import type { Log } from '#lib/runtime/logger.ts';
import { bearerMatches, signatureMatches } from '#lib/runtime/tokens.ts';
import type { Received } from '#lib/workflow/receive-alert.ts';

/** Lets in who has one of the tokens and, when there is a key, has signed the body. Nothing configured: nobody. */
export function intakeGate(settings: {
  readonly tokens: readonly string[];
  readonly hmacKey?: string | undefined;
  readonly clock: () => number;
}): Gate {
  const { tokens, hmacKey, clock } = settings;
  return ({ headers, body }) => {
    if (!bearerMatches(headers['authorization'], tokens))
      return unauthorized('Expected Authorization: Bearer and a valid token.');
    if (hmacKey === undefined) return undefined;
    const signed = signatureMatches({
      key: hmacKey,
      timestamp: headers['x-remedia-timestamp'],
      signature: headers['x-remedia-signature'],
      body,
      now: clock(),
    });
    return signed
      ? undefined
      : unauthorized(
          'Expected X-Remedia-Signature: hex HMAC-SHA256 over "<timestamp>.<body>", and X-Remedia-Timestamp: seconds, at most five minutes off.',
        );
  };
}

/** The endpoint as a Lambda handler. */
export function makeAlertEndpoint(parts: {
  readonly gate: Gate;
  readonly receive: (alert: Alert, mode: Mode) => Promise<Received>;
  readonly recordRejected: (facts: {
    readonly source: string;
    readonly fingerprint: string;
    readonly problems: readonly FieldProblem[];
  }) => Promise<string | undefined>;
  readonly source: string;
  readonly mode: Mode;
  readonly publicBaseUrl: string;
  readonly clock: () => number;
  readonly log: Log;
}): (event: APIGatewayProxyEvent, context: unknown) => Promise<APIGatewayProxyResult> {
  const { gate, receive, recordRejected, source, publicBaseUrl, clock, log } = parts;

  const reject = async (body: Buffer, problems: readonly FieldProblem[]): Promise<HttpAnswer> => {
    const fingerprint = createHash('sha256').update(body).digest('hex');
    const recorded = await recordRejected({ source, fingerprint, problems });
    log.warn('a post was refused', {
      ...(recorded !== undefined && { incident_id: recorded }),
      fields: problems.map(({ field }) => field).join(','),
    });
    return problem(
      400,
      'Bad Request',
      'The post is no alert of format version 1; each bad field is listed.',
      {
        errors: problems,
      },
    );
  };

  return httpHandler({
    methods: ['POST'],
    gates: [gate, contentTypes(['application/json'])],
    log,
    handle: async (request) => {
      const body = jsonOf(request);
      if (body === undefined) return reject(request.body, [{ field: '', expected: 'JSON' }]);
      const parsed = parseAlert(body.json, { source, receivedAt: clock() });
      switch (parsed.kind) {
        case 'invalid':
          return reject(request.body, parsed.problems);
        case 'test':
          return { status: 200, json: { status: 'test' } };
        case 'not_a_trigger_event':
          return {
            status: 202,
            json: {
              status: 'ignored',
              detail: `Event source ${parsed.eventSource} is not a trigger; only trigger events are remediated.`,
            },
          };
        case 'alert': {
          const wish = request.headers['x-remedia-mode']?.toLowerCase();
          if (wish !== undefined && wish !== 'simulate')
            return problem(400, 'Bad Request', 'X-Remedia-Mode can only be simulate.', {
              errors: [{ field: 'X-Remedia-Mode', expected: 'simulate, or no such header' }],
            });
          const { incidentId, status } = await receive(parsed.alert, wish ?? parts.mode);
          return {
            status: 202,
            json: { incidentId, status, link: `${publicBaseUrl}/api/v1/incidents/${incidentId}` },
          };
        }
      }
    },
  });
}
