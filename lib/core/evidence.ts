/** What an alert's item key and tags show about the host: which tools they speak for, and with which raw values. */
import type { JobToolName } from '#lib/catalogue/tool.ts';
import type { Alert } from '#lib/core/alert.ts';
import { type ItemKey, parseItemKey } from '#lib/core/item-key.ts';
import { triggerText } from '#lib/core/trigger-text.ts';
import { namesStrain } from '#lib/core/trouble-words.ts';

/** A tool that the evidence speaks for; the values are not yet held against the policy. */
export interface Evidence {
  readonly tool: JobToolName;
  /** Names of the subject, the best first; an alias of the policy may stand for each. */
  readonly names: readonly string[];
  /** One phrase by code for the model and for people; it holds no text of the alert but the key's name. */
  readonly because: string;
  /** The key or a tag of the template says outright which resource is short; what is merely likely does not. */
  readonly direct?: boolean;
}

export type Platform = 'linux' | 'windows' | 'unix' | 'other';

interface Facts {
  readonly alert: Alert;
  readonly key: ItemKey;
  readonly tags: (name: string) => readonly string[];
}

/** Nothing runs on these that a job could look at or restart. */
const CLASSES_WITHOUT_JOBS = ['hardware', 'network', 'power', 'cloud', 'storage'];
/** Watched from outside: the host that Zabbix names is an account, a cluster or a hypervisor, and no job gets there. */
const OUTSIDE_TARGETS =
  /^(vmware|vcenter|esxi?|nutanix|proxmox|openstack|openshift|kubernetes|k8s|aws|azure|gcp|ceph|cisco|juniper|fortinet|fortigate|mikrotik|pfsense|opnsense|f5|arista|checkpoint|paloalto)([-_ ]|$)/i;
/** What Zabbix agent 2 itself pings; any other check of that name may be of a machine far away. */
const PINGED_BY_AGENT = ['mysql', 'pgsql', 'oracle', 'mssql', 'mongodb', 'redis', 'memcached', 'docker'];
/** Subjects of templates that name no service of the host. */
const NO_SERVICE = [
  ...['linux', 'windows', 'macos', 'freebsd', 'solaris', 'aix', 'os', 'server', 'icmp', 'snmp', 'ipmi'],
  ...['process', 'systemd', 'java', 'jmx', 'vmware', 'kubernetes', 'certificate', 'website', 'web'],
];
/** Systems that have a shell and services, and for which the jobs of this project are not written. */
const OTHER_UNIX = ['macos', 'mac-os', 'freebsd', 'openbsd', 'solaris', 'aix', 'hp-ux', 'hpux', 'z-os'];
/** File systems that are always full, or that belong to more than this host. */
const FIXED_FILE_SYSTEM =
  /^(squashfs|iso9660|erofs|cramfs|udf|devtmpfs|proc|sysfs|nfs[34]?|cifs|smb\w*|ceph|glusterfs|lustre|gpfs|9p|fuse\..*)$/i;

/**
 * Folders that belong to databases, virtual machines, containers and backups. What is old there is not what is
 * superfluous, so no job may ever decide about it by age.
 */
const DATA_VOLUME =
  /^\w+[_-]?data$|mysql|maria|percona|galera|postgres|pgsql|pgdata|pg_|oracle|oradata|^u\d\d$|mssql|sqlserver|sqldata|db2|mongo|redis|valkey|elastic|opensearch|solr|kafka|zookeeper|cassandra|scylla|clickhouse|influx|couch|neo4j|etcd|consul|ceph|gluster|minio|rabbit|prometheus|victoria|hadoop|hdfs|sap(?:data|hana)|hana|ldap|docker|containerd|kubelet|libvirt|vmware|vmfs|images|backup|archive|snapshot|borg|restic|bacula|bareos|veeam|(?:^|[^a-z])(?:wal|redo|binlogs?|xlog|dbs?|databases?|vms?)(?:$|[^a-z])/;

/** What key and tags show: the system they come from, and at most one entry for each tool that they speak for. */
export function evidenceOf(alert: Alert): {
  readonly platform: Platform;
  readonly found: readonly Evidence[];
} {
  const key = ownName(parseItemKey(alert.item.key ?? ''));
  const tags = tagsOf(alert);
  const unreachable =
    tags('class').some((value) => CLASSES_WITHOUT_JOBS.includes(value)) ||
    // A virtual machine is a host of its own, though it is watched through its hypervisor.
    (tags('target').some((value) => OUTSIDE_TARGETS.test(value)) && !tags('target').includes('vmware-guest'));
  if (key === undefined || unreachable) {
    return { platform: 'other', found: [] };
  }
  const facts: Facts = { alert, key, tags };
  const found = [
    cleanupEvidence(facts),
    serviceEvidence(facts),
    analysisEvidence(facts),
    applicationEvidence(facts),
  ].filter((each) => each !== undefined);
  return { platform: platformOf(facts), found };
}

/** Administrators' own keys often say first that they are their own. */
function ownName(key: ItemKey | undefined): ItemKey | undefined {
  return key && { ...key, name: key.name.replace(/^(custom|user|local|own|my|site)\./, '') };
}

/** `other` is what no job could reach. */
function platformOf({ key: { name, parameters }, tags }: Facts): Platform {
  const targets = tags('target').map((value) => value.toLowerCase());
  const drive = [...parameters.slice(0, 1), ...tags('filesystem')].some((value) => /^[A-Za-z]:/.test(value));
  const ofWindows = /^(service\.info|service_state|services|perf_counter(_en)?|wmi\.|eventlog|registry\.)/;
  if (targets.some((target) => /^(windows|iis|mssql|exchange)$/.test(target))) return 'windows';
  if (ofWindows.test(name) || (name.startsWith('vfs.fs.') && drive)) return 'windows';
  return targets.some((target) => OTHER_UNIX.includes(target)) ? 'unix' : 'linux';
}

function cleanupEvidence(facts: Facts): Evidence | undefined {
  const { key, tags } = facts;
  const scopes = tags('scope');
  if (scopes.length > 0 && !scopes.includes('capacity')) return undefined;
  if (tags('fstype').some((type) => FIXED_FILE_SYSTEM.test(type))) return undefined;
  // Only a policy's alias can tell which mount point an application's own check of its disk means.
  if (/\.(disk_space|disk_free|temporary_space|free_space)$/.test(key.name)) {
    const names = scopes.includes('capacity') ? namesOf(tags, ['filesystem'], ['target']) : [];
    return found('cleanup_disk', names, `${key.name} reports little space`);
  }
  const what = capacityOf(key) ?? (scopes.length === 0 && isOwnCheckOfADisk(key) ? 'space' : undefined);
  if (what === undefined) return undefined;
  // The agent's own keys begin with the mount point; those of other collectors name their source first.
  const mounts = key.parameters.slice(0, 2).filter(isMountPoint).slice(0, 1);
  const tagged = namesOf(tags, ['filesystem'], []).map(withoutLabel).filter(isMountPoint);
  const names = mounts.length > 0 ? mounts : tagged;
  if (names.some(isDataVolume) || (scopes.length === 0 && speaksOfData(facts))) return undefined;
  return found('cleanup_disk', names, `${key.name} reports few free ${what}`);
}

/** What administrators call their own checks of a mount point. */
function isOwnCheckOfADisk({ name, parameters: [first = ''] }: ItemKey): boolean {
  return (
    /^(disk|df|fs|filesystem)(\.[a-z_]+)*\.(p?used|p?free|usage|pct|percent|full|avail)(\.[a-z]+)?$/.test(
      name,
    ) && isMountPoint(first)
  );
}

/** `space` or `inodes` when the key tells how full a file system is. */
function capacityOf({ name, parameters }: ItemKey): 'space' | 'inodes' | undefined {
  const mode = parameters[1] ?? '';
  const known = ['', 'free', 'used', 'pfree', 'pused'].includes(mode) || isMountPoint(mode);
  if (!known && !name.startsWith('vmware.')) return undefined;
  if (/^vfs\.fs\.(dependent\.)?inode(\.p?(free|used))?$/.test(name)) return 'inodes';
  return /^(vmware\.vm\.)?vfs\.fs\.((dependent\.)?size|p?used|p?free)$/.test(name) ? 'space' : undefined;
}

/** Windows' SNMP agent describes a drive as `C:\ Label:System  Serial Number 5c2e91aa`. */
function withoutLabel(value: string): string {
  return value.replace(/^([A-Za-z]:)\\?\s+Label:.*$/s, '$1');
}

function isMountPoint(value: string): boolean {
  return /^\/|^[A-Za-z]:\\?$/.test(value);
}

/** A custom name may say whose data a mount point holds, which its path does not; the host's own name says nothing. */
function speaksOfData({ alert }: Facts): boolean {
  const { host, name = host } = alert.host;
  return triggerText(alert)
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => !word.includes(host.toLowerCase()) && !word.includes(name.toLowerCase()))
    .filter((word) => !word.includes('/'))
    .some((word) => DATA_VOLUME.test(word));
}

function isDataVolume(path: string): boolean {
  return path
    .toLowerCase()
    .split('/')
    .some((segment) => DATA_VOLUME.test(segment));
}

function serviceEvidence(facts: Facts): Evidence | undefined {
  const { key, tags } = facts;
  const sign = serviceSign(facts);
  if (sign === undefined) return undefined;
  const scopes = tags('scope');
  // Windows' own template calls a stopped service a notice.
  const scoped = sign.byName ? ['availability', 'notice'] : ['availability'];
  if (scopes.length > 0 && !scopes.some((scope) => scoped.includes(scope))) return undefined;
  return found('restart_service', sign.names, `${key.name} says that it does not run or answer`);
}

/** A key that watches whether a service lives, and the names it gives it. */
function serviceSign(
  facts: Facts,
): { readonly names: readonly string[]; readonly byName?: boolean } | undefined {
  const { key, tags } = facts;
  const { name } = key;
  const [first = '', second = ''] = key.parameters;
  if (/^systemd\.unit\.info$/.test(name)) {
    if (!['', 'ActiveState', 'SubState'].includes(second)) return undefined;
    return { names: unit(first) };
  }
  if (/^systemd\.service\.(active_state|state|sub_state)$/.test(name)) return { names: unit(first) };
  if (name === 'service.info' || name === 'service_state') {
    return ['', 'state'].includes(second) ? { names: plain(first), byName: true } : undefined;
  }
  if (/(^|\.)proc\.num$/.test(name)) {
    if (reportsMoreThan(facts, 0)) return undefined;
    return countedProcess(facts);
  }
  if (name === 'system.localtime') return { names: timeServices(facts), byName: true };
  const port = checkedPort(key);
  if (port !== undefined) {
    if (!isThisHost(facts, port.address) || reportsMoreThan(facts, 0)) return undefined;
    const named = subject(facts, ['service', 'process']);
    return { names: named.length > 0 ? named : programsOf(port.port, facts.alert) };
  }
  if (/^service\.(status|state|health|up|alive|running)$/.test(name) && tags('target').length === 0) {
    return reportsMoreThan(facts, 0) ? undefined : { names: plain(first) };
  }
  if (name === 'db.odbc.select' && /^([a-z]+\.)?ping$/.test(first)) {
    return reportsMoreThan(facts, 0) ? undefined : { names: subject(facts, ['service', 'process']) };
  }
  if (watchesItsState(facts)) return { names: subject(facts, ['service', 'process']) };
  const [, prefix] = /^([a-z][a-z0-9-]*)\.(?:[a-z0-9_]+\.)?(?:ping|live|alive|up)$/.exec(name) ?? [];
  if (prefix === undefined || ['agent', 'zabbix'].includes(prefix)) return undefined;
  if (!tags('scope').includes('availability') && !PINGED_BY_AGENT.includes(prefix)) return undefined;
  if (reportsMoreThan(facts, 0)) return undefined;
  const named = subject(facts, ['service', 'process']);
  return { names: named.length > 0 ? named : plain(prefix) };
}

/**
 * The service behind a count of processes: the process's name. Where a user narrows the count, many programs may share
 * that name (`master` of postfix, `java` of tomcat): then it is the user's name, if the trigger names it as well.
 */
function countedProcess({ alert, key, tags }: Facts): { readonly names: readonly string[] } | undefined {
  const [process = '', user = '', state = '', commandLine = ''] = key.parameters;
  // A command line picks one of many processes, and a state is no life sign.
  if (state !== '' || commandLine !== '' || (process === '' && user === '')) return undefined;
  if (user !== '') return { names: plain(user).filter((name) => isNamed(name, alert)) };
  if (INTERPRETER.test(process)) return { names: namesOf(tags, ['service'], []) };
  const names = plain(process);
  return { names: names.length > 0 ? names : subject({ alert, key, tags }, ['service', 'process']) };
}

/** What runs programs of any name is the name of no service. */
const INTERPRETER =
  /^(java|python\d?(\.\d+)?|perl|ruby|php\d?|node|nodejs|dotnet|mono|w?script|(ba|da|z|k|c)?sh|powershell|pwsh|cmd)(\.exe)?$/i;

/**
 * What keeps a clock right, by any distribution's name for it. Zabbix 7.0's templates name no service here; a trigger of
 * somebody's own may be about a time zone.
 */
function timeServices({ tags }: Facts): readonly string[] {
  if (tags('scope').length === 0) return [];
  if (tags('target').includes('windows')) return ['w32time'];
  return tags('target').includes('linux') ? ['chronyd', 'chrony', 'systemd-timesyncd', 'ntpd', 'ntp'] : [];
}

/** Whether the trigger's name has this as a word. */
function isNamed(word: string, alert: Alert): boolean {
  return triggerText(alert)
    .toLowerCase()
    .split(/[^\p{L}\p{N}_.@-]+/u)
    .includes(word.toLowerCase());
}

/** A port that the agent or the server connects to, or looks whether somebody listens to. */
function checkedPort({
  name,
  parameters,
}: ItemKey): { readonly address: string; readonly port: string } | undefined {
  const [first = '', second = '', third = ''] = parameters;
  if (/^net\.(tcp|udp)\.service$/.test(name)) return { address: second, port: third === '' ? first : third };
  if (name === 'net.tcp.port') return { address: first, port: second };
  return /^net\.(tcp|udp)\.listen$/.test(name) ? { address: '', port: first } : undefined;
}

/** What serves a port: its only usual program, or that of several which the trigger names. */
function programsOf(port: string, alert: Alert): readonly string[] {
  const usual = PROGRAMS_OF_PORT[port] ?? [];
  const [only = []] = usual;
  return usual.length === 1
    ? only
    : (usual.find((names) => names.some((name) => isNamed(name, alert))) ?? []);
}

const WEB_SERVERS = [
  ['nginx'],
  ['apache2', 'httpd', 'apache'],
  ['haproxy'],
  ['caddy'],
  ['lighttpd'],
  ['traefik'],
  ['varnish'],
  ['squid'],
  ['tomcat'],
] as const;
const MAIL_SERVERS = [['postfix'], ['exim4', 'exim'], ['sendmail'], ['opensmtpd']] as const;
const MAILBOXES = [['dovecot'], ['cyrus-imapd', 'cyrus'], ['courier-imap']] as const;
const FTP_SERVERS = [['vsftpd'], ['proftpd'], ['pure-ftpd']] as const;
const NAME_SERVERS = [
  ['named', 'bind9', 'bind'],
  ['unbound'],
  ['dnsmasq'],
  ['pdns', 'pdns-recursor'],
] as const;
const SHELLS = [['sshd', 'ssh']] as const;
const DIRECTORIES = [['slapd']] as const;

/**
 * The usual programs behind a port or a protocol of the key, each with the names that distributions give its service:
 * the first that a policy allows is taken.
 */
const PROGRAMS_OF_PORT: Readonly<Record<string, readonly (readonly string[])[]>> = {
  ...{ ssh: SHELLS, '22': SHELLS, ldap: DIRECTORIES, '389': DIRECTORIES },
  ...{ http: WEB_SERVERS, https: WEB_SERVERS, '80': WEB_SERVERS, '443': WEB_SERVERS, '8080': WEB_SERVERS },
  ...{ smtp: MAIL_SERVERS, '25': MAIL_SERVERS, '465': MAIL_SERVERS, '587': MAIL_SERVERS },
  ...{
    imap: MAILBOXES,
    pop: MAILBOXES,
    '110': MAILBOXES,
    '143': MAILBOXES,
    '993': MAILBOXES,
    '995': MAILBOXES,
  },
  ...{ ftp: FTP_SERVERS, '21': FTP_SERVERS, '53': NAME_SERVERS },
  ...{
    ntp: [['chronyd', 'chrony'], ['ntpd', 'ntp'], ['ntpsec']],
    '123': [
      ['chronyd', 'chrony'],
      ['ntpd', 'ntp'],
    ],
  },
  '3128': [['squid']],
  '3306': [['mysql', 'mariadb', 'mysqld']],
  '5432': [['postgresql']],
  '6379': [['redis', 'redis-server']],
  '9200': [['elasticsearch'], ['opensearch']],
  '11211': [['memcached']],
  '15672': [['rabbitmq-server']],
  '27017': [['mongod']],
};

/** Templates that ask an application how it is; a part of it, another member or a whole cluster is something else. */
function watchesItsState({ key, tags }: Facts): boolean {
  if (!tags('scope').includes('availability')) return false;
  if (!tags('class').some((value) => ['software', 'database', 'application'].includes(value))) return false;
  // Two parameters name a part of it, such as a server behind a proxy.
  if (key.parameters.length > 1) return false;
  const parts = ['health', 'application', 'system', 'service', 'status', 'server', 'network'];
  if (!tags('component').every((value) => parts.includes(value))) return false;
  return /^(?!agent|service|job|zabbix)[a-z][a-z0-9-]*\.(node\.|server\.|instance\.|health\.)?(status|state|health|healthcheck|check|running)$/.test(
    key.name,
  );
}

/** The last value contradicts "it is down": the problem may be over already. */
function reportsMoreThan({ alert }: Facts, least: number): boolean {
  const value = alert.item.value?.trim();
  return value !== undefined && value !== '' && Number(value) > least;
}

/** systemd units that are services; sockets, timers and mounts are mended otherwise. */
function unit(value: string): readonly string[] {
  return /\.(socket|timer|mount|automount|swap|target|path|slice|scope|device)$/.test(value)
    ? []
    : plain(value);
}

/** Whether a checked address is the alert's host: a check of another machine says nothing about this one. */
function isThisHost({ alert }: Facts, address: string): boolean {
  const { host, name, ip } = alert.host;
  const local = [
    '',
    'localhost',
    '::1',
    '{HOST.CONN}',
    '{HOST.IP}',
    '{HOST.DNS}',
    '{HOST.HOST}',
    '{HOST.NAME}',
  ];
  if (local.includes(address) || address.startsWith('127.') || address.startsWith('{$')) return true;
  const short = (each: string) => each.split('.')[0]?.toLowerCase();
  if (/^[0-9.:a-f]+$/.test(address)) return address === ip;
  return [host, name].some((each) => each !== undefined && short(each) === short(address));
}

function applicationEvidence(facts: Facts): Evidence | undefined {
  const { key, tags } = facts;
  const scopes = tags('scope');
  if (scopes.length > 0 && !scopes.includes('availability')) return undefined;
  const [first = ''] = key.parameters;
  const because = `${key.name} says that it has stopped or is unhealthy`;
  const [, what = ''] = key.parameters;
  const container =
    /^docker\.container_info\.state\.(exitcode|health|running|status|dead|oomkilled)$/.test(key.name) ||
    (key.name === 'docker.container_info' && /^(health|state|status)/.test(what)) ||
    (scopes.length === 0 && isOwnCheckOfAnApplication(key));
  if (container) {
    const names = plain(first);
    return found('restart_application', names.length > 0 ? names : namesOf(tags, ['container'], []), because);
  }
  // Tomcat's own word for each of its webapps; a tag says which of the policy's it is.
  if (/^jmx$/.test(key.name) && what === 'stateName' && first.includes('j2eeType=WebModule')) {
    return found('restart_application', namesOf(tags, ['application'], []), because);
  }
  const [, pool] = /^\\APP_POOL_WAS\(([^)]+)\)\\Current Application Pool State$/.exec(first) ?? [];
  if (pool !== undefined) return found('restart_application', plain(pool), because);
  // Only where the template itself says that it is about availability: "health" is a common word.
  if (!scopes.includes('availability')) return undefined;
  if (/\.(liveness|readiness)$/.test(key.name)) {
    return found('restart_application', subject(facts, ['container', 'application']), because);
  }
  const tagged = namesOf(tags, ['container', 'application'], []);
  return serviceSign(facts) === undefined ? undefined : found('restart_application', tagged, because);
}

function analysisEvidence(facts: Facts): Evidence | undefined {
  const { key, tags } = facts;
  const scopes = tags('scope');
  const strained = scopes.includes('performance') || scopes.includes('capacity') || isDatabaseLock(facts);
  if (scopes.length > 0 && !strained) return undefined;
  const measured = resourceOfKey(key);
  const tagged = strained ? resourceOfComponent(tags) : undefined;
  const likely =
    scopes.includes('performance') || isDatabaseLock(facts) ? resourceOfSlowness(facts) : undefined;
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

/** A database or an application that is slow takes, or waits for, something of its host. */
function resourceOfSlowness({ alert, key, tags }: Facts): 'cpu' | 'memory' | 'io' | undefined {
  if (!tags('class').some((each) => ['database', 'application'].includes(each))) return undefined;
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

/** What administrators call their own checks, and the whole answer of the agent's own key. */
function isOwnCheckOfAnApplication({ name, parameters: [, what = ''] }: ItemKey): boolean {
  if (name === 'docker.container_info') return ['', 'full', 'short'].includes(what);
  return /^(docker|podman|pm2|containers?|apps?|applications?)\.(health|healthy|status|state|running|alive|up|ping)$/.test(
    name,
  );
}

/** Keys of the agent, of SNMP templates and of Windows' counters, whose resource is known by their name. */
const RESOURCE_BY_KEY: readonly (readonly [RegExp, 'cpu' | 'memory' | 'io' | 'network'])[] = [
  [/^system\.(cpu\.util\[[^\]]*iowait|stat\[cpu,wa\])/, 'io'],
  [/^(system\.cpu\.(load|util)(\.avg\d+)?|proc\.cpu\.util)(\[|$)/, 'cpu'],
  [/^(proc\.num(\[,*(run)?\]|$)|proc\.open\.files|fd\.open|system\.processes)/, 'cpu'],
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
  ...['storage', 'tablespaces', 'network', 'cluster', 'replication', 'temperature', 'health', 'license'],
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

/** A key's name is an administrator's, but it could be as long as a sentence. */
function found(tool: JobToolName, names: readonly string[], because: string): Evidence | undefined {
  return names.length === 0 ? undefined : { tool, names, because: because.slice(0, 160) };
}

/** A key's parameter as a name: without the slash that Docker puts first; none for a macro. */
function plain(value: string): readonly string[] {
  const name = value.replace(/^\//, '');
  if (name === '' || /[{}[\]]/.test(name)) return [];
  return name === value ? [name] : [value, name];
}

/** The first of these tags that has one value; else, in lower case, the first of those. Several values are none. */
function namesOf(
  tags: Facts['tags'],
  exact: readonly string[],
  lowered: readonly string[],
): readonly string[] {
  for (const name of exact) {
    const values = tags(name);
    if (values.length > 0)
      return one(values).flatMap((value) => (name === 'filesystem' ? [value] : plain(value)));
  }
  return lowered.flatMap((name) => one(tags(name))).map((value) => value.toLowerCase());
}

function one(values: readonly string[]): readonly string[] {
  const [value] = values;
  return value !== undefined && values.every((each) => each === value) ? [value] : [];
}

/** Of several targets it is the one whose name the key begins with: `pd.status` of `pd` and `tidb`. */
function subject({ key, tags }: Facts, exact: readonly string[]): readonly string[] {
  const [prefix = ''] = key.name.split('.');
  const targets = tags('target').length > 1 ? tags('target').filter((value) => value === prefix) : [];
  const names =
    targets.length > 0 && exact.every((name) => tags(name).length === 0)
      ? targets
      : namesOf(tags, exact, ['target']);
  return names.filter((name) => !NO_SERVICE.includes(name));
}

function tagsOf(alert: Alert): Facts['tags'] {
  return (name) => alert.tags.filter(({ tag }) => tag === name).map(({ value }) => value);
}
