/** The job scripts on a real host with systemd: each fault broken and mended, and what they must never do. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseFindings } from '#lib/core/findings.ts';
import { realPart } from './real-part.ts';
import { host, installScripts, type Ran, verdictOf } from './target-host-lab.ts';

const real = realPart('target host', ['TARGET_HOST_CMD']);

/** What must be the same before and after something that may change nothing. */
const fingerprint = async () =>
  (
    await host.root(
      'find /etc /usr/local /srv/data /var/tmp /var/lib -xdev ! -path "/etc/mtab" -printf "%p %s %T@ %l\\n" 2>/dev/null | sort | sha256sum; ' +
        'systemctl list-units --all --no-legend --plain --type=service | awk \'{ print $1, $3, $4 }\' | grep -v "user@\\|session\\|user-runtime" | sort; ' +
        'systemctl show -p MainPID --value nginx cron',
    )
  ).output;

const expectResult = (ran: Ran, code: number, result: string) => {
  expect({ code: ran.code, result: verdictOf(ran)['result'] }, ran.output).toEqual({ code, result });
};

describe.skipIf(!real)('job scripts on a real host', () => {
  beforeAll(async () => {
    await host.down();
    const up = await host.up();
    if (up.code !== 0) throw new Error(`the target host did not come up: ${up.output}`);
    await installScripts();
  });
  afterAll(async () => {
    await host.down();
  });

  describe('least privilege', () => {
    it.each([
      'sudo -n id',
      'sudo -n systemctl restart nginx',
      'sudo -n cat /etc/shadow',
      'sudo -n sh /usr/local/lib/remedia/restart-service.sh --service-name nginx',
      'sudo -n /usr/local/lib/remedia/common.sh',
      'sudo -n /usr/local/lib/remedia/notify.sh --message hello',
      'sudo -n -u www-data id',
      'sudo -n /usr/local/lib/remedia/../remedia/../../bin/env id',
    ])('%s is refused', async (line) => {
      const ran = await host.rundeck(line);
      expect(ran.code).not.toBe(0);
      expect(ran.output).not.toMatch(/uid=/);
    });

    it('the scripts and the sudoers file belong to root alone', async () => {
      const { output } = await host.root(
        'find /usr/local/lib/remedia /etc/sudoers.d/remedia ! -user root -o -perm /022',
      );
      expect(output.trim()).toBe('');
    });

    it('environment variables of the caller do not reach them', async () => {
      const ran = await host.rundeck(
        'mkdir -p /tmp/evil && printf "#!/bin/sh\\ntouch /tmp/evil/ran\\n" >/tmp/evil/find && chmod 755 /tmp/evil/find; ' +
          'PATH=/tmp/evil:$PATH ENV=/tmp/evil/find BASH_ENV=/tmp/evil/find sudo -n /usr/local/lib/remedia/cleanup-disk.sh --path /srv/data --cleanup-roots /srv/data/tmp --mode simulate; ls /tmp/evil',
      );
      expect(ran.output).not.toMatch(/^ran$/m);
    });
  });

  describe('restart-service', () => {
    it('a killed service runs again, and stays', async () => {
      await host.root('systemctl kill -s KILL nginx; sleep 0.5; systemctl is-failed nginx');
      const ran = await host.job('restart-service', '--service-name', 'nginx', '--timeout', '60');
      expectResult(ran, 0, 'restarted');
      expect(verdictOf(ran)).toMatchObject({ before: 'failed', after: 'active', service: 'nginx.service' });
      expect((await host.root('curl -s -o /dev/null -w "%{http_code}" http://127.0.0.1/')).output).toBe(
        '200',
      );
    });

    it('a dry run changes nothing', async () => {
      await host.root('systemctl kill -s KILL nginx; sleep 0.5');
      const ran = await host.job('restart-service', '--service-name', 'nginx.service', '--mode', 'simulate');
      expectResult(ran, 0, 'would_restart');
      expect((await host.root('systemctl is-active nginx')).output.trim()).toBe('failed');
      expectResult(await host.job('restart-service', '--service-name', 'nginx.service'), 0, 'restarted');
    });

    describe('services that resist', () => {
      beforeAll(async () => {
        const units: readonly (readonly [name: string, run: string, more: string])[] = [
          ['dying', '/bin/false', 'Type=simple'],
          ['looping', '/bin/sh -c "sleep 1; exit 1"', 'Restart=always\\nRestartSec=1'],
          [
            'stubborn',
            '/bin/bash -c "trap : TERM; while :; do sleep 1; done"',
            'TimeoutStopSec=60\\nKillMode=control-group',
          ],
          ['once', '/bin/true', 'Type=oneshot'],
        ];
        for (const [name, run, more] of units) {
          await host.root(
            `printf '[Service]\\nExecStart=%s\\n${more}\\n' '${run}' >/etc/systemd/system/${name}.service`,
          );
        }
        await host.root(
          'printf "[Service]\\nExecStart=/bin/true\\n" >/etc/systemd/system/masked-one.service; systemctl daemon-reload; systemctl mask masked-one; systemctl start stubborn',
        );
        await host.root('ln -sf /dev/null /etc/systemd/system/masked-two.service; systemctl daemon-reload');
      });

      it('one that dies at once is no success, though systemctl says so', async () => {
        const ran = await host.job('restart-service', '--service-name', 'dying', '--timeout', '20');
        expectResult(ran, 7, 'not_active');
        expect(ran.output).toContain('status=1/FAILURE');
      });

      it('one that systemd starts again and again is no success', async () => {
        const ran = await host.job('restart-service', '--service-name', 'looping', '--timeout', '30');
        expectResult(ran, 7, 'not_active');
        await host.root('systemctl stop looping');
      });

      it('the time limit really bounds it, and nothing is killed without force', async () => {
        const pid = (await host.root('systemctl show -p MainPID --value stubborn')).output;
        const begin = Date.now();
        const ran = await host.job('restart-service', '--service-name', 'stubborn', '--timeout', '10');
        expect(Date.now() - begin).toBeLessThan(20_000);
        expectResult(ran, 8, 'time_limit');
        expect((await host.root('systemctl show -p MainPID --value stubborn')).output).toBe(pid);
      });

      it('force kills that unit alone', async () => {
        const cron = (await host.root('systemctl show -p MainPID --value cron')).output;
        const pid = (await host.root('systemctl show -p MainPID --value stubborn')).output;
        const ran = await host.job(
          'restart-service',
          '--service-name',
          'stubborn',
          '--timeout',
          '20',
          '--force',
          'true',
        );
        expectResult(ran, 0, 'restarted');
        expect((await host.root('systemctl show -p MainPID --value stubborn')).output).not.toBe(pid);
        expect((await host.root('systemctl show -p MainPID --value cron')).output).toBe(cron);
      });

      it('a oneshot that ran to its end is done', async () => {
        expectResult(await host.job('restart-service', '--service-name', 'once'), 0, 'restarted');
      });

      it.each([
        ['masked-two', 6, 'masked'],
        ['no-such-unit', 5, 'not_installed'],
        ['dbus', 6, 'protected'],
        ['systemd-journald', 6, 'protected'],
        ['getty@', 6, 'protected'],
      ])('%s is never restarted', async (name, code, result) => {
        expectResult(await host.job('restart-service', '--service-name', name), code, result);
      });

      it('two at once: the second does nothing', async () => {
        const first = host.job('restart-service', '--service-name', 'nginx');
        await pause(1_200);
        const second = await host.job('restart-service', '--service-name', 'nginx');
        expectResult(second, 3, 'already_running');
        expectResult(await first, 0, 'restarted');
      });
    });
  });

  describe('restart-service without systemd', () => {
    // The same host, seen by a process for which systemd is not there.
    const withoutSystemd = (...words: readonly string[]) =>
      host.root(
        `unshare -m sh -c 'mount -t tmpfs none /run/systemd && exec /usr/local/lib/remedia/restart-service.sh "$@"' _ ${words.map((word) => `'${word}'`).join(' ')}`,
      );
    const script = (name: string, start: string, status: string) =>
      host.root(
        `cat >/etc/init.d/${name} && chmod 755 /etc/init.d/${name}`,
        `#!/bin/sh\necho "$1" >>/run/asked-${name}\ncase $1 in restart) ${start} ;; status) ${status} ;; esac\n`,
      );

    it('uses the command service, and looks after the service', async () => {
      await script('oldstyle', 'exit 0', 'exit 0');
      expectResult(await withoutSystemd('--service-name', 'oldstyle.service'), 0, 'restarted');
      expect((await host.root('cat /run/asked-oldstyle')).output).toBe('restart\nstatus\n');
    });

    it('a dry run asks for nothing', async () => {
      await host.root('rm -f /run/asked-oldstyle');
      const ran = await withoutSystemd('--service-name', 'oldstyle', '--mode', 'simulate');
      expectResult(ran, 0, 'would_restart');
      expect((await host.root('test -e /run/asked-oldstyle')).code).toBe(1);
    });

    it.each([
      ['one that dies at once', 'exit 0', 'exit 3', 7, 'not_active'],
      ['one that cannot be restarted', 'exit 1', 'exit 0', 7, 'not_active'],
      ['one that never comes back', 'sleep 60', 'exit 0', 8, 'time_limit'],
    ])('%s is no success', async (_what, start, status, code, result) => {
      await script('oldbroken', start, status);
      const begin = Date.now();
      const ran = await withoutSystemd('--service-name', 'oldbroken', '--timeout', '5');
      expect(Date.now() - begin).toBeLessThan(20_000);
      expectResult(ran, code, result);
    });

    it('one that is not installed is not touched', async () => {
      expectResult(await withoutSystemd('--service-name', 'no-such-script'), 5, 'not_installed');
    });
  });

  describe('restart-application', () => {
    it('a unit of the application’s name, and its health by the table', async () => {
      await host.root(
        'systemctl kill -s KILL nginx; mkdir -p /etc/remedia; printf "shop systemd nginx http://127.0.0.1:80/\\nsick systemd cron tcp:9\\n" >/etc/remedia/applications; chmod 644 /etc/remedia/applications',
      );
      expectResult(
        await host.job('restart-application', '--app-name', 'shop', '--timeout', '30'),
        0,
        'restarted',
      );
      expect((await host.root('systemctl is-active nginx')).output.trim()).toBe('active');
    });

    it('a health check that fails is no success', async () => {
      expectResult(
        await host.job('restart-application', '--app-name', 'sick', '--timeout', '10'),
        7,
        'unhealthy',
      );
    });

    it('a table that others may write is not believed', async () => {
      await host.root('chmod 666 /etc/remedia/applications');
      expectResult(await host.job('restart-application', '--app-name', 'shop'), 2, 'refused');
      await host.root('chmod 644 /etc/remedia/applications');
    });

    it('without a unit or container nothing happens', async () => {
      expectResult(await host.job('restart-application', '--app-name', 'nothing-here'), 5, 'not_installed');
    });

    it.each([
      ['a masked unit', 'masked-app systemd masked-three', 6, 'masked'],
      ['a protected unit', 'masked-app systemd dbus', 6, 'protected'],
      ['a unit that is not there', 'masked-app systemd no-such-unit', 5, 'not_installed'],
      ['a container that is not there', 'masked-app docker no-such', 5, 'not_installed'],
      ['a health check of another host', 'masked-app systemd nginx http://192.0.2.9/', 2, 'refused'],
      ['a health check that is a file', 'masked-app systemd nginx file:///etc/passwd', 2, 'refused'],
      ['a target that is an option', 'masked-app docker --all', 2, 'refused'],
      ['a target with a sign of the shell', 'masked-app docker a;id', 2, 'refused'],
      ['an unknown kind', 'masked-app shell id', 2, 'refused'],
    ])('%s is never restarted', async (_what, line, code, result) => {
      await host.root('ln -sf /dev/null /etc/systemd/system/masked-three.service; systemctl daemon-reload');
      await host.root('mkdir -p /etc/remedia; cat >/etc/remedia/applications', `${line}\n`);
      expectResult(await host.job('restart-application', '--app-name', 'masked-app'), code, result);
      await host.root('rm /etc/remedia/applications');
    });

    describe.each(['docker', 'podman'])('in a container of %s', (engine) => {
      // No container engine is on the host: one that writes down what it is asked.
      const install = (restart = 'exit 0', running = 'true') =>
        host.root(
          `rm -f /run/asked; cat >/usr/local/bin/${engine} && chmod 755 /usr/local/bin/${engine}`,
          `#!/bin/sh\necho "$*" >>/run/asked\ncase "$*" in *-f*) echo ${running} ;; restart*) ${restart} ;; esac\n`,
        );
      const restart = (...more: readonly string[]) =>
        host.job('restart-application', '--app-name', 'web-shop', '--timeout', '10', ...more);
      const asked = async () => (await host.root('cat /run/asked')).output;
      afterAll(async () => {
        await host.root(`rm -f /usr/local/bin/${engine}`);
      });

      it('it is restarted gently, and half the time is for its end', async () => {
        await install();
        const ran = await restart();
        expectResult(ran, 0, 'restarted');
        expect(verdictOf(ran)).toMatchObject({ kind: engine, target: 'web-shop' });
        expect(await asked()).toContain('restart --time 5 web-shop');
      });

      it('it is given a second when it is not to be gentle', async () => {
        await install();
        expectResult(await restart('--graceful', 'false'), 0, 'restarted');
        expect(await asked()).toContain('restart --time 1 web-shop');
      });

      it('a dry run looks and restarts nothing', async () => {
        await install();
        expectResult(await restart('--mode', 'simulate'), 0, 'would_restart');
        expect(await asked()).not.toContain('restart');
      });

      it.each([
        ['it does not run afterwards', 'exit 0', 'false', 7, 'not_active'],
        ['its engine fails', 'exit 1', 'true', 7, 'not_active'],
        ['its engine hangs', 'exec sleep 60', 'true', 8, 'time_limit'],
      ])('when %s it is no success, within the time limit', async (_what, how, running, code, result) => {
        await install(how, running);
        const begin = Date.now();
        expectResult(await restart(), code, result);
        expect(Date.now() - begin).toBeLessThan(25_000);
      });
    });
  });

  describe('cleanup-disk', () => {
    const clean = (...more: readonly string[]) =>
      host.job('cleanup-disk', '--path', '/srv/data', '--min-size', '10K', '--file-age', '1d', ...more);
    const roots = ['--cleanup-roots', '/srv/data/tmp:/srv/data/log:/var/tmp'];

    beforeAll(async () => {
      await host.fill(90);
      const made = await host.root(
        `set -e; cd /srv/data/tmp
        big() { head -c 100000 /dev/zero >"$1"; touch -d '3 days ago' -- "$1"; }
        big 'with space.tmp'; big 'quote".tmp'; big "it's.tmp"; big '$(touch evil).tmp'; big '-rf.tmp'; big "new
line.tmp"
        big young.tmp; touch young.tmp
        big database.db; big data.sqlite; big plain.txt; big precious.tmp.db
        big twice.tmp; ln twice.tmp /srv/data/second-name
        ln -s /etc etc-link; ln -s /etc/passwd passwd.tmp; mkdir inner; big inner/deep.tmp
        head -c 100 /dev/zero >small.tmp; touch -d '3 days ago' small.tmp
        mkdir mounted; mount -t tmpfs none mounted; big mounted/other-filesystem.tmp
        mkdir bound /srv/data/outside; big /srv/data/outside/bound.tmp; mount --bind /srv/data/outside bound
        cp /bin/sleep running.tmp; touch -d '3 days ago' running.tmp
        mkdir -p /etc/trap; big /etc/trap/x.tmp; big /var/tmp/other-disk.tmp
        mkfifo pipe.tmp; touch -d '3 days ago' pipe.tmp
        ln -s /etc/trap /srv/data/root-link`,
      );
      expect(made).toEqual({ code: 0, output: '' });
      await host.root(
        '(exec /srv/data/tmp/running.tmp 170) </dev/null >/dev/null 2>&1 & ' +
          // Processes that come and go must not blind what looks for open files.
          '(exec timeout 100 sh -c "while :; do /bin/true; done") </dev/null >/dev/null 2>&1 & ' +
          '(exec 8<>/srv/data/tmp/job-2.tmp; exec sleep 170) </dev/null >/dev/null 2>&1 & ' +
          '(exec 7>/srv/data/gone; head -c 2000000 /dev/zero >&7; rm /srv/data/gone; exec sleep 170) </dev/null >/dev/null 2>&1 & sleep 0.5',
      );
    });

    it('a dry run says what would go, and removes nothing', async () => {
      const before = await fingerprint();
      const ran = await clean(...roots, '--mode', 'simulate');
      expectResult(ran, 0, 'would_remove');
      expect(Number(verdictOf(ran)['files'])).toBeGreaterThan(50);
      expect(await fingerprint()).toBe(before);
    });

    it('frees the disk, says how much, and names who holds deleted files', async () => {
      const ran = await clean(...roots);
      expectResult(ran, 0, 'removed');
      const verdict = verdictOf(ran);
      expect(Number(verdict['freed_bytes'])).toBeGreaterThan(30_000_000);
      expect(verdict).toMatchObject({
        left_open: 2,
        used_before: `9${String(verdict['used_before']).slice(1)}`,
      });
      expect(Number.parseInt(String(verdict['used_after']), 10)).toBeLessThan(25);
      expect(Number(verdict['deleted_but_open_bytes'])).toBe(2_000_000);
      expect(ran.output).toMatch(/2000000 \d+ sleep/);
    });

    it.each([
      ['a name with a space', 'with space.tmp'],
      ['a quote', 'quote".tmp'],
      ['an apostrophe', "it's.tmp"],
      ['a command', '$(touch evil).tmp'],
      ['a leading dash', '-rf.tmp'],
      ['a new line', 'new\nline.tmp'],
      ['a folder below', 'inner/deep.tmp'],
    ])('%s is only a name, and the file is gone', async (_what, name) => {
      const { code } = await host.root(`test -e '/srv/data/tmp/${name.replaceAll("'", `'"'"'`)}'`);
      expect(code).toBe(1);
    });

    it.each([
      ['a young file', '/srv/data/tmp/young.tmp'],
      ['a small one', '/srv/data/tmp/small.tmp'],
      ['a database', '/srv/data/tmp/database.db'],
      ['another database', '/srv/data/tmp/data.sqlite'],
      ['a file that is neither temporary nor a rotated log', '/srv/data/tmp/plain.txt'],
      ['a database that is called temporary', '/srv/data/tmp/precious.tmp.db'],
      ['a file that is open', '/srv/data/tmp/job-2.tmp'],
      ['a program that runs', '/srv/data/tmp/running.tmp'],
      ['the same file system, bound below', '/srv/data/outside/bound.tmp'],
      ['a file with a second name', '/srv/data/tmp/twice.tmp'],
      ['a link', '/srv/data/tmp/passwd.tmp'],
      ['what a link points to', '/etc/passwd'],
      ['a folder that a link points to', '/etc/trap/x.tmp'],
      ['another file system below', '/srv/data/tmp/mounted/other-filesystem.tmp'],
      ['a root on another file system', '/var/tmp/other-disk.tmp'],
      ['a pipe', '/srv/data/tmp/pipe.tmp'],
      ['a file outside the roots', '/srv/data/keep.dat'],
    ])('%s is still there', async (_what, path) => {
      expect((await host.root(`test -e '${path}' -o -L '${path}'`)).code).toBe(0);
      expect((await host.root('test -e /srv/data/tmp/evil')).code).toBe(1);
    });

    it('with nothing left to remove it says so, and fails', async () => {
      expectResult(await clean(...roots), 4, 'nothing_to_remove');
    });

    it('a root that is a link is skipped', async () => {
      expectResult(await clean('--cleanup-roots', '/srv/data/root-link'), 4, 'no_root_on_this_file_system');
      expect((await host.root('test -e /etc/trap/x.tmp')).code).toBe(0);
    });

    it('a root below which something with an odd name is mounted is skipped', async () => {
      await host.root(
        'mkdir -p "/srv/data/odd/a b"; mount --bind /srv/data/outside "/srv/data/odd/a b"; head -c 50000 /dev/zero >/srv/data/odd/x.tmp; touch -d "3 days ago" /srv/data/odd/x.tmp',
      );
      expectResult(await clean('--cleanup-roots', '/srv/data/odd'), 4, 'no_root_on_this_file_system');
      const left = await host.root(
        'umount "/srv/data/odd/a b"; ls /srv/data/odd/x.tmp /srv/data/outside/bound.tmp',
      );
      expect(left.code).toBe(0);
      await host.root('rm -r /srv/data/odd');
    });

    it.each([
      '/',
      '/etc',
      '/usr/share',
      '/boot',
      '/root',
      '/home',
      '/srv',
      '/var',
      '/var/lib',
      '/var/lib/dpkg',
      '/var/lib/rpm',
      '/var/lib/mysql',
      '/var/lib/postgresql/15',
      '/var/lib/docker/overlay2',
      '/run/lock',
      '/proc/self',
      '/srv/data/tmp:/var/lib/dpkg',
    ])('%s may never be cleaned, whatever a policy says', async (root) => {
      await host.root(
        'head -c 50000 /dev/zero >/var/lib/dpkg/info/old.tmp; touch -d "3 days ago" /var/lib/dpkg/info/old.tmp; head -c 50000 /dev/zero >/srv/data/tmp/again.tmp; touch -d "3 days ago" /srv/data/tmp/again.tmp',
      );
      const ran = await host.job('cleanup-disk', '--path', '/', '--cleanup-roots', root, '--min-size', '10K');
      expectResult(ran, 2, 'refused');
      expect((await host.root('ls /var/lib/dpkg/info/old.tmp /srv/data/tmp/again.tmp')).code).toBe(0);
    });

    it('on an overlay too a file that is open stays, and one that is not goes', async () => {
      await host.root(
        'cd /var/tmp; for f in open.tmp closed.tmp; do head -c 50000 /dev/zero >$f; touch -d "3 days ago" $f; done; (exec 8<open.tmp; exec sleep 20) </dev/null >/dev/null 2>&1 & sleep 0.3',
      );
      const ran = await host.job(
        'cleanup-disk',
        '--path',
        '/',
        '--cleanup-roots',
        '/var/tmp',
        '--min-size',
        '10K',
        '--file-age',
        '1d',
      );
      expectResult(ran, 0, 'removed');
      expect((await host.root('cd /var/tmp; ls *.tmp')).output).toBe('open.tmp\n');
    });

    it('works on a disk that is full to the last byte', async () => {
      await host.root(
        'head -c 3000000 /dev/zero >/srv/data/tmp/last.tmp; touch -d "3 days ago" /srv/data/tmp/last.tmp; head -c 90000000 /dev/zero >/srv/data/filler 2>/dev/null; df /srv/data | tail -1',
      );
      const ran = await clean(...roots);
      expectResult(ran, 0, 'removed');
      expect(verdictOf(ran)['used_before']).toBe('100%');
      await host.root('rm -f /srv/data/filler');
    });
  });

  describe('analyze-processes', () => {
    it('finds the CPU burner by name, and prints no arguments', async () => {
      await host.root(
        'cp /bin/sh /usr/local/bin/burner; (exec /usr/local/bin/burner -c "while :; do :; done # --password=hunter2") </dev/null >/dev/null 2>&1 &',
      );
      const ran = await host.job('analyze-processes', '--resource-type', 'cpu', '--top-count', '5');
      await host.root('pkill -x burner');
      expectResult(ran, 0, 'analyzed');
      expect(JSON.stringify(verdictOf(ran)['top'])).toContain('"name":"burner"');
      // What follows on an analysis is decided by these sums.
      expect(parseFindings(ran.output)).toMatchObject({
        total: expect.any(Number),
        capacity: expect.any(Number),
        top: expect.arrayContaining([expect.objectContaining({ unit: expect.any(String) })]),
      });
      expect(ran.output).not.toContain('hunter2');
    });

    it.each([
      ['memory', 'hoarder', '$x = "x" x 120e6; sleep 60', /"unit":"kibibytes"/],
      [
        'network',
        'listener',
        'use Socket; for (1 .. 60) { socket(my $s, PF_INET, SOCK_STREAM, 0); listen($s, 1); push @s, $s } sleep 60',
        /"unit":"connections"/,
      ],
    ])(
      '%s: finds who uses most of it by name, and prints no arguments',
      async (resource, name, perl, unit) => {
        await host.root(
          `cp /usr/bin/perl /usr/local/bin/${name}; (exec /usr/local/bin/${name} -e '${perl}' -- --password=hunter2) </dev/null >/dev/null 2>&1 & sleep 1`,
        );
        const ran = await host.job('analyze-processes', '--resource-type', resource, '--top-count', '3');
        await host.root(`pkill -x ${name}`);
        expectResult(ran, 0, 'analyzed');
        expect(JSON.stringify(verdictOf(ran)['top'])).toContain(`"name":"${name}"`);
        expect(ran.output).toMatch(unit);
        expect(ran.output).not.toContain('hunter2');
      },
    );

    it('a hostile name of a process stays inside its JSON string, and its table row', async () => {
      await host.root(
        `cp /bin/sh '/usr/local/bin/a"b\\c'; ('/usr/local/bin/a"b\\c' -c 'while :; do :; done') </dev/null >/dev/null 2>&1 & sleep 0.5`,
      );
      const ran = await host.job('analyze-processes', '--resource-type', 'cpu', '--top-count', '3');
      await host.root('pkill -f "^/usr/local/bin/a"');
      expectResult(ran, 0, 'analyzed');
      expect(JSON.stringify(verdictOf(ran)['top'])).toContain('"name":"abc"');
    });

    it.each(['memory', 'io', 'network'])(
      '%s is a table and one line of JSON, and changes nothing',
      async (resource) => {
        const before = await fingerprint();
        const ran = await host.job('analyze-processes', '--resource-type', resource);
        expectResult(ran, 0, 'analyzed');
        expect(verdictOf(ran)['top']).toBeInstanceOf(Array);
        expect(ran.output).toMatch(/PID\s+USER\s+NAME/);
        expect(await fingerprint()).toBe(before);
      },
    );

    it('finds who writes', async () => {
      // Over and over the same small file: a writer that fills the disk would be gone before anybody looks.
      await host.root(
        'cp /bin/bash /usr/local/bin/writer; (exec /usr/local/bin/writer -c \'while :; do printf "%0262144d" 0 >/srv/data/written; done\') </dev/null >/dev/null 2>&1 & sleep 0.2',
      );
      const ran = await host.job('analyze-processes', '--resource-type', 'io');
      await host.root('pkill -x writer; rm -f /srv/data/written');
      expect(JSON.stringify(verdictOf(ran)['top'])).toContain('"name":"writer"');
    });
  });

  describe('notify', () => {
    const HOSTILE = "$(touch /tmp/ran) `touch /tmp/ran` \"; 'touch /tmp/ran' # ~ * \\n <13> é";
    const table = (lines: string) =>
      host.root('mkdir -p /etc/remedia && cat >/etc/remedia/teams && chmod 644 /etc/remedia/teams', lines);
    const nothingElse = async () => {
      expect((await host.root('test -e /tmp/ran')).code).toBe(1);
    };
    beforeAll(async () => {
      await host.root(
        'cat >/usr/local/bin/page-team && chmod 755 /usr/local/bin/page-team',
        '#!/bin/sh\n[ $# = 0 ] && cat >/tmp/paged\n',
      );
      await host.root(
        'cat >/usr/local/sbin/sendmail && chmod 755 /usr/local/sbin/sendmail',
        '#!/bin/sh\nprintf "%s\\n" "$*" >/tmp/mailed-to; cat >/tmp/mailed\n',
      );
      await host.root(
        'printf "#!/bin/sh\\nexit 3\\n" >/usr/local/bin/broken; chmod 755 /usr/local/bin/broken',
      );
    });

    it('without a table it goes to the system log, as it is', async () => {
      const ran = await host.notify('--message', HOSTILE, '--priority', 'critical');
      expectResult(ran, 0, 'logged');
      const { output } = await host.root('journalctl -t remedia -p crit -n 1 -o cat; journalctl --sync');
      expect(output).toContain(HOSTILE);
      await nothingElse();
    });

    it('a dry run tells nobody', async () => {
      await table('* : command : /usr/local/bin/page-team\n');
      const ran = await host.notify('--message', 'only a check', '--mode', 'simulate');
      expectResult(ran, 0, 'would_notify');
      expect((await host.root('test -e /tmp/paged')).code).toBe(1);
      expect((await host.root('journalctl -t remedia -o cat')).output).not.toContain('only a check');
    });

    it('a team’s own command reads the message, and gets no argument', async () => {
      await table('# teams\nnight shift:command:/usr/local/bin/page-team\n* : mail : all@example.com\n');
      const link = 'https://remedia.example.com/api/v1/incidents/inc_0';
      const ran = await host.notify('--message', HOSTILE, '--team', 'night shift', '--link', link);
      expectResult(ran, 0, 'notified');
      expect((await host.root('cat /tmp/paged')).output).toBe(
        `${HOSTILE}\n\nteam: night shift\npriority: normal\nlink: ${link}\n`,
      );
      expect((await host.root('stat -c %U /tmp/paged')).output).toBe('rundeck\n');
      await nothingElse();
    });

    it('every other team gets a mail whose headers no text can change', async () => {
      const ran = await host.notify('--message', HOSTILE, '--team', 'databases', '--priority', 'high');
      expectResult(ran, 0, 'notified');
      expect((await host.root('cat /tmp/mailed-to')).output).toBe('-i -- all@example.com\n');
      const [head = '', body = ''] = (await host.root('cat /tmp/mailed')).output.split('\n\n');
      expect(head.split('\n').map((line) => line.split(':')[0])).toEqual([
        'To',
        'Subject',
        'MIME-Version',
        'Content-Type',
        'Content-Transfer-Encoding',
        'Auto-Submitted',
      ]);
      expect(Buffer.from(body, 'base64').toString('utf8')).toContain(`${HOSTILE}\n\nteam: databases\n`);
      await nothingElse();
    });

    it('a team that nobody knows is no success', async () => {
      await table('night shift:command:/usr/local/bin/page-team\n');
      expectResult(await host.notify('--message', 'x y', '--team', 'others'), 5, 'unknown_team');
    });

    it('a command that fails is no success', async () => {
      await table('*:command:/usr/local/bin/broken\n');
      expectResult(await host.notify('--message', 'x y'), 7, 'not_delivered');
    });

    it.each([
      ['a table that others may write', '*:log:-\n', 'chmod 646 /etc/remedia/teams'],
      ['a table that Rundeck’s user owns', '*:log:-\n', 'chown rundeck /etc/remedia/teams'],
      ['a table that cannot be read', '*:log:-\n', 'chmod 600 /etc/remedia/teams'],
      [
        'a command that others may write',
        '*:command:/usr/local/bin/loose\n',
        'install -m 777 /bin/true /usr/local/bin/loose',
      ],
      ['a command that is no plain path', '*:command:/bin/../bin/true\n', 'true'],
      ['an address that is an option', '*:mail:-oQ/tmp@example.com\n', 'true'],
      ['two addresses', '*:mail:a@example.com,b@example.com\n', 'true'],
      ['an unknown kind', '*:shell:id\n', 'true'],
    ])('%s is not believed', async (_what, lines, change) => {
      await table(lines);
      await host.root(change);
      expectResult(await host.notify('--message', 'x y'), 2, 'refused');
      await host.root('rm -f /etc/remedia/teams');
    });

    it.each([
      ['no message', []],
      ['two lines', ['--message', 'one\ntwo']],
      ['a tab', ['--message', 'one\ttwo']],
      ['a long one', ['--message', 'x'.repeat(1_300)]],
      ['a team that is none', ['--message', 'x', '--team', 'a:b']],
      ['a priority that is none', ['--message', 'x', '--priority', 'urgent']],
      ['a link that is none', ['--message', 'x', '--link', 'file:///etc/passwd']],
      ['a link with a space', ['--message', 'x', '--link', 'https://a b']],
      ['an unknown option', ['--message', 'x', '--exec', 'id']],
      ['an option without a value', ['--message']],
    ] as const)('%s is refused', async (_what, words) => {
      expectResult(await host.notify(...words), 2, 'refused');
    });
  });

  it('hostile arguments are refused, and nothing on the host changes', async () => {
    const evil = [
      '',
      'null',
      '*',
      'nginx*',
      '[a-z]*',
      '-h',
      '--help',
      '~',
      '#x',
      '../../etc',
      '/etc/../etc',
      '/srv/data/',
      '/srv/data/..',
      '/srv//data',
      '/srv/data/tmp /etc',
      '/srv/data\n/etc',
      'nginx cron',
      'nginx.service cron.service',
      'nginx;id',
      '$(id)',
      '`id`',
      'a&b',
      'a|b',
      '"',
      "'",
      '\\',
      'nginx\u0000',
      'nginx\n',
      'é',
      'multi-user.target',
      'x'.repeat(5_000),
      '99999999999999999999',
      '-1',
      '1e3',
      '0x10',
    ];
    const slots: readonly (readonly [script: string, ...words: readonly string[]])[] = [
      ['cleanup-disk', '--cleanup-roots', '/srv/data/tmp', '--path'],
      ['cleanup-disk', '--path', '/srv/data', '--cleanup-roots'],
      ['cleanup-disk', '--path', '/srv/data', '--cleanup-roots', '/srv/data/tmp', '--min-size'],
      ['cleanup-disk', '--path', '/srv/data', '--cleanup-roots', '/srv/data/tmp', '--file-age'],
      ['cleanup-disk', '--path', '/srv/data', '--cleanup-roots', '/srv/data/tmp', '--mode'],
      ['restart-service', '--service-name'],
      ['restart-service', '--service-name', 'nginx', '--force'],
      ['restart-service', '--service-name', 'nginx', '--timeout'],
      ['restart-service', '--service-name', 'nginx', '--mode'],
      ['restart-application', '--app-name'],
      ['restart-application', '--app-name', 'nginx', '--graceful'],
      ['analyze-processes', '--resource-type'],
      ['analyze-processes', '--resource-type', 'cpu', '--top-count'],
      ['restart-service', '--service-name', 'nginx', '--surprise'],
    ];
    // Names that are names, only of nothing: refused later, and just as harmless.
    const harmless = /"result":"(refused|not_installed|not_loadable|protected|no_root_on_this_file_system)"/;
    const before = await fingerprint();
    // One ssh call for all: each line is one job as Rundeck would run it.
    const quote = (word: string) => `'${word.replaceAll("'", `'"'"'`)}'`;
    const lines = slots.flatMap(([script, ...words]) =>
      evil
        .filter((value) => !value.includes('\u0000'))
        .map(
          (value) =>
            `sudo -n /usr/local/lib/remedia/${script}.sh ${[...words, value].map(quote).join(' ')} | tail -n 1`,
        ),
    );
    const results: string[] = [];
    for (let at = 0; at < lines.length; at += 60) {
      const ran = await host.rundeck(lines.slice(at, at + 60).join('\n'));
      results.push(...ran.output.split('\n').filter((line) => line.startsWith('{"tool"')));
    }
    expect(results).toHaveLength(lines.length);
    expect(results.filter((line) => !harmless.test(line))).toEqual([]);
    expect(await fingerprint()).toBe(before);
  });
});
