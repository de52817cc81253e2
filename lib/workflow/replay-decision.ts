/** Decides a recorded alert once more, by today's policy, catalogue and model, and says what differs; nothing leaves it. */
import { canonicalJson } from '#lib/core/canonical-json.ts';
import type { Decision, Incident, RefusalCode } from '#lib/core/incident.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import { type Decided, makeDecideRemediation } from '#lib/workflow/decide-remediation.ts';
import type {
  AskModel,
  HostHistory,
  LoadIncident,
  ModelAnswer,
  Narrate,
  StoredPolicy,
} from '#lib/workflow/ports.ts';

export interface Difference {
  readonly what: 'verdict' | 'reasons' | 'proposal' | 'job' | 'policy' | 'model' | 'prompt';
  readonly recorded: string;
  readonly replayed: string;
}

export type Replay =
  /** `no_findings`: a second step is about what an analysis found. */
  | { readonly kind: 'no_such_incident' | 'no_alert' | 'no_findings' }
  /** Today it would wait, or end without any decision; the timeline's last words say why. */
  | { readonly kind: 'undecided'; readonly became: Decided['kind']; readonly why: string }
  | {
      readonly kind: 'decided';
      readonly recorded?: Decision;
      readonly replayed: Decision;
      readonly differences: readonly Difference[];
    };

/**
 * Makes the replay. It runs the very workflow of production on a copy of the record, at the time of the recorded
 * decision, on ports that have no effect: nothing is written, queued, run or told. Limits and storms are not replayed,
 * since their counters are gone. `askModel` is asked unless `recorded` says that the recorded answer is to be taken; where
 * rules alone chose, they are that answer.
 */
export function makeReplayDecision(ports: {
  readonly loadIncident: LoadIncident;
  readonly hostHistory: HostHistory;
  /** `undefined`: rules alone choose. */
  readonly askModel: AskModel | undefined;
  readonly narrate: Narrate;
}): (wanted: {
  readonly incidentId: string;
  readonly stored: StoredPolicy;
  readonly recorded: boolean;
  readonly step?: 1 | 2;
}) => Promise<Replay> {
  return async ({ incidentId, stored, recorded, step = 1 }) => {
    const incident = await ports.loadIncident(incidentId);
    if (incident === undefined) return { kind: 'no_such_incident' };
    if (incident.alert === undefined) return { kind: 'no_alert' };
    const { zabbix } = incident;
    const decision = incident.decisions.find((each) => each.step === step);
    const looked = incident.decisions.find((each) => each.step < step);
    if (step === 2 && looked?.dispatch?.findings === undefined) return { kind: 'no_findings' };
    const now = decision?.at ?? looked?.dispatch?.endedAt ?? incident.openedAt;
    let copy = asItWas(incident, now, looked === undefined ? [] : [looked]);
    const nothing = async (): Promise<void> => {};
    const decide = makeDecideRemediation(
      {
        loadIncident: async () => copy,
        changeIncident: async (_, change) => {
          const changed = change(copy);
          if (changed !== undefined) copy = changed;
          return { changed: changed !== undefined, incident: copy };
        },
        createIncident: async (created) => ({ kind: 'exists', incident: created }),
        hostHistory: async (query) =>
          (await ports.hostHistory({ ...query, until: now })).map((each) =>
            each.incidentId === incidentId ? copy : before(each, now),
          ),
        loadPolicy: async () => stored,
        loadPause: async () => ({ paused: false }),
        readAllowances: async (keys) => new Map(keys.map((key) => [key, 0])),
        takeAllowance: async () => true,
        sendToDecide: nothing,
        sendToDispatch: nothing,
        sendToCheck: nothing,
        tellHuman: nothing,
        // What Zabbix said then: today it would speak of another day.
        readHostContext: zabbix && (async () => zabbix),
        askModel: recorded ? recordedChoice(decision) : ports.askModel,
        clock: () => now,
        narrate: (line) => {
          if (['zabbix', 'history', 'asking', 'model', 'rules'].includes(line.step)) ports.narrate(line);
        },
      },
      { incidentLink: () => 'https://replay.invalid', approvalLink: () => undefined },
    );
    const decided = await decide({ incidentId });
    if (decided.kind !== 'decided') {
      return { kind: 'undecided', became: decided.kind, why: copy.timeline.at(-1)?.text ?? '' };
    }
    return {
      kind: 'decided',
      ...(decision !== undefined && { recorded: decision }),
      replayed: decided.decision,
      differences: decision === undefined ? [] : compare(decision, decided.decision),
    };
  };
}

/** The record as the decision found it; `decisions` are those that were made before. */
function asItWas(incident: Incident, now: number, decisions: Incident['decisions']): Incident {
  const { outcome: _outcome, message: _message, coveredBy: _by, ...rest } = before(incident, now);
  return {
    ...rest,
    state: 'received',
    escalation: 'none',
    decideBy: Math.max(incident.decideBy, now + 1),
    decisions,
    timeline: incident.timeline.filter(({ kind }) => kind === 'received'),
  };
}

/** Without what happened to it later. */
function before(incident: Incident, now: number): Incident {
  const { recoveredAt, closedAt, outcome, ...rest } = incident;
  const over = closedAt !== undefined && closedAt < now;
  return {
    ...rest,
    ...(recoveredAt !== undefined && recoveredAt < now && { recoveredAt }),
    ...(over ? { closedAt, ...(outcome !== undefined && { outcome }) } : { state: 'running' }),
  };
}

/** What chose then: rules, or a model that gives its recorded answer. */
function recordedChoice(decision: Decision | undefined): AskModel | undefined {
  return decision?.decider === 'rules' ? undefined : async () => recordedAnswer(decision);
}

/** What the model answered then, from its trace; a call that failed fails again. */
function recordedAnswer(decision: Decision | undefined): ModelAnswer {
  const { model, proposal } = decision ?? {};
  const code = proposal?.kind === 'refusal' ? proposal.code : undefined;
  if (model?.answer === undefined) throw failed(code);
  const { promptHash: _, ...trace } = model;
  const { content, toolCalls } = callsIn(model.answer);
  return { content, toolCalls, doneReason: code === 'truncated' ? 'length' : 'stop', trace };
}

function failed(code: RefusalCode | undefined): UpstreamError {
  const detail = 'no answer is recorded';
  return new UpstreamError('ollama', code ?? 'failed', detail, { sent: 'no', retry: false });
}

/** A trace keeps what was written, and then the calls as a JSON list. */
function callsIn(answer: string): Pick<ModelAnswer, 'content' | 'toolCalls'> {
  for (let start = answer.indexOf('[{'); start >= 0; start = answer.indexOf('[{', start + 1)) {
    try {
      const calls: unknown = JSON.parse(answer.slice(start));
      if (Array.isArray(calls) && calls.every(isCall))
        return { content: answer.slice(0, start), toolCalls: calls };
    } catch {
      // No list begins here.
    }
  }
  return { content: answer, toolCalls: [] };
}

function isCall(value: unknown): value is ModelAnswer['toolCalls'][number] {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'arguments' in value
  );
}

function compare(recorded: Decision, replayed: Decision): readonly Difference[] {
  const sides: readonly (readonly [Difference['what'], (decision: Decision) => string])[] = [
    ['verdict', ({ verdict }) => verdict.kind],
    ['job', ({ verdict }) => jobOf(verdict)],
    ['reasons', ({ verdict }) => verdict.reasons.map(({ code }) => code).join(', ')],
    ['proposal', ({ proposal }) => proposalOf(proposal)],
    ['policy', ({ policyHash }) => policyHash?.slice(0, 12) ?? 'none'],
    [
      'model',
      ({ model, decider }) =>
        model ? `${model.model} ${model.digest?.slice(0, 12) ?? ''}`.trim() : (decider ?? 'not asked'),
    ],
    ['prompt', ({ model }) => model?.promptHash.slice(0, 12) ?? 'none'],
  ];
  return sides.flatMap(([what, of]) =>
    of(recorded) === of(replayed) ? [] : [{ what, recorded: of(recorded), replayed: of(replayed) }],
  );
}

function jobOf(verdict: Decision['verdict']): string {
  return 'tool' in verdict
    ? `${verdict.tool} ${canonicalJson(verdict.arguments)} on ${verdict.node}, ${verdict.autonomy}`
    : 'none';
}

function proposalOf(proposal: Decision['proposal']): string {
  if (proposal === undefined) return 'nothing had to be chosen';
  if (proposal.kind === 'refusal') return proposal.code;
  return `${proposal.tool} ${canonicalJson(proposal.arguments)}`;
}
