/** What Zabbix says of a host for tests: a monitored host with one open problem, and what the test is about on top. */
import type { HostContext } from '#lib/core/host-context.ts';
import { NOON } from '#test/builders/incidents.ts';

export function aContext(over: Partial<HostContext> = {}): HostContext {
  return {
    at: NOON,
    event: 'problem',
    acknowledged: false,
    suppressed: 'no',
    host: 'monitored',
    maintenance: false,
    reachable: 'yes',
    ...over,
  };
}
