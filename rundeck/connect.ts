/** Connects a Rundeck server to Remedia: access policy, jobs, webhooks and a token that only reads. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import type { Tool } from '#lib/catalogue/tool.ts';
import { type CallRundeck, json, type RundeckAnswer } from './call-rundeck.ts';
import { jobWebhooks, jobYaml, NOTIFICATION_URL } from './jobs.ts';

const POLICY_NAME = 'remedia.aclpolicy';
const READER_ROLE = 'remedia-reader';

export interface ConnectSettings {
  /** Where the server is, for the webhooks' URLs. */
  readonly url: string;
  readonly project: string;
  readonly tools: readonly Tool[];
  /** The user that webhooks and token belong to; it must exist in Rundeck. */
  readonly user: string;
  /** Where Rundeck tells that an execution ended, with credentials; without it Remedia asks by itself. */
  readonly notificationUrl?: string | undefined;
  /** What an earlier run wrote: secrets and token are kept, since Rundeck shows neither a second time. */
  readonly earlier?: RundeckSettings | undefined;
  readonly renew: boolean;
}

/** What Remedia is to be given. */
export interface RundeckSettings {
  readonly webhooks: Readonly<Record<string, { readonly url: string; readonly secret: string }>>;
  readonly apiToken: string;
}

const settingsFile = z.record(z.string(), z.object({ url: z.string(), secret: z.string() }));

/** The settings as a file of `NAME='value'` lines, which a shell can source. No value holds an apostrophe. */
export function writeRundeckSettings(url: string, { webhooks, apiToken }: RundeckSettings): string {
  const values = {
    RUNDECK_URL: url,
    RUNDECK_WEBHOOKS: JSON.stringify(webhooks),
    RUNDECK_API_TOKEN: apiToken,
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}='${value.replaceAll("'", '%27')}'\n`)
    .join('');
}

/** Reads what `writeRundeckSettings` wrote; `undefined` when it is something else. */
export function readRundeckSettings(text: string): (RundeckSettings & { readonly url: string }) | undefined {
  const values = new Map(
    text.split('\n').flatMap((line) => {
      const cut = line.indexOf('=');
      return cut < 1 ? [] : [[line.slice(0, cut), line.slice(cut + 1).replace(/^'(.*)'$/, '$1')]];
    }),
  );
  const url = values.get('RUNDECK_URL');
  const apiToken = values.get('RUNDECK_API_TOKEN');
  let json: unknown;
  try {
    json = JSON.parse(values.get('RUNDECK_WEBHOOKS') ?? '');
  } catch {
    return undefined;
  }
  const webhooks = settingsFile.safeParse(json);
  if (!url || !apiToken || !webhooks.success) return undefined;
  return { url, apiToken, webhooks: webhooks.data };
}

export interface Connected extends RundeckSettings {
  /** What was done, a sentence each. */
  readonly done: readonly string[];
  readonly warnings: readonly string[];
}

const message = z.object({ message: z.string() });
const err = z.object({ err: z.string() });

function refuse(what: string, answer: RundeckAnswer): Error {
  const said = message.safeParse(answer.body).data?.message ?? err.safeParse(answer.body).data?.err ?? '';
  // Rundeck's text for an unknown token holds the request's path, and that of a webhook its token.
  const safe = said.replaceAll(/webhook\/\S+/g, 'webhook/…').slice(0, 300);
  return new Error(`Rundeck refused to ${what}: ${answer.status}${safe === '' ? '' : `, ${safe}`}.`);
}

const storedWebhooks = z.array(
  z.object({
    id: z.union([z.int(), z.string()]),
    uuid: z.string(),
    name: z.string(),
    authToken: z.string(),
    useAuth: z.boolean().default(false),
  }),
);
const saved = z.object({ msg: z.string(), generatedSecurityString: z.string().optional() });
const imported = z.object({
  succeeded: z.array(z.unknown()),
  skipped: z.array(z.unknown()).default([]),
  failed: z.array(z.object({ name: z.string().optional(), error: z.string().optional() })),
});
const newToken = z.object({ token: z.string().min(1), expiration: z.string().optional() });

/** Replaces where a job's notifications go, or takes them out. */
function withNotification(yaml: string, url: string | undefined): string {
  if (url === undefined) return yaml.replace(/^ {2}notification:\n(?: {4,}.*\n?)*/m, '');
  return yaml.replaceAll(NOTIFICATION_URL, () => JSON.stringify(url));
}

/** Does everything, or throws one sentence that says what Rundeck refused; running it again changes nothing. */
export async function connectRundeck(call: CallRundeck, settings: ConnectSettings): Promise<Connected> {
  const { project } = settings;
  const done: string[] = [];
  const warnings: string[] = [];

  const info = await call('GET', '/system/info');
  if (info.status === 401 || info.status === 403) {
    throw new Error('Rundeck does not know the administrator’s token, or it may not read the system.');
  }
  const version = z
    .object({ system: z.object({ rundeck: z.object({ version: z.string() }) }) })
    .safeParse(info.body).data?.system.rundeck.version;
  if (version === undefined) throw new Error('What answers there is no Rundeck API.');
  done.push(`Rundeck ${version}`);

  const found = await call('GET', `/project/${project}`);
  if (found.status === 404) {
    const created = await call('POST', '/projects', json({ name: project, config: {} }));
    if (created.status !== 201) throw refuse(`create the project ${project}`, created);
    done.push(`project ${project} created`);
    warnings.push(`project ${project} is new: add your hosts as nodes, tagged remedia`);
  } else if (found.status !== 200) {
    throw refuse(`show the project ${project}`, found);
  }

  const policyText = readFileSync(new URL('remedia.aclpolicy', import.meta.url), 'utf8').replaceAll(
    /(project|equals: \{name): remedia\b/g,
    (_match, key: string) => `${key}: ${project}`,
  );
  const policyPath = `/system/acl/${POLICY_NAME}`;
  const there = (await call('GET', policyPath)).status === 200;
  const policy = await call(there ? 'PUT' : 'POST', policyPath, {
    type: 'application/yaml',
    text: policyText,
  });
  if (policy.status !== 200 && policy.status !== 201) throw refuse('take the access policy', policy);
  done.push(`access policy ${POLICY_NAME} ${there ? 'brought up to date' : 'imported'}`);

  for (const tool of settings.tools) {
    const yaml = jobYaml(tool);
    if (yaml === undefined) continue;
    // What the administrator attached to the job that only tells, such as a chat's plugin, is to stay.
    const whenThere = tool.job?.on === 'relay' && !settings.renew ? 'skip' : 'update';
    const answer = await call(
      'POST',
      `/project/${project}/jobs/import?fileformat=yaml&dupeOption=${whenThere}&uuidOption=preserve`,
      { type: 'application/yaml', text: withNotification(yaml, settings.notificationUrl) },
    );
    const result = imported.safeParse(answer.body);
    if (answer.status !== 200 || !result.success) throw refuse(`import the job ${tool.name}`, answer);
    const [failed] = result.data.failed;
    if (failed !== undefined) {
      throw new Error(`Rundeck refused the job ${tool.name}: ${failed.error ?? 'no reason given'}.`);
    }
    const kept = result.data.skipped.length > 0;
    done.push(`job remedia/${tool.job?.name} ${kept ? 'is there, and left as it is' : 'imported'}`);
  }
  if (settings.notificationUrl === undefined) {
    warnings.push('no notification URL: Remedia learns of a job’s end by asking');
  }

  const webhooks: Record<string, { url: string; secret: string }> = {};
  const list = async () => {
    const answer = await call('GET', `/project/${project}/webhooks`);
    const read = storedWebhooks.safeParse(answer.body);
    if (!read.success) throw refuse('list the webhooks', answer);
    return read.data;
  };
  const before = await list();
  for (const { tool, ...definition } of jobWebhooks(settings.tools)) {
    const old = before.find(({ name }) => name === definition.name);
    const kept = settings.renew || !old?.useAuth ? undefined : settings.earlier?.webhooks[tool]?.secret;
    const answer = await call(
      'POST',
      `/project/${project}/webhook${old === undefined ? '' : `/${old.id}`}`,
      json({
        ...definition,
        ...(old === undefined ? {} : { id: old.id, uuid: old.uuid, update: true }),
        project,
        user: settings.user,
        useAuth: true,
        regenAuth: kept === undefined,
      }),
    );
    const result = saved.safeParse(answer.body);
    if (answer.status !== 200 || !result.success) throw refuse(`save the webhook of ${tool}`, answer);
    const secret = kept ?? result.data.generatedSecurityString;
    if (secret === undefined) throw new Error(`Rundeck gave no secret for the webhook of ${tool}.`);
    const stored = (await list()).find(({ name }) => name === definition.name);
    if (stored === undefined) throw new Error(`Rundeck saved the webhook of ${tool} and does not show it.`);
    const base = settings.url.replace(/\/+$/, '');
    webhooks[tool] = { url: `${base}/api/41/webhook/${stored.authToken}`, secret };
    done.push(`webhook ${definition.name} ${old === undefined ? 'created' : 'brought up to date'}`);
  }

  let apiToken = settings.renew ? undefined : settings.earlier?.apiToken;
  if (apiToken === undefined) {
    const answer = await call(
      'POST',
      `/tokens/${settings.user}`,
      json({ user: settings.user, roles: [READER_ROLE], duration: '0', name: 'remedia reads executions' }),
    );
    const token = newToken.safeParse(answer.body);
    if (answer.status !== 201 || !token.success) throw refuse('create a token that only reads', answer);
    apiToken = token.data.token;
    done.push('token that only reads created');
    if (token.data.expiration !== undefined) {
      warnings.push(`that token expires at ${token.data.expiration}: run this again with --renew before`);
    }
  }
  return { done, warnings, webhooks, apiToken };
}
