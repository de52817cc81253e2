/** Rundeck's job definitions and webhooks, made from the catalogue: one job and one webhook for each tool that runs. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Rundeck’s own templates look like that
import { stringify } from 'yaml';
import * as z from 'zod';
import type { Tool } from '#lib/catalogue/tool.ts';

/** The group of the jobs; the access policy allows this one and no other. */
export const JOB_GROUP = 'remedia';
/** The role that the webhooks run with: on hosts, and on the relay. Neither reaches the other's nodes. */
const WEBHOOK_ROLE = { host: 'remedia-webhook', relay: 'remedia-notify' } as const;
/** A host must bear this tag to be touched at all, and the relay that one to be given a message. */
const NODE_TAG = { host: 'remedia', relay: 'remedia-notify' } as const;
const HOST_SCRIPTS = '/usr/local/lib/remedia';
/** What the adapter sends for a parameter that the decision left open. */
const LEFT_OPEN = 'default';
/** Replaced by `rundeck:setup`, or by hand. */
export const NOTIFICATION_URL = 'https://rundeck:SECRET@remedia.example.org/api/v1/rundeck/execution';

interface JobOption {
  readonly name: string;
  readonly description: string;
  /** Always: an empty value skips every other check, and then vanishes from the command line. */
  readonly required: true;
  readonly enforced?: true;
  readonly values?: readonly string[];
  readonly regex?: string;
}

const property = z.object({
  type: z.enum(['string', 'integer', 'number', 'boolean']).optional(),
  pattern: z.string().optional(),
  maxLength: z.number().optional(),
  enum: z.array(z.string()).optional(),
  description: z.string().optional(),
});
const schema = z.object({
  properties: z.record(z.string(), property),
  required: z.array(z.string()).default([]),
});

/**
 * Any text of one line, so that Rundeck quotes it for the shell: it quotes a whole word only when that holds a space or
 * another sign that it knows, and `~`, `#` and `[` are none. So a text without a space has to be a plain word.
 */
const prose = (longest: number) =>
  `[A-Za-z0-9][A-Za-z0-9_.,:@/-]{0,${longest - 1}}|(?=[^ ]* )[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]{1,${longest}}`;
/** Names say what they may hold; a pattern that says what it may not hold lets in all the rest. */
const isProse = (pattern: string | undefined) => pattern?.startsWith('^[^') === true;

/** One option for each parameter; Rundeck checks the value again, whoever runs the job. */
function parameterOptions(tool: Tool): readonly JobOption[] {
  const { properties, required } = schema.parse(
    z.toJSONSchema(tool.parameters, { target: 'draft-7', io: 'input' }),
  );
  return Object.entries(properties).map(([name, each]) => {
    const { type, pattern, maxLength = 255, enum: values, description = name } = each;
    const open = required.includes(name) ? [] : [LEFT_OPEN];
    const listed = values ?? (type === 'boolean' ? ['true', 'false'] : undefined);
    const option = { name, description, required: true } as const;
    if (listed !== undefined) return { ...option, enforced: true, values: [...listed, ...open] };
    const regex =
      type === 'integer'
        ? '[0-9]{1,7}'
        : isProse(pattern)
          ? prose(maxLength)
          : (pattern ?? '[A-Za-z0-9_/.][A-Za-z0-9_/.@:-]{0,254}');
    // Held against the whole value. The text `null` of a missing field must not fit, nor a dash that begins an option.
    return { ...option, regex: `(?!null$|-)(?:${[regex, ...open].join('|')})` };
  });
}

const ID = '(inc|sim)_[0-9a-f]{24}';
/** The same for every job: what traces an execution back to its decision. */
const TRACE: readonly JobOption[] = [
  {
    name: 'mode',
    description: 'live does it; simulate says what it would do',
    required: true,
    enforced: true,
    values: ['live', 'simulate'],
  },
  { name: 'remedia_decision_id', description: 'The decision', required: true, regex: `${ID}#[12]` },
  { name: 'remedia_incident_id', description: 'The incident', required: true, regex: ID },
  { name: 'remedia_event_id', description: 'The Zabbix event', required: true, regex: '[0-9]{1,20}' },
  { name: 'remedia_trace_id', description: 'The trace (W3C)', required: true, regex: '[0-9a-f]{32}' },
  {
    name: 'remedia_link',
    description: 'Where the whole way is told',
    required: true,
    regex: 'https?://[!-~]{1,500}',
  },
];
const ROOTS: JobOption = {
  name: 'cleanup_roots',
  description: 'Folders that may be cleaned, separated by colons (from the policy)',
  required: true,
  regex: '(/[A-Za-z0-9_][A-Za-z0-9._-]*)+(:(/[A-Za-z0-9_][A-Za-z0-9._-]*)+)*',
};

function optionsOf(tool: Tool): { readonly own: readonly JobOption[]; readonly trace: readonly JobOption[] } {
  const roots = tool.target?.subject === 'path' ? [ROOTS] : [];
  return { own: [...parameterOptions(tool), ...roots], trace: TRACE };
}

const flag = (name: string) => `--${name.replaceAll('_', '-')} \${option.${name}}`;
const placeOf = (tool: Tool) => tool.job?.on ?? 'host';

/** A message needs no root: it is passed on by Rundeck's own user, and says where its incident is told. */
function commandOf(tool: Tool, script: string, own: readonly JobOption[]): string {
  const flags = [...own.map(({ name }) => flag(name)), flag('mode')];
  return placeOf(tool) === 'relay'
    ? [script, ...flags, '--link ${option.remedia_link}'].join(' ')
    : ['sudo -n', script, ...flags].join(' ');
}

/** The job definition of one tool, as Rundeck imports it. `undefined` for a tool that is no job. */
export function jobYaml(tool: Tool): string | undefined {
  if (tool.job === undefined) return undefined;
  const { own, trace } = optionsOf(tool);
  const notice = { urls: NOTIFICATION_URL, format: 'json', httpMethod: 'post' };
  const script = `${HOST_SCRIPTS}/${tool.job.name}.sh`;
  const definition = {
    name: tool.job.name,
    group: JOB_GROUP,
    description: tool.description,
    uuid: tool.job.uuid,
    id: tool.job.uuid,
    loglevel: 'INFO',
    loglimit: '2MB',
    loglimitAction: 'truncate',
    executionEnabled: true,
    scheduleEnabled: false,
    multipleExecutions: true,
    maxMultipleExecutions: '20',
    // Seconds; '10 min' would be read as no limit at all.
    timeout: String(tool.job.timeLimitSeconds),
    nodefilters: {
      filter: `tags: ${NODE_TAG[placeOf(tool)]}`,
      dispatch: { threadcount: '1', keepgoing: false },
    },
    nodesSelectedByDefault: false,
    options: [...own, ...trace],
    sequence: {
      keepgoing: false,
      strategy: 'node-first',
      // A command and no script: nothing is copied to a host whose disk may be full. Each option is a word of its own,
      // for only then does Rundeck quote it.
      commands: [
        {
          description: tool.job.name,
          exec: commandOf(tool, script, own),
        },
      ],
    },
    // Nothing waits for a message's end; whatever is attached there is the administrator's own.
    ...(placeOf(tool) === 'host' && { notification: { onsuccess: notice, onfailure: notice } }),
  };
  return `# Made from lib/catalogue by npm run generate.\n${stringify([definition], { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

/** A webhook as Rundeck's API takes it, without the user it runs as. */
export interface JobWebhook {
  readonly name: string;
  readonly tool: string;
  readonly eventPlugin: 'webhook-run-job';
  readonly roles: string;
  readonly enabled: true;
  readonly config: { readonly jobId: string; readonly argString: string; readonly nodeFilter: string };
}

/** The webhooks of all tools that are jobs. */
export function jobWebhooks(tools: readonly Tool[]): readonly JobWebhook[] {
  return tools.flatMap((tool) => {
    if (tool.job === undefined) return [];
    const { own, trace } = optionsOf(tool);
    // Of the trace, the adapter's field for the link is `link`; every other has the option's own name.
    const field = (name: string) => (name === 'remedia_link' ? 'link' : name);
    return [
      {
        name: `remedia-${tool.name}`,
        tool: tool.name,
        eventPlugin: 'webhook-run-job',
        roles: WEBHOOK_ROLE[placeOf(tool)],
        enabled: true,
        config: {
          jobId: tool.job.uuid,
          argString: [...own, ...trace].map(({ name }) => `-${name} \${data.${field(name)}}`).join(' '),
          // Both must match: the one host, and the tag that a host has to bear to be touched at all.
          nodeFilter:
            placeOf(tool) === 'relay'
              ? `tags: ${NODE_TAG.relay}`
              : `name: \${data.node_filter} tags: ${NODE_TAG.host}`,
        },
      },
    ];
  });
}
