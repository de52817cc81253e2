/** The only reader of the environment: each function's settings, validated once, with secrets fetched by name. */
import * as z from 'zod';
import { readParameter, readSecret } from '#lib/runtime/secret-stores.ts';

/** Names the variables that are wrong and what was expected; a value never gets into it. */
function configError(problems: readonly string[]): Error {
  const error = new Error(`The configuration is not usable. ${problems.join('. ')}.`);
  error.name = 'ConfigError';
  return error;
}

const url = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });
const queueUrl = url.describe('URL of an SQS queue');
/** Any digest begins with an empty one, so a pin that was left empty would let every model pass. */
export const modelName = z
  .string()
  .regex(
    /^[^@]+(?:@sha256:[0-9A-Fa-f]{1,64})?$/,
    'expected a model such as qwen2.5-coder:1.5b, and behind @sha256:, if it is there, the first hexadecimal digits of its digest',
  );
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

/** Every setting there is; a function picks its own. An empty variable counts as absent. */
const settings = {
  REMEDIA_MODE: z.enum(['simulate', 'live'], 'expected simulate or live').default('live'),
  REMEDIA_SOURCE: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      'expected up to 64 letters, digits, dots, dashes and underscores',
    )
    .default('zabbix'),
  PUBLIC_BASE_URL: url.transform((text) => text.replace(/\/+$/, '')),
  INCIDENTS_TABLE: z.string().min(3, 'expected the name of a table'),
  RETENTION_DAYS: z.coerce.number<string>('expected a number of days').int().min(1).max(3650).default(90),
  ALERTS_QUEUE_URL: queueUrl,
  JOBS_QUEUE_URL: queueUrl,
  CHECKS_QUEUE_URL: queueUrl,
  INTAKE_TOKENS: list.default([]),
  INTAKE_HMAC_KEY: z.string().min(16, 'expected at least 16 characters').optional(),
  OPERATOR_TOKENS: list.default([]),
  EXECUTION_TOKENS: list.default([]),
  APPROVAL_SIGNING_KEY: z.string().min(16, 'expected at least 16 characters').optional(),
  LINK_SIGNING_KEY: z.string().min(16, 'expected at least 16 characters').optional(),
  LINK_VALID_DAYS: z.coerce.number<string>('expected a number of days').int().min(1).max(3650).default(7),
  DECIDER: z.enum(['model', 'rules'], 'expected model or rules').default('model'),
  OLLAMA_URL: url.default('http://127.0.0.1:11434'),
  OLLAMA_MODEL: modelName.default('llama3.2'),
  OLLAMA_TIMEOUT_SECONDS: z.coerce.number<string>('expected seconds').int().min(1).max(840).default(120),
  OLLAMA_REMEMBER_SECONDS: z.coerce.number<string>('expected seconds').int().min(0).max(3600).default(300),
  OLLAMA_NUM_THREAD: z.coerce
    .number<string>('expected a number of threads')
    .int()
    .min(1)
    .max(1024)
    .optional(),
  RUNDECK_URL: url.optional(),
  RUNDECK_API_TOKEN: z.string().min(1).optional(),
  RUNDECK_WEBHOOKS: z.string().default('{}'),
  RUNDECK_TIMEOUT_SECONDS: z.coerce.number<string>('expected seconds').int().min(1).max(60).default(10),
  ZABBIX_API_URL: url.optional(),
  ZABBIX_API_TOKEN: z.string().min(1).optional(),
  ESCALATION_CHAT_URL: z.string().optional(),
  ESCALATION_CHAT_FORMAT: z.string().optional(),
  ESCALATION_SMTP_URL: z.string().optional(),
  ESCALATION_MAIL_FROM: z.string().optional(),
  ESCALATION_MAIL_TO: z.string().optional(),
  ESCALATION_TOPIC_ARN: z.string().optional(),
  ESCALATION_TEAMS: z.string().optional(),
} as const;

export type SettingName = keyof typeof settings;
export type Settings<Name extends SettingName> = {
  readonly [each in Name]: z.infer<(typeof settings)[each]>;
};

/** Reads one secret by its name; throws when it is not there. */
export type ReadSecret = (name: string) => Promise<string>;

const SECRET_NAME = /^(ssm|secretsmanager):(.+)$/;

/**
 * Reads the named settings. A value `ssm:/path` or `secretsmanager:name` is fetched from there.
 * Throws an Error `ConfigError` that names every variable that is missing or wrong, and never a value.
 */
export async function loadSettings<Name extends SettingName>(
  names: readonly Name[],
  {
    env = process.env,
    readSsm = (name) => readParameter(name, process.env),
    readSecretsManager = (name) => readSecret(name, process.env),
  }: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly readSsm?: ReadSecret;
    readonly readSecretsManager?: ReadSecret;
  } = {},
): Promise<Settings<Name>> {
  const problems: string[] = [];
  const raw: Record<string, string> = {};
  await Promise.all(
    names.map(async (name) => {
      const value = env[name];
      if (value === undefined || value === '') return;
      const [, store, key = ''] = SECRET_NAME.exec(value) ?? [];
      if (store === undefined) {
        raw[name] = value;
        return;
      }
      try {
        raw[name] = await (store === 'ssm' ? readSsm : readSecretsManager)(key);
      } catch (error) {
        const reason = error instanceof Error ? error.name : 'failed';
        problems.push(`${name} names a secret that cannot be read (${reason})`);
      }
    }),
  );
  const schema = z.object(Object.fromEntries(names.map((name) => [name, settings[name]])));
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      const name = path.join('.');
      if (problems.some((problem) => problem.startsWith(`${name} `))) continue;
      problems.push(name in raw ? `${name}: ${message}` : `${name} is missing`);
    }
  }
  if (problems.length > 0 || !parsed.success) throw configError(problems);
  return pick(parsed.data, names);
}

function pick<Name extends SettingName>(data: object, _names: readonly Name[]): Settings<Name> {
  // The schema was made from these very names, which the type system cannot see through Object.fromEntries.
  return data as Settings<Name>;
}
