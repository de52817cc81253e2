/** Names of custom triggers whose key speaks for a job, and which say that nothing is wrong with what the job would mend. */
import { describe, expect, it } from 'vitest';
import type { Alert } from '#lib/core/alert.ts';
import { chooseByRules, groundWithoutReader } from '#lib/core/choose-by-rules.ts';
import { ground } from '#lib/core/grounding.ts';
import { alertOf, triggerNamed } from '#test/builders/triggers.ts';
import { evalPolicy } from '#test/evals/eval-policy.ts';

const base = alertOf(triggerNamed('Linux: Load average is too high (per CPU load over 1.5 for 5m)'));
const policy = evalPolicy();

/** The tool that rules would choose, or none. */
function chosen(key: string, nameOrig: string, tags: Alert['tags'] = []): string | undefined {
  const alert: Alert = { ...base, tags, item: { key }, trigger: { id: '1', nameOrig }, eventName: nameOrig };
  const grounding = groundWithoutReader(ground({ alert, policy, now: Date.UTC(2026, 10, 28, 12) }));
  const choice = chooseByRules(grounding);
  return choice.kind === 'proposal' ? choice.tool : undefined;
}

describe('a service', () => {
  const key = 'service.info[nginx,state]';

  it.each(['nginx stopped', 'nginx gestoppt', 'nginx uitgevallen', 'nginx zatrzymany', 'nginx HTTP 503'])(
    'is down: %s',
    (name) => {
      expect(chosen(key, name)).toBe('restart_service');
    },
  );

  it.each([
    ...[
      'TEST: nginx stopped',
      'Test alert: nginx stopped',
      'nginx stopped (test)',
      'Testowy alarm: nginx zatrzymany',
    ],
    ...[
      'nginx manually stopped',
      'nginx von Hand gestoppt',
      'nginx détenido manualmente',
      'nginx handmatig gestopt',
    ],
    ...['nginx is disabled and stopped', 'nginx deaktiviert und gestoppt', 'nginx wyłączony, zatrzymany'],
    ...[
      'Admin stopped nginx',
      'nginx inactive cold node',
      'Other node: nginx down',
      'nginx stopped, rollback ongoing',
    ],
  ])('is tried, or was put out of use by somebody: %s', (name) => {
    expect(chosen(key, name)).toBeUndefined();
  });

  it.each([
    ...[
      'nginx down, now running',
      'nginx: down -> up',
      'nginx up again after crash',
      'nginx was down for 5 minutes',
    ],
    ...['nginx stopped and started again', 'nginx läuft nach Absturz', 'nginx rodando após falha'],
    ...['nginx gestoppt und gestartet', 'nginx was uitgevallen', 'nginx był niedostępny'],
  ])('is up again: %s', (name) => {
    expect(chosen(key, name)).toBeUndefined();
  });

  it.each([
    ...["nginx isn't stopped", 'nginx is not off', 'nginx cannot be stopped', 'nginx nicht inaktiv'],
    ...[
      'nginx no está apagado',
      'nginx não está desligado',
      "nginx n'est pas inactif",
      'nginx non è arrestato',
    ],
    ...['nginx is niet uitgevallen', 'usługa nginx nie jest zatrzymana'],
  ])('is not down: %s', (name) => {
    expect(chosen(key, name)).toBeUndefined();
  });

  it.each([
    ...[
      'nginx steht zur Verfügung',
      'nginx Start beendet',
      'nginx démarrage terminé',
      'nginx terminou de iniciar',
    ],
    ...[
      'nginx: HTTP status code 200',
      'nginx health check passed',
      'nginx exited with status 0',
      'nginx 500 requests',
    ],
  ])('is well in words that sound otherwise: %s', (name) => {
    expect(chosen(key, name)).toBeUndefined();
  });

  it.each([
    ...[
      'nginx config test failed',
      'nginx log file not found',
      'nginx monitoring failed',
      'nginx autostart off',
    ],
    ...[
      'nginx job failed',
      'nginx upstream down',
      'nginx Konfiguration fehlerhaft',
      'nginx authentication failed',
    ],
    ...['VM powered off', 'Host unreachable', 'Zabbix agent not available', 'nginx backup job failed'],
  ])('is not what is meant: %s', (name) => {
    expect(chosen(key, name)).toBeUndefined();
  });

  it('may be called what it is not, and may print', () => {
    expect(chosen('service.info[syntax-checker,state]', 'syntax-checker stopped')).toBe('restart_service');
    expect(chosen('service.check[cups]', 'Printer offline')).toBeUndefined();
    expect(chosen('service.check[cups]', 'Printer spooler stopped')).toBe('restart_service');
  });

  it('has replicas, tables and jobs that may fail without it', () => {
    const mysql = 'systemd.unit.info["mysqld.service",ActiveState]';
    expect(chosen(mysql, 'MySQL stopped')).toBe('restart_service');
    expect(chosen(mysql, 'MySQL replication stopped')).toBeUndefined();
    expect(chosen(mysql, 'MySQL Tabelle defekt')).toBeUndefined();
    expect(chosen('proc.num[crond]', 'Tarea de cron falló')).toBeUndefined();
    expect(chosen('proc.num[backup.sh]', 'Backup not running')).toBeUndefined();
  });

  it('may be what is else the subject of others', () => {
    expect(chosen('systemd.unit.info["zabbix-agent.service",ActiveState]', 'Zabbix Agent inativo')).toBe(
      'restart_service',
    );
  });

  it('is named by no tag of somebody who wants a word to be overlooked', () => {
    expect(chosen(key, 'nginx planned down', [{ tag: 'name', value: 'planned' }])).toBeUndefined();
  });
});

describe('an application', () => {
  it.each([
    ...['Shop: PayPal unreachable', 'Shop database down', 'Shop: keine Verbindung zur Datenbank'],
    ...['Shop: Zahlungsanbieter gestört', 'Shop: pasarela de pago caída', 'shop: 3 invoices failed'],
    ...['Shop LDAP server not reachable', 'Shop: 502 active sessions', 'Shop on port 500'],
  ])('is not what is meant: %s', (name) => {
    expect(chosen('app.health[shop]', name)).toBeUndefined();
    expect(chosen('app.health[shop]', 'Shop does not answer')).toBe('restart_application');
  });

  it.each([
    ...[
      'Container shop exited with 0',
      'Container shop exited, exit status zero',
      'Conteneur shop terminé, code de sortie 0',
    ],
    ...[
      'Contenedor shop terminó con código de salida 0',
      'Contenitore shop terminato con codice di uscita 0',
    ],
  ])('has ended well: %s', (name) => {
    expect(chosen('docker.container_info.state.status[shop]', name)).toBeUndefined();
    expect(chosen('docker.container_info.state.status[shop]', 'Container shop exited with 137')).toBe(
      'restart_application',
    );
  });
});

describe('a file system', () => {
  it.each([
    ...[
      '/var 95 % used',
      'Only 3 % free on /var',
      'Free space on /var < 5%',
      'No free space on /var',
      '/var 200 MB left',
    ],
    ...['/var nur noch 4 % frei', '/var za 96 % voll', 'Espacio libre en /var: 3 %', 'Disk nearly full'],
  ])('is full: %s', (name) => {
    expect(chosen('vfs.fs.size[/var,pused]', name)).toBe('cleanup_disk');
  });

  it.each([
    ...[
      '/var usage 40%',
      'Info: /var usage 61 %',
      '/var 50% used',
      '/var usage from 95% to 40%',
      'Disk usage 95% -> 40%',
    ],
    ...[
      '/var maar 10% gebruikt',
      '/var tylko 10% zajęte',
      'only 5 GB used',
      '/ usage below 5%',
      'Disk full 50 %',
    ],
    ...[
      '/ 95% free',
      '/ more than 80% free',
      'Free space on /var > 80%',
      'Vrije ruimte meer dan 80%',
      '/ 2 TB left',
    ],
    ...[
      'Espacio libre en / más de 50 GB',
      'plenty of space left on /var',
      '/var usage low',
      'Belegung niedrig',
    ],
    ...[
      'disco casi vacío',
      'disco quase vazio',
      'Festplatte fast leer',
      'bijna leeg: schijf /var',
      'prawie pusty dysk',
    ],
    ...['/var tylko do odczytu', 'disk nearly read-only', 'Test: disk full', 'Disk full test'],
  ])('has room, or is only read: %s', (name) => {
    expect(chosen('vfs.fs.size[/var,pused]', name)).toBeUndefined();
  });
});
