/**
 * `npm run localstack:deploy`: secrets, stack and policy, against the LocalStack that answers at AWS_ENDPOINT_URL. Settings
 * are taken from the environment as on one machine; what is secret goes to SSM, and the stack gets its name.
 */
import { randomBytes } from 'node:crypto';
import { LOCAL_INTAKE_TOKEN } from '#local/local-settings.ts';
import { readArguments } from '../scripts/command-line.ts';
import { endpoint, requireLocalStack, run } from './endpoint.ts';
import { deployStack, putSecrets } from './stack.ts';

readArguments(
  `usage: npm run localstack:deploy

Deploys secrets, stack and policy to the LocalStack at AWS_ENDPOINT_URL (http://127.0.0.1:4566). The functions' settings
(docs/operations.md) are taken from the environment; REMEDIA_POLICY names the policy, local/policy.yaml by default.`,
  {},
);
const POLICY = process.env['REMEDIA_POLICY'] ?? 'local/policy.yaml';
/** Secrets that a parameter of serverless.yml has to name before a function reads them. */
const OPTIONAL_SECRETS = {
  INTAKE_HMAC_KEY: 'intakeHmacKey',
  ZABBIX_API_TOKEN: 'zabbixApiToken',
  ESCALATION_CHAT_URL: 'chatUrl',
  ESCALATION_SMTP_URL: 'smtpUrl',
  ESCALATION_TEAMS: 'teams',
} as const;
/** Settings that stage `local` does not take from the environment by itself. */
const PLAIN = {
  ESCALATION_CHAT_FORMAT: 'chatFormat',
  ESCALATION_MAIL_FROM: 'mailFrom',
  ESCALATION_MAIL_TO: 'mailTo',
  RUNDECK_TIMEOUT_SECONDS: 'rundeckTimeoutSeconds',
  RETENTION_DAYS: 'retentionDays',
  LINK_VALID_DAYS: 'linkValidDays',
} as const;

const version = await requireLocalStack();
console.log(`Deploying to LocalStack ${version} at ${endpoint}.`);
const given = (name: string): string => process.env[name] ?? '';
const secretName = (setting: string): string => setting.toLowerCase().replaceAll('_', '-');

const intakeTokens = given('INTAKE_TOKENS') || LOCAL_INTAKE_TOKEN;
const secrets: Record<string, string> = {
  'intake-tokens': intakeTokens,
  'operator-tokens': given('OPERATOR_TOKENS') || intakeTokens,
  'rundeck-webhooks': given('RUNDECK_WEBHOOKS') || '{}',
  'rundeck-api-token': given('RUNDECK_API_TOKEN') || 'none',
};
const parameters: Record<string, string> = {};
for (const [setting, parameter] of Object.entries(OPTIONAL_SECRETS)) {
  if (given(setting) === '') continue;
  secrets[secretName(setting)] = given(setting);
  parameters[parameter] = `ssm:/remedia/local/${secretName(setting)}`;
}
for (const [setting, parameter] of Object.entries(PLAIN))
  if (given(setting) !== '') parameters[parameter] = given(setting);
const madeUp: Record<string, string> = {};
for (const setting of ['EXECUTION_TOKENS', 'APPROVAL_SIGNING_KEY', 'LINK_SIGNING_KEY'])
  if (given(setting) === '') madeUp[secretName(setting)] = randomBytes(32).toString('hex');
  else secrets[secretName(setting)] = given(setting);
await putSecrets(secrets);
// They stay the same when it is deployed again: links that were sent, and Rundeck's notifications, go on to be valid.
await putSecrets(madeUp, { keep: true });

const started = performance.now();
const { apiUrl, outputs } = await deployStack(parameters);
console.log(`Deployed in ${Math.round((performance.now() - started) / 1000)} s.`);
const pushed = await run('node', ['scripts/policy.ts', 'push', POLICY], {
  env: { INCIDENTS_TABLE: outputs['IncidentsTableName'] ?? '' },
});
if (pushed.code !== 0) process.exit(pushed.code);
console.log(`Alerts go to: ${apiUrl}/api/v1/zabbix/alert`);
console.log('See that it works: npm run localstack:smoke');
