/** Evidence that a service of the host does not run or answer: what `restart_service` is for. */
import type { Alert } from '#lib/core/alert.ts';
import {
  type Evidence,
  type Facts,
  found,
  isNamed,
  namesOf,
  plain,
  reportsMoreThan,
  subject,
} from '#lib/core/evidence-facts.ts';
import type { ItemKey } from '#lib/core/item-key.ts';

/**
 * Programs that run as a service of the same name, or of an alias: what the agent itself pings, and what administrators
 * write checks of. Any other name before `.ping` may be of a machine far away.
 */
const PROGRAMS = [
  ...[
    'mysql',
    'mariadb',
    'pgsql',
    'postgres',
    'postgresql',
    'oracle',
    'mssql',
    'mongodb',
    'redis',
    'memcached',
  ],
  ...[
    'docker',
    'nginx',
    'apache',
    'apache2',
    'httpd',
    'haproxy',
    'php-fpm',
    'tomcat',
    'varnish',
    'squid',
    'traefik',
  ],
  ...['elasticsearch', 'opensearch', 'rabbitmq', 'kafka', 'grafana', 'prometheus', 'jenkins', 'gitlab'],
  ...[
    'postfix',
    'exim',
    'dovecot',
    'named',
    'bind',
    'unbound',
    'dnsmasq',
    'slapd',
    'cups',
    'samba',
    'openvpn',
  ],
  ...['sshd', 'cron', 'crond', 'rsyslog', 'fail2ban', 'chronyd', 'ntpd', 'vsftpd', 'proftpd', 'supervisor'],
];

export function serviceEvidence(facts: Facts): Evidence | undefined {
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
export function serviceSign(
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
    return { names: named.length > 0 ? named : programsOf(port, facts.alert) };
  }
  if (tags('target').length === 0 && OWN_CHECK.test(name)) {
    return reportsMoreThan(facts, 0) ? undefined : { names: unit(first) };
  }
  if (name === 'db.odbc.select' && /^([a-z]+\.)?ping$/.test(first)) {
    return reportsMoreThan(facts, 0) ? undefined : { names: subject(facts, ['service', 'process']) };
  }
  if (watchesItsState(facts)) return { names: subject(facts, ['service', 'process']) };
  const [, prefix = '', sign = ''] =
    /^([a-z][a-z0-9-]*)\.(?:[a-z0-9_]+\.)?(ping|live|alive|up)$/.exec(name) ?? [];
  // What a parameter or a middle word narrows is a part of the program.
  const [, own = ''] =
    /^([a-z][a-z0-9-]*)\.(?:status|running|alive|up)$/.exec(first === '' ? name : '') ?? [];
  const program = PROGRAMS.includes(own) && tags('scope').length === 0 ? own : undefined;
  // What the agent pings is of this host, whoever wrote the trigger.
  const pinged =
    (PROGRAMS.includes(prefix) && sign === 'ping') ||
    (prefix !== '' && !['agent', 'zabbix'].includes(prefix) && tags('scope').includes('availability'));
  if (program === undefined && !pinged) return undefined;
  if (reportsMoreThan(facts, 0)) return undefined;
  const named = subject(facts, ['service', 'process']);
  return { names: named.length > 0 ? named : plain(program ?? prefix) };
}

/** What administrators call their own checks of a service; the first parameter is its name. */
const OWN_CHECK =
  /^(service|svc|daemon|unit|systemd|systemctl|initd|winservice|win\.service|process|proc)\.(status|state|health|up|alive|running|active|is[._-]?active|check|count|exists)$/;

/**
 * The service behind a count of processes: the process's name. Where a user narrows the count, many programs may share
 * that name (`master` of postfix, `java` of tomcat): then it is the user's name, if the trigger names it as well.
 */
function countedProcess({ alert, key, tags }: Facts): { readonly names: readonly string[] } | undefined {
  const [process = '', user = '', state = '', commandLine = ''] = key.parameters;
  // A state is no life sign, and a command line picks one of many processes, of which only a tag can say whose it is.
  if (state !== '') return undefined;
  if (commandLine !== '') {
    const tagged = namesOf(tags, ['service'], []);
    return tagged.length > 0 ? { names: tagged } : undefined;
  }
  if (process === '' && user === '') return undefined;
  if (user !== '') return { names: plain(user).filter((name) => isNamed(name, alert)) };
  if (INTERPRETER.test(process) || SCRIPT.test(process)) return { names: namesOf(tags, ['service'], []) };
  const names = plain(process);
  return { names: names.length > 0 ? names : subject({ alert, key, tags }, ['service', 'process']) };
}

/** What runs programs of any name, and what is run by it, is the name of no service. */
const INTERPRETER =
  /^(java|python\d?(\.\d+)?|perl|ruby|php\d?|node|nodejs|dotnet|mono|w?script|(ba|da|z|k|c)?sh|powershell|pwsh|cmd)(\.exe)?$/i;
const SCRIPT = /\.(sh|bash|py|pl|rb|php|js|jar|bat|cmd|ps1|vbs)$/i;

/**
 * What keeps a clock right, by any distribution's name for it. Zabbix 7.0's templates name no service here; a trigger of
 * somebody's own may be about a time zone.
 */
function timeServices({ tags }: Facts): readonly string[] {
  if (tags('scope').length === 0) return [];
  if (tags('target').includes('windows')) return ['w32time'];
  return tags('target').includes('linux') ? ['chronyd', 'chrony', 'systemd-timesyncd', 'ntpd', 'ntp'] : [];
}

interface CheckedPort {
  readonly address: string;
  readonly port: string;
  /** As the key has it (`http`), or none. */
  readonly protocol: string;
}

/** A port that the agent or the server connects to, or looks whether somebody listens to. */
function checkedPort({ name, parameters }: ItemKey): CheckedPort | undefined {
  const [first = '', second = '', third = ''] = parameters;
  if (/^net\.(tcp|udp)\.service$/.test(name)) {
    return { address: second, port: third === '' ? first : third, protocol: first };
  }
  if (name === 'net.tcp.port') return { address: first, port: second, protocol: '' };
  return /^net\.(tcp|udp)\.listen$/.test(name) ? { address: '', port: first, protocol: '' } : undefined;
}

/**
 * What serves a port: its only usual program, or that of several which the trigger names. Any program may serve a port
 * that is none's; then it is one of those that speak its protocol, if it is named.
 */
function programsOf({ port, protocol }: CheckedPort, alert: Alert): readonly string[] {
  const usual = PROGRAMS_OF_PORT[port];
  const [only = []] = usual ?? [];
  if (usual?.length === 1) return only;
  const spoken = usual ?? PROGRAMS_OF_PORT[protocol] ?? [];
  return spoken.find((names) => names.some((name) => isNamed(name, alert))) ?? [];
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
