/** Which words of a name are understood: those of its subject, those that say nothing, and what is no word. */
import { describe, expect, it } from 'vitest';
import { unknownWords } from '#lib/core/filler-words.ts';

const unknown = (text: string) => unknownWords(text, 'app-01 proc.num[log4j-relay] Stadtwerk');

describe('a name is understood', () => {
  it.each([
    'The service on node 7 since 5m',
    'stadtwerk log4j-relay',
    '93% 1.5gb 20.0GB 2h 15min 2nd 5xx 137 10.0.0.5',
    'v2.1 3.14.1',
    'web3 server12 disk-2 db01',
    'print-server web/proxy log4j-gateway-2',
    '/dev/sdb1 /srv/xyz D: D:\\xyz c:/xyz',
    'pm2 k8s',
    '',
  ])('as far as it goes: %s', (text) => {
    expect(unknown(text)).toEqual([]);
  });
});

describe('a word is not understood', () => {
  it.each([
    ['in two of a subject', 'Town hall', 2],
    ['with a digit in the place of a letter', 'no7t pl4nned 2moro l8ter', 4],
    ['with a digit behind it', 'wanted2', 1],
    ['behind a number', '5vendors 2morrow', 2],
    ['with a filler behind a hyphen', 'xyz-the xyz-server', 2],
    ['with a filler in front of a hyphen', 'the-xyz', 1],
    ['behind one letter and a colon', 'x:xyz', 1],
    ['and counts once with another behind a hyphen', 'Park-Kasse', 1],
    ['in a sentence with hyphens', 'as-the-vendor-wants-it-now-forever', 2],
    ['in a sentence with low lines', 'as_the_vendor_wants_it_forever', 2],
  ])('%s: %s', (_, text, count) => {
    expect(unknown(text)).toHaveLength(count);
  });
});
