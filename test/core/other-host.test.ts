/** Names of machines in a trigger's name: the alert's own host, or another one. */
import { describe, expect, it } from 'vitest';
import { namesAnotherHost } from '#lib/core/other-host.ts';
import { alertOf, triggerNamed } from '#test/builders/triggers.ts';

describe('a name that has the name of a machine', () => {
  const plain = alertOf(triggerNamed('Systemd: nginx.service: Service is not running'));
  const alert = {
    ...plain,
    host: { ...plain.host, host: 'web-01.example.com', name: 'Shop web-07', ip: '192.0.2.7' },
    item: { key: 'docker.container_info.state.running["/shop-worker-2"]' },
    tags: [{ tag: 'process', value: 'java-17' }],
  };

  it.each([
    'nginx down on build-03',
    'haproxy nie działa na lb-wro-07, nie tutaj',
    'Переповнений /opt стосується app-lviv-2',
    'slapd weg, jetzt auf LDAP_03',
    'nginx down on web-012',
    'nginx down on lb-web-01x-02',
    'nginx down on web3',
    'nginx down auf (pve2)',
    'nginx caiu no nó db2',
    'nginx down @cache1',
    'nginx down, Server mail7',
    'nginx on web-prod-1234',
    'web-prod-1234: nginx down',
    'nginx down on srv2044',
    'nginx down on 10.0.0.5',
    '10.0.0.5:443 down',
    'nginx down on 2001:db8::5',
    'nginx down on 2001:db8:0:0:0:0:0:5',
    'nginx down on srv04.example.com',
    'nginx down on build.example.com',
    'nginx down on build.local',
    'nginx down on web-02.example.com',
    'nginx down on web-01.example.org',
    'nginx down on disk-web-02',
    'nginx down on disk-01',
    'nginx down on gpu-02',
    'core-03: nginx down',
    'nginx down on md02',
    'nginx down on http-02',
    'nginx down on node 2',
    'nginx auf Knoten 2 gestoppt',
    'nginx parado no servidor 2',
    'nginx arrêté sur le serveur 3',
    'nginx caído en el nodo 14',
    'nginx down, host 4',
    'Server #3: nginx down',
    'Rechner Nr. 12: nginx down',
    'node 2 down, see node 1',
    'node 2 malfunctions',
    'server 2 timed out',
    'VM 502: nginx down',
    'nginx caiu no nó 2',
    'nginx nie działa na węźle 2',
    'nginx не работает на сервере 2',
  ])('speaks of another one: %s', (text) => {
    expect(namesAnotherHost(text, alert)).toBe(true);
  });

  it.each([
    'nginx down on web-01',
    'nginx down on WEB-01',
    'nginx down on web-01-b-2',
    'Shop web-07: nginx down',
    'shop-worker-2 died',
    'no java-17 process',
    '/mnt/vol-01 is full',
    'tomcat9 down, exit code 137',
    'nginx@a-1 down',
    'nginx down',
    'nginx down on web-01.example.com',
    'nginx down on 192.0.2.7, not on 127.0.0.1 nor 0.0.0.0 nor ::1',
    'FIDS node 7 down',
    'php8.2-fpm down',
    'no process of php8.2-fpm',
    'log4j on this host',
    'web1 down',
    'nginx down on eth0 and nvme0n1, on sdb1',
    'nginx.service on node.js',
    'nginx down at my.shop.service',
    'com.example.shop is down',
    'nginx down, see app.2026.log',
    'nginx 1.27.3 down',
    'nginx down since 12:30:45',
    'https://www.example.com/ down',
    '/var on md127 full',
    'Disk sda15 full',
    'vol01 full',
    'vol-01 full',
    'disk-2 almost full',
    'Volume dm-10 full',
    'nginx port443 closed',
    'nginx: HTTP-502',
    'no link on ens192 nor enp0s31 nor bond10',
    'nvme0n12, md127p10 and nvme0n1p12 are slow',
    'nginx down on node 1',
    'Node 01: nginx down',
    'nginx down on Server 7',
    'nginx down on worker 2 of shop-worker-2',
    'Windows Server 2019: nginx down',
    'nginx server 502',
    'server 90 % busy, server 90% busy',
    'host 5 minutes without data',
    'Server 30 Minuten ohne Daten, server 2 times down',
    'server 2.5 times as slow',
    'vm 16 GB short of memory',
    'numa node 0 full',
    'nginx: no 2 processes',
    'localhost 2 of 3 checks failed',
  ])('speaks of its own, or of none: %s', (text) => {
    expect(namesAnotherHost(text, alert)).toBe(false);
  });

  it('is its own where the host has no dot, or is called by the end of its name', () => {
    const other = { ...alert, host: { host: 'se-ns2' } };
    expect(namesAnotherHost('named down on ns2', other)).toBe(false);
    expect(namesAnotherHost('named down on ns2.example.com', other)).toBe(true);
    expect(namesAnotherHost('named down on se-ns2.example.com', other)).toBe(false);
    expect(namesAnotherHost('named down on xns2', other)).toBe(true);
  });

  describe('where it is the address of what the alert is about', () => {
    const about = (key: string, value = 'x') => ({
      ...alert,
      item: { key },
      tags: [{ tag: 'service', value }],
      host: { host: 'web-01.example.com', name: 'Portal' },
    });

    it.each([
      ['app.health[shop]', 'x', 'Shop (shop.example.com) is down'],
      ['docker.container_info.state.running["/shop"]', 'x', 'shop.example.com is down'],
      ['systemd.unit.info["shop.service"]', 'x', 'shop.example.com is down'],
      ['app.health', 'Shop', 'shop.example.com is down'],
      ['app.health', 'x', 'portal.example.com is down'],
    ])('is its own: %s, %s: %s', (key, value, text) => {
      expect(namesAnotherHost(text, about(key, value))).toBe(false);
    });

    it.each([
      ['shop.health[up]', 'x', 'shop.example.com is down'],
      ['app.health[shop.example.net]', 'x', 'shop.example.com is down'],
      ['app.health[shop]', 'x', 'Shop is down on build.example.com'],
      ['app.health[shop]', 'web-01', 'web-01.example.org is down'],
    ])('is another one: %s, %s: %s', (key, value, text) => {
      expect(namesAnotherHost(text, about(key, value))).toBe(true);
    });

    it('is another one where the host is all that is known', () => {
      const bare = { ...alert, item: {}, tags: [], host: { host: 'web-01' } };
      expect(namesAnotherHost('shop.example.com is down', bare)).toBe(true);
    });
  });

  describe('with the release of a program', () => {
    const of = (host: string, key: string, value = 'x') => ({
      ...alert,
      item: { key },
      tags: [{ tag: 'service', value }],
      host: { host },
    });

    it.each([
      ['PostgreSQL15 down', of('shop', 'proc.num[postgresql]')],
      ['PostgreSQL15 down', of('shop', 'postgresql.ping')],
      ['PostgreSQL15 down', of('shop', 'systemd.unit.info["postgresql.service"]')],
      ['Tomcat10 down', of('shop', 'app.health', 'tomcat10')],
      ['Tomcat10 down', of('shop', 'app.health', 'Tomcat')],
      ['Tomcat10 down', of('tomcat', 'app.health', 'tomcat')],
    ])('is no machine: %s', (text, each) => {
      expect(namesAnotherHost(text, each)).toBe(false);
    });

    it.each([
      ['PostgreSQL15 down', of('shop', 'proc.num[nginx]')],
      ['Tomcat10 down', of('tomcat', 'proc.num[nginx]')],
      ['Tomcat10 down', of('tomcat-03', 'proc.num[tomcat]')],
      ['Tomcat02 down', of('shop', 'proc.num[tomcat]')],
      ['Tomcat-10 down', of('shop', 'proc.num[tomcat]')],
      ['No tomcat on tomcat10', of('shop', 'proc.num[tomcat]')],
      ['mail12: postfix down', of('shop', 'mail.health[postfix]')],
    ])('may be a machine all the same: %s', (text, each) => {
      expect(namesAnotherHost(text, each)).toBe(true);
    });
  });

  it.each([
    ['fids-node-7', 'FIDS node 7 down', false],
    ['fids-node-7', 'FIDS node 8 down', true],
    ['web-02', 'nginx down on node 2', false],
    ['web-02', 'nginx down on node 02', false],
    ['web02.example7.com', 'nginx down on node 2', false],
    ['web02.example-7.com', 'nginx down on node 7', true],
    ['k8s-node-3', 'nginx down on node 8', true],
    ['web-12', 'nginx down on node 2', true],
    ['10.0.0.2', 'nginx down on node 2', true],
  ])('on %s with its number apart: %s', (host, text, another) => {
    expect(namesAnotherHost(text, { ...alert, item: {}, tags: [], host: { host } })).toBe(another);
  });

  it('with its number apart is its own where key or tags have it', () => {
    for (const value of ['node-2', 'node2']) {
      const tags = [{ tag: 'node', value }];
      expect(namesAnotherHost('nginx down on node 2', { ...alert, tags })).toBe(false);
    }
  });

  it('is not made its own by a sentence in a tag', () => {
    const tags = [{ tag: 'description', value: 'moved to build-03' }];
    expect(namesAnotherHost('nginx down on build-03', { ...alert, tags })).toBe(true);
  });

  it('is read in a time that grows no faster than the name', () => {
    for (const unit of [
      'a-',
      'aa_',
      'a1',
      'aa-1-',
      'aa-0000',
      'aa-a-',
      '1.',
      'a.',
      'a:',
      '::',
      'on ',
      '@ ',
      ' ',
      'node ',
      'node 1 ',
      'node no ',
      'tomcat10 ',
      'enp0s',
      'nvme0n1 ',
    ]) {
      expect(namesAnotherHost(unit.repeat(20_000), alert)).toBeTypeOf('boolean');
    }
  });
});
