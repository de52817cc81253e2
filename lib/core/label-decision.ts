/** What turned out to be right for one decision: by a human's word, else by how its job ended; and what each tool earned. */
import { TOOL_NAMES, type ToolName } from '#lib/catalogue/tool.ts';
import type { Decision, Incident } from '#lib/core/incident.ts';

export interface Label {
  readonly tool: ToolName;
  /** Why it is the right one, in a few words. */
  readonly because: string;
}

/**
 * A review counts most, then a no of a human who was asked, then whether the job helped. A job that could not be run, or whose
 * outcome nobody knows, says nothing about the decision; neither does an analysis that ended with a human.
 */
export function labelOf(incident: Incident, decision: Decision): Label | undefined {
  const { review, approval, verdict, dispatch } = decision;
  const acts = 'tool' in verdict ? verdict.tool : undefined;
  const done = acts ?? 'notify';
  if (review?.answer === 'right') return { tool: done, because: 'a human said that it was right' };
  if (review?.answer === 'wrong') {
    const { instead } = review;
    if (instead !== undefined) return { tool: instead, because: `a human said that ${instead} was right` };
    return acts && { tool: 'notify', because: 'a human said that it was wrong' };
  }
  if (approval?.answer === 'rejected') return { tool: 'notify', because: 'a human rejected it' };
  if (acts === undefined || dispatch === undefined) return undefined;
  if (incident.outcome === 'verified') return { tool: acts, because: 'it helped' };
  const isLast = incident.decisions.at(-1) === decision;
  return isLast && incident.outcome === 'failed' && dispatch.executionStatus === 'succeeded'
    ? { tool: 'notify', because: 'it ran and did not help' }
    : undefined;
}

export interface ToolReport {
  readonly tool: ToolName;
  /** How often it was the verdict; what policy or checks refused of a model's proposal is `refused`. */
  readonly proposed: number;
  readonly refused: number;
  readonly observed: number;
  readonly approved: number;
  readonly rejected: number;
  readonly ran: number;
  readonly verified: number;
  readonly failed: number;
  /** Its incident is closed, and its outcome is not known, or it was an analysis. */
  readonly unclear: number;
  readonly right: number;
  readonly wrong: number;
}

/** Every tool that runs jobs, over these incidents; simulations count nothing. */
export function reportTools(incidents: readonly Incident[]): readonly ToolReport[] {
  const all = incidents
    .filter(({ mode }) => mode === 'live')
    .flatMap((incident) => incident.decisions.map((decision) => ({ incident, decision })));
  return TOOL_NAMES.filter((tool) => tool !== 'notify').map((tool) => {
    const own = all.filter(({ decision: { verdict } }) => 'tool' in verdict && verdict.tool === tool);
    const count = (holds: (each: (typeof own)[number]) => boolean) => own.filter(holds).length;
    const ran = own.filter(({ decision: { dispatch } }) => dispatch !== undefined && dispatch.sent !== 'no');
    const ended = (outcome: Incident['outcome']) =>
      ran.filter(
        ({ incident, decision }) => incident.outcome === outcome && incident.decisions.at(-1) === decision,
      ).length;
    const [verified, failed] = [ended('verified'), ended('failed')];
    return {
      tool,
      proposed: own.length,
      refused: all.filter(
        ({ decision: { proposal, verdict } }) =>
          !('tool' in verdict) && proposal?.kind === 'proposal' && proposal.tool === tool,
      ).length,
      observed: count(({ decision }) => decision.verdict.kind === 'observe'),
      approved: count(({ decision }) => decision.approval?.answer === 'approved'),
      rejected: count(({ decision }) => decision.approval?.answer === 'rejected'),
      ran: ran.length,
      verified,
      failed,
      unclear: ran.filter(({ incident }) => incident.state === 'closed').length - verified - failed,
      right: count(({ decision }) => decision.review?.answer === 'right'),
      wrong: count(({ decision }) => decision.review?.answer === 'wrong'),
    };
  });
}
