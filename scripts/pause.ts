/** `npm run pause -- on | off | show`: the one switch that stops every job, by the API or straight in the table. */
import { userInfo } from 'node:os';
import * as z from 'zod';
import { loadSettings } from '#lib/runtime/environment.ts';
import { aimAtRunningStack } from '#local/running-stack.ts';
import { fail, misused, readArguments } from './command-line.ts';
import { openTable, plain } from './operator.ts';

const USAGE = `usage:
  npm run pause -- on  [--reason text] [--by name]
  npm run pause -- off [--by name]
  npm run pause -- show
  npm run resume -- [--by name]                (the same as off)
With PUBLIC_BASE_URL and OPERATOR_TOKENS it asks the API; with INCIDENTS_TABLE it turns the switch in the table itself,
also when the API is down, and the sweeper sends what waited within a minute.`;

interface State {
  readonly paused: boolean;
  readonly by?: string | undefined;
  readonly since?: string | undefined;
  readonly reason?: string | undefined;
  readonly waitingInAll: number;
  /** How many went to their queues again, where the API did that. */
  readonly sentAgain?: number | undefined;
  readonly left?: number | undefined;
  readonly waiting: readonly {
    readonly incidentId: string;
    readonly host?: string | undefined;
    readonly eventName?: string | undefined;
  }[];
}

/** `undefined` shows; a switch position turns it. */
type Turn = { readonly paused: boolean; readonly by: string; readonly reason?: string } | undefined;

const answered = z.object({
  paused: z.boolean(),
  by: z.string().optional(),
  since: z.string().optional(),
  reason: z.string().optional(),
  waitingInAll: z.number(),
  sentAgain: z.number().optional(),
  left: z.number().optional(),
  waiting: z.array(
    z.object({
      incidentId: z.string(),
      host: z.string().optional(),
      eventName: z.string().optional(),
    }),
  ),
});

async function byApi(turn: Turn): Promise<State> {
  const { PUBLIC_BASE_URL: base, OPERATOR_TOKENS: tokens } = await loadSettings([
    'PUBLIC_BASE_URL',
    'OPERATOR_TOKENS',
  ]);
  const response = await fetch(`${base}/api/v1/pause`, {
    method: turn === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${tokens[0] ?? ''}`, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(15_000),
    ...(turn !== undefined && { body: JSON.stringify(turn) }),
  }).catch(() => fail(`Nothing answers at ${base}; with INCIDENTS_TABLE instead it works without the API.`));
  if (!response.ok)
    return fail(`The API answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
  return answered.parse(await response.json());
}

async function inTable(turn: Turn): Promise<State> {
  const { savePause, loadPause, listIncidents, countIncidents } = await openTable();
  // What is held is due within a minute anyway, and the sweeper sends it to its queue.
  if (turn !== undefined) await savePause({ ...turn, since: Date.now() });
  const [pause, waiting, waitingInAll] = await Promise.all([
    loadPause(),
    listIncidents({ state: 'held', limit: 100 }),
    countIncidents({ state: 'held' }),
  ]);
  return {
    ...pause,
    waitingInAll,
    since: pause.since === undefined ? undefined : new Date(pause.since).toISOString(),
    waiting: waiting.map(({ incidentId, alert }) => ({
      incidentId,
      host: alert?.host.host,
      eventName: alert?.eventName,
    })),
  };
}

function print({ paused, by, since, reason, waiting, waitingInAll, sentAgain, left = 0 }: State): void {
  const who = `${by === undefined ? '' : ` by ${by}`}${since === undefined ? '' : ` since ${since}`}`;
  console.log(`${paused ? 'PAUSED' : 'running'}${who}${reason === undefined ? '' : `: ${plain(reason)}`}`);
  const sent = sentAgain === undefined ? 'wait' : `waited, ${sentAgain} were sent to their queues again`;
  const later = left === 0 ? '' : `, the sweeper sends ${left} within minutes`;
  console.log(waitingInAll === 0 ? 'nothing waits' : `${waitingInAll} ${sent}${later}:`);
  for (const { incidentId, host = '', eventName = '' } of waiting) {
    console.log(`  ${incidentId}  ${plain(host)}  ${plain(eventName)}`);
  }
  if (waitingInAll > waiting.length) console.log(`  and ${waitingInAll - waiting.length} more`);
}

try {
  const { positionals, values } = readArguments(
    USAGE,
    {
      allowPositionals: true,
      options: { by: { type: 'string' }, reason: { type: 'string' } },
    },
    { atMost: 1 },
  );
  const [command] = positionals;
  if (command === undefined) misused(USAGE, 'What to do is missing: on, off or show.');
  if (!['on', 'off', 'show'].includes(command)) misused(USAGE, `There is no pause ${command}.`);
  aimAtRunningStack();
  const { by = userInfo().username, reason } = values;
  const turn: Turn =
    command === 'show'
      ? undefined
      : { paused: command === 'on', by, ...(reason !== undefined && { reason }) };
  const overApi = (process.env['PUBLIC_BASE_URL'] ?? '') !== '';
  print(await (overApi ? byApi(turn) : inTable(turn)));
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
