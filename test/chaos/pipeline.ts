/** What the simulation needs of Remedia: one entry per function, given the ports of one invocation. */
import type { Alert } from '#lib/core/alert.ts';
import type { Mode } from '#lib/core/incident.ts';
import type {
  AlertMessage,
  CheckMessage,
  Clock,
  JobMessage,
  Narrate,
  SendMessage,
} from '#lib/workflow/ports.ts';
import type { Received } from '#lib/workflow/receive-alert.ts';
import type { World } from '#test/chaos/world.ts';
import type { IncidentsPorts } from '#test/contracts/incidents.contract.ts';

export type Ports = IncidentsPorts &
  World['ports'] & {
    readonly sendToDecide: SendMessage<AlertMessage>;
    readonly sendToDispatch: SendMessage<JobMessage>;
    readonly sendToCheck: SendMessage<CheckMessage>;
    readonly clock: Clock;
    readonly narrate: Narrate;
  };

export interface Pipeline {
  readonly receiveAlert: (ports: Ports) => (alert: Alert, mode: Mode) => Promise<Received>;
  readonly decideRemediation: (ports: Ports) => (message: AlertMessage) => Promise<unknown>;
  readonly dispatchJob: (ports: Ports) => (message: JobMessage) => Promise<unknown>;
  readonly verifyOutcome: (ports: Ports) => (message: CheckMessage) => Promise<unknown>;
  readonly receiveExecution: (ports: Ports) => (executionId: string) => Promise<unknown>;
  readonly answerApproval: (ports: Ports) => (incidentId: string, approved: boolean) => Promise<unknown>;
  readonly setPause: (ports: Ports) => (paused: boolean) => Promise<unknown>;
  readonly sweep: (ports: Ports) => () => Promise<unknown>;
  readonly escalateDeadLetter: (
    ports: Ports,
  ) => (queue: 'alerts' | 'jobs' | 'checks', message: AlertMessage) => Promise<unknown>;
}
