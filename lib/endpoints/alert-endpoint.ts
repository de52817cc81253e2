/** POST /api/v1/zabbix/alert: who may post, what an alert looks like, and what each post is answered. */
import { createHash } from 'node:crypto';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Alert } from '#lib/core/alert.ts';
import { incidentIdOf } from '#lib/core/identity.ts';
import type { Mode } from '#lib/core/incident.ts';
import type { IncidentLink } from '#lib/core/messages.ts';
import { type FieldProblem, parseAlert, type RejectedPost, readAbout } from '#lib/core/parse-alert.ts';
import {
  bearerGate,
  contentTypes,
  type Gate,
  type HttpAnswer,
  type HttpRequest,
  httpHandler,
  jsonOf,
  LARGEST_BODY,
  problem,
  tooLarge,
  unauthorized,
} from '#lib/runtime/http.ts';
import { addToLogContext, logContext } from '#lib/runtime/log-context.ts';
import type { Log } from '#lib/runtime/logger.ts';
import { signatureMatches } from '#lib/runtime/tokens.ts';
import type { Received, RejectedFacts } from '#lib/workflow/receive-alert.ts';

const jsonOnly = contentTypes(['application/json']);

/** Lets in who has one of the tokens and, when there is a key, has signed the body. Nothing configured: nobody. */
export function intakeGate(settings: {
  readonly tokens: readonly string[];
  readonly hmacKey?: string | undefined;
  readonly clock: () => number;
}): Gate {
  const { tokens, hmacKey, clock } = settings;
  const hasToken = bearerGate(tokens);
  return (request) => {
    const { headers, body } = request;
    const refusal = hasToken(request);
    if (refusal) return refusal;
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
  /** With the trace that the request belongs to, when it says so. */
  readonly receive: (alert: Alert, mode: Mode, traceId?: string) => Promise<Received>;
  readonly recordRejected: (facts: RejectedFacts) => Promise<string>;
  readonly source: string;
  readonly mode: Mode;
  readonly incidentLink: IncidentLink;
  readonly clock: () => number;
  readonly log: Log;
}): (event: APIGatewayProxyEvent, context: unknown) => Promise<APIGatewayProxyResult> {
  const { gate, receive, recordRejected, source, incidentLink, clock, log } = parts;

  /**
   * Whoever is let in and posts what is no alert gets a clear answer once the post is recorded: it may have been one, and
   * a sender that is told 503 instead posts again.
   */
  const reject = async (
    { body }: HttpRequest,
    mode: Mode,
    problems: readonly FieldProblem[],
    about: RejectedPost,
    answer = problem(400, 'Bad Request', 'This is no alert of format version 1; each bad field is listed.', {
      errors: problems,
    }),
  ): Promise<HttpAnswer> => {
    const fingerprint = createHash('sha256').update(body).digest('hex');
    const recorded = await recordRejected({ source, mode, fingerprint, problems, about });
    log.warn('a post was refused', {
      status: answer.status,
      incident_id: recorded,
      fields: problems.map(({ field }) => field).join(','),
    });
    return answer;
  };

  return httpHandler({
    methods: ['POST'],
    gates: [gate],
    log,
    takesLargeBodies: true,
    handle: async (request) => {
      const body = jsonOf(request);
      const about = readAbout(body?.json);
      const wish = request.headers['x-remedia-mode']?.trim().toLowerCase();
      // The header can only hold back: what an administrator set to simulate stays so.
      const mode = wish === 'simulate' ? wish : parts.mode;
      if (request.body.length > LARGEST_BODY) {
        const expected = `at most ${LARGEST_BODY} bytes`;
        return reject(request, mode, [{ field: '', expected }], about, tooLarge());
      }
      const otherType = jsonOnly(request);
      if (otherType !== undefined) {
        const expected = 'application/json';
        return reject(request, mode, [{ field: 'Content-Type', expected }], about, otherType);
      }
      if (wish !== undefined && wish !== 'simulate') {
        const expected = 'simulate, or no such header';
        return reject(request, mode, [{ field: 'X-Remedia-Mode', expected }], about);
      }
      if (body === undefined) return reject(request, mode, [{ field: '', expected: 'JSON' }], about);
      const parsed = parseAlert(body.json, { source, receivedAt: clock() });
      switch (parsed.kind) {
        case 'invalid':
          return reject(request, mode, parsed.problems, parsed.about);
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
          const { eventId } = parsed.alert;
          addToLogContext({ incident_id: incidentIdOf(source, eventId, mode) });
          const { incidentId, status } = await receive(parsed.alert, mode, logContext().trace_id);
          return {
            status: 202,
            json: { incidentId, status, link: incidentLink(incidentId, clock()) },
          };
        }
      }
    },
  });
}
