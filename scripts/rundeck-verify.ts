/** `npm run rundeck:verify`: whether a Rundeck server does what Remedia relies on, by dry runs on one host. */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { parseWebhooks } from '#lib/adapters/rundeck.ts';
import { catalogue } from '#lib/catalogue/index.ts';
import { readRundeckSettings } from '../rundeck/connect.ts';
import { verifyRundeck } from '../rundeck/verify.ts';

const help = `Checks a Rundeck server by dry runs: npm run rundeck:verify -- --node HOST

  --node HOST       a node tagged remedia; nothing is changed there
  --path PATH       a mount point of that host, / by default
  --roots A:B       folders that may be cleaned there, /var/tmp by default
  --service NAME    a service of that host, cron.service by default
  --file FILE       what rundeck:setup wrote, .remedia/rundeck.env by default; the environment's
                    RUNDECK_URL, RUNDECK_WEBHOOKS and RUNDECK_API_TOKEN come first
  --wait SECONDS    for one job, 60 by default`;

const { values: options } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    node: { type: 'string' },
    path: { type: 'string', default: '/' },
    roots: { type: 'string', default: '/var/tmp' },
    service: { type: 'string', default: 'cron.service' },
    file: { type: 'string', default: '.remedia/rundeck.env' },
    wait: { type: 'string', default: '60' },
  },
});
if (options.help || options.node === undefined) {
  console.log(help);
  process.exit(options.help ? 0 : 2);
}
const { node } = options;

const fromFile = existsSync(options.file) ? readFileSync(options.file, 'utf8') : '';
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
  console.error(`Missing or wrong: ${names} (neither in the environment nor in ${options.file}).`);
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
    waitMs: Number(options.wait) * 1_000,
  })) {
    console.log(`${ok ? '✓' : '✗'} ${text}`);
    if (!ok) wrong += 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
console.log(wrong === 0 ? 'Everything Remedia relies on is there.' : `${wrong} findings need a look.`);
process.exit(wrong === 0 ? 0 : 1);
