/** What follows from Zabbix's word on a host: what it forbids, and what it adds to the host's past. */
import type { History } from '#lib/core/history.ts';
import type { HostContext } from '#lib/core/host-context.ts';
import type { Reason } from '#lib/core/incident.ts';

/** The host's maintenance holds a job back as a pause does: it may be over before the alert's time is. */
export const IN_MAINTENANCE: Reason = {
  code: 'in_maintenance',
  text: 'The host is in maintenance in Zabbix: people are working there.',
};

/**
 * Why no job may run here, or `undefined`. Whatever Zabbix does not say forbids nothing: it is asked in addition to what
 * the policy demands, never instead. A recovery is no reason against a job but the end of the incident, see `event`.
 * `approved`: a human said yes to the job, and may well have acknowledged the problem first.
 */
export function whatForbids(context: HostContext, approved = false): Reason | undefined {
  if (!approved && (context.acknowledged || context.suppressed === 'by_human')) {
    const did = context.acknowledged ? 'acknowledged' : 'suppressed';
    const text = `Somebody ${did} the problem in Zabbix: a human is at it, and Remedia keeps its hands off.`;
    return { code: 'human_at_it', text };
  }
  if (context.host === 'not_monitored') {
    const text = 'Zabbix no longer monitors the host, so nobody could see whether a job helped.';
    return { code: 'not_monitored', text };
  }
  return context.maintenance || context.suppressed === 'by_maintenance' ? IN_MAINTENANCE : undefined;
}

/** The host's past as both saw it: a Remedia that is new here does not take a flapping trigger for a first failure. */
export function withZabbix(history: History, context: HostContext | undefined): History {
  return {
    ...history,
    openProblems: Math.max(history.openProblems, context?.otherProblems ?? 0),
    sameTriggerProblems: Math.max(history.sameTriggerProblems, context?.sameTriggerProblems ?? 0),
  };
}
