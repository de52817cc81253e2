/** Everything that can go wrong with a Rundeck on purpose: each refusal that Rundeck knows, and each silence. */
import { type Answer, apiError, err, plain, unknownToken, unsupportedVersion } from './answers.ts';

/** Every refusal of a webhook that Rundeck 5.20.1 knows. */
export const WEBHOOK_REFUSALS = [
  'unknown_token',
  'webhook_not_found',
  'webhook_disabled',
  'no_right_to_post',
  'wrong_secret',
  'unreadable_body',
  'unknown_variable',
  'missing_parent',
  'job_not_found',
  'options_refused',
  'job_disabled',
  'busy',
  'passive',
  'wrong_plugin',
  'wrong_method',
  'unsupported_version',
] as const;
export type WebhookRefusal = (typeof WEBHOOK_REFUSALS)[number];
/** Every refusal of the API that a caller has to tell apart. */
export const API_REFUSALS = [
  'unknown_token',
  'unauthorized',
  'options_invalid',
  'job_disabled',
  'conflict',
  'execution_error',
  'unsupported_version',
] as const;
export type ApiRefusal = (typeof API_REFUSALS)[number];

/**
 * The answer that Rundeck gives; `path` is the request's. Most come about by themselves when the server is set up so;
 * told as a fault they come whatever is set up.
 */
const WEBHOOK_ANSWERS: Readonly<Record<WebhookRefusal, (path: string) => Answer>> = {
  unknown_token: (path: string) => unknownToken(path.split('/').at(-1) ?? '', path),
  webhook_not_found: () => err('Webhook not found'),
  webhook_disabled: () => err('Webhook not enabled', 404),
  no_right_to_post: () => err('You are not authorized to perform this action'),
  wrong_secret: () => err('Failed webhook authorization'),
  unreadable_body: () => err('Unable to parse posted JSON data'),
  unknown_variable: () => err('Failed to substitute data'),
  missing_parent: () => plain(500, 'Internal Server Error', 'text/html'),
  job_not_found: () => err('Cannot run job, not found: x in project remedia: JobNotFound'),
  options_refused: () => err(runError("Job options were not valid: Option 'path' is required.")),
  job_disabled: () => err(runError('Job execution is disabled')),
  busy: () => err(runError('Job "x" {{Job x}}: Limit of running executions has been reached.')),
  passive: () => err(runError('Executions are disabled.')),
  wrong_plugin: () => plain(200, 'ok'),
  wrong_method: () => plain(405),
  unsupported_version: (path: string) => unsupportedVersion(99, path),
};

const API_ANSWERS: Readonly<Record<ApiRefusal, (path: string) => Answer>> = {
  unknown_token: (path: string) => unknownToken('', path),
  unauthorized: () => apiError(403, 'api.error.item.unauthorized', 'Not authorized for this'),
  options_invalid: () => apiError(400, 'api.error.job.options-invalid', 'Job options were not valid'),
  job_disabled: () => apiError(400, 'api.error.job.disabled', 'Job execution is disabled'),
  conflict: () => apiError(409, 'api.error.execution.conflict', 'Execution had a conflict'),
  execution_error: () => apiError(500, 'api.error.execution.error', 'An error occurred'),
  unsupported_version: (path: string) => unsupportedVersion(99, path),
};

const runError = (message: string) =>
  `Error attempting to run job: x in project remedia: com.dtolabs.rundeck.core.jobs.JobExecutionError: ${message}`;

/** A fault that the next answers show; `times` is how often, for ever when absent. */
export type RundeckFault = { readonly times?: number } & (
  | ({ readonly on?: 'webhook' } & (
      | { readonly kind: WebhookRefusal }
      /** The execution is created, and no answer comes. */
      | { readonly kind: 'hang_after_accepting' }
      /** The connection is cut after the execution was created. */
      | { readonly kind: 'cut_after_accepting' }
    ))
  | { readonly on: 'api'; readonly kind: ApiRefusal }
  | {
      readonly on?: 'webhook' | 'api';
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
    }
  /** Nothing is done, and no answer comes. */
  | { readonly on?: 'webhook' | 'api'; readonly kind: 'hang' }
  /** The notification is never sent: its one attempt failed. */
  | { readonly on: 'notification'; readonly kind: 'lost' }
);
type Where = NonNullable<RundeckFault['on']>;

export interface Faults {
  set(fault: RundeckFault | undefined): void;
  /** The fault that is due there, which counts as shown. */
  take(where: Where): RundeckFault | undefined;
}

export function makeFaults(): Faults {
  let fault: { readonly setting: RundeckFault; left: number } | undefined;
  return {
    set: (setting) => {
      fault = setting && { setting, left: setting.times ?? Number.POSITIVE_INFINITY };
    },
    take: (where) => {
      if (fault === undefined || (fault.setting.on ?? 'webhook') !== where) return undefined;
      const { setting } = fault;
      fault.left -= 1;
      if (fault.left <= 0) fault = undefined;
      return setting;
    },
  };
}

/** The answer that stands for the whole request; `undefined` for what shows itself only later, or not at all. */
export function answerOf(fault: RundeckFault | undefined, path: string): Answer | undefined {
  if (fault === undefined || fault.on === 'notification') return undefined;
  if (fault.kind === 'status') return plain(fault.status, fault.body);
  if (fault.kind === 'hang') return { ...plain(0), silence: 'hang' };
  if (fault.kind === 'hang_after_accepting' || fault.kind === 'cut_after_accepting') return undefined;
  return fault.on === 'api' ? API_ANSWERS[fault.kind](path) : WEBHOOK_ANSWERS[fault.kind](path);
}
