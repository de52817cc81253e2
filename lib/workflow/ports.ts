/** Every effect the workflows may have, as function types. A fake is a literal; the real ones live in `lib/adapters`. */
import type { ToolArguments, ToolName } from '#lib/catalogue/tool.ts';
import type { HostContext } from '#lib/core/host-context.ts';
import type { HumanMessage, Incident, IncidentState, Mode, ModelTrace } from '#lib/core/incident.ts';
import type { Policy } from '#lib/core/policy.ts';

/** Milliseconds since the epoch. */
export type Clock = () => number;

// The incidents table

export type LoadIncident = (incidentId: string) => Promise<Incident | undefined>;

/** Writes the record of an event once; `exists` brings back what is there already. */
export type CreateIncident = (
  incident: Incident,
) => Promise<{ readonly kind: 'created' | 'exists'; readonly incident: Incident }>;

/**
 * One atomic change of one incident: reads it, applies the pure `change`, and writes the result on the condition that
 * nobody wrote in between; on a conflict it reads and applies again. `change` answers `undefined` for "leave it".
 * The claim of a decision is such a change, and so at most one caller gets `changed: true` for it.
 * Throws UpstreamError `incidents_table`; with `sent: 'unknown'` the write may have happened.
 */
export type ChangeIncident = (
  incidentId: string,
  change: (incident: Incident) => Incident | undefined,
) => Promise<{ readonly changed: boolean; readonly incident: Incident | undefined }>;

/** Incidents of one host, newest first, opened since `since` and not after `until`; the same mode only. */
export type HostHistory = (query: {
  readonly hostKey: string;
  readonly mode: Mode;
  readonly since: number;
  readonly until?: number | undefined;
  readonly limit: number;
}) => Promise<readonly Incident[]>;

/** Incidents in `state` whose `dueAt` has come, the longest due first. */
export type DueIncidents = (query: {
  readonly state: IncidentState;
  readonly now: number;
  readonly limit: number;
}) => Promise<readonly Incident[]>;

/** The newest incidents in a state that were not opened after `until`, for the operator's list. */
export type ListIncidents = (query: {
  readonly state: IncidentState;
  readonly until?: number | undefined;
  readonly limit: number;
}) => Promise<readonly Incident[]>;

/** How many incidents are in a state, by an index that may lag a moment behind. */
export type CountIncidents = (query: { readonly state: IncidentState }) => Promise<number>;

/** True for the first caller with this key until it expires: "tell a human once per kind". */
export type OncePer = (key: string, expiresAt: number) => Promise<boolean>;

/** Takes one of `limit` units under this key by a conditional update; `false` when none is left. */
export type TakeAllowance = (key: string, limit: number, expiresAt: number) => Promise<boolean>;

/** Gives one unit back after it turned out that nothing was done. */
export type GiveBackAllowance = (key: string) => Promise<void>;

/** How many units of each key are taken. */
export type ReadAllowances = (keys: readonly string[]) => Promise<ReadonlyMap<string, number>>;

export interface StoredPolicy {
  readonly policy: Policy;
  /** sha256 of the canonical JSON, hex. */
  readonly hash: string;
  readonly pushedAt: number;
  readonly pushedBy: string;
}
/** `undefined` when none is there or it does not validate: Remedia then counts as paused. */
export type LoadPolicy = () => Promise<StoredPolicy | undefined>;
export type SavePolicy = (stored: StoredPolicy) => Promise<void>;

export interface Pause {
  readonly paused: boolean;
  readonly by?: string;
  readonly since?: number;
  readonly reason?: string;
}
export type LoadPause = () => Promise<Pause>;
export type SavePause = (pause: Pause) => Promise<void>;

/** Deletes what has expired where the table cannot do it by itself; answers how many. */
export type DeleteExpired = (now: number, limit: number) => Promise<number>;

// Queues

export interface AlertMessage {
  readonly incidentId: string;
}
export interface JobMessage {
  readonly incidentId: string;
  readonly step: 1 | 2;
}
export interface CheckMessage {
  readonly incidentId: string;
  readonly step: 1 | 2;
}
/** At most 900 s of delay, SQS's limit. Throws UpstreamError `queue`. */
export type SendMessage<Message> = (
  message: Message,
  options?: { readonly delaySeconds?: number },
) => Promise<void>;
export type SendToDecide = SendMessage<AlertMessage>;
export type SendToDispatch = SendMessage<JobMessage>;
export type SendToCheck = SendMessage<CheckMessage>;

// The model

export interface ToolSchema {
  readonly type: 'function';
  readonly function: {
    readonly name: ToolName;
    readonly description: string;
    readonly parameters: Readonly<Record<string, unknown>>;
  };
}
export interface ModelQuestion {
  /** Never changes for one server, so that its prefix cache holds. */
  readonly system: string;
  /** The worked examples, as turns; they never change either. */
  readonly examples: readonly { readonly role: 'user' | 'assistant'; readonly content: string }[];
  readonly brief: string;
  readonly tools: readonly ToolSchema[];
  /** JSON schema that the server enforces; it holds no `pattern`. */
  readonly format: Readonly<Record<string, unknown>>;
}
export interface ModelAnswer {
  readonly toolCalls: readonly { readonly name: string; readonly arguments: unknown }[];
  readonly content: string;
  readonly doneReason: string;
  readonly trace: Omit<ModelTrace, 'promptHash'>;
}
/** Throws UpstreamError `ollama`: `model_missing`, `busy`, `timed_out`, `refused`, `failed`. */
export type AskModel = (question: ModelQuestion) => Promise<ModelAnswer>;

// Rundeck

export interface JobOrder {
  readonly tool: ToolName;
  readonly decisionId: string;
  readonly incidentId: string;
  readonly eventId: string;
  readonly triggerId: string;
  readonly source: string;
  readonly host: string;
  readonly node: string;
  readonly severity: number;
  readonly arguments: ToolArguments;
  /** The policy's, newline-free, for `cleanup_disk`. */
  readonly cleanupRoots: readonly string[];
  readonly decidedAt: number;
  readonly mode: Mode;
  /** 32 hex digits: the same from the webhook to the job. */
  readonly traceId: string;
  /** Where a human reads the whole timeline. */
  readonly link: string;
}
export interface JobStarted {
  readonly executionId: string;
}
/**
 * Posts to the tool's webhook, once. Throws UpstreamError `rundeck`: `sent: 'no'` and `retry: true` when the
 * connection was never made or Rundeck refused for now, `sent: 'no'` and `retry: false` when it refused for good,
 * `sent: 'unknown'` when the request went out and no answer came.
 */
export type RunJob = (order: JobOrder) => Promise<JobStarted>;

export interface Execution {
  readonly id: string;
  /** Rundeck's: running, succeeded, failed, aborted, timedout, failed-with-retry, scheduled, queued, missed, other. */
  readonly status: string;
  readonly url?: string;
  readonly endedAt?: number;
  readonly decisionId?: string;
}
export type ReadExecution = (executionId: string) => Promise<Execution | undefined>;
/** The last lines of the output, cut to 4,000 characters, control characters removed. */
export type ReadOutput = (executionId: string) => Promise<string>;
/** Finds the execution whose option `remedia_decision_id` is this one, among those started since `since`. */
export type FindExecution = (query: {
  readonly tool: ToolName;
  readonly decisionId: string;
  readonly since: number;
}) => Promise<Execution | undefined>;

// Zabbix

export type EventStatus =
  | { readonly kind: 'problem' }
  | { readonly kind: 'recovered'; readonly at: number }
  | { readonly kind: 'not_found' };
/** Throws UpstreamError `zabbix`. */
export type ReadEvent = (eventId: string) => Promise<EventStatus>;
export interface HostQuestion {
  readonly eventId: string;
  /** An event of another trigger is not the one that is meant: numbers repeat across servers. */
  readonly triggerId: string;
  /** Zabbix's technical name. */
  readonly host: string;
  /** Absent: only how event and host stand now. Times in milliseconds since the epoch. */
  readonly past?: {
    readonly itemId?: string | undefined;
    readonly problemsSince: number;
    readonly valuesSince: number;
  };
}
/**
 * What Zabbix knows of a host, an event and its past: bounded in size, asked once, answered or given up within a few
 * seconds. Throws UpstreamError `zabbix` when not even event and host can be read; what else is missing is left out.
 */
export type ReadHostContext = (question: HostQuestion) => Promise<HostContext>;
/** Comments on the event (cut to 2,048 characters), and acknowledges it only when asked to. */
export type CommentEvent = (
  eventId: string,
  message: string,
  options: { readonly acknowledge: boolean },
) => Promise<void>;

// People

/** Really sends the message, by a way that needs neither model nor Rundeck. Throws UpstreamError `people`. */
export type TellHuman = (message: HumanMessage) => Promise<void>;

/**
 * Tells the message's team by Rundeck's job as well, once a human was really told: it counts for nothing and is never
 * tried again. Answers the execution's id; `undefined` when this team does not route by Rundeck. Throws UpstreamError
 * `rundeck`.
 */
export type TellByJob = (incident: Incident, message: HumanMessage) => Promise<string | undefined>;

// The trace that a person follows, and the log

/** One line for a person watching: what just happened to one alert. */
export type Narrate = (line: {
  readonly incidentId: string;
  readonly step: string;
  readonly text: string;
}) => void;
