/** What an analysis found: its one line of JSON as bounded data, and whether it shows one culprit that may be restarted. */
import * as z from 'zod';
import { catalogue } from '#lib/catalogue/index.ts';
import type { JobToolName } from '#lib/catalogue/tool.ts';
import type { Alert } from '#lib/core/alert.ts';
import { type EligibleTool, type Grounding, speaksOfElse } from '#lib/core/grounding.ts';
import type { Findings, Reason, ReasonCode } from '#lib/core/incident.ts';
import type { Policy } from '#lib/core/policy.ts';
import { matchPolicy, nodeOf, valueAllowed } from '#lib/core/policy-match.ts';
import { speaksToReader, triggerText } from '#lib/core/trigger-text.ts';

/** Ten processes take a tenth of it. */
const LONGEST_LINE = 32_000;
/** A culprit uses at least this share of all that is used: anything less is a busy host, which no restart mends. */
const MAJORITY = 0.6;
/** And at least this share of what the host has: most of a little is no strain. */
const STRAIN = 0.5;

const amount = z.number().min(0).max(1e18);
/** A process's name is chosen by whoever runs it, so it is only ever compared, and shown to people. */
const findingsLine = z.object({
  tool: z.literal('analyze_processes'),
  result: z.literal('analyzed'),
  resource: z.enum(['cpu', 'memory', 'io', 'network']),
  total: amount.exactOptional(),
  capacity: amount.exactOptional(),
  top: z
    .array(
      z.object({
        name: z.string().max(64),
        value: amount,
        unit: z.string().max(128).exactOptional(),
      }),
    )
    .max(50),
});

/** Reads the last line of a job's output; `undefined` when it is not what rundeck/host/analyze-processes.sh prints. */
export function parseFindings(output: string): Findings | undefined {
  const text = output.trimEnd();
  const line = text.slice(text.lastIndexOf('\n') + 1);
  if (line.length > LONGEST_LINE) return undefined;
  try {
    const parsed = findingsLine.safeParse(JSON.parse(line));
    if (!parsed.success) return undefined;
    const { resource, total, capacity, top } = parsed.data;
    return {
      resource,
      ...(total !== undefined && { total }),
      ...(capacity !== undefined && { capacity }),
      top: top.map(({ name, value, unit }) => ({ name, value, ...(unit !== undefined && { unit }) })),
    };
  } catch {
    return undefined;
  }
}

/** What findings make possible, in the form of an alert's own grounding, and what a person should be told of it. */
export interface FoundGrounding {
  /** At most one tool is eligible; `reasons` say why none is. */
  readonly grounding: Grounding;
  /** Written by code in words of the policy and the catalogue; present only when a tool is eligible. */
  readonly found?: string;
  /** One sentence for a person; it may hold a process's name. */
  readonly thinks: string;
}

/**
 * A tool is possible when one application or service that the policy names uses the clear majority of the CPU or of the
 * memory, and the policy allows its restart here and after an analysis. `now` is milliseconds since the epoch.
 */
export function groundFindings(facts: {
  readonly alert: Alert;
  readonly policy: Policy;
  readonly findings: Findings;
  readonly now: number;
}): FoundGrounding {
  const { alert, policy, findings, now } = facts;
  const node = nodeOf(policy, alert);
  const culprit = culpritOf(findings, policy);
  const none = (code: ReasonCode, text: string) => refused(node, culprit.thinks, [{ code, text }]);
  if (culprit.kind === 'none') return none('no_eligible_tool', culprit.thinks);
  const { tool, value, thinks, found } = culprit;
  if (node === undefined) {
    return none('host_not_allowed', "The alert's host gives no valid name of a Rundeck node.");
  }
  // The job that found this is made for Linux alone.
  if (!policy.platforms.includes('linux')) {
    return none('unsupported_platform', "The policy's platforms do not hold linux.");
  }
  if (speaksToReader(triggerText(alert))) {
    return none(
      'text_gives_orders',
      "The trigger's name speaks to whoever reads it, so nothing is done that depends on reading it.",
    );
  }
  if (speaksOfElse(alert)) {
    const text = "The trigger's name speaks of something else than trouble of this host now.";
    return none('no_trouble_named', text);
  }
  if (policy.after_analysis === 'never') {
    return none('tool_not_allowed', 'The policy lets nothing follow on an analysis.');
  }
  const match = matchPolicy({ policy, alert, tool, now });
  if (match.kind === 'refused') return refused(node, thinks, match.reasons);
  const eligible: EligibleTool = {
    tool,
    values: { [catalogue[tool].target.parameter]: [value] },
    evidence: found,
    when: ['busy', ...catalogue[tool].when],
  };
  return { grounding: { eligible: [eligible], node, reasons: [] }, found, thinks };
}

function refused(node: string | undefined, thinks: string, reasons: readonly Reason[]): FoundGrounding {
  return { grounding: { eligible: [], node: node ?? '', reasons }, thinks };
}

type Culprit =
  | { readonly kind: 'none'; readonly thinks: string }
  | {
      readonly kind: 'one';
      readonly tool: Extract<JobToolName, 'restart_application' | 'restart_service'>;
      readonly value: string;
      readonly thinks: string;
      readonly found: string;
    };

type Process = Findings['top'][number];

function culpritOf(findings: Findings, policy: Policy): Culprit {
  const { resource, total, capacity, top } = findings;
  const none = (thinks: string): Culprit => ({ kind: 'none', thinks });
  const [most] = grouped(top, ({ name }) => name);
  if (most === undefined) return none('The analysis names no process.');
  if (resource !== 'cpu' && resource !== 'memory') {
    return none(`${most.key} uses the ${resource} most; a restart is no remedy for that.`);
  }
  if (total === undefined || capacity === undefined || total <= 0 || capacity <= 0) {
    return none(`${most.key} uses the ${resource} most; of how much, the analysis does not say.`);
  }
  const clear = ({ sum }: { readonly sum: number }) => sum >= MAJORITY * total;
  const percent = ({ sum }: { readonly sum: number }) => Math.min(100, Math.round((sum / total) * 100));
  const says = `${most.key} uses ${percent(most)} % of the ${resource} that is in use`;
  const candidates = grouped(top, (each) => {
    const known = restartOf(each, policy);
    return known && `${known.tool} ${known.value}`;
  });
  const group = candidates.find(clear);
  const [first] = group?.members ?? [];
  const known = first && restartOf(first, policy);
  if (group === undefined || known === undefined) {
    return none(
      clear(most)
        ? `${says}, and nothing that the policy names may be restarted for it.`
        : `${says}; no single application or service uses most of it.`,
    );
  }
  if (group.sum < STRAIN * capacity) {
    return none(`${says}, but less than half of what the host has.`);
  }
  if (new Set(group.members.map(({ unit = '' }) => unit)).size > 1) {
    return none(`${says}, in several units, so it is not clear which of them to restart.`);
  }
  const kind = known.tool === 'restart_application' ? 'application' : 'service';
  return {
    kind: 'one',
    ...known,
    found: `${kind} ${known.value} uses most of the ${resource}`,
    thinks: `${kind} ${known.value} uses ${percent(group)} % of the ${resource} that is in use.`,
  };
}

interface Group {
  readonly key: string;
  readonly sum: number;
  readonly members: readonly Process[];
}

/** The biggest first; processes without a key belong to none. */
function grouped(top: Findings['top'], keyOf: (process: Process) => string | undefined): readonly Group[] {
  const groups = new Map<string, Process[]>();
  for (const each of top) {
    const key = keyOf(each);
    if (key === undefined) continue;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups]
    .map(([key, members]) => ({ key, members, sum: members.reduce((sum, { value }) => sum + value, 0) }))
    .sort((a, b) => b.sum - a.sum);
}

/** What would restart this process; `undefined` when the policy names nothing for it, or when it must not be. */
function restartOf(
  { name, unit = '' }: Process,
  policy: Policy,
): { readonly tool: 'restart_application' | 'restart_service'; readonly value: string } | undefined {
  // Whatever a user started by hand may bear any name, and is theirs.
  if (unit === USERS || isBusyByNature(name) || isBusyByNature(unit)) return undefined;
  const application = named('application', name, policy);
  if (application !== undefined) return { tool: 'restart_application', value: application };
  if (!unit.endsWith('.service')) return undefined;
  const service =
    named('service', unit, policy) ?? named('service', unit.slice(0, -'.service'.length), policy);
  return service === undefined ? undefined : { tool: 'restart_service', value: service };
}

/** What the host's script writes for everything below a user's session. */
const USERS = 'user.slice';

/**
 * The policy's own name for it: an entry of the list or of the aliases that is equal to it. A pattern such as `*` allows
 * a name that evidence of an alert gives; it names nothing by itself, and anybody can give a process a name that fits.
 */
function named(subject: 'application' | 'service', name: string, policy: Policy): string | undefined {
  const { allow, aliases } = policy;
  const [list, table] =
    subject === 'application'
      ? [allow.applications, aliases.applications]
      : [allow.services, aliases.services];
  const values =
    Object.entries(table).find(([alias]) => alias === name)?.[1] ?? list.filter((each) => each === name);
  const { parameters, target } =
    subject === 'application' ? catalogue.restart_application : catalogue.restart_service;
  return values.find(
    (value) =>
      parameters.safeParse({ [target.parameter]: value }).success && valueAllowed(policy, subject, value),
  );
}

/**
 * Programs that use a lot because they work: databases, queues, backups, compilers, virus scanners and package tools; and
 * those that only run what others start. A restart costs their caches or their work and ends the load for a minute.
 */
const BUSY_BY_NATURE = [
  /mysql|mariadb|postgres|oracle|^ora_|sqlserv|mongo|redis|valkey|memcache|elastic|opensearch|solr|cassandra|scylla/,
  /clickhouse|influx|couch|neo4j|etcd|consul|kafka|zookeeper|rabbit|beam|db2|hana|prometheus|victoria|slapd|ceph/,
  /backup|borg|restic|bacula|bareos|veeam|duplicity|rsync|rclone|(^|[^a-z])(tar|dd|gzip|pigz|bzip2|xz|zstd|dump)($|[^a-z])/,
  /^(cc1|cc1plus|gcc|g\+\+|clang|cargo|rustc|make|ninja|ld|cmake|javac|tsc|webpack|gradle|mvn|go|bazel)($|[^a-z])/,
  /clam|freshclam|^(apt|dpkg|yum|dnf|rpm|zypper|pacman|snapd|unattended-upgr|updatedb|fsck|fstrim|e2fsck|mdadm)/,
  /^(kworker|kswapd|ksoftirqd|kcompactd|khugepaged|kthreadd|migration|rcu_|jbd2|md\d|irq|xfs|btrfs|nfsd|zfs|txg_)/,
  /^(cron|crond|anacron|atd|sshd?|docker|dockerd|containerd|podman|kubelet|runc|systemd|dbus|init|sudo|su)($|[^a-z])/,
  /jenkins|qemu|kvm|libvirt|virtualbox|(runner|agent)d?(\.service)?$/,
];

function isBusyByNature(name: string): boolean {
  const lower = name.toLowerCase();
  return BUSY_BY_NATURE.some((pattern) => pattern.test(lower));
}
