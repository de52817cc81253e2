/** `npm run localstack:deploy`: secrets, stack and policy, against the LocalStack that answers at AWS_ENDPOINT_URL. */
import { LOCAL_INTAKE_TOKEN } from '#local/local-settings.ts';
import { endpoint, isUp } from './endpoint.ts';
import { deployStack, putSecrets } from './stack.ts';

if (!(await isUp())) {
  console.error(`Nothing answers at ${endpoint}. Start LocalStack first: npm run localstack:up`);
  process.exit(1);
}
const given = (name: string, otherwise = ''): string => process.env[name] || otherwise;
await putSecrets({
  'intake-tokens': given('INTAKE_TOKENS', LOCAL_INTAKE_TOKEN),
  'rundeck-webhooks': given('RUNDECK_WEBHOOKS', '{}'),
  'rundeck-api-token': given('RUNDECK_API_TOKEN', 'none'),
});
const started = performance.now();
const { apiUrl } = await deployStack();
console.log(`Deployed in ${Math.round((performance.now() - started) / 1000)} s.`);
console.log(`Alerts go to: ${apiUrl}/api/v1/zabbix/alert`);
