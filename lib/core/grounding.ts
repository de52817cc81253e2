/** Which tools are possible for one alert, and with which values: by evidence and policy alone, whatever a model says. */
import { analyzeProcesses } from '#lib/catalogue/analyze-processes.ts';
import { cleanupDisk } from '#lib/catalogue/cleanup-disk.ts';
import { catalogue } from '#lib/catalogue/index.ts';
import { restartApplication } from '#lib/catalogue/restart-application.ts';
import { restartService } from '#lib/catalogue/restart-service.ts';
import type { JobToolName, Subject, Tool } from '#lib/catalogue/tool.ts';
import type { Alert } from '#lib/core/alert.ts';
import { evidenceOf, type Platform } from '#lib/core/evidence.ts';
import type { Evidence } from '#lib/core/evidence-facts.ts';
import type { Reason } from '#lib/core/incident.ts';
import { namesAnotherHost } from '#lib/core/other-host.ts';
import { isIdentifier, ownWords } from '#lib/core/own-words.ts';
import type { Policy } from '#lib/core/policy.ts';
import { matchPolicy, nodeOf, valueAllowed } from '#lib/core/policy-match.ts';
import { firstClause, speaksToReader, triggerText, withNameAs } from '#lib/core/trigger-text.ts';
import { troubleIn } from '#lib/core/trouble-words.ts';

export interface EligibleTool {
  readonly tool: JobToolName;
  /** Allowed values of each parameter that evidence fills; the first is the best. */
  readonly values: Readonly<Record<string, readonly string[]>>;
  /** One phrase, written by code. */
  readonly evidence: string;
  /**
   * The tool changes nothing, and the evidence leaves no doubt what it is to look at: then no reading of the name is
   * needed for it.
   */
  readonly sufficient?: true;
  /**
   * The trigger's name has no word for trouble that is known, and none that speaks against it: then a model has to be very
   * sure of what it reads, and without one the tool is not possible.
   */
  readonly needsReader?: true;
  /** What an alert must say for it, where that is not what the tool's own `when` says. */
  readonly when?: Tool['when'];
}

export interface Grounding {
  /** Never holds `notify`, which is always possible. */
  readonly eligible: readonly EligibleTool[];
  /** The Rundeck node, empty when the host gives none. */
  readonly node: string;
  /** Why a tool that the evidence speaks for is not possible. Empty when nothing speaks for any. */
  readonly reasons: readonly Reason[];
}

const TOOLS = {
  cleanup_disk: cleanupDisk,
  restart_service: restartService,
  analyze_processes: analyzeProcesses,
  restart_application: restartApplication,
};

/**
 * A tool is possible when the item key or tags speak for it, their value is inside the policy's allow-list, a rule
 * covers the tool here and no denial does. `now` is milliseconds since the epoch, for the policy's windows.
 */
export function ground(facts: {
  readonly alert: Alert;
  readonly policy: Policy;
  readonly now: number;
}): Grounding {
  const { alert, policy, now } = facts;
  const { platform, found } = evidenceOf(alert);
  if (found.length === 0) return { eligible: [], node: nodeOf(policy, alert) ?? '', reasons: [] };
  const node = nodeOf(policy, alert);
  if (node === undefined) {
    const reasons = reason('host_not_allowed', "The alert's host gives no valid name of a Rundeck node.");
    return { eligible: [], node: '', reasons };
  }
  if (!policy.platforms.some((each) => each === platform)) {
    return { eligible: [], node, reasons: reason('unsupported_platform', unsupported(platform)) };
  }
  const eligible: EligibleTool[] = [];
  const reasons: Reason[] = [];
  for (const evidence of found) {
    const result = eligibleOf(evidence, { alert, policy, now });
    if ('evidence' in result) eligible.push(result);
    else reasons.push(...result);
  }
  return { eligible, node, reasons };
}

function eligibleOf(
  { tool, names, because, direct = false }: Evidence,
  { alert, policy, now }: { readonly alert: Alert; readonly policy: Policy; readonly now: number },
): EligibleTool | readonly Reason[] {
  const match = matchPolicy({ policy, alert, tool, now });
  if (match.kind === 'refused') return match.reasons;
  const readOnly = catalogue[tool].safety === 'read_only';
  const text = triggerText(alert);
  const orders = speaksToReader(text);
  // A service may be called `planning` or `deadlock-monitor`; that says nothing of its state. What Windows calls it, a
  // template has in a tag, and any sentence may be there; in anybody else's tag it may be there to hide words.
  const titles = isOfTemplate(alert) ? alert.tags.filter(({ tag }) => tag === 'name') : [];
  const called = [...names.filter(isIdentifier), ...titles.map(({ value }) => value)];
  const said = readOnly || tool === 'cleanup_disk' ? text : withNameAs(text, called, 'it');
  const trouble = troubleIn(
    { whole: said, clause: firstClause(said), own: ownWords(alert) },
    { tool, tagged: isOfTemplate(alert) },
  );
  // What a template's tags say is enough to look; what only the name says, when it names trouble and nothing else.
  const sufficient = readOnly && direct && (isScoped(alert) || (trouble === 'named' && !orders));
  if (!sufficient && orders) {
    return reason(
      'text_gives_orders',
      "The trigger's name speaks to whoever reads it, so nothing is done that depends on reading it.",
    );
  }
  if (!isOfTemplate(alert) && namesAnotherHost(text, alert)) {
    return reason('no_trouble_named', "The trigger's name speaks of another machine than the alert's host.");
  }
  // Where an event's own name is all there is, a host may have had a say in it.
  const alone = trouble === 'unnamed' && alert.trigger.nameOrig !== undefined;
  if (
    (!readOnly && trouble !== 'named' && !alone) ||
    (readOnly && trouble === 'denied' && !isScoped(alert))
  ) {
    return reason(
      'no_trouble_named',
      `The trigger's name has no word for trouble now that ${tool} would end.`,
    );
  }
  const { target, parameters } = TOOLS[tool];
  const values = candidates(policy, target.subject, names).filter(
    (value) =>
      parameters.safeParse({ [target.parameter]: value }).success &&
      valueAllowed(policy, target.subject, value),
  );
  if (values.length === 0) {
    return reason(
      'value_not_allowed',
      `The policy's list does not hold what ${tool} would be about (${because}).`,
    );
  }
  if (target.subject === 'path' && !values.some((path) => holdsCleanupRoot(policy, path))) {
    return reason('value_not_allowed', 'The policy names no folder to clean on this file system.');
  }
  return {
    tool,
    values: { [target.parameter]: values },
    evidence: because,
    ...(sufficient && { sufficient }),
    ...(!readOnly && alone && { needsReader: true }),
  };
}

/** Whether a custom name is about something else than trouble of the alert's own host now. Templates' names are not asked. */
export function speaksOfElse(alert: Alert): boolean {
  if (isOfTemplate(alert)) return false;
  const text = triggerText(alert);
  const said = { whole: text, clause: firstClause(text), own: ownWords(alert) };
  return (
    namesAnotherHost(text, alert) ||
    troubleIn(said, { tool: 'analyze_processes', tagged: false }) === 'denied'
  );
}

/** Zabbix 7.0's templates say of each trigger what it is about (`scope`), and of its item whose (`class`, `target`). */
function isOfTemplate({ tags }: Alert): boolean {
  return ['class', 'target', 'scope'].every((name) => tags.some(({ tag }) => tag === name));
}

function isScoped({ tags }: Alert): boolean {
  return tags.some(({ tag }) => tag === 'scope');
}

/** What a value may be written as: the policy's aliases, else the names themselves; systemd's suffix may be left out. */
function candidates(policy: Policy, subject: Subject, names: readonly string[]): readonly string[] {
  if (subject === 'resource') return names;
  const { services, applications, paths } = policy.aliases;
  const table = { service: services, application: applications, path: paths }[subject];
  const wanted = names.flatMap((name) => [name, name.toLowerCase()]);
  const [known] = wanted.flatMap((name) => Object.entries(table).filter(([alias]) => alias === name));
  if (known !== undefined) return known[1];
  if (subject !== 'service') return names;
  return names.flatMap((name) => (name.includes('.') ? [name] : [name, `${name}.service`]));
}

/** Whether the job could clean anything there: a folder of the policy below the mount point, or around it. */
function holdsCleanupRoot(policy: Policy, path: string): boolean {
  // A drive has no folders in the policy's notation; only a policy that names Windows at all comes this far.
  if (!path.startsWith('/')) return true;
  const inside = (folder: string, other: string) =>
    `${folder}/`.startsWith(other === '/' ? '/' : `${other}/`);
  return policy.cleanup_roots.some((root) => inside(root, path) || inside(path, root));
}

function unsupported(platform: Platform): string {
  return `The policy's platforms do not hold ${platform}.`;
}

function reason(code: Reason['code'], text: string): readonly Reason[] {
  return [{ code, text }];
}
