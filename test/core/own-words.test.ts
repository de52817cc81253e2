/** What an alert's host, key and tags make known, and that a sentence among them makes nothing known. */
import { describe, expect, it } from 'vitest';
import { isIdentifier, ownWords } from '#lib/core/own-words.ts';
import { anAlert } from '#test/builders/incidents.ts';

describe('what is known of a name', () => {
  it('are host, key and values of tags', () => {
    const alert = anAlert({
      host: { host: 'web-01', name: 'shop' },
      item: { key: 'net.tcp.service["http",,8080]' },
      tags: [{ tag: 'a', value: 'nginx' }],
    });
    expect(ownWords(alert).split(' ')).toEqual([
      'web-01',
      'shop',
      'net.tcp.service',
      'http',
      '8080',
      'nginx',
    ]);
  });

  it('is no sentence, whoever wrote it', () => {
    const alert = anAlert({
      host: { host: 'web-01', name: 'web the vendor mends' },
      item: { key: 'proc.num["the vendor mends it"]' },
      tags: [{ tag: 'a', value: 'as the vendor wants' }],
    });
    expect(ownWords(alert)).toBe('web-01 proc.num');
  });

  it('is the host alone where there is nothing else', () => {
    expect(ownWords({ ...anAlert({ host: { host: 'web-01' }, tags: [] }), item: {} })).toBe('web-01');
  });
});

describe('an identifier', () => {
  it.each(['nginx.service', '/srv/shop', 'MSSQL$ERP', '支付网关', 'x'.repeat(64)])('is %s', (value) => {
    expect(isIdentifier(value)).toBe(true);
  });

  it.each(['', 'two words', 'x'.repeat(65), '因为供应商正在机房里维修'])('is not %s', (value) => {
    expect(isIdentifier(value)).toBe(false);
  });
});
