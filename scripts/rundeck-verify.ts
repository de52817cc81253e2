/** `npm run rundeck:verify`: whether a Rundeck server does what Remedia relies on, by dry runs on one host. */
import { existsSync } from 'node:fs';
import * as z from 'zod';
import { parseWebhooks } from '#lib/adapters/rundeck.ts';
import { catalogue } from '#lib/catalogue/index.ts';
import { readRundeckSettings } from '../rundeck/connect.ts';
import { verifyRundeck } from '../rundeck/verify.ts';
import { fail, misused, readArguments, readNumber, readText } from './command-line.ts';

const USAGE = `usage: npm run rundeck:verify -- --node HOST [--path PATH] [--roots A:B] [--service NAME] [--file FILE] [--wait SECONDS]

Checks a Rundeck server by dry runs.

  --node HOST       a node tagged remedia; nothing is changed there
  --path PATH       a mount point of that host, / by default
  --roots A:B       folders that may be cleaned there, /var/tmp by default
  --service NAME    a service of that host, cron.service by default
  --file FILE       what rundeck:setup wrote, .remedia/rundeck.env by default; the environment's
                    RUNDECK_URL, RUNDECK_WEBHOOKS and RUNDECK_API_TOKEN come first
  --wait SECONDS    for one job, 60 by default`;

const { values: options } = readArguments(USAGE, {
  options: {
    node: { type: 'string' },
    path: { type: 'string', default: '/' },
    roots: { type: 'string', default: '/var/tmp' },
    service: { type: 'string', default: 'cron.service' },
    file: { type: 'string', default: '.remedia/rundeck.env' },
    wait: { type: 'string', default: '60' },
  },
});
const { node } = options;
if (node === undefined) misused(USAGE, '--node is missing: a host that is a node tagged remedia.');
const waitMs = readNumber(USAGE, '--wait', options.wait, [1, 3600]) * 1_000;

const fromFile = existsSync(options.file) ? readText(options.file) : '';
const earlier = readRundeckSettings(fromFile);
const given = z
  .object({
    RUNDECK_URL: z.url({ protocol: /^https?$/ }),
    RUNDECK_WEBHOOKS: z.string().min(1),
    RUNDECK_API_TOKEN: z.string().min(1),
  })
  .safeParse({
    RUNDECK_URL: process.env['RUNDECK_URL'] || earlier?.url,
    RUNDECK_WEBHOOKS: process.env['RUNDECK_WEBHOOKS'] || JSON.stringify(earlier?.webhooks),
    RUNDECK_API_TOKEN: process.env['RUNDECK_API_TOKEN'] || earlier?.apiToken,
  });
if (!given.success) {
  const names = given.error.issues.map(({ path }) => path.join('.')).join(', ');
  console.error(
    `Missing or wrong: ${names}. npm run rundeck:setup makes all three and writes them to ${options.file}; ` +
      'or name another file with --file, or set them in the environment.',
  );
  process.exit(2);
}

let wrong = 0;
try {
  for await (const { ok, text } of verifyRundeck({
    url: given.data.RUNDECK_URL,
    apiToken: given.data.RUNDECK_API_TOKEN,
    webhooks: parseWebhooks(given.data.RUNDECK_WEBHOOKS),
    catalogue,
    node,
    samples: {
      cleanup_disk: { path: options.path },
      restart_service: { service_name: options.service },
      analyze_processes: { resource_type: 'cpu', top_count: 5 },
      restart_application: { app_name: options.service },
      notify: { message: 'Remedia looks whether this job runs; nothing has happened.', priority: 'low' },
    },
    cleanupRoots: options.roots.split(':'),
    waitMs,
  })) {
    console.log(`${ok ? '✓' : '✗'} ${text}`);
    if (!ok) wrong += 1;
  }
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
console.log(wrong === 0 ? 'Everything Remedia relies on is there.' : `${wrong} findings need a look.`);
process.exit(wrong === 0 ? 0 : 1);
