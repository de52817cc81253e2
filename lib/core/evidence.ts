/** What an alert's item key and tags show about the host: which tools they speak for, and with which raw values. */
import type { Alert } from '#lib/core/alert.ts';
import { type Evidence, type Facts, tagsOf } from '#lib/core/evidence-facts.ts';
import { applicationEvidence } from '#lib/core/evidence-of-application.ts';
import { analysisEvidence } from '#lib/core/evidence-of-load.ts';
import { serviceEvidence } from '#lib/core/evidence-of-service.ts';
import { cleanupEvidence } from '#lib/core/evidence-of-space.ts';
import { type ItemKey, parseItemKey } from '#lib/core/item-key.ts';
import { triggerText } from '#lib/core/trigger-text.ts';

export type Platform = 'linux' | 'windows' | 'unix' | 'other';

/** Nothing runs on these that a job could look at or restart. */
const CLASSES_WITHOUT_JOBS = ['hardware', 'network', 'power', 'cloud', 'storage'];

/** Watched from outside: the host that Zabbix names is an account, a cluster or a hypervisor, and no job gets there. */
const OUTSIDE_TARGETS =
  /^(vmware|vcenter|esxi?|nutanix|proxmox|openstack|openshift|kubernetes|k8s|aws|azure|gcp|ceph|cisco|juniper|fortinet|fortigate|mikrotik|pfsense|opnsense|f5|arista|checkpoint|paloalto)([-_ ]|$)/i;

/** What a custom trigger's name calls a thing that has no services, or none that a job could get at. */
const DEVICES =
  /(?<![\p{L}\p{N}])(firewall|pare-?feu|cortafuegos|switch|router|routeur|enrutador|roteador|access ?point|ups|usv|onduleur|nobreak|plc|sps|ilo|idrac|bmc|ipmi|ip-?(?:camera|kamera|cam))(?![\p{L}\p{N}])/iu;

/** Systems that have a shell and services, and for which the jobs of this project are not written. */
const OTHER_UNIX = ['macos', 'mac-os', 'freebsd', 'openbsd', 'solaris', 'aix', 'hp-ux', 'hpux', 'z-os'];

/** What key and tags show: the system they come from, and at most one entry for each tool that they speak for. */
export function evidenceOf(alert: Alert): {
  readonly platform: Platform;
  readonly found: readonly Evidence[];
} {
  const key = ownName(parseItemKey(alert.item.key ?? ''));
  const tags = tagsOf(alert);
  if (key === undefined) return { platform: 'other', found: [] };
  const unreachable =
    tags('class').some((value) => CLASSES_WITHOUT_JOBS.includes(value)) ||
    (tags('target').some((value) => OUTSIDE_TARGETS.test(value)) &&
      // A virtual machine is a host of its own, though it is watched through its hypervisor.
      !tags('target').includes('vmware-guest') &&
      !isOwnNode(alert, key, tags)) ||
    (tags('target').length === 0 && DEVICES.test(triggerText(alert)));
  if (unreachable) return { platform: 'other', found: [] };
  const facts: Facts = { alert, key, tags };
  const found = [
    cleanupEvidence(facts),
    serviceEvidence(facts),
    analysisEvidence(facts),
    applicationEvidence(facts),
  ].filter((each) => each !== undefined);
  return { platform: platformOf(facts), found };
}

/**
 * Zabbix 7.0's template of Proxmox VE is linked to one host for a whole cluster, and a `proxmox.node.*` item names its node.
 * Where that is the alert's own host, it is a Linux host like any other.
 */
function isOwnNode({ host }: Alert, { name, parameters }: ItemKey, tags: Facts['tags']): boolean {
  const [node = ''] = parameters;
  return (
    name.startsWith('proxmox.node.') &&
    node.toLowerCase() === host.host.toLowerCase() &&
    tags('node').every((value) => value === node)
  );
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
