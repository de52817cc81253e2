/** The lab as far as it goes without images: its description, its packages, and every situation on a real host. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { realPart, requirePrograms } from './real-part.ts';
import { host, installScripts, verdictOf } from './target-host-lab.ts';

const run = promisify(execFile);
const lab = join(import.meta.dirname, '../../utils/docker');
const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');

/** `docker compose config`, or the library that it is made of where only Go is there. */
function composeReader(): ((file: string) => Promise<unknown>) | undefined {
  if (spawnSync('docker', ['compose', 'version']).status === 0) {
    return (file) => run('docker', ['compose', '-f', file, 'config', '--quiet'], { timeout: 60_000 });
  }
  if (!requirePrograms('docker compose, nor Go to build its library', ['go'])) return undefined;
  const cwd = join(import.meta.dirname, 'compose-config');
  const built = join(cache, 'remedia', 'compose-config');
  return async (file) => {
    await run('go', ['build', '-o', built, '.'], { cwd, timeout: 280_000 });
    return run(built, [file], { timeout: 60_000 });
  };
}

describe('the description of the lab', () => {
  const read = composeReader();
  it.skipIf(!read)('is what docker compose accepts', async () => {
    await read?.(join(lab, 'compose.yaml'));
  });

  it.skipIf(!read)('would be refused with a mistake in it', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'lab-')), 'compose.yaml');
    const text = readFileSync(join(lab, 'compose.yaml'), 'utf8');
    for (const mistake of [text.replace('ports:', 'port:'), text.replace('[keys]', '[kees]')]) {
      writeFileSync(file, mistake);
      await expect(read?.(file)).rejects.toThrow();
    }
  });
});

describe('the image of a target host', () => {
  const debian = /^VERSION_ID="12"$/m.test(
    spawnSync('cat', ['/etc/os-release'], { encoding: 'utf8' }).stdout,
  );
  if (!debian) console.warn('\nSKIPPED, nothing here was tested: the packages are those of Debian 12\n');

  it.skipIf(!debian)('names packages that are there', async () => {
    const text = readFileSync(join(lab, 'target/Dockerfile'), 'utf8');
    const [, named = ''] = /--no-install-recommends([^&]*)&&/.exec(text) ?? [];
    const packages = named.split(/[\s\\]+/).filter((word) => word !== '');
    expect(packages).toContain('zabbix-agent2');
    const words = ['install', '--simulate', '-qq', '--no-install-recommends', ...packages];
    const look = () => run('apt-get', words, { timeout: 60_000 });
    await look().catch(async () => {
      // A machine that has never looked knows no package at all.
      await run('apt-get', ['update', '-q'], { timeout: 120_000 });
      await look();
    });
  });
});

const real = realPart('target host', ['TARGET_HOST_CMD']);

describe.skipIf(!real)('a situation', () => {
  const bin = mkdtempSync(join(tmpdir(), 'lab-bin-'));
  const name = process.env['TARGET_NAME'] ?? 'web-01';
  const address = process.env['TARGET_IP'] ?? '192.0.2.10';

  /** Causes a situation, by the script itself; only the command docker is one that means the target host. */
  const cause = async (situation: string) => {
    const { stdout } = await run(join(lab, 'break.sh'), [situation, 'web-01'], {
      timeout: 120_000,
      env: {
        ...process.env,
        PATH: [bin, process.env['PATH']].join(delimiter),
        LAB_MINUTES: '2',
        LAB_PROCESSORS: '1',
        LAB_LEAK_MIB: '96',
        LAB_FLAP_SECONDS: '1',
      },
    });
    expect(stdout).toContain(`${situation} on `);
    return stdout;
  };
  const root = async (line: string) => (await host.root(line)).output.trim();
  const job = (script: string, ...words: readonly string[]) => host.job(script, ...words);
  const answers = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect({ host: address, port: 80, timeout: 1_500 });
      for (const [event, yes] of [
        ['connect', true],
        ['error', false],
        ['timeout', false],
      ] as const) {
        socket.once(event, () => {
          socket.destroy();
          resolve(yes);
        });
      }
    });
  const page = () => root('curl -s -o /dev/null -m 2 -w "%{http_code}" http://127.0.0.1/ || true');
  const becomes = async (what: () => Promise<unknown>, wanted: unknown) => {
    const until = Date.now() + 15_000;
    while ((await what()) !== wanted && Date.now() < until) await pause(200);
    expect(await what()).toBe(wanted);
  };

  beforeAll(async () => {
    writeFileSync(
      join(bin, 'docker'),
      [
        '#!/bin/bash',
        '# compose -f FILE VERB [-T] HOST [COMMAND...]',
        'shift 3; verb=$1; shift',
        `case $verb in`,
        `  exec) [ "$2" = web-01 ] || exit 1; shift 2; exec "$TARGET_HOST_CMD" exec "$@" ;;`,
        `  pause) ip link set 've-${name}' down ;;`,
        `  unpause) ip link set 've-${name}' up ;;`,
        'esac',
        '',
      ].join('\n'),
      { mode: 0o755 },
    );
    await host.down();
    const up = await host.up();
    if (up.code !== 0) throw new Error(`the target host did not come up: ${up.output}`);
    await installScripts();
  });
  // What is left of it would be the next one's; nothing may stay broken.
  afterEach(async () => {
    await cause('mend');
    expect(await root('systemctl is-active nginx cron')).toBe('active\nactive');
    expect(await root('systemctl list-units --no-legend "lab-*"')).toBe('');
    expect(await page()).toBe('200');
    expect(await root('ls /srv/data/tmp 2>/dev/null | wc -l')).toBe('0');
  });
  afterAll(async () => {
    await host.down();
  });

  it('disk-full: the disk is full, and cleaning it helps', async () => {
    await cause('disk-full');
    expect(await root('df --output=pcent /srv/data | tail -n 1')).toBe('100%');
    const ran = await job('cleanup-disk', '--path', '/srv/data', '--cleanup-roots', '/srv/data/tmp');
    expect(verdictOf(ran), ran.output).toMatchObject({ result: 'removed', used_before: '100%' });
    expect(Number.parseInt(String(verdictOf(ran)['used_after']), 10)).toBeLessThan(10);
  });

  it('inodes-full: not one file more fits, and cleaning takes the small ones too', async () => {
    await cause('inodes-full');
    expect(await root('df --output=ipcent /srv/data | tail -n 1')).toBe('100%');
    expect((await host.root('touch /srv/data/one-more')).code).not.toBe(0);
    const ran = await job('cleanup-disk', '--path', '/srv/data', '--cleanup-roots', '/srv/data/tmp');
    expect(verdictOf(ran), ran.output).toMatchObject({
      result: 'removed',
      inodes_before: '100%',
      inodes_after: '1%',
    });
  });

  it('with room for inodes, small files stay where nobody asked for them', async () => {
    await root('mkdir -p /srv/data/tmp; touch -d "30 days ago" /srv/data/tmp/n-1.tmp');
    const ran = await job('cleanup-disk', '--path', '/srv/data', '--cleanup-roots', '/srv/data/tmp');
    expect(verdictOf(ran)).toMatchObject({ result: 'nothing_to_remove' });
  });

  it('nginx-dies: nobody answers, and a restart helps', async () => {
    await cause('nginx-dies');
    await becomes(() => root('systemctl is-active nginx || true'), 'failed');
    expect(await page()).toBe('000');
    const ran = await job('restart-service', '--service-name', 'nginx');
    expect(verdictOf(ran)).toMatchObject({ result: 'restarted' });
    expect(await page()).toBe('200');
  });

  it('cpu-eaten: one process takes a processor, is found, and ends by itself', async () => {
    await cause('cpu-eaten');
    const ran = await job('analyze-processes', '--resource-type', 'cpu', '--top-count', '3');
    expect(JSON.stringify(verdictOf(ran)['top'])).toMatch(/^\[\{"pid":\d+,"user":"root","name":"sh"/);
    expect(await root('systemctl show -p RuntimeMaxUSec --value lab-cpu-eater')).toBe('2min');
  });

  it('memory-leak: a process grows and grows up to its bound, and is found', async () => {
    await cause('memory-leak');
    const size = () => root('ps -o rss= -C perl');
    await pause(300);
    const early = Number(await size());
    await becomes(async () => Number(await size()) > 96 * 1024, true);
    expect(early).toBeLessThan(96 * 1024);
    await pause(500);
    expect(Number(await size())).toBeLessThan(130 * 1024);
    const ran = await job('analyze-processes', '--resource-type', 'memory', '--top-count', '3');
    expect(JSON.stringify(verdictOf(ran)['top'])).toContain('"name":"perl"');
  });

  it('application-hangs: it counts as active and does not answer, and a restart helps', async () => {
    await cause('application-hangs');
    expect(await root('systemctl is-active nginx')).toBe('active');
    expect(await page()).toBe('000');
    const ran = await job('restart-service', '--service-name', 'nginx', '--timeout', '30');
    expect(verdictOf(ran), ran.output).toMatchObject({ result: 'restarted' });
    expect(await page()).toBe('200');
  });

  it('host-unreachable: nothing gets through, no job either, until it is mended', async () => {
    expect(await answers()).toBe(true);
    await cause('host-unreachable');
    expect(await answers()).toBe(false);
    await cause('mend');
    await becomes(answers, true);
  });

  it('flapping-service: it goes and comes again', async () => {
    await cause('flapping-service');
    await becomes(() => root('systemctl is-active nginx || true'), 'inactive');
    await becomes(() => root('systemctl is-active nginx || true'), 'active');
    await becomes(() => root('systemctl is-active nginx || true'), 'inactive');
  });

  it('storm: several services of every host at once; one that is away holds nothing up', async () => {
    expect(await cause('storm')).toContain('web-01, app-01 and db-01');
    await becomes(() => root('systemctl is-active nginx cron || true'), 'failed\ninactive');
  });

  it('the image’s own preparation gives Rundeck its key, the scripts and their rights, and the agent its server', async () => {
    await root(
      'systemctl stop nginx cron; rm -rf /usr/local/lib/remedia /etc/sudoers.d/remedia; mkdir -p /keys /opt/remedia; echo Hostname=unknown >>/etc/zabbix/zabbix_agent2.conf',
    );
    await host.root('cat >/keys/id_ed25519.pub', 'ssh-ed25519 AAAA lab\n');
    for (const file of ['common.sh', 'restart-service.sh', 'sudoers-remedia']) {
      await host.root(
        `cat >/opt/remedia/${file}`,
        readFileSync(join(lab, '../../rundeck/host', file), 'utf8'),
      );
    }
    const key = await root('cat /home/rundeck/.ssh/authorized_keys');
    const ran = await host.root('sh -eu -s', readFileSync(join(lab, 'target/prepare.sh'), 'utf8'));
    expect(ran).toMatchObject({ code: 0 });
    expect(
      await root(
        'cat /home/rundeck/.ssh/authorized_keys; stat -c "%U %a" /home/rundeck/.ssh/authorized_keys',
      ),
    ).toBe('ssh-ed25519 AAAA lab\nrundeck 600');
    expect(await root('grep -E "^(Server|Hostname)=" /etc/zabbix/zabbix_agent2.conf')).toBe(
      `Server=zabbix-server\nHostname=${name}`,
    );
    expect(await root('visudo -c -q && echo fine')).toBe('fine');
    await host.root('cat >/home/rundeck/.ssh/authorized_keys', `${key}\n`);
    expect(verdictOf(await job('restart-service', '--service-name', 'nginx'))).toMatchObject({
      result: 'restarted',
    });
    await installScripts();
  });
});
