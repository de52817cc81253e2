/** `npm run localstack:deploy`: secrets, stack and policy, against the LocalStack that answers at AWS_ENDPOINT_URL. */
import { randomBytes } from 'node:crypto';
import { LOCAL_INTAKE_TOKEN } from '#local/local-settings.ts';
import { endpoint, isUp, run } from './endpoint.ts';
import { deployStack, putSecrets } from './stack.ts';

const POLICY = process.env['REMEDIA_POLICY'] ?? 'local/policy.yaml';

if (!(await isUp())) {
  console.error(`Nothing answers at ${endpoint}. Start LocalStack first: npm run localstack:up`);
  process.exit(1);
}
const given = (name: string, otherwise: string): string => process.env[name] || otherwise;
const intakeTokens = given('INTAKE_TOKENS', LOCAL_INTAKE_TOKEN);
const chatUrl = given('ESCALATION_CHAT_URL', '');
await putSecrets({
  'intake-tokens': intakeTokens,
  'operator-tokens': given('OPERATOR_TOKENS', intakeTokens),
  'execution-tokens': given('EXECUTION_TOKENS', randomBytes(16).toString('hex')),
  'approval-signing-key': randomBytes(32).toString('hex'),
  'link-signing-key': randomBytes(32).toString('hex'),
  'rundeck-webhooks': given('RUNDECK_WEBHOOKS', '{}'),
  'rundeck-api-token': given('RUNDECK_API_TOKEN', 'none'),
  ...(chatUrl !== '' && { 'escalation-chat-url': chatUrl }),
});
const started = performance.now();
const { apiUrl, outputs } = await deployStack({
  parameters: chatUrl === '' ? {} : { chatUrl: 'ssm:/remedia/local/escalation-chat-url' },
});
console.log(`Deployed in ${Math.round((performance.now() - started) / 1000)} s.`);
const pushed = await run('node', ['scripts/policy.ts', 'push', POLICY], {
  env: { INCIDENTS_TABLE: outputs['IncidentsTableName'] ?? '' },
});
if (pushed.code !== 0) process.exit(pushed.code);
console.log(`Alerts go to: ${apiUrl}/api/v1/zabbix/alert`);
console.log('See that it works: npm run localstack:smoke');
