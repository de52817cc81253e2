/** Takes a human's yes or no to one exact proposal, once. */
import type { Incident } from '#lib/core/incident.ts';
import { answerApproval, close } from '#lib/core/incident-changes.ts';
import { escalationMessage } from '#lib/core/messages.ts';
import { routeOf } from '#lib/core/policy-match.ts';
import {
  type ClosePorts,
  type LinkSettings,
  policyIfReadable,
  sendForComment,
} from '#lib/workflow/close-and-tell.ts';
import type { SendToCheck, SendToDispatch } from '#lib/workflow/ports.ts';
import { tellPending } from '#lib/workflow/tell-pending.ts';

export interface ApprovalAnswer {
  readonly incidentId: string;
  readonly step: 1 | 2;
  /** The hash of the proposal that the human saw. */
  readonly proposalHash: string;
  readonly answer: 'approved' | 'rejected';
  /** Who says so. */
  readonly by: string;
}

export type Answered =
  | { readonly kind: 'approved' | 'rejected'; readonly incident: Incident }
  /** Answered before, expired, over, or about another proposal. */
  | { readonly kind: 'not_open'; readonly incident: Incident; readonly why: string }
  | { readonly kind: 'not_found' };

/**
 * Makes the workflow. What is rejected is closed, and its message pending, in the same change. Throws UpstreamError
 * `incidents_table` or `queue`; an answer that was recorded is carried out by the sweeper then.
 */
export function makeAnswerApproval(
  ports: ClosePorts & { readonly sendToDispatch: SendToDispatch; readonly sendToCheck: SendToCheck },
  settings: LinkSettings,
): (answer: ApprovalAnswer) => Promise<Answered> {
  return async ({ incidentId, step, proposalHash, answer, by }) => {
    const now = ports.clock();
    const stored = await policyIfReadable(ports.loadPolicy);
    let why = '';
    const { changed, incident } = await ports.changeIncident(incidentId, (known) => {
      why = whyNotOpen(known, step, proposalHash, now);
      const answered = why === '' ? answerApproval(known, { step, answer, by, now }) : undefined;
      if (answered === undefined || answer === 'approved') return answered;
      const text = `${by} rejected the proposal, so the problem is theirs.`;
      const route = stored && known.alert ? routeOf(stored.policy, known.alert) : {};
      const reasons = [{ code: 'rejected_by_human', text } as const];
      return close(answered, {
        outcome: 'rejected',
        now,
        text,
        message: escalationMessage({ incident: answered, ...settings, now, ...route, reasons }),
      });
    });
    if (incident === undefined) return { kind: 'not_found' };
    if (!changed) return { kind: 'not_open', incident, why };
    ports.narrate({ incidentId, step: answer, text: `by ${by}` });
    if (answer === 'approved') await ports.sendToDispatch({ incidentId, step });
    else await sendForComment(ports.sendToCheck, (await tellPending(ports, incident)).incident);
    return { kind: answer, incident };
  };
}

/** Empty when this very proposal may still be answered. */
function whyNotOpen(incident: Incident, step: 1 | 2, proposalHash: string, now: number): string {
  const decision = incident.decisions.find((each) => each.step === step);
  if (decision?.proposalHash !== proposalHash) return 'This is about another proposal.';
  const { approval, expiresAt } = decision;
  if (approval !== undefined) return `It was ${approval.answer} by ${approval.by}.`;
  if (incident.recoveredAt !== undefined) return 'The problem is over.';
  if (now >= expiresAt) return 'It has expired, and a human was asked to take over.';
  return incident.state === 'awaiting_approval' ? '' : `The incident is ${incident.state}.`;
}
