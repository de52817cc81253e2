/** What every kind of evidence is read from, and how names of services and the like are taken out of it. */
import type { JobToolName } from '#lib/catalogue/tool.ts';
import type { Alert } from '#lib/core/alert.ts';
import type { ItemKey } from '#lib/core/item-key.ts';
import { triggerText } from '#lib/core/trigger-text.ts';

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

export interface Facts {
  readonly alert: Alert;
  readonly key: ItemKey;
  readonly tags: (name: string) => readonly string[];
}

/** A key's name is an administrator's, but it could be as long as a sentence. */
export function found(tool: JobToolName, names: readonly string[], because: string): Evidence | undefined {
  return names.length === 0 ? undefined : { tool, names, because: because.slice(0, 160) };
}

export function tagsOf(alert: Alert): Facts['tags'] {
  return (name) => alert.tags.filter(({ tag }) => tag === name).map(({ value }) => value);
}

/** A key's parameter as a name: without the slash that Docker puts first; none for a macro. */
export function plain(value: string): readonly string[] {
  const name = value.replace(/^\//, '');
  if (name === '' || /[{}[\]]/.test(name)) return [];
  return name === value ? [name] : [value, name];
}

/** The first of these tags that has one value; else, in lower case, the first of those. Several values are none. */
export function namesOf(
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

/** Subjects of templates that name no service of the host. */
const NO_SERVICE = [
  ...['linux', 'windows', 'macos', 'freebsd', 'solaris', 'aix', 'os', 'server', 'icmp', 'snmp', 'ipmi'],
  ...['process', 'systemd', 'java', 'jmx', 'vmware', 'kubernetes', 'certificate', 'website', 'web'],
];

/** Of several targets it is the one whose name the key begins with: `pd.status` of `pd` and `tidb`. */
export function subject({ key, tags }: Facts, exact: readonly string[]): readonly string[] {
  const [prefix = ''] = key.name.split('.');
  const targets = tags('target').length > 1 ? tags('target').filter((value) => value === prefix) : [];
  const names =
    targets.length > 0 && exact.every((name) => tags(name).length === 0)
      ? targets
      : namesOf(tags, exact, ['target']);
  return names.filter((name) => !NO_SERVICE.includes(name));
}

/** Whether the trigger's name has this as a word. */
export function isNamed(word: string, alert: Alert): boolean {
  return triggerText(alert)
    .toLowerCase()
    .split(/[^\p{L}\p{N}_.@-]+/u)
    .includes(word.toLowerCase());
}

/** The last value contradicts "it is down": the problem may be over already. */
export function reportsMoreThan({ alert }: Facts, least: number): boolean {
  const value = alert.item.value?.trim();
  return value !== undefined && value !== '' && Number(value) > least;
}
