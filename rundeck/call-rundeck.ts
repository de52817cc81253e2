/** Rundeck's API for an administrator's commands: one call, its answer as JSON, errors as one sentence without a token. */
import { type ExchangeResult, exchange } from '#lib/adapters/http-exchange.ts';

/** Enough for webhooks (33), named tokens (37) and Rundeck 4; 5.20.1 speaks 14 to 58. */
const API_VERSION = 41;

export interface RundeckAnswer {
  readonly status: number;
  readonly body: unknown;
}

export type CallRundeck = (
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: { readonly type: 'application/json' | 'application/yaml'; readonly text: string },
) => Promise<RundeckAnswer>;

function explain(result: Exclude<ExchangeResult, { kind: 'answer' }>, host: string): Error {
  return result.kind === 'never_connected'
    ? new Error(`No connection to Rundeck at ${host} (${result.code}).`)
    : new Error(`Rundeck at ${host} did not answer (${result.code}).`);
}

/** Opens the API of a server for one token. Throws one sentence when the server cannot be reached. */
export function openRundeck(url: string, token: string): CallRundeck {
  const base = url.replace(/\/+$/, '');
  const { host } = new URL(base);
  return async (method, path, body) => {
    const result = await exchange({
      method,
      url: new URL(`${base}/api/${API_VERSION}${path}`),
      headers: {
        accept: 'application/json',
        'x-rundeck-auth-token': token,
        ...(body === undefined ? {} : { 'content-type': body.type }),
      },
      ...(body === undefined ? {} : { body: body.text }),
      connectTimeoutMs: 5_000,
      timeoutMs: 30_000,
      maxBytes: 8_388_608,
    });
    if (result.kind !== 'answer') throw explain(result, host);
    let parsed: unknown;
    try {
      parsed = JSON.parse(result.text);
    } catch {
      parsed = undefined;
    }
    return { status: result.status, body: parsed };
  };
}

/** A body in JSON. */
export const json = (value: unknown) => ({ type: 'application/json', text: JSON.stringify(value) }) as const;
