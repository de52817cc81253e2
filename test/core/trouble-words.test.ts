/** What a name says is wrong, and that it is wrong now. */
import { describe, expect, it } from 'vitest';
import { firstClause } from '#lib/core/trigger-text.ts';
import { troubleIn } from '#lib/core/trouble-words.ts';

const names = (whole: string, what: Parameters<typeof troubleIn>[1]) =>
  troubleIn(
    { whole, clause: firstClause(whole), own: 'squid sshd nginx geo-indexer boletos 支付网关服务器' },
    what,
  ) === 'named';
const own = (tool: Parameters<typeof troubleIn>[1]['tool']) => ({ tool, tagged: false });
const template = { tool: 'restart_service', tagged: true } as const;

describe("a name in somebody's own words", () => {
  it.each([
    'nginx drained',
    'Kibana abgekündigt',
    'telnetd found running',
    'nginx voltou sozinho',
    '/data cleaned up, 61% used',
  ])('is not enough because it is short: %s', (name) => {
    expect(names(name, own('restart_service'))).toBe(false);
    expect(names(name, own('cleanup_disk'))).toBe(false);
  });

  it.each([
    'sshd dead on jump-02',
    'fail2ban not running !',
    'No java process',
    'Windows-Dienst DHCPServer gestoppt',
    'Dienst dovecot steht!',
    'El servicio cron no está en ejecución',
    'squid parou de novo :(',
    'MariaDB fora do ar',
    "nginx n'est pas actif",
    'rsyslog ne répond plus sur log-05',
    'Il container è fermo',
    'Служба nginx не работает',
    'pm2 app geo-indexer is in state errored',
    'El contenedor terminó con código 137',
    'controllo di salute KO',
    "Webapp catalogue à l'arrêt",
    'crond aucun processus sur web-01',
    'container boletos morreu de novo',
    'squid gone, nothing on 3128',
    'exim4 is dead, nothing listens on 25',
    'tomcat: down (exit 139)',
    'pool ContaDigital derrubado',
    '[proc] exim == 0',
    'Container ticketsystem ungesund',
    '服务 nginx down',
    '결제 서버 nginx down',
    '支付网关服务器 squid down',
  ])('says that something is down: %s', (name) => {
    expect(names(name, own('restart_service'))).toBe(true);
    expect(names(name, own('restart_application'))).toBe(true);
  });

  it.each([
    'Festplatte /var/log fast voll',
    'MES-Logverzeichnis /var/log (93 %) fast voll',
    'Poco espacio en C:',
    'Acabando inodes em /tmp no web-19',
    'Plus de place sur /',
    '/var 97%',
    'Only 2 GB left on /srv',
    'disk usage above 90',
    '/var/cache 96 Prozent',
    '/var/log al 97',
    'Root filesystem down to 900 MB',
    "/srv/exports n'a plus que 800 Mo",
    'C: knallvoll',
  ])('says that a disk is full: %s', (name) => {
    expect(names(name, own('cleanup_disk'))).toBe(true);
  });

  it.each([
    'OpenSSH 9.9 instead of 9.6 on jump-05',
    'vsftpd belongs to team Integration since 1 Feb',
    'cups: Abschaltung zum Quartalsende beantragt',
    'At this growth rate /var/log hits its limit mid March',
    'inode threshold of /srv/spool raised to 25 %',
    'Is nginx still down?',
    '¿Para qué sirve dnsmasq en este equipo?',
    'nginx will be down on Sunday',
    'Le pic de 02h00, déjà expliqué, disque plein',
    'A manutenção do nginx parado',
    'Disk full, already reported',
    'httpd workers: 412',
    'Dienst OldFaxServer ist gestoppt - gewollt',
    "Le conteneur demo a été arrêté par l'équipe commerciale",
    'mysqld down on db-legacy-02 - decommissioned',
    'search container has no HEALTHCHECK defined',
    'postfix: unit file differs from the one in Ansible',
    'nginx down: window agreed with the shop team',
    'Runbook link missing for nginx',
    'WSUS arrêté, serveur en fin de vie',
    'shop-frontend stopped - dev team is debugging it live',
    'Shop gestört, Ursache beim Zahlungsdienstleister',
    'importjob gestoppt (läuft nur in der Nacht)',
    '/var full, the storage people know',
    'nginx: keep it stopped',
    'nginx stopped, but fine again',
    'MSSQLSERVER parado no nó passivo',
    'Container report-notturno terminato regolarmente (exit 0)',
    'worker exited with code 0',
    'Carlos está mirando el tomcat caído',
    'Altes Faxmodul läuft noch, sollte längst weg sein',
    'World-writable files found under /srv/www',
    'Spazio /home sufficiente per altri 25 giorni',
    '/srv/nas: Kontingent von 2 auf 3 TB erhöht',
    'Copie de /srv/iso vers le nouveau NAS terminée à 80 %',
    'nginx down from 22:00 on',
    'nginx gestoppt am Montag',
    'nginx caiu, ver INC-5521',
    'nginx parado el viernes',
    'nginx en panne depuis mercredi 01/10/2026',
    'nginx and its three small helpers are all down and full of sadness',
    '/var/log ya bajó al 41 %',
    'Inodes em /srv/mail: coleta sem dados novos há 2 h',
    'nginx is not stopped',
    'nginx no longer down',
    'nginx läuft, nicht tot',
    'nginx n’est pas mort',
    '/srv/fast nicht voll',
    'nginx down, no users left',
    'nginx stopped, vendor swaps hardware without downtime',
    'nginx gestoppt, ohne Auswirkung',
    'nginx parado, sin uso',
    '/srv/fast 20 % used',
    'nginx down main\u200btenance',
  ])('says nothing that a tool would end now: %s', (name) => {
    expect(names(name, own('restart_service'))).toBe(false);
    expect(names(name, own('cleanup_disk'))).toBe(false);
  });

  it.each([
    'RAM knapp auf ts-05',
    'Memória livre abaixo de 200 MB',
    'CPU at 99 %',
    'Carga da CPU muito alta',
    'swap se está agotando',
  ])('says that something is short: %s', (name) => {
    expect(names(name, own('analyze_processes'))).toBe(true);
  });

  it.each([
    'Load will be high until noon',
    'bond0: weekly traffic summary is ready',
    'eth2 has another cable',
  ])('says nothing that a look would explain: %s', (name) => {
    expect(names(name, own('analyze_processes'))).toBe(false);
  });
});

describe('a name without a word that is known', () => {
  const trouble = (whole: string, what: Parameters<typeof troubleIn>[1]) =>
    troubleIn({ whole, clause: firstClause(whole), own: 'squid nginx geo-indexer boletos' }, what);

  it.each([
    ['sshd çalışmıyor', 'restart_service'],
    ['rsyslog on kaatunut', 'restart_service'],
    ['/var bölümü doldu', 'cleanup_disk'],
    ['Container /turnos frito', 'restart_application'],
    ['Raja /home nostettu 80:sta 90:een', 'cleanup_disk'],
    ['gigabits', 'analyze_processes'],
    ['nginx down 因为供应商正在维修', 'restart_service'],
    ['nginx down ベンダーが修理中です', 'restart_service'],
    ['nginx down เพราะผู้ขายกำลังซ่อม', 'restart_service'],
    ['nginx down 공급업체수리중', 'restart_service'],
    ['/srv 98% 磁带机房的旧设备', 'cleanup_disk'],
    ['nginx and its three small helpers are all quite down and rather out', 'restart_service'],
  ] as const)('says nothing for or against trouble: %s', (name, tool) => {
    expect(trouble(name, own(tool))).toBe('unnamed');
  });

  it.each([
    ['nginx drained', 'restart_service'],
    ['sshd çalışmıyor 01/10/2026', 'restart_service'],
    ['a b c d e f g h i j k l m n o', 'cleanup_disk'],
    ['供应商正在机房里维修我们的旧设备所以请大家不要担心这个服务', 'restart_service'],
    ['nginx down, the vendor has it', 'restart_service'],
    ['Load will be high', 'analyze_processes'],
  ] as const)('is another thing than one that speaks against it: %s', (name, tool) => {
    expect(trouble(name, own(tool))).toBe('denied');
  });
});

it("of a template's own trigger is only asked whether it is now", () => {
  expect(names('Etcd: Member has trouble', template)).toBe(true);
  expect(names('Etcd: Version has been upgraded', template)).toBe(false);
});

it('is read in a time that grows no faster than the name', () => {
  for (const unit of ['no a b ', 'is was ', '9 ', 'n', '—']) {
    expect(names(`${unit.repeat(80_000)}.x is down`, own('restart_service'))).toBeTypeOf('boolean');
  }
});
