/** Wraps ports so that chosen calls fail before or after their effect, as a network lets them. */
import { type Upstream, UpstreamError } from '#lib/core/upstream-error.ts';

/** `before`: the request never arrived, `sent: 'no'`. `after`: it had its effect and the answer was lost, `unknown`. */
export type Fault = 'before' | 'after';

/** Asked at every call: the port's name, and the number of this call, counted from 1 over all wrapped ports. */
export type FaultPlan = (port: string, call: number) => Fault | undefined;

/** The n-th call of all, or of the named port's. */
export function failNth(n: number, fault: Fault, onlyPort?: string): FaultPlan {
  let calls = 0;
  return (port) => {
    if (onlyPort !== undefined && port !== onlyPort) return undefined;
    calls += 1;
    return calls === n ? fault : undefined;
  };
}

const UPSTREAMS: Readonly<Record<string, Upstream>> = {
  sendToDecide: 'queue',
  sendToDispatch: 'queue',
  sendToCheck: 'queue',
  askModel: 'ollama',
  runJob: 'rundeck',
  readExecution: 'rundeck',
  readOutput: 'rundeck',
  findExecution: 'rundeck',
  readEvent: 'zabbix',
  readHostContext: 'zabbix',
  commentEvent: 'zabbix',
  tellHuman: 'people',
  tellByJob: 'rundeck',
};

/** The error that a fault shows itself by; ports that are not named above belong to the incidents table. */
export function faultOf(port: string, fault: Fault): UpstreamError {
  const upstream = UPSTREAMS[port] ?? 'incidents_table';
  return fault === 'before'
    ? new UpstreamError(upstream, 'unreachable', 'injected: never arrived', { sent: 'no', retry: true })
    : new UpstreamError(upstream, 'timed_out', 'injected: the answer was lost', {
        sent: 'unknown',
        retry: true,
      });
}

/** The same ports, and around every call what `around` does with it. Only for ports that answer promises. */
export function interpose<Ports extends object>(
  ports: Ports,
  around: (port: string, call: () => Promise<unknown>) => Promise<unknown>,
): Ports {
  return new Proxy(ports, {
    get: (target, name, receiver) => {
      const port: unknown = Reflect.get(target, name, receiver);
      if (typeof port !== 'function' || typeof name !== 'string') return port;
      return (...given: unknown[]) => around(name, async () => Reflect.apply(port, target, given));
    },
  });
}

/** The same ports, of which those calls fail that `plan` names. */
export function faulty<Ports extends object>(ports: Ports, plan: FaultPlan): Ports {
  let calls = 0;
  return interpose(ports, async (port, call) => {
    calls += 1;
    const fault = plan(port, calls);
    if (fault === 'before') throw faultOf(port, fault);
    const answer = await call();
    if (fault === 'after') throw faultOf(port, fault);
    return answer;
  });
}
