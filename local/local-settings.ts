/** What one machine's pipeline is told from outside, with defaults for everything and one sentence for each mistake. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { modelName } from '#lib/runtime/environment.ts';

export interface LocalSettings {
  readonly port: number;
  /** Lies outside the project: a file watcher would take every write of the database for a change of the sources. */
  readonly dataDir: string;
  readonly policyFile: string;
  /** The user named the policy, so a changed file is taken at the next start. */
  readonly policyNamed: boolean;
  /** `rules`: no model is asked, real or simulated. */
  readonly decider: 'model' | 'rules';
  readonly ollamaUrl: string;
  readonly ollamaModel: string;
  /** A real Rundeck, when one was named. */
  readonly rundeck: boolean;
  /** A way to people was named; otherwise their messages are printed. */
  readonly people: boolean;
  /** What was set by the user, by name; handed to every function that takes it. */
  readonly given: Readonly<Record<string, string>>;
}

/** The token that Zabbix (and the README's curl) authenticates with, as long as nothing real can be reached. */
export const LOCAL_INTAKE_TOKEN = 'local-intake-token';
export const DEFAULT_PORT = 3000;

const port = z.coerce.number<string>('expected a port number').int().min(1).max(65_535);
const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

const environment = z.object({
  REMEDIA_PORT: optional(port),
  REMEDIA_DATA_DIR: optional(z.string()),
  REMEDIA_POLICY: optional(z.string()),
  REMEDIA_MODE: optional(z.enum(['live', 'simulate'], "expected 'live' or 'simulate'")),
  DECIDER: optional(z.enum(['model', 'rules'], "expected 'model' or 'rules'")),
  OLLAMA_URL: optional(httpUrl),
  OLLAMA_MODEL: optional(modelName),
  RUNDECK_URL: optional(httpUrl),
  RUNDECK_WEBHOOKS: optional(z.string()),
  RUNDECK_API_TOKEN: optional(z.string()),
  ZABBIX_API_URL: optional(httpUrl),
  ZABBIX_API_TOKEN: optional(z.string()),
  INTAKE_TOKENS: optional(z.string()),
  ESCALATION_CHAT_URL: optional(httpUrl),
  ESCALATION_SMTP_URL: optional(z.string()),
  ESCALATION_TEAMS: optional(z.string()),
  XDG_DATA_HOME: optional(z.string()),
});

/** Thrown for a setting that is missing or cannot be read: one sentence that names the variable and never its value. */
function refuse(sentence: string): Error {
  return Object.assign(new Error(sentence), { name: 'SettingError' });
}

/** Reads the settings of one machine. Throws one sentence for the first mistake. */
export function readLocalSettings(env: Readonly<Record<string, string | undefined>>): LocalSettings {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refuse(`${String(issue?.path[0])} cannot be used: ${issue?.message ?? 'invalid'}.`);
  }
  const settings = parsed.data;
  const rundeck = settings.RUNDECK_WEBHOOKS !== undefined;
  if (rundeck && settings.RUNDECK_URL === undefined)
    throw refuse(
      'RUNDECK_URL is missing: RUNDECK_WEBHOOKS names real jobs, and their outcome is read from there.',
    );
  if (rundeck && settings.RUNDECK_API_TOKEN === undefined)
    throw refuse(
      'RUNDECK_API_TOKEN is missing: RUNDECK_WEBHOOKS names real jobs, and their outcome is read with it.',
    );
  // The well-known token is as good as none, so it must never lead to a job on a real host.
  if (rundeck && settings.INTAKE_TOKENS === undefined)
    throw refuse('INTAKE_TOKENS is missing: with a real Rundeck the token of the samples is not accepted.');
  if (rundeck && settings.INTAKE_TOKENS?.includes(LOCAL_INTAKE_TOKEN))
    throw refuse('INTAKE_TOKENS holds the token of the samples: with a real Rundeck it is not accepted.');
  if (settings.ZABBIX_API_URL !== undefined && settings.ZABBIX_API_TOKEN === undefined)
    throw refuse('ZABBIX_API_TOKEN is missing: ZABBIX_API_URL is set.');
  const dataHome = settings.XDG_DATA_HOME ?? join(homedir(), '.local', 'share');
  return {
    port: settings.REMEDIA_PORT ?? DEFAULT_PORT,
    dataDir: resolve(settings.REMEDIA_DATA_DIR ?? join(dataHome, 'remedia')),
    policyFile: resolve(settings.REMEDIA_POLICY ?? join(import.meta.dirname, 'policy.yaml')),
    policyNamed: settings.REMEDIA_POLICY !== undefined,
    decider: settings.DECIDER ?? 'model',
    ollamaUrl: settings.OLLAMA_URL ?? 'http://127.0.0.1:11434',
    ollamaModel: settings.OLLAMA_MODEL ?? 'llama3.2',
    rundeck,
    people: [settings.ESCALATION_CHAT_URL, settings.ESCALATION_SMTP_URL, settings.ESCALATION_TEAMS].some(
      (way) => way !== undefined,
    ),
    given: Object.fromEntries(
      Object.entries(env).filter(
        (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
      ),
    ),
  };
}
