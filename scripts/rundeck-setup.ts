/** `npm run rundeck:setup`: connects a Rundeck server to Remedia; it can be run again at any time. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { catalogue } from '#lib/catalogue/index.ts';
import { openRundeck } from '../rundeck/call-rundeck.ts';
import { connectRundeck, readRundeckSettings, writeRundeckSettings } from '../rundeck/connect.ts';
import { fail, readArguments, readText } from './command-line.ts';
import { explainedSettings, readExplained } from './explained-settings.ts';

const SETTINGS = {
  RUNDECK_URL: 'the server, such as https://rundeck.example.com',
  RUNDECK_ADMIN_TOKEN: `an API token of an administrator, made in Rundeck under <your name> > Profile >
User API Tokens with the role admin (used now, kept nowhere)`,
  RUNDECK_PROJECT: 'the project, "remedia" by default; it is made when it is not there',
  RUNDECK_USER: 'the user that webhooks and token belong to, "admin" by default; it must exist',
  RUNDECK_NOTIFICATION_URL: `where Rundeck tells that a job ended, such as
https://rundeck:<one of EXECUTION_TOKENS>@remedia.example.com/api/v1/rundeck/execution
(without it Remedia asks by itself)`,
};
const USAGE = `usage: npm run rundeck:setup -- [--file FILE] [--ssm PREFIX] [--print] [--renew]

Connects a Rundeck 5 server to Remedia; running it again changes nothing. From the environment:

${explainedSettings(SETTINGS)}

  --file FILE       where RUNDECK_URL, RUNDECK_WEBHOOKS and RUNDECK_API_TOKEN go, .remedia/rundeck.env by default
  --ssm PREFIX      also into AWS Systems Manager, as PREFIX/rundeck-webhooks and PREFIX/rundeck-api-token
  --print           also print RUNDECK_WEBHOOKS (it holds secrets)
  --renew           make new secrets and a new token`;

const { values: options } = readArguments(USAGE, {
  options: {
    file: { type: 'string', default: '.remedia/rundeck.env' },
    ssm: { type: 'string' },
    print: { type: 'boolean', default: false },
    renew: { type: 'boolean', default: false },
  },
});

const environment = z.object({
  RUNDECK_URL: z.url({ protocol: /^https?$/ }),
  RUNDECK_ADMIN_TOKEN: z.string().min(1),
  // It becomes part of paths and of the access policy.
  RUNDECK_PROJECT: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/)
    .default('remedia'),
  RUNDECK_USER: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/)
    .default('admin'),
  RUNDECK_NOTIFICATION_URL: z
    .url({ protocol: /^https?$/ })
    // Rundeck splits there.
    .refine((url) => !url.includes(','), 'must not hold a comma')
    .optional(),
});
const settings = readExplained(environment, SETTINGS);
const { file } = options;

try {
  const call = openRundeck(settings.RUNDECK_URL, settings.RUNDECK_ADMIN_TOKEN);
  const { done, warnings, webhooks, apiToken } = await connectRundeck(call, {
    url: settings.RUNDECK_URL,
    project: settings.RUNDECK_PROJECT,
    tools: Object.values(catalogue),
    user: settings.RUNDECK_USER,
    notificationUrl: settings.RUNDECK_NOTIFICATION_URL,
    earlier: existsSync(file) ? readRundeckSettings(readText(file)) : undefined,
    renew: options.renew,
  });
  for (const line of done) console.log(`✓ ${line}`);
  for (const line of warnings) console.log(`! ${line}`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, writeRundeckSettings(settings.RUNDECK_URL, { webhooks, apiToken }), { mode: 0o600 });
  console.log(`RUNDECK_URL, RUNDECK_WEBHOOKS and RUNDECK_API_TOKEN are in ${file}, readable by you alone.`);
  const { ssm: prefix } = options;
  if (prefix !== undefined) {
    const client = new SSMClient({});
    for (const [name, value] of [
      ['rundeck-webhooks', JSON.stringify(webhooks)],
      ['rundeck-api-token', apiToken],
    ]) {
      await client.send(
        new PutParameterCommand({
          Name: `${prefix}/${name}`,
          Value: value,
          Type: 'SecureString',
          Overwrite: true,
        }),
      );
      console.log(`✓ parameter ${prefix}/${name}`);
    }
  }
  if (options.print) console.log(`RUNDECK_WEBHOOKS=${JSON.stringify(webhooks)}`);
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
