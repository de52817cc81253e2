/** `npm run localstack:smoke`: one alert in simulation mode through the deployed functions, from the API to its record. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { LOCAL_INTAKE_TOKEN } from '#local/local-settings.ts';
import { fail, readArguments } from '../scripts/command-line.ts';
import { endpoint, requireLocalStack } from './endpoint.ts';

readArguments(
  `usage: npm run localstack:smoke

Sends one alert in simulation mode through the functions that npm run localstack:deploy deployed to the LocalStack at
AWS_ENDPOINT_URL (http://127.0.0.1:4566); ends with 0 when it was decided and recorded.`,
  {},
);
/** A model that was not loaded yet takes its time. */
const WITHIN_MS = 180_000;
const api = `${endpoint}/_aws/execute-api/remedia/local/api/v1`;
const [token = LOCAL_INTAKE_TOKEN] = (process.env['INTAKE_TOKENS'] ?? LOCAL_INTAKE_TOKEN).split(',');
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
const accepted = z.object({ incidentId: z.string() });
const incidentSchema = z.looseObject({
  state: z.string(),
  outcome: z.string().optional(),
  timeline: z.array(z.object({ text: z.string() })),
});

await requireLocalStack();
const health = await fetch(`${api}/health`, { headers });
if (health.status === 404)
  fail(`LocalStack is up at ${endpoint}, and Remedia is not deployed there: npm run localstack:deploy`);
console.log(`health: ${health.status} ${await health.text()}`);

const sample: unknown = JSON.parse(
  await readFile(new URL('../local/samples/service-problem.json', import.meta.url), 'utf8'),
);
const response = await fetch(`${api}/zabbix/alert`, {
  method: 'POST',
  // Decided and recorded like any other; nothing runs and nobody is told.
  headers: { ...headers, 'x-remedia-mode': 'simulate' },
  body: JSON.stringify({ ...z.record(z.string(), z.string()).parse(sample), event_id: String(Date.now()) }),
});
const answer = await response.text();
console.log(`alert: ${response.status} ${answer}`);
if (response.status !== 202) process.exit(1);
const { incidentId } = accepted.parse(JSON.parse(answer));

const until = Date.now() + WITHIN_MS;
for (;;) {
  const read = await fetch(`${api}/incidents/${incidentId}`, { headers });
  const incident = read.ok ? incidentSchema.parse(await read.json()) : undefined;
  if (incident?.state === 'closed') {
    for (const { text } of incident.timeline) console.log(`  ${text}`);
    console.log(`outcome: ${incident.outcome}`);
    process.exit(incident.outcome === 'simulated' ? 0 : 1);
  }
  if (Date.now() > until) {
    fail(`${incidentId} is still ${incident?.state ?? 'unknown'} after ${WITHIN_MS / 1000} s.`);
  }
  await sleep(500);
}
