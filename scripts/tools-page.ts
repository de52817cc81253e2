/** docs/tools.md, made from the catalogue. */
import * as z from 'zod';
import { catalogue } from '#lib/catalogue/index.ts';
import type { Tool } from '#lib/catalogue/tool.ts';
import { markdownTable } from './markdown-table.ts';

const property = z.looseObject({
  type: z.string().optional(),
  description: z.string().default(''),
  pattern: z.string().optional(),
  enum: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  maxLength: z.number().optional(),
});
const schema = z.object({
  properties: z.record(z.string(), property),
  required: z.array(z.string()).default([]),
});

const SAFETY: Readonly<Record<Tool['safety'], string>> = {
  read_only: '',
  disruptive: 'Changes the host.',
  message: 'Tells a human.',
};
const EVIDENCE = {
  path: "the item key's mount point, else the tag `filesystem`; inside the policy's `allow.paths`, and only where one of its `cleanup_roots` lies",
  service:
    "the item key's parameter, else the tags `service`, `process` or `target`, through the policy's aliases; inside `allow.services`",
  application:
    "the item key's container or pool, else the tags `container`, `application`, `app` or `target`, through the policy's aliases; inside `allow.applications`",
  resource: 'the item key, else the tag `component`',
} as const;

/** The page as it is to stand in the repository. */
export function toolsPage(): string {
  return [
    '# The tools',
    '',
    '<!-- Made from lib/catalogue by npm run generate. -->',
    '',
    'What Remedia may do, and nothing else. A model chooses among the tools that the evidence of an alert makes possible;',
    'the value of the parameter in bold comes from that evidence and never from the model.',
    '',
    ...Object.values<Tool>(catalogue).flatMap(section),
    '',
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
}

function section(tool: Tool): readonly string[] {
  const { properties, required } = schema.parse(z.toJSONSchema(tool.parameters, { io: 'input' }));
  const rows = Object.entries(properties).map(([name, each]) => [
    required.includes(name) ? `**${name}**` : name,
    allowed(each),
    each.description,
  ]);
  const harsher = Object.entries(tool.harsher ?? {}).map(([name, value]) => `\`${name}: ${value}\``);
  return [
    `## ${tool.name}`,
    '',
    `${tool.description} ${SAFETY[tool.safety]}`.trimEnd(),
    '',
    markdownTable([['parameter', 'values', 'meaning'], ...rows]),
    '',
    ...(tool.target
      ? [`Evidence for \`${tool.target.parameter}\`: ${EVIDENCE[tool.target.subject]}.`, '']
      : []),
    ...(harsher.length > 0 ? [`Refused when a model asks for it: ${harsher.join(', ')}.`, ''] : []),
    ...(tool.job
      ? [
          `Rundeck job \`remedia/${tool.job.name}\` (\`${tool.job.uuid}\`), ended after ${tool.job.timeLimitSeconds} s. ` +
            (tool.job.on === 'relay'
              ? 'Remedia tells people by itself; the job is for teams that route by Rundeck, and told besides.'
              : tool.recoveryWithinSeconds > 0
                ? `Zabbix has ${tool.recoveryWithinSeconds} s after it to see the recovery.`
                : 'No recovery is waited for.'),
          '',
        ]
      : []),
  ];
}

function allowed({
  type,
  pattern,
  enum: values,
  minimum,
  maximum,
  maxLength,
}: z.infer<typeof property>): string {
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (type === 'boolean') return '`true`, `false`';
  if (minimum !== undefined) return `whole number, ${minimum} to ${maximum}`;
  // A bar would end the cell.
  return `text of up to ${maxLength} characters, \`${(pattern ?? '').replaceAll('|', '\\|')}\``;
}
