/**
 * A process that only calls receive-alert, one call after the other, and tells its parent the CPU time of a call: once
 * the whole function with the AWS SDK, once its endpoint with a table and a queue that do nothing.
 */
import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { intakeGate, makeAlertEndpoint } from '#lib/endpoints/alert-endpoint.ts';
import { makeIncidentLink } from '#lib/runtime/incident-link.ts';
import { makeLog } from '#lib/runtime/logger.ts';
import { makeNarrate } from '#lib/runtime/narrate.ts';
import { makeReceiveAlert, makeRecordRejected } from '#lib/workflow/receive-alert.ts';
import { anHttpEvent } from '#test/builders/http-events.ts';
import { makePosts } from './posts.ts';

type Handler = (event: APIGatewayProxyEvent, context: unknown) => Promise<APIGatewayProxyResult>;

/** Compiled by then is what will be. */
const WARM_UP = 1_000;

const calls = Number(process.argv[2]);
const token = process.env['INTAKE_TOKENS'] ?? '';
const hmacKey = process.env['INTAKE_HMAC_KEY'] ?? '';
const posts = makePosts({ token, hmacKey });

const nothing = async () => undefined;
const clock = Date.now;
const incidentLink = makeIncidentLink({
  publicBaseUrl: 'http://127.0.0.1',
  key: process.env['LINK_SIGNING_KEY'],
  validDays: 7,
});
const log = makeLog({ function: 'receive-alert' });
const ports = {
  createIncident: async (
    incident: Parameters<Parameters<typeof makeReceiveAlert>[0]['createIncident']>[0],
  ) => ({
    kind: 'created' as const,
    incident,
  }),
  changeIncident: async () => ({ changed: false, incident: undefined }),
  sendToDecide: nothing,
  sendToCheck: nothing,
  takeAllowance: async () => true,
  clock,
  narrate: makeNarrate(log),
};
const endpoint = makeAlertEndpoint({
  gate: intakeGate({ tokens: [token], hmacKey, clock }),
  receive: makeReceiveAlert(ports),
  recordRejected: makeRecordRejected(ports, { incidentLink }),
  source: 'zabbix',
  mode: 'live',
  incidentLink,
  clock,
  log,
});
// Only now: it reads its settings as it is loaded.
const { handler } = await import('#functions/receive-alert.ts');

process.send?.({ endpoint: await cpuOf(endpoint), whole: await cpuOf(handler) });

/** CPU milliseconds a call, of all threads: the collection of its garbage is part of it. */
async function cpuOf(call: Handler): Promise<number> {
  await callAll(call, Math.min(WARM_UP, calls));
  const before = process.cpuUsage();
  await callAll(call, calls);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / calls;
}

async function callAll(call: Handler, times: number): Promise<void> {
  for (let left = times; left > 0; left -= 1) {
    const { body, headers } = posts.alert();
    const event = anHttpEvent({
      httpMethod: 'POST',
      path: '/api/v1/zabbix/alert',
      headers: { ...headers },
      body,
      requestContext: { ...anHttpEvent().requestContext, requestId: randomUUID() },
    });
    const { statusCode } = await call(event, {});
    if (statusCode !== 202) throw new Error(`receive-alert answered ${statusCode}`);
  }
}
