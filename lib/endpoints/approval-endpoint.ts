/** /api/v1/approvals/{id}: shows one exact proposal to a human, and takes their yes or no, once. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import * as z from 'zod';
import type { Decision, Incident } from '#lib/core/incident.ts';
import { saysWhat } from '#lib/core/incident-changes.ts';
import type { IncidentLink } from '#lib/core/messages.ts';
import { html, htmlPage, linkTo } from '#lib/endpoints/html-page.ts';
import {
  bearerGate,
  type HttpAnswer,
  type HttpRequest,
  httpHandler,
  jsonOf,
  problem,
} from '#lib/runtime/http.ts';
import type { Log } from '#lib/runtime/logger.ts';
import { readLink, signLink } from '#lib/runtime/signed-link.ts';
import type { Answered, ApprovalAnswer } from '#lib/workflow/answer-approval.ts';
import type { LoadIncident } from '#lib/workflow/ports.ts';

const CLAIMS = ['step', 'proposal'] as const;

const answerBody = z.strictObject({
  step: z.literal([1, 2]).default(1),
  proposal: z.string().regex(/^[0-9a-f]{64}$/, 'the 64 hex digits of the proposal'),
  answer: z.enum(['approved', 'rejected'], 'approved or rejected'),
  by: z.string().trim().min(1, 'who says so').max(100),
});

/** The link that is sent with an approval message; `undefined` without a key to sign it. */
export function approvalLink(
  settings: { readonly key: string | undefined; readonly publicBaseUrl: string },
  incident: Incident,
  decision: Decision,
): { readonly title: string; readonly url: string } | undefined {
  const { key, publicBaseUrl } = settings;
  if (key === undefined || decision.proposalHash === undefined) return undefined;
  const claims = { id: incident.incidentId, step: String(decision.step), proposal: decision.proposalHash };
  return {
    title: 'Approve or reject',
    url: `${publicBaseUrl}/api/v1/approvals/${incident.incidentId}?${signLink(key, claims, decision.expiresAt)}`,
  };
}

/**
 * The endpoint as a Lambda handler. A signed link's GET shows the proposal and changes nothing, for chat clients open
 * links by themselves; its POST answers. A program posts JSON with one of the operators' tokens.
 */
export function makeApprovalEndpoint(parts: {
  readonly key: string | undefined;
  readonly tokens: readonly string[];
  readonly loadIncident: LoadIncident;
  readonly answer: (answer: ApprovalAnswer) => Promise<Answered>;
  readonly incidentLink: IncidentLink;
  readonly clock: () => number;
  readonly log: Log;
}): (event: APIGatewayProxyEvent, context: unknown) => Promise<APIGatewayProxyResult> {
  const { key, tokens, loadIncident, answer, incidentLink, clock, log } = parts;

  const claimsOf = (request: HttpRequest) => {
    const { id = '' } = request.path;
    const link =
      key === undefined ? undefined : readLink(key, { ...request.query, id }, ['id', ...CLAIMS], clock());
    return (
      link && {
        incidentId: id,
        step: link['step'] === '2' ? (2 as const) : (1 as const),
        proposalHash: link['proposal'] ?? '',
      }
    );
  };

  const show = async (request: HttpRequest): Promise<HttpAnswer> => {
    const claims = claimsOf(request);
    if (claims === undefined)
      return page(403, 'This link is not valid', ['It was changed, or it has expired.']);
    const incident = await loadIncident(claims.incidentId);
    const decision = incident?.decisions.find(({ step }) => step === claims.step);
    if (incident === undefined || decision === undefined) return page(404, 'There is no such proposal', []);
    const open = incident.state === 'awaiting_approval' && decision.proposalHash === claims.proposalHash;
    return page(
      200,
      open ? 'May Remedia do this?' : 'This proposal is no longer open',
      [
        `Problem: ${incident.alert?.eventName ?? incident.eventId}`,
        `Host: ${incident.alert?.host.host ?? ''}`,
        `Proposal: ${saysWhat(decision)}`,
        ...decision.verdict.reasons.map(({ text }) => text),
        ...(decision.approval ? [`It was ${decision.approval.answer} by ${decision.approval.by}.`] : []),
      ],
      { form: open, timeline: incidentLink(incident.incidentId, clock()) },
    );
  };

  const byForm = async (request: HttpRequest): Promise<HttpAnswer> => {
    const claims = claimsOf(request);
    if (claims === undefined)
      return page(403, 'This link is not valid', ['It was changed, or it has expired.']);
    const form = new URLSearchParams(request.body.toString('utf8'));
    const read = answerBody.safeParse({
      proposal: claims.proposalHash,
      answer: form.get('answer'),
      by: form.get('by') ?? '',
    });
    if (!read.success)
      return page(400, 'Please say who you are, and yes or no', ['Go back and fill in your name.']);
    const { answer: said, by } = read.data;
    const answered = await answer({ ...claims, answer: said, by });
    if (answered.kind === 'not_found') return page(404, 'There is no such proposal', []);
    if (answered.kind === 'not_open') return page(409, 'Nothing was changed', [answered.why]);
    return page(200, answered.kind === 'approved' ? 'Approved' : 'Rejected', [
      answered.kind === 'approved'
        ? 'The job starts now, unless something changed meanwhile.'
        : 'Nothing is run; the problem is yours.',
    ]);
  };

  const byProgram = async (request: HttpRequest): Promise<HttpAnswer> => {
    const body = jsonOf(request);
    const read = answerBody.safeParse(body?.json);
    if (!read.success) {
      const errors = read.error.issues.map(({ path, message }) => ({
        field: path.join('.'),
        expected: message,
      }));
      return problem(400, 'Bad Request', 'The answer cannot be read.', { errors });
    }
    const { step, proposal, answer: said, by } = read.data;
    const answered = await answer({
      incidentId: request.path['id'] ?? '',
      step,
      proposalHash: proposal,
      answer: said,
      by,
    });
    if (answered.kind === 'not_found') return problem(404, 'Not Found', 'There is no such incident.');
    if (answered.kind === 'not_open') return problem(409, 'Conflict', answered.why);
    return { status: 200, json: { incidentId: answered.incident.incidentId, answer: answered.kind } };
  };

  const mayAnswer = bearerGate(tokens);
  return httpHandler({
    methods: ['GET', 'POST'],
    gates: [],
    log,
    handle: async (request) => {
      if (request.method === 'GET') return show(request);
      if (!(request.headers['content-type'] ?? '').startsWith('application/json')) return byForm(request);
      return mayAnswer(request) ?? byProgram(request);
    },
  });
}

/** What a human sees: lines, and where a yes or no is still wanted the form for it. */
function page(
  status: number,
  title: string,
  lines: readonly string[],
  { form = false, timeline }: { readonly form?: boolean; readonly timeline?: string } = {},
): HttpAnswer {
  const body = html`<h1>${title}</h1>
${lines.map((line) => html`<p>${line}</p>\n`)}
${timeline === undefined ? undefined : html`<p>${linkTo(timeline, 'Everything about this incident')}</p>`}
${form ? FORM : undefined}`;
  return htmlPage(status, title, body, { forms: form });
}

const FORM = html`<form method="post"><p><label>Your name <input name="by" required maxlength="100" autocomplete="name"></label></p>
<p><button class="good" name="answer" value="approved">Approve</button><button name="answer" value="rejected">Reject</button></p></form>`;
