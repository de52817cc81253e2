/**
 * The functions as real Lambdas behind API Gateway and SQS, on a LocalStack that is up at AWS_ENDPOINT_URL. What takes
 * minutes to be looked after begins early and is judged at the end, so that nothing else waits for it.
 */
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { incidentIdOf } from '#lib/core/identity.ts';
import { isUp, run, sdk } from '../../localstack/endpoint.ts';
import { startDurations } from './durations.ts';
import { holdQueue, invokeFunction, logOf, whileFunctionHas } from './lambda-api.ts';
import { judgeTrouble, makeTrouble, type Trouble } from './localstack-chaos.ts';
import {
  closed,
  type House,
  openHouse,
  ran,
  recoveryOf,
  TABLE_NAME,
  whileRetriedSoon,
} from './localstack-house.ts';
import { realPart } from './real-part.ts';

const part = realPart('LocalStack', ['AWS_ENDPOINT_URL']);
/** A command that stops LocalStack and starts it again: with Docker `docker restart remedia-localstack`. */
const restart = process.env['LOCALSTACK_RESTART'];
if (part) realPart('restart of LocalStack', ['LOCALSTACK_RESTART']);
/** Decides once, when it was named; everywhere else a simulated model does. */
const ollama = process.env['OLLAMA_URL'];
if (part && !ollama) console.warn('\nNo OLLAMA_URL: every decision here is made by a SIMULATED model.\n');

const durations = startDurations();
let house: House;
/** Takes connections and never answers. */
let blackHole: Server;
/** What the first deployment took. */
let deployMs = 0;

beforeAll(async () => {
  if (!part) return;
  house = await openHouse();
  blackHole = createServer(() => {}).listen(0, '127.0.0.1');
  const from = performance.now();
  await durations.measure('npm run localstack:deploy', () => house.deploy());
  deployMs = performance.now() - from;
}, 600_000);
afterAll(async () => {
  if (!part) return;
  console.log(`How long each part took:\n${durations.table()}`);
  blackHole.closeAllConnections();
  blackHole.close();
  await house.close();
});
let began = 0;
beforeEach(() => {
  began = performance.now();
  if (part) house.model.setFault(undefined);
});
afterEach(({ task }) => {
  if (part) durations.add(task.name, performance.now() - began);
});

/** What one test began and another looks at minutes later. */
const begun: {
  trouble?: Trouble;
  killed?: string;
  duringDeployment: string[];
} = { duringDeployment: [] };

describe.skipIf(!part)('on LocalStack', () => {
  it('a problem becomes a decision, a Rundeck job, and is verified by its recovery', async () => {
    const problem = await house.sample('disk-problem');

    const { incidentId } = await durations.measure(
      '  of it: first alert, all cold, until its job runs',
      async () => {
        const answer = await durations.measure('    of it: until it is acknowledged', () =>
          house.post(problem),
        );
        await house.until(answer.incidentId, ran);
        return answer;
      },
    );
    await house.post(recoveryOf(problem));
    const incident = await house.until(incidentId, closed);

    expect(incident).toMatchObject({ outcome: 'verified', escalation: 'none' });
    expect(house.executionsOf(incidentId)).toHaveLength(1);
    expect(house.executionsOf(incidentId)[0]?.options).toMatchObject({
      path: '/',
      remedia_decision_id: `${incidentId}#1`,
    });
  });

  it.runIf(ollama)('a real Ollama decides it as well', async () => {
    const environment = {
      OLLAMA_URL: ollama ?? '',
      OLLAMA_MODEL: process.env['OLLAMA_MODEL'] ?? 'llama3.2',
      // It shares two cores with LocalStack here, and may not be loaded yet.
      OLLAMA_TIMEOUT_SECONDS: '250',
    };
    let incidentId = '';

    await whileFunctionHas('decide-remediation', { environment }, async () => {
      ({ incidentId } = await house.post(await house.sample('disk-problem')));
      await house.until(incidentId, (incident) => ran(incident) || closed(incident), 280_000);
    });
    const incident = await house.table.loadIncident(incidentId);

    expect(incident?.decisions[0]?.model).toMatchObject({ model: environment.OLLAMA_MODEL });
    expect(['verdict', incident?.decisions[0]?.proposal]).toEqual([
      'verdict',
      expect.objectContaining({ kind: 'proposal' }),
    ]);
    if (incident && ran(incident)) expect(house.executionsOf(incidentId)).toHaveLength(1);
    else expect(house.toldOf(incidentId)).toHaveLength(1);
  });

  it('answers the whole timeline of an incident, and says that all parts are well', async () => {
    const { incidentId } = await house.post(await house.sample('service-problem'));
    await house.until(incidentId, ran);
    const headers = { authorization: house.authorization };
    const { apiUrl } = house.stack();

    const read = await fetch(`${apiUrl}/api/v1/incidents/${incidentId}`, { headers });
    const health = await fetch(`${apiUrl}/api/v1/health`, { headers });

    expect(await read.json()).toMatchObject({ incidentId, decisions: [{ decisionId: `${incidentId}#1` }] });
    expect([health.status, await health.json()]).toMatchObject([200, { status: 'ok' }]);
  });

  it('a function that is killed between record and send has not acknowledged, and has recorded', async () => {
    const problem = await house.sample('service-problem');
    const address = blackHole.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const since = Date.now();
    const change = {
      // It records, then waits for a queue that never answers, until Lambda ends it.
      environment: { ALERTS_QUEUE_URL: `http://127.0.0.1:${port}/000000000000/remedia-local-alerts` },
      timeout: 4,
    };

    await whileFunctionHas('receive-alert', change, async () => {
      const response = await house.request(problem);
      expect(response.status).toBeGreaterThanOrEqual(500);
    });
    begun.killed = incidentIdOf('zabbix', problem['event_id'] ?? '');

    expect(await house.table.loadIncident(begun.killed)).toMatchObject({ state: 'received', decisions: [] });
    await expect
      .poll(() => logOf('receive-alert', since), { timeout: 20_000 })
      .toMatch(/Task timed out after 4/);
  });

  it('sixty alerts meet every kind of trouble', async () => {
    await whileRetriedSoon(house, ['Alerts', 'Jobs', 'Checks'], 20, async () => {
      begun.trouble = await makeTrouble(house, { alerts: 60, seed: 1 });
    });

    console.log('trouble:', begun.trouble?.counts);
    expect(begun.trouble?.accepted.size).toBe(60);
    expect(begun.trouble?.counts).toMatchObject({
      'faults of Rundeck': expect.any(Number),
      'posts that came again': expect.any(Number),
      'messages that came again': expect.any(Number),
      'recoveries before their problem': expect.any(Number),
      'functions that were replaced': 4,
    });
  });

  it('goes on acknowledging, or lets Zabbix try again, while it is deployed anew by the same command', async () => {
    let deploying = true;
    let repeated = 0;
    // Steadily, and not more than is decided as fast: LocalStack calls a function once at a time.
    const every = Math.max(500, deployMs / 30);
    const traffic = (async () => {
      while (deploying && begun.duringDeployment.length < 60) {
        const problem = await house.sample('service-problem');
        const { incidentId, attempts } = await house.postStubbornly(problem);
        if (attempts > 1) repeated += 1;
        begun.duringDeployment.push(incidentId);
        await sleep(every);
      }
    })();

    // A changed setting of nearly every function, so that all of them are really replaced.
    await durations.measure('  of it: the same command again', () => house.deploy({ RETENTION_DAYS: '30' }));
    deploying = false;
    await traffic;

    console.log(
      `acknowledged meanwhile: ${begun.duringDeployment.length}, ${repeated} not at the first attempt`,
    );
    expect(begun.duringDeployment.length).toBeGreaterThan(10);
  });

  it('the same event ten times at once is one incident, one decision, one job', async () => {
    const problem = await house.sample('service-problem');

    // One that meets too many others is told to come again.
    const answers = await Promise.all(Array.from({ length: 10 }, () => house.postStubbornly(problem)));
    const incidentId = answers[0]?.incidentId ?? '';
    const incident = await house.until(incidentId, ran);
    await sleep(3000);

    expect(new Set(answers.map((each) => each.incidentId)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 'accepted').length).toBeLessThanOrEqual(1);
    expect(incident.decisions).toHaveLength(1);
    expect(house.executionsOf(incidentId)).toHaveLength(1);
  });

  it('a recovery before its problem means that nothing runs', async () => {
    const problem = await house.sample('service-problem');

    await house.post(recoveryOf(problem));
    const { incidentId } = await house.post(problem);
    const incident = await house.until(incidentId, closed);
    await sleep(2000);

    expect(incident.outcome).toBe('recovered_before_action');
    expect(house.executionsOf(incidentId)).toEqual([]);
  });

  it('simulation decides and records; nothing runs and nobody is told', async () => {
    const simulate = { 'x-remedia-mode': 'simulate' };
    const job = await house.post(await house.sample('service-problem'), simulate);
    const message = await house.post(await house.sample('unknown-problem'), simulate);
    const incidents = [
      await house.until(job.incidentId, closed),
      await house.until(message.incidentId, closed),
    ];
    await sleep(2000);

    expect(incidents.map(({ outcome }) => outcome)).toEqual(['simulated', 'simulated']);
    for (const { incidentId, decisions } of incidents) {
      expect(decisions).toHaveLength(1);
      expect(house.executionsOf(incidentId)).toEqual([]);
      expect(house.toldOf(incidentId)).toEqual([]);
    }
  });

  it('what no tool fits is told to a human, by chat and by topic', async () => {
    const { sqs } = house;
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `told-${Date.now()}` }));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    );
    const sns = new SNSClient({ ...sdk });
    await sns.send(
      new SubscribeCommand({
        TopicArn: house.stack().outputs['EscalationTopicArn'],
        Protocol: 'sqs',
        Endpoint: Attributes?.['QueueArn'],
      }),
    );
    sns.destroy();

    const { incidentId } = await house.post(await house.sample('unknown-problem'));
    const incident = await house.until(incidentId, closed);
    const bodies: string[] = [];
    await expect
      .poll(
        async () => {
          const { Messages = [] } = await sqs.send(
            new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 2, MaxNumberOfMessages: 10 }),
          );
          bodies.push(...Messages.map(({ Body = '' }) => Body));
          return bodies.filter((body) => body.includes(incidentId)).length;
        },
        { timeout: 20_000 },
      )
      .toBe(1);

    expect(incident).toMatchObject({ outcome: 'handed_over', escalation: 'delivered' });
    expect(house.toldOf(incidentId)).toHaveLength(1);
  });

  it.each([
    ['a wrong token', { authorization: 'Bearer wrong' }, 'POST', 401],
    ['a wrong method', {}, 'GET', 405],
    ['a wrong content type', { 'content-type': 'text/plain' }, 'POST', 415],
  ])('%s is answered as problem details, and leaves nothing behind', async (_, headers, method, status) => {
    const problem = await house.sample('disk-problem');

    const response = await house.request(problem, headers, method);

    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await response.json()).toMatchObject({ status });
    expect(await house.table.loadIncident(incidentIdOf('zabbix', problem['event_id'] ?? ''))).toBeUndefined();
  });

  it('a message that nobody can read goes to the dead letters, and a human is told of it once', async () => {
    const since = Date.now();
    let id = '';
    await whileRetriedSoon(house, ['Alerts'], 3, async () => {
      const { MessageId = 'none' } = await house.sqs.send(
        new SendMessageCommand({
          QueueUrl: house.stack().outputs['AlertsQueueUrl'],
          MessageBody: '{"poison": ',
        }),
      );
      id = MessageId;
      await expect
        .poll(() => house.toldOf(id).length, { timeout: 120_000, interval: 500 })
        .toBeGreaterThan(0);
    });
    await sleep(2000);

    expect(house.toldOf(id)).toHaveLength(1);
    expect(house.toldOf(id)[0]).toMatch(/remedia-local-alerts/);
    expect(await logOf('decide-remediation', since)).toContain(`"message_id":"${id}"`);
  });

  it('one bad message of a batch fails alone: the good one is decided, the bad one is told of', async () => {
    const problem = await house.sample('service-problem');
    const incidentId = incidentIdOf('zabbix', problem['event_id'] ?? '');
    let bad = '';

    await whileRetriedSoon(house, ['Alerts'], 3, async () => {
      const goOn = await holdQueue('decide-remediation');
      try {
        await house.post(problem);
        const { MessageId = 'none' } = await house.sqs.send(
          new SendMessageCommand({
            QueueUrl: house.stack().outputs['AlertsQueueUrl'],
            MessageBody: 'no JSON',
          }),
        );
        bad = MessageId;
        await goOn(10);
        await house.until(incidentId, ran);
        await expect.poll(() => house.toldOf(bad).length, { timeout: 90_000, interval: 500 }).toBe(1);
      } finally {
        await goOn(1);
      }
    });

    expect((await house.table.loadIncident(incidentId))?.decisions).toHaveLength(1);
    expect(house.executionsOf(incidentId)).toHaveLength(1);
  });

  it('a batch is answered record by record', async () => {
    const { incidentId } = await house.post(await house.sample('service-problem'));
    await house.until(incidentId, ran);
    const record = (messageId: string, body: string) => ({
      messageId,
      body,
      receiptHandle: messageId,
      attributes: { ApproximateReceiveCount: '1' },
      messageAttributes: {},
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:remedia-local-jobs',
      awsRegion: 'us-east-1',
    });

    const { error, payload } = await invokeFunction('dispatch-job', {
      Records: [record('good', JSON.stringify({ incidentId, step: 1 })), record('bad', 'no JSON')],
    });

    expect(error).toBeUndefined();
    expect(payload).toEqual({ batchItemFailures: [{ itemIdentifier: 'bad' }] });
    expect(house.executionsOf(incidentId)).toHaveLength(1);
  });

  it('a record whose message could not be sent is queued by the repeat of the alert', async () => {
    const problem = await house.sample('service-problem');
    const elsewhere = `${house.stack().outputs['AlertsQueueUrl']}-that-is-not-there`;

    await whileFunctionHas('receive-alert', { environment: { ALERTS_QUEUE_URL: elsewhere } }, async () => {
      const response = await house.request(problem);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
    });
    const { incidentId, status } = await house.post(problem);
    await house.until(incidentId, ran);

    expect(status).toBe('repeated');
    expect(house.executionsOf(incidentId)).toHaveLength(1);
  });

  it('a decision that times out is made by the next delivery', async () => {
    house.model.setFault({ kind: 'hang' });
    const since = Date.now();
    let incidentId = '';

    await whileRetriedSoon(house, ['Alerts'], 3, async () => {
      await whileFunctionHas('decide-remediation', { timeout: 2 }, async () => {
        ({ incidentId } = await house.post(await house.sample('service-problem')));
        await expect
          .poll(() => logOf('decide-remediation', since), { timeout: 90_000, interval: 500 })
          .toMatch(/Task timed out after 2/);
      });
      house.model.setFault(undefined);
      await house.until(incidentId, ran);
    });

    expect(house.executionsOf(incidentId)).toHaveLength(1);
    expect((await house.table.loadIncident(incidentId))?.decisions).toHaveLength(1);
  });

  it('a decision that runs out of memory is made by the next delivery', async () => {
    house.model.setFault({ kind: 'hang' });
    const since = Date.now();
    // In the middle of its question to the model it takes all the memory there is.
    const greedy =
      'data:text/javascript,setTimeout(()=>{for(globalThis.all=[];;)globalThis.all.push(new%20Array(1e6).fill(0))},1500)';
    let incidentId = '';

    await whileRetriedSoon(house, ['Alerts'], 3, async () => {
      await whileFunctionHas(
        'decide-remediation',
        { memory: 128, environment: { NODE_OPTIONS: `--import=${greedy}` } },
        async () => {
          ({ incidentId } = await house.post(await house.sample('service-problem')));
          await expect
            .poll(() => logOf('decide-remediation', since), { timeout: 90_000, interval: 500 })
            .toMatch(/Runtime\.OutOfMemory|signal: killed|heap out of memory/);
        },
      );
      expect(await house.table.loadIncident(incidentId)).toMatchObject({ state: 'received', decisions: [] });
      house.model.setFault(undefined);
      await house.until(incidentId, ran);
    });

    expect(house.executionsOf(incidentId)).toHaveLength(1);
    expect((await house.table.loadIncident(incidentId))?.decisions).toHaveLength(1);
  });

  // What was begun above has had its minutes now.

  it('what was killed between record and send was found by the sweeper, without a second post', async () => {
    const incident = await house.until(begun.killed ?? '', ran, 200_000);

    expect(incident.timeline.filter(({ kind }) => kind === 'repeated')).toEqual([]);
    expect(incident.decisions).toHaveLength(1);
    expect(house.executionsOf(incident.incidentId)).toHaveLength(1);
  });

  it('everything that was acknowledged while it was deployed anew was decided exactly once', async () => {
    // LocalStack may end a function in the middle of a dispatch. Such a claim is looked into after three minutes, and is
    // found at Rundeck or told to a human, but never posted again.
    for (const id of begun.duringDeployment) {
      const incident = await house.until(id, (each) => ran(each) || closed(each), 300_000);
      expect([id, incident.decisions.length]).toEqual([id, 1]);
      expect([id, house.executionsOf(id).length <= 1]).toEqual([id, true]);
      expect([id, ran(incident) || house.toldOf(id).length > 0]).toEqual([id, true]);
    }
    expect(new Set(begun.duringDeployment).size).toBe(begun.duringDeployment.length);
  }, 400_000);

  it('no promise was broken in all the trouble', async () => {
    const { trouble } = begun;
    if (!trouble) throw new Error('there was no trouble');

    const { broken, seen } = await judgeTrouble(house, trouble, 280_000);

    console.log('after the trouble:', seen);
    expect(broken).toEqual([]);
    expect(seen.executions).toBeGreaterThan(10);
    expect(seen.told).toBeGreaterThan(10);
  }, 300_000);

  it.runIf(restart)(
    'a restart of LocalStack forgets all; the same command makes it work again',
    async () => {
      const documents = DynamoDBDocumentClient.from(house.dynamo);
      const undecided = await house.sample('service-problem');
      const done = await house.post(await house.sample('service-problem'));
      await house.until(done.incidentId, ran);
      // Acknowledged, recorded, and its message waits.
      await holdQueue('decide-remediation');
      const { incidentId } = await house.post(undecided);
      const backup = await Promise.all([incidentId, done.incidentId].map((pk) => read(documents, pk)));

      await durations.measure('  of it: LocalStack restarted', async () => {
        const { code, output } = await run('sh', ['-c', restart ?? ''], { quiet: true });
        expect([code, output]).toEqual([0, expect.anything()]);
        await expect.poll(isUp, { timeout: 90_000 }).toBe(true);
      });
      await expect(house.table.loadIncident(incidentId)).rejects.toMatchObject({
        cause: expect.any(ResourceNotFoundException),
      });
      await durations.measure('  of it: npm run localstack:deploy', () => house.deploy());
      // As a table that was restored from its backup on AWS: the records are back, every message is lost.
      for (const Item of backup) await documents.send(new PutCommand({ TableName: TABLE_NAME, Item }));

      const fresh = await house.sample('disk-problem');
      const answer = await house.post(fresh);
      await house.until(answer.incidentId, ran);
      await house.post(recoveryOf(fresh));
      const again = await house.until(incidentId, ran, 200_000);
      await sleep(3000);

      expect(await house.until(answer.incidentId, closed)).toMatchObject({ outcome: 'verified' });
      expect(again.timeline.filter(({ kind }) => kind === 'repeated')).toEqual([]);
      expect(house.executionsOf(incidentId)).toHaveLength(1);
      expect(house.executionsOf(done.incidentId)).toHaveLength(1);
    },
    400_000,
  );
});

async function read(documents: DynamoDBDocumentClient, pk: string): Promise<Record<string, unknown>> {
  const { Item } = await documents.send(new GetCommand({ TableName: TABLE_NAME, Key: { pk } }));
  if (!Item) throw new Error(`${pk} is not in the table`);
  return Item;
}
