/** Rundeck's "Run Job" webhook plugin: a post becomes the argument string and node filter of a job. */
import { joinArguments, splitArguments } from './arguments.ts';
import { isMap, type PostedValue, printPosted, readPostedObject } from './posted-json.ts';

export interface RunJobConfig {
  readonly jobId: string;
  readonly argString?: string | null | undefined;
  readonly nodeFilter?: string | null | undefined;
  readonly asUser?: string | null | undefined;
}

export interface WebhookOrder {
  readonly kind: 'run';
  readonly jobId: string;
  readonly argString: string;
  readonly nodeFilter: string;
  readonly asUser: string;
}
export interface WebhookRefusal {
  readonly kind: 'refused';
  readonly status: 400 | 500;
  readonly err: string;
}

type Context = ReadonlyMap<string, PostedValue>;

/** Groovy's template, as far as the webhooks of this project use it: `${a.b.c}`. Posted text is never evaluated. */
function fillTemplate(template: string, context: Context): string | WebhookRefusal {
  let refusal: WebhookRefusal | undefined;
  const text = template.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_.]*)\}/g, (_match, path: string) => {
    const [root = '', ...names] = path.split('.');
    if (!context.has(root)) {
      refusal ??= { kind: 'refused', status: 400, err: 'Failed to substitute data' };
      return '';
    }
    let value = context.get(root);
    for (const name of names) {
      if (value === undefined || value === null) {
        refusal ??= {
          kind: 'refused',
          status: 500,
          err: `NullPointerException: Cannot get property '${name}' on null object`,
        };
        return '';
      }
      value = isMap(value) ? value.get(name) : null;
    }
    return printPosted(value);
  });
  return refusal ?? text;
}

/** What the plugin makes of one posted body. Source: JobRunWebhookEventPlugin. */
export function readWebhookPost(
  config: RunJobConfig,
  body: string,
  webhook: Readonly<Record<'id' | 'project' | 'sender' | 'timestamp', string>>,
): WebhookOrder | WebhookRefusal {
  const data = readPostedObject(body);
  if (data === undefined) {
    return { kind: 'refused', status: 400, err: 'Unable to parse posted JSON data' };
  }
  const context: Context = new Map<string, PostedValue>([
    ['webhook', new Map(Object.entries(webhook))],
    ['data', data],
    ['raw', body === '' ? '{}' : body],
  ]);
  const filled: string[] = [];
  for (const template of [
    config.jobId,
    config.nodeFilter ?? '',
    config.asUser ?? '',
    ...splitArguments(config.argString ?? ''),
  ]) {
    const text = fillTemplate(template, context);
    if (typeof text !== 'string') return text;
    filled.push(text);
  }
  const [jobId = '', nodeFilter = '', asUser = '', ...words] = filled;
  return { kind: 'run', jobId, argString: joinArguments(words), nodeFilter, asUser };
}
