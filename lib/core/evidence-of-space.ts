/** Evidence that a file system has too little left: what `cleanup_disk` is for. */
import { type Evidence, type Facts, found, namesOf } from '#lib/core/evidence-facts.ts';
import type { ItemKey } from '#lib/core/item-key.ts';
import { triggerText } from '#lib/core/trigger-text.ts';

/** File systems that are always full, or that belong to more than this host. */
const FIXED_FILE_SYSTEM =
  /^(squashfs|iso9660|erofs|cramfs|udf|devtmpfs|proc|sysfs|nfs[34]?|cifs|smb\w*|ceph|glusterfs|lustre|gpfs|9p|fuse\..*)$/i;

/**
 * Folders that belong to databases, virtual machines, containers and backups. What is old there is not what is
 * superfluous, so no job may ever decide about it by age.
 */
const DATA_VOLUME =
  /^\w+[_-]?data$|mysql|maria|percona|galera|postgres|pgsql|pgdata|pg_|oracle|oradata|^u\d\d$|mssql|sqlserver|sqldata|db2|mongo|redis|valkey|elastic|opensearch|solr|kafka|zookeeper|cassandra|scylla|clickhouse|influx|couch|neo4j|etcd|consul|ceph|gluster|minio|rabbit|prometheus|victoria|firebird|sybase|informix|greenplum|vertica|cockroach|tikv|hbase|timescale|questdb|tsdb|zimbra|nextcloud|owncloud|piler|hadoop|hdfs|sap(?:data|hana)|hana|ldap|docker|containerd|kubelet|libvirt|hyper-?v|virtual|vmware|netapp|bandlaufwerk|^(?:tapes?|cinta|bande|nastro|fita|tablespace|papierfach|papierkorb|fax)$|customer|kunden|client|mailbox|maildir|imap|vmail|synology|qnap|vmfs|images|backup|bkp|bkup|sicherung|sauvegarde|respaldo|c[oó]pias|archiv|snapshot|borg|restic|bacula|bareos|veeam|(?:^|[^a-z])(?:nas|san|nfs|cifs|smb|wal|redo|binlogs?|xlog|dbs?|databases?|vms?|git|svn|vault|harbor|registry|isos?)(?:$|[^a-z])/;

/** Zabbix 7.0, Proxmox VE by HTTP: the node's own root file system; its parameter is the node's name. */
const ROOT_OF_NODE = /^proxmox\.node\.root(used|total)$/;

export function cleanupEvidence(facts: Facts): Evidence | undefined {
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
  const mounts = ROOT_OF_NODE.test(key.name)
    ? ['/']
    : key.parameters.slice(0, 2).filter(isMountPoint).slice(0, 1);
  const tagged = namesOf(tags, ['filesystem'], []).map(withoutLabel).filter(isMountPoint);
  const names = mounts.length > 0 ? mounts : tagged;
  if (names.some(isDataVolume) || (scopes.length === 0 && speaksOfData(facts))) return undefined;
  const label = labelOf(facts);
  if (DATA_VOLUME.test(label) || DATA_LABEL.test(label)) return undefined;
  return found('cleanup_disk', names, `${key.name} reports few free ${what}`);
}

/** What administrators call their own checks of a mount point, and not of what else a disk has. */
function isOwnCheckOfADisk({ name, parameters: [first = ''] }: ItemKey): boolean {
  return (
    !/\b(io|iops|await|queue|latency|wear|life(?:time)?|health|errors?|quota|frag|throughput|reads?|writes?|dedup|temp|smart)\b/.test(
      name.replaceAll('_', '.'),
    ) &&
    /^(disk|hdd|storage|volume|partition|mount|space|df|fs|filesystem)(\.[a-z_]+)*\.(p?used|p?free|use|usage|util|pct|percent|full|avail|available|inodes?|used_p(?:ct|ercent)|free_p(?:ct|ercent))(\.[a-z]+)?$/.test(
      name,
    ) &&
    isMountPoint(first)
  );
}

/** `space` or `inodes` when the key tells how full a file system is. */
function capacityOf({ name, parameters }: ItemKey): 'space' | 'inodes' | undefined {
  const mode = parameters[1] ?? '';
  if (ROOT_OF_NODE.test(name)) return 'space';
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

/** What a Windows drive may be called besides whose data is none that a job may decide about by age. */
const DATA_LABEL =
  /sql|temp ?db|recovery|wiederherstellung|quorum|witness|page ?file|auslagerung|sysvol|ntds|datev|archiv|copia|historial|history|mail|exchange|users?$|benutzer|usuarios|utilisateurs|profil/;

/** What a drive is called, which its letter does not tell. Zabbix 7.0, Windows: `FS [SQLDATA(S:)]`; SNMP: `S:\ Label:SQLDATA  Serial …`. */
function labelOf({ alert, tags }: Facts): string {
  const [, label = ''] = /\[([^[\]]*)\([A-Za-z]:\\?\)\]/.exec(alert.eventName) ?? [];
  const [, ofSnmp = ''] = /Label:(.*?)(?:\s+Serial|$)/s.exec(tags('filesystem').join('\n')) ?? [];
  return `${label} ${ofSnmp}`.trim().toLowerCase();
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
