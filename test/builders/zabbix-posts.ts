/** Posts as real Zabbix servers sent them, and ways to spoil one field of them. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';

export type Post = Readonly<Record<string, unknown>>;

const captured = z.object({
  body: z.string().transform((text) => z.record(z.string(), z.string()).parse(JSON.parse(text))),
});

function read(version: string): readonly Readonly<Record<string, string>>[] {
  const file = new URL(`../fixtures/zabbix/captured-${version}.jsonl`, import.meta.url);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => captured.parse(JSON.parse(line)).body);
}

/** Each captured request's body, with where it comes from. */
export const capturedPosts: readonly {
  readonly name: string;
  readonly post: Readonly<Record<string, string>>;
}[] = ['7.0.22', '7.0.9'].flatMap((version) =>
  read(version).map((post) => ({
    name: `Zabbix ${version}, ${post['event_value'] === '1' ? 'problem' : 'recovery'}`,
    post,
  })),
);

/** The captured problem with every field that the media type of this project adds. */
export const fullProblem: Readonly<Record<string, string>> = {
  ...capturedPosts[0]?.post,
  format_version: '1',
  source: 'zabbix-main',
  event_source: '0',
  event_recovery_id: '{EVENT.RECOVERY.ID}',
  host_groups: 'Linux servers, Web servers',
  trigger_name: 'FS [/]: Space is critically low',
  trigger_name_orig: 'FS [{#FSNAME}]: Space is critically low',
  item_id: '48211',
  item_key_orig: 'vfs.fs.dependent.size[/,pused]',
  event_timestamp: '{EVENT.TIMESTAMP}',
};

/** One field spoilt in each way that a sender, a proxy or a person can think of. */
export const spoilt: readonly {
  readonly how: string;
  readonly spoil: (post: Post, field: string) => Post;
}[] = [
  {
    how: 'removed',
    spoil: (post, field) => Object.fromEntries(Object.entries(post).filter(([name]) => name !== field)),
  },
  { how: 'emptied', spoil: (post, field) => ({ ...post, [field]: '' }) },
  { how: 'unresolved', spoil: (post, field) => ({ ...post, [field]: '*UNKNOWN*' }) },
  { how: 'a literal macro', spoil: (post, field) => ({ ...post, [field]: '{SOME.MACRO}' }) },
  {
    how: 'doubled',
    spoil: (post, field) => ({ ...post, [field]: `${String(post[field])}${String(post[field])}` }),
  },
  { how: 'a number', spoil: (post, field) => ({ ...post, [field]: 42 }) },
  { how: 'null', spoil: (post, field) => ({ ...post, [field]: null }) },
  { how: 'true', spoil: (post, field) => ({ ...post, [field]: true }) },
  { how: 'an array', spoil: (post, field) => ({ ...post, [field]: [post[field]] }) },
  { how: 'an object', spoil: (post, field) => ({ ...post, [field]: { value: post[field] } }) },
  { how: '100 kB long', spoil: (post, field) => ({ ...post, [field]: 'x'.repeat(100_000) }) },
  { how: '1 MB long', spoil: (post, field) => ({ ...post, [field]: 'x'.repeat(1_000_000) }) },
  {
    how: 'with control characters',
    spoil: (post, field) => ({ ...post, [field]: `${String(post[field])}\u0000\u001b[31m\r\n` }),
  },
];
