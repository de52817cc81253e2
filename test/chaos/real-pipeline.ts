/** Remedia's own workflows, wired as its functions wire them, for the simulation. */
import { catalogue } from '#lib/catalogue/index.ts';
import { makeAnswerApproval } from '#lib/workflow/answer-approval.ts';
import { makeDecideRemediation } from '#lib/workflow/decide-remediation.ts';
import { makeDispatchJob, makeReconcileClaim } from '#lib/workflow/dispatch-job.ts';
import { makeEscalateDeadLetters } from '#lib/workflow/escalate-dead-letters.ts';
import { makeSetPause } from '#lib/workflow/pause.ts';
import { makeReceiveAlert } from '#lib/workflow/receive-alert.ts';
import { makeReceiveExecution } from '#lib/workflow/receive-execution.ts';
import { makeSweepIncidents, whySweepFailed } from '#lib/workflow/sweep-incidents.ts';
import { makeVerifyOutcome } from '#lib/workflow/verify-outcome.ts';
import type { Pipeline } from '#test/chaos/pipeline.ts';

const settings = {
  incidentLink: (id: string) => `http://remedia.test/api/v1/incidents/${id}`,
  approvalLink: () => ({ title: 'Answer', url: 'http://remedia.test/approve' }),
  catalogue,
};

export const realPipeline: Pipeline = {
  receiveAlert: makeReceiveAlert,
  decideRemediation: (ports) => makeDecideRemediation(ports, settings),
  dispatchJob: (ports) => makeDispatchJob(ports, settings),
  verifyOutcome: (ports) => makeVerifyOutcome(ports, settings),
  receiveExecution: makeReceiveExecution,
  answerApproval: (ports) => {
    const answer = makeAnswerApproval(ports, settings);
    return async (incidentId, approved) => {
      const decision = (await ports.loadIncident(incidentId))?.decisions.at(-1);
      if (decision?.proposalHash === undefined) return;
      const { step, proposalHash } = decision;
      await answer({
        incidentId,
        step,
        proposalHash,
        answer: approved ? 'approved' : 'rejected',
        by: 'on call',
      });
    };
  },
  setPause: (ports) => (paused) => makeSetPause(ports)({ paused, by: 'operator' }),
  sweep: (ports) => {
    const reconcileClaim = makeReconcileClaim(ports, settings);
    const sweep = makeSweepIncidents({ ...ports, reconcileClaim }, settings);
    return async () => {
      const why = whySweepFailed(await sweep());
      if (why !== undefined) throw new Error(why);
    };
  },
  escalateDeadLetter: (ports) => {
    const escalate = makeEscalateDeadLetters(ports, settings);
    return (queue, message) => escalate({ queue, messageId: 'm', body: JSON.stringify(message) });
  },
};
