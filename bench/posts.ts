/** Alerts as a benchmark sends them: each of another event, with a token and a signature as a real sender makes them. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as z from 'zod';

/** Few alerts of one host, or it would count as flapping. */
const HOSTS = 1_000;
const FIRST_EVENT = 1_000_000;

export interface Post {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Posts {
  /** A new alert each time. */
  readonly alert: () => Post;
  /** What the media type's Test button posts: let in and read like an alert, but neither recorded nor queued. */
  readonly test: () => Post;
}

export function makePosts({ token, hmacKey }: { readonly token: string; readonly hmacKey: string }): Posts {
  const sample = z
    .record(z.string(), z.string())
    .parse(JSON.parse(readFileSync(new URL('../local/samples/disk-problem.json', import.meta.url), 'utf8')));
  const post = (fields: Readonly<Record<string, string>>): Post => {
    const body = JSON.stringify({ ...sample, ...fields });
    const timestamp = String(Math.floor(Date.now() / 1000));
    return {
      body,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'x-remedia-timestamp': timestamp,
        'x-remedia-signature': createHmac('sha256', hmacKey).update(`${timestamp}.${body}`).digest('hex'),
      },
    };
  };
  let event = FIRST_EVENT;
  return {
    alert: () => {
      event += 1;
      const host = `web-${event % HOSTS}`;
      return post({
        event_id: String(event),
        trigger_id: String(event),
        host_host: host,
        host_name: `${host}.example.com`,
      });
    },
    test: () => post({ event_id: '{EVENT.ID}' }),
  };
}
