/** Zabbix item keys: what is read, and what is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseItemKey } from '#lib/core/item-key.ts';

describe('an item key', () => {
  it.each([
    ['system.uptime', 'system.uptime', []],
    ['vfs.fs.size[/var,pused]', 'vfs.fs.size', ['/var', 'pused']],
    ['vfs.fs.size[ "/var log", pused]', 'vfs.fs.size', ['/var log', 'pused']],
    ['net.tcp.service[tcp,,3128]', 'net.tcp.service', ['tcp', '', '3128']],
    ['proc.num[]', 'proc.num', ['']],
    ['proc.num[,,]', 'proc.num', ['', '', '']],
    ['custom["a,b]c","say \\"hi\\""]', 'custom', ['a,b]c', 'say "hi"']],
    ['perf_counter_en["\\System\\Threads"]', 'perf_counter_en', ['\\System\\Threads']],
    ['custom[[a,b],c]', 'custom', ['[a,b]', 'c']],
    [
      'jmx["java.lang:type=Memory","HeapMemoryUsage.used"]',
      'jmx',
      ['java.lang:type=Memory', 'HeapMemoryUsage.used'],
    ],
    [
      'docker.container_info.state.health["/orders-api"]',
      'docker.container_info.state.health',
      ['/orders-api'],
    ],
  ])('%s is read', (key, name, parameters) => {
    expect(parseItemKey(key)).toEqual({ name, parameters });
  });

  it.each([
    '',
    '[x]',
    'vfs.fs.size[/var',
    'vfs.fs.size/var]',
    'vfs.fs.size["/var]',
    'vfs.fs.size["/var"x]',
    'vfs.fs.size[a]b]',
    'a b[c]',
    'key[a] ; rm',
  ])('%s is none', (key) => {
    expect(parseItemKey(key)).toBeUndefined();
  });

  it('reads back every quoted text that Zabbix could write', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string().filter((text) => !text.includes('\\')),
          { minLength: 1 },
        ),
        (texts) => {
          const key = `k[${texts.map((text) => `"${text.replaceAll('"', '\\"')}"`).join(',')}]`;
          expect(parseItemKey(key)).toEqual({ name: 'k', parameters: texts });
        },
      ),
    );
  });

  it('ends for any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2_000 }), (text) => {
        parseItemKey(text);
        parseItemKey(`k[${text}]`);
      }),
    );
  });
});
