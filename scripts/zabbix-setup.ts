/** `npm run zabbix:setup`: connects a Zabbix server to Remedia; it can be run again at any time. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod';
import { openZabbix } from '../zabbix/call-zabbix.ts';
import { connectZabbix } from '../zabbix/connect.ts';
import { fail, readArguments } from './command-line.ts';
import { explainedSettings, readExplained } from './explained-settings.ts';

const SETTINGS = {
  ZABBIX_API_URL: 'the frontend, such as https://zabbix.example.com',
  ZABBIX_ADMIN_TOKEN: `an API token of a super administrator, made in Zabbix under Users > API tokens
(used now, kept nowhere), or ZABBIX_API_USER and ZABBIX_API_PASSWORD`,
  PUBLIC_BASE_URL: "Remedia's address as the Zabbix server reaches it",
  INTAKE_TOKENS: `Remedia's (on AWS the secret /remedia/<stage>/intake-tokens); the first one is given to Zabbix`,
  INTAKE_HMAC_KEY: "Remedia's, when it checks signatures",
  REMEDIA_SOURCE: `how Remedia calls this Zabbix server; Remedia's own setting, "zabbix" if it has none`,
  REMEDIA_HOST_GROUPS: 'host groups in Zabbix whose problems Remedia gets, separated by commas',
  REMEDIA_MINIMUM_SEVERITY: '0 to 5, 2 (warning) by default',
  REMEDIA_PAGE_GROUP: `user group that Zabbix itself pages when nobody answers; "Zabbix administrators" by default`,
  REMEDIA_PAGE_AFTER: 'minutes, 15 by default',
};
const USAGE = `usage: npm run zabbix:setup -- [--token-file FILE] [--renew-token] [--no-safety-net]

Connects a Zabbix 7 server to Remedia; running it again changes nothing. From the environment:

${explainedSettings(SETTINGS)}

  --token-file FILE   where the token for Remedia's comments goes, .remedia/zabbix-token by default
  --renew-token       make a new one
  --no-safety-net     Zabbix pages nobody (only when something else does)`;

const { values: options } = readArguments(USAGE, {
  options: {
    'token-file': { type: 'string', default: '.remedia/zabbix-token' },
    'renew-token': { type: 'boolean', default: false },
    'no-safety-net': { type: 'boolean', default: false },
  },
});

const list = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((each) => each.trim())
      .filter(Boolean),
  )
  .pipe(z.array(z.string()).min(1));
const environment = z.object({
  ZABBIX_API_URL: z.url({ protocol: /^https?$/ }),
  ZABBIX_ADMIN_TOKEN: z.string().min(1).optional(),
  ZABBIX_API_USER: z.string().min(1).optional(),
  ZABBIX_API_PASSWORD: z.string().min(1).optional(),
  PUBLIC_BASE_URL: z.url({ protocol: /^https?$/ }),
  INTAKE_TOKENS: list,
  INTAKE_HMAC_KEY: z.string().optional(),
  REMEDIA_SOURCE: z.string().min(1),
  REMEDIA_HOST_GROUPS: list,
  REMEDIA_MINIMUM_SEVERITY: z.coerce.number().int().min(0).max(5).default(2),
  REMEDIA_PAGE_GROUP: z.string().min(1).default('Zabbix administrators'),
  // Zabbix takes 60 s at least, and Remedia needs a few minutes to try.
  REMEDIA_PAGE_AFTER: z.coerce.number().int().min(1).max(1440).default(15),
});
const settings = readExplained(environment, SETTINGS, [
  ['ZABBIX_ADMIN_TOKEN'],
  ['ZABBIX_API_USER', 'ZABBIX_API_PASSWORD'],
]);
const {
  ZABBIX_ADMIN_TOKEN: token,
  ZABBIX_API_USER: user = '',
  ZABBIX_API_PASSWORD: password = '',
} = settings;
const login = token ? { token } : { user, password };

try {
  const call = await openZabbix(settings.ZABBIX_API_URL, login);
  const { done, warnings, apiToken } = await connectZabbix(call, {
    remediaUrl: settings.PUBLIC_BASE_URL,
    intakeToken: settings.INTAKE_TOKENS[0] ?? '',
    signingKey: settings.INTAKE_HMAC_KEY,
    source: settings.REMEDIA_SOURCE,
    hostGroups: settings.REMEDIA_HOST_GROUPS,
    minimumSeverity: settings.REMEDIA_MINIMUM_SEVERITY,
    safetyNet: options['no-safety-net']
      ? undefined
      : { userGroup: settings.REMEDIA_PAGE_GROUP, afterMinutes: settings.REMEDIA_PAGE_AFTER },
    renewToken: options['renew-token'],
  });
  for (const line of done) console.log(`✓ ${line}`);
  for (const line of warnings) console.log(`! ${line}`);
  if (apiToken) {
    const file = options['token-file'];
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${apiToken}\n`, { mode: 0o600 });
    console.log(`The token for Remedia's comments is in ${file}; give it to Remedia as ZABBIX_API_TOKEN.`);
  }
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
