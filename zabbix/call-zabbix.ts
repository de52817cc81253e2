/** Calls Zabbix's JSON-RPC API as an administrator does, for setting it up and for tests. */
import * as z from 'zod';
import { postJson } from '#lib/adapters/post-json.ts';

/** Calls one method and reads its result by the schema. Throws an Error with Zabbix's own words. */
export type CallZabbix = <T>(method: string, params: unknown, result: z.ZodType<T>) => Promise<T>;

export type Login = { readonly token: string } | { readonly user: string; readonly password: string };

const answerSchema = z.union([
  z.object({ error: z.object({ message: z.string(), data: z.string().optional() }) }),
  z.object({ result: z.unknown() }),
]);

/** @param url the frontend's address, with or without `/api_jsonrpc.php` */
export async function openZabbix(url: string, login: Login): Promise<CallZabbix> {
  if ('token' in login) return callWith(url, login.token);
  return callWith(url, await logIn(url, login.user, login.password));
}

/** A session's id, which the API takes like a token. */
export function logIn(url: string, username: string, password: string): Promise<string> {
  return callWith(url)('user.login', { username, password }, z.string());
}

function callWith(url: string, token?: string): CallZabbix {
  return async (method, params, result) => {
    const { status, text } = await postJson('zabbix', {
      url: url.endsWith('.php') ? url : `${url.replace(/\/+$/, '')}/api_jsonrpc.php`,
      headers: {
        'content-type': 'application/json-rpc',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: { jsonrpc: '2.0', method, params, id: 1 },
      timeoutMs: 60_000,
      maxBytes: 50_000_000,
    });
    if (status !== 200) throw new Error(`Zabbix, ${method}: HTTP ${status}; is the address right?`);
    const answer = answerSchema.parse(JSON.parse(text));
    if ('error' in answer)
      throw new Error(`Zabbix, ${method}: ${answer.error.data ?? ''} (${answer.error.message})`);
    return result.parse(answer.result);
  };
}
