/** Takes a human's yes or no to one exact proposal, once. */
import type { Incident } from '#lib/core/incident.ts';
import { answerApproval } from '#lib/core/incident-changes.ts';
import { closeAndTell, type DispatchSettings } from '#lib/workflow/dispatch-job.ts';
import type { LoadIncident, SendToDispatch } from '#lib/workflow/ports.ts';
import type { TellPorts } from '#lib/workflow/tell-pending.ts';

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

/** Makes the workflow. Throws UpstreamError `incidents_table` or `queue`; the sweeper sends what the queue did not take. */
export function makeAnswerApproval(
  ports: TellPorts & { readonly loadIncident: LoadIncident; readonly sendToDispatch: SendToDispatch },
  settings: DispatchSettings,
): (answer: ApprovalAnswer) => Promise<Answered> {
  return async ({ incidentId, step, proposalHash, answer, by }) => {
    let why = '';
    const now = ports.clock();
    const { changed, incident } = await ports.changeIncident(incidentId, (known) => {
      const decision = known.decisions.find((each) => each.step === step);
      why = '';
      if (decision?.proposalHash !== proposalHash) why = 'This is about another proposal.';
      else if (decision.approval !== undefined)
        why = `It was ${decision.approval.answer} by ${decision.approval.by}.`;
      else if (now >= decision.expiresAt) why = 'It has expired, and a human was asked to take over.';
      else if (known.state !== 'awaiting_approval') why = `The incident is ${known.state}.`;
      return why === '' ? answerApproval(known, { step, answer, by, now }) : undefined;
    });
    if (incident === undefined) return { kind: 'not_found' };
    if (!changed) return { kind: 'not_open', incident, why };
    ports.narrate({ incidentId, step: answer, text: `by ${by}` });
    if (answer === 'approved') await ports.sendToDispatch({ incidentId, step });
    else {
      await closeAndTell(ports, settings, incident, undefined, 'rejected', {
        code: 'rejected_by_human',
        text: `${by} rejected the proposal, so the problem is theirs.`,
      });
    }
    return { kind: answer, incident };
  };
}
