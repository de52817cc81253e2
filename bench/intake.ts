/** `npm run bench:intake`: how many alerts a second one machine acknowledges, and what of their cost is ours. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { readArguments, readNumber } from '../scripts/command-line.ts';
import { type EmbeddedStack, startEmbeddedStack } from './embedded-stack.ts';
import { measureFunctionCost } from './function-cost.ts';
import { everyPostWasAcknowledged, judgeIntake, type Kind, loadTable, shareTable } from './intake-report.ts';
import { type Measured, measureLoad } from './load.ts';
import { loadLine, machineLine } from './machine.ts';

const USAGE = `usage: npm run bench:intake -- [--connections LIST] [--posts N] [--seconds N] [--calls N] [--profile DIR]

Posts signed alerts to what npm start starts, with durable data in a temporary folder.

  --connections LIST  by default 1,8,32,128
  --posts N           at most so many a measurement, by default 4000
  --seconds N         and at most so long, by default 8
  --calls N           calls of the function alone, by default 3000
  --profile DIR       writes CPU profiles of the stack there

Ends with 1 when a post was not acknowledged, or one that was is not recorded. A time that misses what was promised is
said aloud, and does not.`;

const { values: options } = readArguments(USAGE, {
  options: {
    connections: { type: 'string', default: '1,8,32,128' },
    posts: { type: 'string', default: '4000' },
    seconds: { type: 'string', default: '8' },
    calls: { type: 'string', default: '3000' },
    profile: { type: 'string' },
  },
});

/** Every so many acknowledged alerts, one is looked for afterwards. */
const LOOK_FOR_ONE_IN = 100;
/** What was under way at the end of a measurement is over by then. */
const SETTLE_MS = 500;

const levels = options.connections
  .split(',')
  .map((each) => readNumber(USAGE, '--connections', each, [1, 10_000]));
const atMost = {
  posts: readNumber(USAGE, '--posts', options.posts, [1, 1_000_000]),
  seconds: readNumber(USAGE, '--seconds', options.seconds, [1, 3600]),
};
const calls = readNumber(USAGE, '--calls', options.calls, [1, 1_000_000]);
const warmUp = { connections: 8, atMost: { posts: Math.min(400, atMost.posts), seconds: 10 } };
const accepted = z.object({ incidentId: z.string() });
let lost = 0;
let lookedFor = 0;

console.log(machineLine());
const cost = await measureFunctionCost(calls);

const paused = await withStack(async (stack) => {
  await stack.pause();
  return [
    await measureKind('Refused: another method', stack, {
      method: 'PUT',
      wanted: 405,
      post: stack.posts.alert,
    }),
    await measureKind('A test post: not recorded', stack, {
      method: 'POST',
      wanted: 200,
      post: stack.posts.test,
    }),
    await measureKind('Alerts, decisions paused', stack, {
      method: 'POST',
      wanted: 202,
      post: stack.posts.alert,
    }),
  ];
});
const running = await withStack(async (stack) => [
  await measureKind('Alerts, decisions running', stack, {
    method: 'POST',
    wanted: 202,
    post: stack.posts.alert,
  }),
]);

const kinds = [...paused, ...running];
console.log(`\n${loadTable(kinds)}\n`);
const at = levels.includes(8) ? 8 : (levels[0] ?? 1);
console.log(`CPU of the stack for an alert, with ${at} connections:\n`);
console.log(
  `${shareTable(kinds, at, ['The gateway, and a function that refuses', 'Reading the alert', 'The table, the queue, and decisions that are held', 'Decisions that are made'])}\n`,
);
console.log(
  `CPU of receive-alert itself: ${cost.whole.toFixed(2)} ms a call, of which ${cost.endpoint.toFixed(2)} ms are its ` +
    'endpoint and the rest the AWS SDK.',
);
console.log(`${lookedFor} acknowledged alerts were looked for, ${lost} of them are not recorded.`);
const alerts = kinds.filter(({ name }) => name.startsWith('Alerts'));
for (const [promise, kept] of judgeIntake(alerts, cost))
  console.log(`${kept ? 'kept  ' : 'MISSED'} ${promise}`);
console.log(`load average now ${loadLine()}`);
if (lost > 0 || !everyPostWasAcknowledged(alerts)) process.exitCode = 1;

async function withStack<Result>(use: (stack: EmbeddedStack) => Promise<Result>): Promise<Result> {
  const stack = await startEmbeddedStack({ profileInto: options.profile });
  try {
    return await use(stack);
  } finally {
    await stack.stop();
  }
}

async function measureKind(
  name: string,
  stack: EmbeddedStack,
  request: Pick<Parameters<typeof measureLoad>[0], 'method' | 'post' | 'wanted'>,
): Promise<Kind> {
  const ids: string[] = [];
  let answers = 0;
  const target = {
    ...request,
    url: `${stack.url}/api/v1/zabbix/alert`,
    usage: stack.usage,
    ...(request.wanted === 202 && {
      read: (body: string) => {
        answers += 1;
        if (answers % LOOK_FOR_ONE_IN === 1) ids.push(accepted.parse(JSON.parse(body)).incidentId);
      },
    }),
  };
  await measureLoad(target, warmUp);
  const rows: Measured[] = [];
  for (const connections of levels) {
    await sleep(SETTLE_MS);
    rows.push(await measureLoad(target, { connections, atMost }));
  }
  for (const id of ids) {
    const { status } = await fetch(`${stack.url}/api/v1/incidents/${id}`, {
      headers: { authorization: `Bearer ${stack.token}` },
    });
    lookedFor += 1;
    if (status !== 200) lost += 1;
  }
  return { name, rows };
}
