/** What the AWS adapters say when AWS does not answer, and that a lost answer is not a lost write. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { AWS_CLIENT_SETTINGS } from '#lib/adapters/aws-errors.ts';
import { createIncidentsTable, tableDefinition } from '#lib/adapters/incidents-table.ts';
import { startEmbeddedDynamo } from '#local/embedded.ts';
import { LOCAL_AWS } from '#test/aws.ts';
import { anIncident, NOON } from '#test/builders/incidents.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(answer: (incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer) => void) {
  const calls: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      calls.push(String(incoming.headers['x-amz-target']));
      answer(incoming, outgoing, Buffer.concat(chunks));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${address.port}`, calls };
}

function portsOn(endpoint: string) {
  const requestHandler = { ...AWS_CLIENT_SETTINGS.requestHandler, requestTimeout: 200 };
  const client = new DynamoDBClient({ ...AWS_CLIENT_SETTINGS, ...LOCAL_AWS, endpoint, requestHandler });
  closing.push(async () => client.destroy());
  return { client, ports: createIncidentsTable({ client, tableName: 'incidents', clock: () => NOON }) };
}

const fail = (name: string, status: number) => (_: IncomingMessage, outgoing: ServerResponse) =>
  outgoing
    .writeHead(status, { 'content-type': 'application/x-amz-json-1.0' })
    .end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: name }));
const silent = () => {};
const hangUp = (incoming: IncomingMessage) => incoming.socket.destroy();

describe('a write', () => {
  it.each([
    ['is throttled', fail('ProvisionedThroughputExceededException', 400), 'busy', 'no', true, 3],
    ['is not permitted', fail('AccessDeniedException', 400), 'refused', 'no', false, 1],
    ['is malformed', fail('ValidationException', 400), 'refused', 'no', false, 1],
    ['meets an inner error', fail('InternalServerError', 500), 'failed', 'unknown', true, 3],
    ['gets no answer', silent, 'timed_out', 'unknown', true, 3],
    ['is cut off', hangUp, 'timed_out', 'unknown', true, 3],
  ] as const)('that %s says so', async (_, answer, code, sent, retry, attempts) => {
    const { endpoint, calls } = await serve(answer);
    const { ports } = portsOn(endpoint);
    await expect(ports.createIncident(anIncident())).rejects.toMatchObject({
      name: 'UpstreamError',
      upstream: 'incidents_table',
      code,
      sent,
      retry,
    });
    expect(calls).toHaveLength(attempts);
  });

  it('is known not to have happened when no connection was ever made', async () => {
    const { endpoint } = await serve(silent);
    for (const close of closing.splice(0)) await close();
    const { ports } = portsOn(endpoint);
    await expect(ports.createIncident(anIncident())).rejects.toMatchObject({
      code: 'unreachable',
      sent: 'no',
      retry: true,
    });
  });

  it('stays unknown when a later attempt was refused', async () => {
    let call = 0;
    const { endpoint } = await serve((incoming, outgoing) => {
      call += 1;
      if (call === 1) hangUp(incoming);
      else fail('AccessDeniedException', 400)(incoming, outgoing);
    });
    await expect(portsOn(endpoint).ports.createIncident(anIncident())).rejects.toMatchObject({
      code: 'refused',
      sent: 'unknown',
    });
  });

  it('that would give back another job’s share on a repeat is tried once', async () => {
    const { endpoint, calls } = await serve(hangUp);
    await expect(portsOn(endpoint).ports.giveBackAllowance('hour')).rejects.toMatchObject({
      sent: 'unknown',
    });
    expect(calls).toHaveLength(1);
  });
});

describe('a read', () => {
  it('has no effect, whatever became of it', async () => {
    const { endpoint } = await serve(hangUp);
    await expect(portsOn(endpoint).ports.loadIncident('inc_1')).rejects.toMatchObject({
      code: 'timed_out',
      sent: 'no',
    });
  });

  it('is tried again', async () => {
    let call = 0;
    const { endpoint } = await serve((incoming, outgoing) => {
      call += 1;
      if (call === 1) hangUp(incoming);
      else outgoing.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
    });
    expect(await portsOn(endpoint).ports.loadIncident('inc_1')).toBeUndefined();
  });
});

describe('when the write happened and its answer was lost', () => {
  /** Passes everything on to a real table, and loses the answer of the first `operation`. */
  const losing = async (operation: string) => {
    const dynamo = await startEmbeddedDynamo({ port: 0 });
    closing.push(dynamo.close);
    const direct = portsOn(dynamo.endpoint);
    await direct.client.send(new CreateTableCommand(tableDefinition('incidents')));
    let lost = false;
    const { endpoint } = await serve((incoming, outgoing, body) => {
      const { method, headers } = incoming;
      const onward = request(dynamo.endpoint, { method, headers, agent: false }, (answer) => {
        if (!lost && String(headers['x-amz-target']).endsWith(operation)) {
          lost = true;
          answer.resume().on('end', () => incoming.socket.destroy());
        } else {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        }
      });
      onward.end(body);
    });
    return { direct: direct.ports, ports: portsOn(endpoint).ports };
  };

  it('a created record is this caller’s', async () => {
    const { ports } = await losing('PutItem');
    expect((await ports.createIncident(anIncident())).kind).toBe('created');
  });

  it('a claim is won, and happened once', async () => {
    const { direct, ports } = await losing('PutItem');
    const { incidentId } = anIncident();
    await direct.createIncident(anIncident({ state: 'decided' }));
    const claim = await ports.changeIncident(incidentId, (each) =>
      each.state === 'decided' ? { ...each, state: 'dispatching' } : undefined,
    );
    expect(claim).toMatchObject({ changed: true, incident: { state: 'dispatching', version: 2 } });
    expect((await direct.loadIncident(incidentId))?.version).toBe(2);
  });

  it('the first caller is still the first', async () => {
    const { ports } = await losing('PutItem');
    expect(await ports.oncePer('rejected', NOON + 1_000)).toBe(true);
    expect(await ports.oncePer('rejected', NOON + 1_000)).toBe(false);
  });

  it('a cooldown that was taken is taken', async () => {
    const { ports } = await losing('PutItem');
    expect(await ports.takeAllowance('cooldown', 1, NOON + 1_000)).toBe(true);
    expect(await ports.takeAllowance('cooldown', 1, NOON + 1_000)).toBe(false);
  });

  it('a limit is never exceeded, though one of it may go unused', async () => {
    const { ports } = await losing('UpdateItem');
    const taken: boolean[] = [];
    for (let i = 0; i < 8; i += 1) taken.push(await ports.takeAllowance('hour', 5, NOON + 1_000));
    expect(taken.filter(Boolean).length).toBeGreaterThanOrEqual(4);
    expect(taken.filter(Boolean).length).toBeLessThanOrEqual(5);
  });
});
