/** Evidence that something of the host is short, and which: what `analyze_processes` is for. */
import { type Evidence, type Facts, found } from '#lib/core/evidence-facts.ts';
import type { ItemKey } from '#lib/core/item-key.ts';
import { triggerText } from '#lib/core/trigger-text.ts';
import { namesStrain } from '#lib/core/trouble-words.ts';

export function analysisEvidence(facts: Facts): Evidence | undefined {
  const { key, tags } = facts;
  const scopes = tags('scope');
  const strained = scopes.includes('performance') || scopes.includes('capacity') || isDatabaseLock(facts);
  const noticed = scopes.includes('notice') && NOTICED_STRAIN.test(triggerText(facts.alert));
  if (scopes.length > 0 && !strained && !noticed) return undefined;
  const measured = strained || scopes.length === 0 ? resourceOfKey(key) : undefined;
  const tagged = strained ? resourceOfComponent(tags) : undefined;
  const slow = scopes.includes('performance') || noticed || isDatabaseLock(facts);
  const likely = slow ? resourceOfSlowness(facts) : undefined;
  const resource = measured ?? tagged ?? likely;
  const names = resource === undefined ? [] : [resource];
  const evidence = found('analyze_processes', names, `${key.name} reports that ${resource} is short`);
  const direct =
    measured !== undefined ||
    tags('component').some((each) => each in RESOURCE_OF_COMPONENT) ||
    likely !== undefined;
  return evidence && { ...evidence, direct };
}

/** Zabbix 7.0's templates of databases call waiting for each other a matter of availability. */
function isDatabaseLock({ tags }: Facts): boolean {
  return tags('class').includes('database') && tags('component').some((each) => /^(dead)?locks?$/.test(each));
}

/** Zabbix 7.0's templates call most of what they only mention a notice; this is what of it processes may explain. */
const NOTICED_STRAIN = /\b(latency|stalls|page faults|busy|idle percent|rejected tasks)\b/i;

/** A database or an application that is slow takes, or waits for, something of its host. */
function resourceOfSlowness({ alert, key, tags }: Facts): 'cpu' | 'memory' | 'io' | undefined {
  if (!tags('class').some((each) => ['database', 'application', 'software'].includes(each))) return undefined;
  if (tags('target').includes('zabbix')) return undefined;
  if (!namesStrain(triggerText(alert))) return undefined;
  // A database's own storage may be slow, and that it is full is no matter of processes.
  const storage = tags('scope').includes('capacity') ? [] : ['storage'];
  const components = tags('component').filter((each) => !storage.includes(each));
  if (components.some((each) => OUTSIDE_COMPONENTS.includes(each))) return undefined;
  const about = [...tags('component'), key.name, ...key.parameters].join(' ').toLowerCase();
  if (/cache|memory|fault|heap|life_expectancy/.test(about)) return 'memory';
  return /storage|read|write|flush|\blog|page|disk|tmp_|checkpoint|pending|\bio\b|i\/o/.test(about)
    ? 'io'
    : 'cpu';
}

/** Keys of the agent, of SNMP templates and of Windows' counters, whose resource is known by their name. */
const RESOURCE_BY_KEY: readonly (readonly [RegExp, 'cpu' | 'memory' | 'io' | 'network'])[] = [
  [/^system\.(cpu\.util\[[^\]]*iowait|stat\[cpu,wa\])/, 'io'],
  [/^(system\.cpu\.(load|util)(\.avg\d+)?|proc\.cpu\.util)(\[|$)/, 'cpu'],
  [/^(proc\.num(\[,*(run)?\]|$)|proc\.open\.files|fd\.open|system\.processes)/, 'cpu'],
  [/^proxmox\.node\.cpu(\[|$)/, 'cpu'],
  [/^proxmox\.node\.(mem|swap)used(\[|$)/, 'memory'],
  [/^proxmox\.node\.iowait(\[|$)/, 'io'],
  [/^jmx\[.*ProcessCpuLoad/, 'cpu'],
  [/^jmx\[.*HeapMemoryUsage/, 'memory'],
  [
    /^(vm\.memory\.(?!size\[total)|system\.swap\.(pfree|pused|free|size(?!\[[^,\]]*,total))|proc\.mem)/,
    'memory',
  ],
  [/^vfs\.dev\.(read|write|util|queue|await|iops|busy|latency|svctm|discards?)/, 'io'],
  [/^net\.if\.(in|out|total)\[(node_exporter,)?"?[^,"\]]+"?(,"?bytes"?)?\]$/, 'network'],
  [/^perf_counter(_en)?\["?\\(Memory|Paging)/, 'memory'],
  [/^perf_counter(_en)?\["?\\(PhysicalDisk|LogicalDisk)/, 'io'],
  [/^perf_counter(_en)?\["?\\Network/, 'network'],
  [/^perf_counter(_en)?\["?\\(System|Processor)/, 'cpu'],
  [/^net\.tcp\.service\.perf(\[|$)/, 'cpu'],
  // Windows' counters by their names in other languages.
  [/^perf_counter\["?\\(Arbeitsspeicher|Auslagerungsdatei|Mem[oó]ria|M[eé]moire)/, 'memory'],
  [/^perf_counter\["?\\(Physikalischer Datentr|Logischer Datentr|Disco f[ií]sico|Disque physique)/, 'io'],
  [/^perf_counter\["?\\(Prozessor|Process(ad|at)or|Procesador|Processeur|System|Sistema)/, 'cpu'],
  // What administrators call their own checks.
  [/^(cpu|load|loadavg)\.(usage|used|util|utili[sz]ation|load|pct|percent|busy|total|avg\d*)(\[|$)/, 'cpu'],
  [
    /^(mem|memory|ram|swap)\.(usage|used|util|utili[sz]ation|free|avail|available|p?free|p?used|pct|percent)(\.\w+)?(\[|$)/,
    'memory',
  ],
  [/^(disk|io|iostat)\.(await|wait|latency|util|busy|queue|iops)(\[|$)/, 'io'],
  [/^(net|network|nic|iface)\.(usage|bandwidth|traffic|util|saturation)(\[|$)/, 'network'],
];

function resourceOfKey({ name, parameters }: ItemKey): 'cpu' | 'memory' | 'io' | 'network' | undefined {
  const written = parameters.length === 0 ? name : `${name}[${parameters.join(',')}]`;
  return RESOURCE_BY_KEY.find(([pattern]) => pattern.test(written))?.[1];
}

/** What templates of applications call a part that processes of this host strain. */
const RESOURCE_OF_COMPONENT: Readonly<Record<string, 'cpu' | 'memory'>> = {
  memory: 'memory',
  'memory-pool': 'memory',
  ...{ cpu: 'cpu', queries: 'cpu', connections: 'cpu', requests: 'cpu', workers: 'cpu', processes: 'cpu' },
  ...{ threads: 'cpu', 'thread-pool': 'cpu', fds: 'cpu' },
};

/** Names of parts that may also be a cache, a setting or a backlog that looking at processes explains nothing of. */
const VAGUE_COMPONENTS = [
  ...['application', 'system', 'os', 'process', 'locks', 'sessions', 'queue', 'queues', 'transactions'],
  ...['lock', 'performance', 'puma', 'unicorn', 'gc', 'garbage-collector', 'thread_pool'],
];

/** Storage inside an application, a cluster or a network device is no resource that processes of this host take. */
const OUTSIDE_COMPONENTS = [
  ...[
    'storage',
    'tablespaces',
    'network',
    'cluster',
    'replication',
    'temperature',
    'sensor',
    'psu',
    'upstream',
    'health',
    'license',
  ],
];

function resourceOfComponent(tags: Facts['tags']): 'cpu' | 'memory' | undefined {
  // What the system's own template strains is known by its keys; the rest are settings and clocks.
  if (tags('class').includes('os')) return undefined;
  const components = tags('component');
  // Zabbix's own caches and its backlog are settings.
  if (tags('target').includes('zabbix') && components.includes('system')) return undefined;
  if (components.some((each) => OUTSIDE_COMPONENTS.includes(each))) return undefined;
  const named = Object.entries(RESOURCE_OF_COMPONENT).find(([name]) => components.includes(name))?.[1];
  return named ?? (components.some((each) => VAGUE_COMPONENTS.includes(each)) ? 'cpu' : undefined);
}
