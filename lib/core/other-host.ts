/** Whether a trigger's name speaks of another machine than the alert's host. */
import type { Alert } from '#lib/core/alert.ts';
import { hyphenated, ownWords } from '#lib/core/own-words.ts';
import { plain } from '#lib/core/plain-letters.ts';

/** `build-03`, `mail12` and `web-prod-1234`, wherever they stand. */
const MACHINE =
  /(?<![\p{L}\p{N}_./@-])(\p{L}{2}[\p{L}\p{N}]*(?:[-_][\p{L}\p{N}]+)*(?:[-_]\d{1,3}|(?<=[-_]\p{L}[\p{L}\p{N}]*)[-_]\d{4,5}|(?<=\p{L})\d{2,3}))(?![\p{L}\p{N}_-])/gu;
const WORDS_FOR_A_MACHINE =
  'host|server|node|machine|vm|rechner|maschine|knoten|servidor|nodo|equipo|maquina|serveur|noeud|nœud|macchina';
/** What else ends in a number (`web3`) is a machine behind a word that says so: elsewhere it is most likely what runs on one. */
const PLACED = new RegExp(
  String.raw`(?:(?<![\p{L}\p{N}_])(?:on|at|from|of|to|via|auf|von|vom|bei|an|nach|aus|en|de|del|desde|em|no|na|do|da|ao|sur|chez|du|depuis|su|sul|di|dal|al|${WORDS_FOR_A_MACHINE})\s{1,3}|(?<!\S)@\s?)["'(]?(\p{L}{2}[\p{L}\p{N}]*(?:[-_][\p{L}\p{N}]+)*(?<=[\p{L}\p{N}_-]\d|\p{L}\d))(?![\p{L}\p{N}_-]|\.[\p{L}\p{N}])`,
  'giu',
);
/** What has its number apart (`node 2`); no share, measure, time, release (`Server 2019`) or status (`server 502`). */
const NUMBERED = new RegExp(
  String.raw`(?<![\p{L}\p{N}_]|numa[ -])(${WORDS_FOR_A_MACHINE}|serwer(?:a|ze)?|weze[lł]|wezle|uzel|uzlu|knooppunt|сервер[аеу]?|узе?л[ае]?|нод[аеу])\s{1,3}(?:#|n(?:o|r|um|umber|ummer|umero)[.:]?\s{1,3})?(?!(?<=(?:server|servidor|serveur|host)\s{1,3})(?:4[0-2]|5[02])\d)(\d{1,3})(?![\p{L}\p{N}_%]|[.,:]\d|\s?(?:%|°|(?:x|[kmgt]i?b|ms|s|secs?|second(?:s|es|i)?|sekunden?|segundos?|mins?|minut\p{L}{1,2}|h|hours?|heures?|horas?|stunden?|or[ae]|days?|tagen?|dias?|jours?|giorn[oi]|times|mal|veces|vezes|fois|volt[ae]|percent|pct|prozent|p[eo]r c(?:ento|iento)|pour cent)(?!\p{L})))`,
  'gu',
);
/** Interfaces, disks and the like are the host's own; behind such a word `disk-01` is none. */
const DEVICE =
  /^(?!\p{L}+[-_]0\d)(?:eth|en[ops]|bond|team|br|vlan|wlan|tun|tap|wg|ib|sd[a-z]{0,2}|hd[a-z]|x?vd[a-z]|nvme|md|dm|sr|raid|lun|vol|volume|disk|drive|cpu|core|gpu|port|ipv|http|tls|utf)[-_]?\d/u;
/** Of these none is a machine wherever it stands: a kernel numbers without zeros, and a status has three digits. */
const NO_MACHINE =
  /^(?:(?:eth|bond|vlan|wlan|tun|tap|loop|md|dm|sd[a-z]{1,2}|hd[a-z]|x?vd[a-z]|en[ops](?:\d+[a-z])*|nvme\d+n|mmcblk\d+p|(?:nvme\d+n|md)\d+p)(?:0|[1-9]\d*)|(?:dm|vlan)-\d+|(?:lun|vol|volume|disk|drive|cpu|port)[-_]?\d+|https?[-_]?[1-5]\d\d|tls[-_]?1[0-3]|ipv[-_]?[46]|utf[-_]?(?:8|16|32))$/u;
const IP_V4 = /(?<![\p{L}\p{N}_.-])((?:\d{1,3}\.){3}\d{1,3})(?![\p{L}\p{N}_-]|\.\d)/gu;
const IP_V6 =
  /(?<![\p{L}\p{N}:.])([0-9a-f]{1,4}(?::[0-9a-f]{1,4})*::[0-9a-f:]*|(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4})(?![\p{L}\p{N}:])/giu;
/** Two labels are a name only under what are names of networks; `nginx.service` and `node.js` are none. */
const QUALIFIED =
  /(?<![\p{L}\p{N}_./\\@-])(\p{L}[\p{L}\p{N}_-]+(?:(?:\.[\p{L}\p{N}_-]+)+\.\p{L}{2,10}|\.(?:local|localdomain|lan|internal|intranet|intern|corp|home|com|org)))(?![\p{L}\p{N}_-]|\.[\p{L}\p{N}])/giu;
/** What files and units end in, and what packages of a program begin with. */
const UNQUALIFIED =
  /^(?:com|org|net|io|javax?|system)\.|\.(?:service|socket|timer|mount|target|slice|scope|path|swap|log|conf|cfg|ini|json|xml|ya?ml|[jwe]ar|sh|p[yl]|js|php|exe|dll|sock|pid|lock|[gbx]z|zip|tar|tgz|db|sql|bak|tmp|old|img|iso|txt|csv|net)$/u;

/**
 * Whether a name has what looks like a machine that is neither the alert's host nor in its item key or tags: of the
 * custom names that the blind sets and administrators' own words have, none that does has a right action on its own host.
 */
export function namesAnotherHost(name: string, alert: Alert): boolean {
  // Without its accent Portuguese's node is a no.
  const text = plain(name.normalize('NFC').replaceAll(/(?<![\p{L}\p{N}_])nó(?=\s)/giu, 'nodo')).toLowerCase();
  const found = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, machine = '']) => machine);
  const isOwn = ownNames(alert);
  const isProgram = programs(alert);
  return (
    [
      ...found(MACHINE).filter((machine) => !NO_MACHINE.test(machine) && !isProgram(machine)),
      ...found(PLACED).filter((machine) => !DEVICE.test(machine)),
      ...found(IP_V4).filter((address) => !/^(?:127\.|0\.0\.0\.0$)/.test(address)),
      ...found(IP_V6),
      ...found(QUALIFIED).filter((machine) => !UNQUALIFIED.test(machine) && !isAddressOfOwn(machine, alert)),
    ].some((machine) => !isOwn(machine)) ||
    [...text.matchAll(NUMBERED)].some(
      ([, what = '', number = '']) =>
        !isOwnNumber(number, alert) && !isOwn(`${what}-${number}`) && !isOwn(`${what}${number}`),
    )
  );
}

/** The host may be written with or without its domain, with a part of its name, or with more behind it (`web-01-b`). */
function ownNames(alert: Alert): (machine: string) => boolean {
  const { host, name = '', ip = '' } = alert.host;
  const own = plain(`${ownWords(alert)} ${ip} ${name.slice(0, 64)}`).toLowerCase();
  const known = new Set([...own.split(/[^\p{L}\p{N}_-]+/u), ...own.split(/[^\p{L}\p{N}_.:-]+/u)]);
  const parts = hyphenated(`${host} ${name.slice(0, 64)}`);
  const [short = ''] = host.toLowerCase().split('.', 1);
  return (machine) =>
    known.has(machine) ||
    parts.includes(hyphenated(machine)) ||
    machine.startsWith(`${host.toLowerCase()}.`) ||
    (/\d/.test(short) && machine.startsWith(`${short}-`));
}

/** `shop.example.com` is where `shop` answers, not where it runs, when it is what key or tags tell of. */
function isAddressOfOwn(machine: string, { item, tags, host }: Alert): boolean {
  const [label = ''] = machine.split('.', 1);
  // The host's own domain is known, and this is another one.
  if (host.host.toLowerCase().startsWith(`${label}.`)) return false;
  const [, ...parameters] = (item.key ?? '').split(/[[\],"]+/);
  const known = [host.name ?? '', ...parameters, ...tags.map(({ value }) => value)];
  return known.some((value) => plain(value.replaceAll(/^\/|\.service$/g, '')).toLowerCase() === label);
}

/** What machines are called after as well as what runs on them: `mail12` is no release of `mail`. */
const ROLES =
  /^(?:web|www|apps?|api|db|sql|data|database|mail|mx|smtp|imap|dns|ns|ntp|dhcp|ldap|s?ftp|ssh|http|proxy|cache|lb|vpn|fw|gw|gateway|edge|node|host|server|srv|service|vm|container|build|ci|runner|backup|logs?|mon|monitor|files?|fs|nas|san|storage|print|worker|queue|mq|cluster|master|slave|primary|replica|test|dev|stage|staging|prod|system|net|vfs|proc|process|docker|esx|esxi|pve|hv)$/;

/** `postgresql15` and `tomcat10` are programs and their releases, where key or tags tell of the program and no host is called so. */
function programs(alert: Alert): (machine: string) => boolean {
  const own = ownWords({ ...alert, host: { host: '' } });
  const known = new Set(
    plain(own)
      .toLowerCase()
      .split(/[^\p{L}]+/u),
  );
  const hosts = plain(`${alert.host.host} ${alert.host.name ?? ''}`).toLowerCase();
  return (machine) => {
    const program = /^(\p{L}{3,})[1-9]\d{1,2}$/u.exec(machine)?.[1];
    return (
      program !== undefined && known.has(program) && !ROLES.test(program) && !namesNumbered(hosts, program)
    );
  };
}

/** Beside a host `redis-03` there is most likely a `redis12`. */
function namesNumbered(hosts: string, program: string): boolean {
  return hosts
    .split(program)
    .slice(1)
    .some((rest) => /^[-_]?\d/.test(rest));
}

/** `web-02` and `web02` may be called node 2. */
function isOwnNumber(number: string, { host: { host, name = '' } }: Alert): boolean {
  const [short = ''] = host.split('.', 1);
  return hyphenated(`${short} ${name.slice(0, 64)}`)
    .split('-')
    .some((part) => Number(/^\p{L}*(\d+)$/u.exec(part)?.[1]) === Number(number));
}
