/** Rundeck's access policies: who may do what, read from `.aclpolicy` files; what nobody allows is refused. */
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';

const oneOrMany = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value));
const properties = z.record(z.string(), oneOrMany);

const rule = z.strictObject({
  equals: z.record(z.string(), z.string()).optional(),
  match: z.record(z.string(), z.string()).optional(),
  contains: properties.optional(),
  allow: oneOrMany.optional(),
  deny: oneOrMany.optional(),
});

const policy = z.strictObject({
  description: z.string(),
  id: z.string().optional(),
  context: z.union([z.strictObject({ project: z.string() }), z.strictObject({ application: z.string() })]),
  by: z.strictObject({ group: oneOrMany.optional(), username: oneOrMany.optional() }),
  for: z.record(z.string(), z.array(rule)),
});

export type AccessPolicy = z.infer<typeof policy>;

/** Reads every policy of a file. Throws with zod's or YAML's text when it is none. */
export function parseAccessPolicies(yaml: string): readonly AccessPolicy[] {
  return z.array(policy).parse(parseAllDocuments(yaml).map((document) => document.toJS()));
}

export interface Subject {
  readonly user: string;
  readonly groups: readonly string[];
}

/** What is asked for: `type` chooses the rules, the other properties are matched by them. */
export type Resource = Readonly<{ type: string } & Record<string, string>>;

const whole = (pattern: string, value: string): boolean => new RegExp(`^(?:${pattern})$`).test(value);

function fits(candidate: z.infer<typeof rule>, resource: Resource): boolean {
  const listOf = (name: string) => (resource[name] ?? '').split(',').map((one) => one.trim());
  return (
    Object.entries(candidate.equals ?? {}).every(([name, value]) => resource[name] === value) &&
    Object.entries(candidate.match ?? {}).every(([name, value]) => whole(value, resource[name] ?? '')) &&
    Object.entries(candidate.contains ?? {}).every(([name, values]) =>
      values.every((value) => listOf(name).includes(value)),
    )
  );
}

/** Whether the policies let `subject` do `action` on `resource` in a project; a denial wins. */
export function isAllowed(
  policies: readonly AccessPolicy[],
  subject: Subject,
  project: string | undefined,
  resource: Resource,
  action: string,
): boolean {
  const rules = policies
    .filter(({ context }) =>
      'project' in context
        ? project !== undefined && whole(context.project, project)
        : project === undefined && context.application === 'rundeck',
    )
    .filter(
      ({ by }) =>
        (by.group ?? []).some((group) => subject.groups.some((own) => own === group)) ||
        (by.username ?? []).includes(subject.user),
    )
    .flatMap((one) => one.for[resource.type] ?? [])
    .filter((one) => fits(one, resource));
  const names = (list: readonly string[] | undefined) =>
    list?.some((name) => name === action || name === '*') ?? false;
  return rules.some((one) => names(one.allow)) && !rules.some((one) => names(one.deny));
}
