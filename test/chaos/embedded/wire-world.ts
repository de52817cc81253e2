/** The world as functions reach it: what they send over HTTP to Rundeck, the model, Zabbix and the chat is answered here. */
import { EventEmitter } from 'node:events';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import * as z from 'zod';
import { catalogue, toolByName } from '#lib/catalogue/index.ts';
import type { ToolArguments } from '#lib/catalogue/tool.ts';
import type { HumanMessage } from '#lib/core/incident.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { Clock } from '#lib/workflow/ports.ts';
import type { Running } from '#test/chaos/invocations.ts';
import type { Ordered } from '#test/chaos/journal.ts';
import type { Randomness } from '#test/chaos/randomness.ts';
import type { World, WorldExecution } from '#test/chaos/world.ts';

/** Addresses of the world; nothing listens there. */
export const WORLD_URL = 'http://world.test';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}
/** No connection was made, or the connection broke. */
type Broken = 'ECONNREFUSED' | 'ECONNRESET';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

const ok = (body: unknown): Answer => ({ status: 200, body });

/** Answers requests with the world's own words. */
function makeAnswer(parts: {
  readonly world: () => World;
  readonly clock: Clock;
  readonly onQuestion: () => void;
  /** The message of a record that a chat's text came from. */
  readonly messageOf: (text: string) => HumanMessage;
}): (asked: Asked) => Promise<Answer> {
  const { world, clock, messageOf, onQuestion } = parts;
  return async ({ path, query, body }) => {
    const webhook = /^\/api\/\d+\/webhook\/(\w+)$/.exec(path)?.[1];
    if (webhook !== undefined) return runJob(world(), body);
    const [, id = '', output] = /^\/rundeck\/api\/\d+\/execution\/(\d+)(\/output)?$/.exec(path) ?? [];
    if (output !== undefined) {
      return ok({ entries: [{ log: await world().ports.readOutput(id) }] });
    }
    if (id !== '') {
      const found = await world().ports.readExecution(id);
      const execution =
        found &&
        world()
          .executions()
          .find((each) => each.id === id);
      return execution ? ok(rundecks(execution)) : { status: 404, body: {} };
    }
    const job = /^\/rundeck\/api\/\d+\/job\/([^/]+)\/executions$/.exec(path)?.[1];
    if (job !== undefined) return ok({ executions: await executionsOf(world(), job, query) });
    switch (path) {
      case '/chat':
        await world().ports.tellHuman(messageOf(z.object({ text: z.string() }).parse(body).text));
        return ok('ok');
      case '/ollama/api/show':
        return ok({ capabilities: ['completion', 'tools'], model_info: {} });
      case '/ollama/api/tags':
        return ok({ models: [{ name: 'simulated:latest', digest: 'a'.repeat(64) }] });
      case '/ollama/api/ps':
        return ok({ models: [] });
      case '/ollama/api/chat':
        onQuestion();
        return ok(await chat(world(), body));
      case '/zabbix/api_jsonrpc.php':
        return ok({ jsonrpc: '2.0', id: 1, result: await zabbix(world(), clock, body) });
      default:
        return { status: 404, body: {} };
    }
  };
}

/** What the world's refusals look like over HTTP; `undefined` for what never arrived. */
function answerOf(error: unknown): Answer | Broken {
  if (!(error instanceof UpstreamError)) throw error;
  const { upstream, code } = error;
  if (code === 'unreachable') return 'ECONNREFUSED';
  if (upstream === 'rundeck') {
    return code === 'busy'
      ? { status: 400, body: { err: { code: 'Limit of running executions has been reached' } } }
      : { status: 403, body: { err: 'You are not authorized to perform this action' } };
  }
  if (upstream === 'ollama') {
    if (code === 'busy') return { status: 503, body: { error: 'server busy' } };
    if (code === 'model_missing') return { status: 404, body: { error: 'model not found' } };
    return code === 'refused' ? 'ECONNREFUSED' : 'ECONNRESET';
  }
  return { status: 500, body: {} };
}

const webhookPost = z.looseObject({
  remedia_decision_id: z.string(),
  remedia_incident_id: z.string(),
  remedia_event_id: z.string(),
  node: z.string(),
  tool: z.string(),
});

async function runJob(world: World, body: unknown): Promise<Answer> {
  const post = webhookPost.parse(body);
  const tool = toolByName(post.tool);
  if (tool === undefined) throw new Error(`a webhook was asked for the tool ${post.tool}`);
  const given: ToolArguments = Object.fromEntries(
    Object.keys(tool.parameters.shape).flatMap((name) => {
      const value = post[name];
      // What the decision left open.
      return typeof value !== 'string' || value === 'default' ? [] : [[name, value]];
    }),
  );
  const order: Ordered = {
    tool: tool.name,
    decisionId: post.remedia_decision_id,
    incidentId: post.remedia_incident_id,
    eventId: post.remedia_event_id,
    node: post.node,
    arguments: given,
  };
  const { executionId } = await world.ports.runJob(order);
  return ok({ jobId: tool.job?.uuid ?? '', executionId });
}

function rundecks({ id, status, startedAt, endedAt, decisionId, url }: WorldExecution): object {
  return {
    id: Number(id),
    status,
    permalink: url,
    'date-started': { unixtime: startedAt },
    ...(endedAt !== undefined && { 'date-ended': { unixtime: endedAt } }),
    job: { options: { remedia_decision_id: decisionId } },
  };
}

async function executionsOf(world: World, uuid: string, query: URLSearchParams): Promise<readonly object[]> {
  // Refuses as everything of a dead Rundeck does.
  await world.ports.readExecution('0');
  const tool = Object.values(catalogue).find(({ job }) => job?.uuid === uuid)?.name;
  const wanted = query.get('status');
  const from = Number(query.get('offset') ?? 0);
  return world
    .executions()
    .filter((each) => each.tool === tool && (wanted === null || each.status === wanted))
    .slice(from, from + Number(query.get('max') ?? 20))
    .map(rundecks);
}

async function chat(world: World, body: unknown): Promise<object> {
  const { format } = z.object({ format: z.record(z.string(), z.unknown()) }).parse(body);
  const answer = await world.ports.askModel({ system: '', examples: [], brief: '', tools: [], format });
  return {
    model: 'simulated',
    message: { role: 'assistant', content: answer.content },
    done_reason: answer.doneReason,
  };
}

const rpc = z.object({
  method: z.string(),
  params: z.looseObject({
    eventids: z.array(z.string()).default([]),
    filter: z.looseObject({}).optional(),
    countOutput: z.boolean().default(false),
  }),
});

async function zabbix(world: World, clock: Clock, body: unknown): Promise<unknown> {
  const { method, params } = rpc.parse(body);
  const [eventId = ''] = params.eventids;
  switch (method) {
    case 'event.acknowledge':
      await world.ports.commentEvent(eventId, '', { acknowledge: false });
      return { eventids: params.eventids };
    case 'event.get': {
      if (params.countOutput) return '1';
      const event = await world.ports.readEvent(eventId);
      if (event.kind === 'not_found') return [];
      const at = event.kind === 'recovered' ? event.at : clock();
      const common = {
        eventid: eventId,
        clock: String(Math.floor(at / 1000)),
        suppressed: '0',
        acknowledged: '0',
      };
      return [
        {
          ...common,
          objectid: world.alertOf(eventId)?.trigger.id ?? '0',
          value: '1',
          r_eventid: event.kind === 'recovered' ? '1' : '0',
          suppression_data: [],
        },
      ];
    }
    case 'host.get': {
      const context = await world.ports.readHostContext({ eventId: '', triggerId: '', host: '' });
      return [
        {
          hostid: '1',
          status: '0',
          maintenance_status: context.maintenance ? '1' : '0',
          active_available: '1',
          interfaces: [],
        },
      ];
    }
    default:
      return [];
  }
}

/**
 * Takes over what functions send to the world, until the answered function is called. Only `exchange` sends there, so
 * only what it uses of Node's request is here.
 */
export function takeOverHttp(parts: {
  readonly current: () => Running | undefined;
  readonly random: Randomness;
  readonly world: () => World;
  readonly clock: Clock;
  readonly onQuestion: () => void;
  readonly messageOf: (text: string) => HumanMessage;
}): () => void {
  const { current, random, world } = parts;
  const answer = makeAnswer(parts);
  const http: { request: unknown } = createRequire(import.meta.url)('node:http');
  const real = http.request;
  http.request = (...given: unknown[]): unknown => {
    const [url, options] = given;
    const running = current();
    if (!(url instanceof URL) || !url.href.startsWith(WORLD_URL)) {
      return typeof real === 'function' ? Reflect.apply(real, http, given) : undefined;
    }
    const method = z.object({ method: z.string() }).parse(options).method;
    const outgoing = new EventEmitter();
    let destroyed = false;
    const send = async (text: string | undefined) => {
      const socket = new EventEmitter();
      outgoing.emit('socket', socket);
      const asked: Asked = {
        method,
        path: url.pathname,
        query: url.searchParams,
        body: text === undefined ? undefined : JSON.parse(text),
      };
      let connected = false;
      const connect = () => {
        if (connected || destroyed) return;
        connected = true;
        socket.emit('connect');
      };
      const port = portOf(url.pathname);
      const dead = DEAD_OF[port];
      // Half of what hangs on its way there is the connection itself, the other half the request that follows.
      if (running && !(dead && world().isDead(dead)) && random.chance(0.5)) connect();
      const reached = async (): Promise<Answer | Broken> => {
        // Whoever gave up before the connection stood has sent nothing; what was sent goes on without them.
        if (destroyed && !connected) return 'ECONNREFUSED';
        const got = await answer(asked).catch(answerOf);
        if (got !== 'ECONNREFUSED') connect();
        return got;
      };
      // What a function asks while it is loaded is part of no invocation.
      if (running === undefined) return settle(await reached());
      const got = await running.effect<Answer | Broken>(port, reached, {
        fail: (fault) => {
          if (fault === 'before' && random.chance(0.6)) {
            return random.chance(0.5) && !connected
              ? 'ECONNREFUSED'
              : { status: random.pick([429, 503]), body: {} };
          }
          // A gateway's word, whether the request came through or not.
          return random.chance(0.5) ? 'ECONNRESET' : { status: random.pick([500, 502, 504]), body: {} };
        },
      });
      settle(got);

      function settle(got: Answer | Broken): void {
        if (destroyed) return;
        if (got !== 'ECONNREFUSED') connect();
        if (typeof got === 'string') {
          outgoing.emit('error', Object.assign(new Error(got), { code: got }));
          return;
        }
        const incoming = Object.assign(new EventEmitter(), {
          statusCode: got.status,
          headers: { 'content-type': 'application/json' },
        });
        outgoing.emit('response', incoming);
        incoming.emit(
          'data',
          Buffer.from(typeof got.body === 'string' ? got.body : JSON.stringify(got.body)),
        );
        incoming.emit('end');
      }
    };
    return Object.assign(outgoing, {
      end: (text?: string) => void send(text),
      destroy: () => {
        destroyed = true;
      },
    });
  };
  syncBuiltinESMExports();
  return () => {
    http.request = real;
    syncBuiltinESMExports();
  };
}

/** Whose death each port meets; a dead chat still answers, with an error. */
const DEAD_OF: Readonly<Record<string, 'rundeck' | 'model'>> = {
  runJob: 'rundeck',
  readExecution: 'rundeck',
  askModel: 'model',
};

/** The names that the in-memory effects have, for what is counted by them. */
function portOf(path: string): string {
  if (path.includes('/webhook/')) return 'runJob';
  if (path.startsWith('/rundeck')) return 'readExecution';
  if (path.startsWith('/ollama')) return 'askModel';
  return path.startsWith('/zabbix') ? 'readEvent' : 'tellHuman';
}
