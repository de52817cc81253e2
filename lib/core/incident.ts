/** One incident: everything Remedia knows, decided and did about one Zabbix event. Plain data, stored as one item. */

import type { ToolArguments, ToolName } from '#lib/catalogue/tool.ts';
import type { Alert } from '#lib/core/alert.ts';
import type { HostContext } from '#lib/core/host-context.ts';
import type { ReadingProbabilities } from '#lib/core/reading-certainty.ts';

export type Mode = 'live' | 'simulate';

export const INCIDENT_STATES = [
  'received',
  'decided',
  'awaiting_approval',
  'held',
  'dispatching',
  'running',
  'verifying',
  'closed',
] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

export const OUTCOMES = [
  'verified',
  'failed',
  'unverifiable',
  'unknown',
  'analysed',
  'recovered_before_action',
  'observed',
  'simulated',
  'ignored',
  'rejected',
  'handed_over',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** `undeliverable`: tried so often that an alarm rings; it is still tried every hour. */
export const ESCALATIONS = ['none', 'pending', 'delivered', 'undeliverable'] as const;
export type Escalation = (typeof ESCALATIONS)[number];

/** Who chooses among what is possible: a model, or rules alone, which take the first. */
export type Decider = 'model' | 'rules';

/** Why a model's answer was refused; each is a sentence a human reads in `reason`. */
export const REFUSALS = [
  'unknown_tool',
  'extra_argument',
  'missing_argument',
  'mistyped_argument',
  'ungrounded_value',
  'unsure',
  'several_calls',
  'no_call',
  'unparseable',
  'truncated',
  'timed_out',
  'model_missing',
  'model_busy',
  'model_unavailable',
  'prompt_too_large',
] as const;
export type RefusalCode = (typeof REFUSALS)[number];

/** What the model, or rules in its place, want, after validation against the catalogue and the grounding. */
export interface Proposal {
  readonly kind: 'proposal';
  readonly tool: ToolName;
  readonly arguments: ToolArguments;
}

/** A model's answer that became nothing, by name. `reason` never holds text of the alert or a secret. */
export interface Refusal {
  readonly kind: 'refusal';
  readonly code: RefusalCode;
  readonly reason: string;
}

/** What was asked and answered, kept so that the decision can be explained later. */
export interface ModelTrace {
  readonly model: string;
  readonly digest?: string;
  /** sha256 of the system prompt and of the brief, hex. */
  readonly promptHash: string;
  /** The raw answer, cut to 4,000 characters. */
  readonly answer?: string;
  readonly promptTokens?: number;
  readonly promptMilliseconds?: number;
  readonly answerTokens?: number;
  readonly totalMilliseconds: number;
  /** What it thought of each reading, where the server gives log probabilities. */
  readonly readings?: ReadingProbabilities;
  /** The answer to the very same question, given a short while before. */
  readonly remembered?: true;
}

export type Autonomy = 'observe' | 'approve' | 'auto';

/** The verdicts of `decide()`: exactly one, always with reasons. */
export type Verdict =
  | { readonly kind: 'ignore'; readonly reasons: readonly Reason[] }
  | {
      readonly kind: 'remediate';
      readonly tool: ToolName;
      readonly arguments: ToolArguments;
      readonly node: string;
      readonly autonomy: 'auto';
      readonly reasons: readonly Reason[];
    }
  | {
      readonly kind: 'needs_approval';
      readonly tool: ToolName;
      readonly arguments: ToolArguments;
      readonly node: string;
      readonly autonomy: 'approve';
      readonly reasons: readonly Reason[];
    }
  | {
      /** Recorded only: what would have been done. */
      readonly kind: 'observe';
      readonly tool: ToolName;
      readonly arguments: ToolArguments;
      readonly node: string;
      readonly autonomy: 'observe';
      readonly reasons: readonly Reason[];
    }
  | {
      readonly kind: 'escalate';
      readonly reasons: readonly Reason[];
      /** Only when the model itself asked for a human. */
      readonly notification?: Notification;
    };

/** What the model wants said to a human, cut to what it may say. */
export interface Notification {
  /** One sentence, without links and control characters. */
  readonly message: string;
  /** A team that the policy's routing knows. */
  readonly team?: string;
  readonly priority?: NonNullable<HumanMessage['priority']>;
}

/** A typed reason: `code` for programs, `text` for a person. */
export interface Reason {
  readonly code: ReasonCode;
  readonly text: string;
}

export type ReasonCode =
  | RefusalCode
  | 'chosen_by_model'
  | 'chosen_by_rules'
  | 'model_asks_for_human'
  | 'no_eligible_tool'
  | 'text_gives_orders'
  | 'no_trouble_named'
  | 'evidence_suffices'
  | 'unsupported_platform'
  | 'not_a_trigger_event'
  | 'informational'
  | 'host_not_allowed'
  | 'tool_not_allowed'
  | 'value_not_allowed'
  | 'denied'
  | 'outside_window'
  | 'cooldown'
  | 'hourly_limit'
  | 'storm'
  | 'in_maintenance'
  | 'human_at_it'
  | 'not_monitored'
  | 'repeated_failure'
  | 'flapping'
  | 'chain_did_not_help'
  | 'job_refused'
  | 'job_failed'
  | 'outcome_unknown'
  | 'problem_remains'
  | 'not_handled'
  | 'policy_missing'
  | 'paused'
  | 'policy_tightened'
  | 'autonomy_observe'
  | 'autonomy_approve'
  | 'autonomy_auto'
  | 'approval_expired'
  | 'decision_expired'
  | 'rejected_by_human'
  | 'recovered';

/** The decision of one step, recorded once. Decision id: `<incidentId>#<step>`. */
export interface Decision {
  readonly decisionId: string;
  readonly step: 1 | 2;
  readonly at: number;
  readonly verdict: Verdict;
  readonly proposal?: Proposal | Refusal;
  readonly model?: ModelTrace;
  /** No model was asked and none would have been: rules alone choose here. Absent where a model chooses. */
  readonly decider?: 'rules';
  readonly policyHash?: string;
  /** sha256 over tool, arguments, node and decision id: what an approval is bound to. */
  readonly proposalHash?: string;
  /** After this, nothing may be dispatched any more. */
  readonly expiresAt: number;
  readonly approval?: {
    readonly answer: 'approved' | 'rejected';
    readonly by: string;
    readonly at: number;
  };
  readonly dispatch?: Dispatch;
  /** What a human said about it afterwards, also where nothing ran. */
  readonly review?: {
    readonly answer: 'right' | 'wrong';
    /** What would have been right. */
    readonly instead?: ToolName;
    readonly by: string;
    readonly at: number;
  };
}

/** The one attempt to run a decision's job. */
export interface Dispatch {
  readonly claimedAt: number;
  readonly sent: 'no' | 'yes' | 'unknown';
  readonly executionId?: string;
  readonly executionUrl?: string;
  readonly executionStatus?: string;
  readonly endedAt?: number;
  /** Tail of the job's output, cut to 4,000 characters. */
  readonly output?: string;
  /** Of an analysis: what its output says, read by `parseFindings`. */
  readonly findings?: Findings;
}

/** What uses a resource, as the host's script tells it; names are chosen by whoever runs the processes. */
export interface Findings {
  readonly resource: 'cpu' | 'memory' | 'io' | 'network';
  /** All that is in use, and all that there is: percent of one processor, or KiB. */
  readonly total?: number;
  readonly capacity?: number;
  /** The biggest first. */
  readonly top: readonly {
    readonly name: string;
    readonly value: number;
    /** The systemd unit it runs in; `user.slice` for what a user started; empty for neither. */
    readonly unit?: string;
  }[];
}

export type TimelineKind =
  | 'received'
  | 'repeated'
  | 'updated'
  | 'recovered'
  | 'held'
  | 'zabbix_asked'
  | 'model_asked'
  | 'chosen_by_rules'
  | 'decided'
  | 'approval_asked'
  | 'approved'
  | 'rejected'
  | 'queued'
  | 'claimed'
  | 'dispatched'
  | 'dispatch_failed'
  | 'execution'
  | 'checked'
  | 'escalated'
  | 'escalation_failed'
  | 'commented'
  | 'reviewed'
  | 'simulated'
  | 'closed';

export interface TimelineEntry {
  readonly at: number;
  readonly kind: TimelineKind;
  /** One sentence for a person; alert text in it is cut and stripped of control characters. */
  readonly text: string;
}

export interface Incident {
  readonly incidentId: string;
  readonly source: string;
  readonly eventId: string;
  readonly mode: Mode;
  /** The W3C trace id that its first request brought; without one it is derived. 32 hex digits. */
  readonly traceId?: string;
  readonly state: IncidentState;
  readonly outcome?: Outcome;
  readonly escalation: Escalation;
  /** Absent only when a recovery came for an event that was never seen. */
  readonly alert?: Alert;
  /** What Zabbix said when this was decided; absent when it was not asked or did not answer. */
  readonly zabbix?: HostContext;
  /** `<source>/<host>`: the history index. */
  readonly hostKey: string;
  readonly openedAt: number;
  readonly updatedAt: number;
  /** Not decided by then: a human is told. */
  readonly decideBy: number;
  /** When the sweeper must look again. */
  readonly dueAt?: number;
  readonly recoveredAt?: number;
  readonly closedAt?: number;
  /** The message a human is to be told while `escalation` is `pending` or `undeliverable`, and how often that was tried. */
  readonly message?: HumanMessage;
  readonly messageAttempts?: number;
  /** Until then nobody else tries to tell it: somebody is at it, or it failed a short while ago. */
  readonly tellAfter?: number;
  /** What this incident's human is told by instead: another incident's message, or the one summary of a storm. */
  readonly coveredBy?: string;
  readonly decisions: readonly Decision[];
  readonly timeline: readonly TimelineEntry[];
  /** Optimistic lock: every change is conditional on it. */
  readonly version: number;
}

/** What a human is told. The facts are written by code; the model contributes at most one sentence. */
export interface HumanMessage {
  readonly kind: 'escalation' | 'approval' | 'notification';
  readonly incidentId: string;
  readonly subject: string;
  readonly body: string;
  readonly severity: 0 | 1 | 2 | 3 | 4 | 5;
  readonly team?: string;
  readonly priority?: 'low' | 'normal' | 'high' | 'critical';
  readonly links: readonly { readonly title: string; readonly url: string }[];
}
