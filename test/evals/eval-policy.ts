/** The one policy that evaluations run with: everything by itself, patterns instead of lists, nothing that holds back. */
import { type Policy, policySchema } from '#lib/core/policy.ts';

/** Written without a look at the cases: common places for what may go, every name, every platform. */
const EVAL_POLICY = {
  version: 1,
  platforms: ['linux', 'windows', 'unix'],
  rules: [
    {
      tools: ['cleanup_disk', 'restart_service', 'analyze_processes', 'restart_application'],
      autonomy: 'auto',
    },
  ],
  allow: { paths: ['*'], services: ['*'], applications: ['*'] },
  cleanup_roots: [
    ...['/tmp', '/var/tmp', '/var/log', '/var/cache', '/var/spool', '/var/crash', '/var/www', '/var/mail'],
    ...[
      '/var/lib/php/sessions',
      '/var/lib/systemd/coredump',
      '/var/lib/jenkins',
      '/var/adm',
      '/var/coredumps',
      '/private/var',
      '/scratch',
    ],
    ...['/home', '/srv', '/opt', '/data', '/app', '/apps', '/mnt', '/media', '/u01', '/export', '/storage'],
    ...['/logs', '/log', '/cache', '/spool', '/temp', '/work', '/workspace', '/build', '/builds', '/stage'],
    ...['/share', '/shares', '/www', '/web', '/ftp', '/upload', '/uploads', '/Volumes'],
  ],
  cooldowns: { default: '1s' },
  limits: { global: { per_hour: 10_000 } },
  storm: { alerts: 100_000, within: '1h' },
  flapping: { problems: 4, within: '1h' },
};

/** With the parts of it that a case replaces. */
export function evalPolicy(part: Readonly<Record<string, unknown>> = {}): Policy {
  return policySchema.parse({ ...EVAL_POLICY, ...part });
}
