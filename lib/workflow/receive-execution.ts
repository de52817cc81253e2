/** Takes Rundeck's notification that an execution ended: only its id, since anybody could write the rest. */
import type { CheckMessage, Narrate, ReadExecution, SendToCheck } from '#lib/workflow/ports.ts';

/**
 * Makes the workflow. The execution is read from Rundeck's API, and the decision it belongs to comes from there; the
 * outcome is then checked at once. Throws UpstreamError `rundeck` or `queue`; the regular checks see it all the same.
 */
export function makeReceiveExecution(ports: {
  readonly readExecution: ReadExecution;
  readonly sendToCheck: SendToCheck;
  readonly narrate: Narrate;
}): (executionId: string) => Promise<'checking' | 'not_ours'> {
  return async (executionId) => {
    const execution = await ports.readExecution(executionId);
    const message = execution?.decisionId === undefined ? undefined : messageOf(execution.decisionId);
    if (message === undefined) return 'not_ours';
    ports.narrate({
      incidentId: message.incidentId,
      step: 'notified',
      text: `Rundeck says that execution ${executionId} has news`,
    });
    await ports.sendToCheck(message);
    return 'checking';
  };
}

function messageOf(decisionId: string): CheckMessage | undefined {
  const [, incidentId, step] = /^((?:inc|sim)_[0-9a-f]{24})#([12])$/.exec(decisionId) ?? [];
  return incidentId === undefined ? undefined : { incidentId, step: step === '2' ? 2 : 1 };
}
