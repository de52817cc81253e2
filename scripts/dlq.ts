/** `npm run dlq -- list | show | redrive`: looks into the three dead-letter queues, and sends back what lies there. */
import { GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import {
  type DeadLetter,
  deadLetterQueueOf,
  depthOf,
  redriveDeadLetters,
  showDeadLetters,
} from '#lib/adapters/dead-letters.ts';
import { createSqsClient } from '#lib/adapters/queue.ts';
import { aimAtRunningStack } from '#local/running-stack.ts';
import { fail, misused, readArguments, readNumber } from './command-line.ts';
import { openTable, say } from './operator.ts';

const USAGE = `usage:
  npm run dlq -- list    [--stage name]
  npm run dlq -- show    [alerts|jobs|checks] [--limit 20] [--stage name]
  npm run dlq -- redrive <alerts|jobs|checks|all> [--limit 100] [--stage name]
Looks at the pipeline that npm start runs here, else at AWS or AWS_ENDPOINT_URL: with --stage the queues are
remedia-<stage>-<queue>, without it ALERTS_QUEUE_URL, JOBS_QUEUE_URL and CHECKS_QUEUE_URL. With INCIDENTS_TABLE it also
says what became of each incident.`;

const QUEUES = ['alerts', 'jobs', 'checks'] as const;
type QueueName = (typeof QUEUES)[number];

const { positionals, values } = readArguments(
  USAGE,
  {
    allowPositionals: true,
    options: { stage: { type: 'string' }, limit: { type: 'string' } },
  },
  { atMost: 2 },
);
const [command = '', which] = positionals;
const { stage } = values;
if (stage === undefined) aimAtRunningStack();
const client = createSqsClient();

async function urlOf(queue: QueueName): Promise<string> {
  if (stage === undefined) {
    const name = `${queue.toUpperCase()}_QUEUE_URL`;
    return (
      process.env[name] ||
      fail(`${name} is missing, no pipeline runs on this machine, and there is no --stage.`)
    );
  }
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: `remedia-${stage}-${queue}` }));
  return QueueUrl ?? fail(`There is no queue remedia-${stage}-${queue}.`);
}

async function both(queue: QueueName): Promise<{ readonly from: string; readonly to: string }> {
  const to = await urlOf(queue);
  const from = await deadLetterQueueOf(client, to);
  return { from: from ?? fail(`The queue ${queue} has no dead-letter queue.`), to };
}

function queuesMeant(): readonly QueueName[] {
  if (which === undefined || which === 'all') return QUEUES;
  const queue = QUEUES.find((each) => each === which);
  return [queue ?? misused(USAGE, `There is no queue ${which}; there are ${QUEUES.join(', ')} and all.`)];
}

async function becameOf({ incidentId }: DeadLetter): Promise<string> {
  if (incidentId === undefined) return 'names no incident';
  if (!process.env['INCIDENTS_TABLE']) return incidentId;
  const incident = await (await openTable()).loadIncident(incidentId);
  if (incident === undefined) return `${incidentId}  no such incident`;
  return `${incidentId}  ${incident.state}${incident.outcome ? `, ${incident.outcome}` : ''}, human: ${incident.escalation}`;
}

async function tell(letter: DeadLetter): Promise<void> {
  const { messageId, body, sentAt, receiveCount } = letter;
  say(`  ${messageId}  sent ${new Date(sentAt).toISOString()}, received ${receiveCount} times`);
  say(`    ${await becameOf(letter)}`);
  say(`    ${body.slice(0, 300)}`);
}

async function main(): Promise<void> {
  const limit = readNumber(
    USAGE,
    '--limit',
    values.limit ?? (command === 'redrive' ? '100' : '20'),
    [1, 10_000],
  );
  switch (command) {
    case 'list':
      for (const queue of QUEUES) {
        const depth = await depthOf(client, (await both(queue)).from);
        say(`${queue.padEnd(7)} ${depth?.waiting ?? 0} dead, ${depth?.inFlight ?? 0} in work`);
      }
      return;
    case 'show':
      for (const queue of queuesMeant()) {
        const letters = await showDeadLetters(client, (await both(queue)).from, limit);
        say(`${queue}: ${letters.length === 0 ? 'nothing' : letters.length}`);
        for (const letter of letters) await tell(letter);
      }
      return;
    case 'redrive':
      if (which === undefined) misused(USAGE, 'The queue is missing: what is to be sent back?');
      for (const queue of queuesMeant()) {
        const { moved, left } = await redriveDeadLetters(client, await both(queue), limit);
        say(`${queue}: ${moved.length} sent back`);
        for (const letter of left)
          say(`  left, for it names no incident and would die again: ${letter.messageId}`);
      }
      return;
    default:
      misused(
        USAGE,
        command === '' ? 'What to do is missing: list, show or redrive.' : `There is no dlq ${command}.`,
      );
  }
}

try {
  await main();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
} finally {
  client.destroy();
}
