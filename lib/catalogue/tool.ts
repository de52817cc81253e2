/** What a remediation tool is: the one description that the model, the policy, Rundeck and the docs are made from. */
import type * as z from 'zod';

/** The tools' names are given; adding a sixth is adding one file and its name here. */
export const TOOL_NAMES = [
  'cleanup_disk',
  'restart_service',
  'analyze_processes',
  'restart_application',
  'notify',
] as const;

export type ToolName = (typeof TOOL_NAMES)[number];

/** A tool that a decision may run on a host; `notify` is a message, and what tells people needs no Rundeck. */
export type JobToolName = Exclude<ToolName, 'notify'>;

/** What evidence of an alert can fill: each subject has its own allow-list in the policy. */
export type Subject = 'path' | 'service' | 'application' | 'resource';

/** Arguments as they leave validation: JSON scalars only. */
export type ToolArguments = Readonly<Record<string, string | number | boolean>>;

/**
 * What an alert can say. The model reads this first, whatever tools are possible: measured, a small model that is asked
 * what an alert says tells a failure from a notice; asked for a tool, it takes whichever it is offered.
 */
export const READINGS = {
  down: 'a service or process is down, stopped, failed or missing',
  full: 'a disk or file system has too little space or inodes',
  busy: 'CPU, memory, swap, disk, network, threads, sessions or a queue is overloaded, short or slow',
  unhealthy: 'an application or container has stopped or is unhealthy',
  other:
    'anything else, such as a change, an update, a setting, a replacement, a forecast, something planned, over, expected, late, asked or forbidden',
} as const;

export type Reading = keyof typeof READINGS;

export interface Tool<Name extends ToolName = ToolName> {
  readonly name: Name;
  /** One sentence for the model: when to choose it, and when not. */
  readonly description: string;
  /** Only an alert that says one of these is reason enough for it. */
  readonly when: readonly Exclude<Reading, 'other'>[];
  /** `read_only` changes nothing on the host; `disruptive` may; `message` only tells a human. */
  readonly safety: 'read_only' | 'disruptive' | 'message';
  /** Strict object with every parameter, its unit, range and pattern. */
  readonly parameters: z.ZodObject;
  /**
   * Arguments by which the job would do more than by default. Alert text may steer a model, so a model's word is not
   * enough for them: an answer that holds one is refused.
   */
  readonly harsher?: ToolArguments;
  /** The parameter whose value must come from evidence, and what kind of evidence it is. */
  readonly target?: { readonly parameter: string; readonly subject: Subject };
  /** The Rundeck job that does it. */
  readonly job?: {
    /** Name inside the group `remedia`. */
    readonly name: string;
    /** Fixed UUID, so that webhooks survive a re-import. */
    readonly uuid: string;
    /** The job's own time limit in seconds, also the base of the verification's. */
    readonly timeLimitSeconds: number;
    /**
     * Where it runs: on the alert's host unless something else is said. A `relay` is a host of the administrator's that
     * sends messages, for the alert's own may be the one that is down.
     */
    readonly on?: 'relay';
  };
  /** How long after the job's end Zabbix may take to see the recovery, in seconds. */
  readonly recoveryWithinSeconds: number;
}
