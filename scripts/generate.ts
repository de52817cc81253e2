/** `npm run generate`: writes every generated file; with `--check` it writes nothing and fails when one is stale. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { catalogue } from '#lib/catalogue/index.ts';
import type { Tool } from '#lib/catalogue/tool.ts';
import { jobWebhooks, jobYaml } from '../rundeck/jobs.ts';
import { mediaTypeYaml } from '../zabbix/media-type.ts';
import { alertFormatJsonSchema } from './alert-format-schema.ts';
import { fail, readArguments } from './command-line.ts';
import { policyJsonSchema } from './policy-schema.ts';
import { toolsPage } from './tools-page.ts';

const USAGE = `usage: npm run generate -- [--check]

Writes every file that is made from the catalogue and the schemas; with --check it writes nothing, and ends with 1 when
one of them is stale.`;

const {
  values: { check },
} = readArguments(USAGE, { options: { check: { type: 'boolean', default: false } } });

/** A generated file, and what is to stand in it. */
const generated: readonly { readonly file: string; readonly make: () => string | Promise<string> }[] = [
  { file: 'zabbix/media_remedia.yaml', make: mediaTypeYaml },
  { file: 'docs/alert-format.schema.json', make: alertFormatJsonSchema },
  { file: 'docs/policy.schema.json', make: policyJsonSchema },
  { file: 'docs/tools.md', make: toolsPage },
  ...Object.values<Tool>(catalogue).flatMap((tool) => {
    const yaml = jobYaml(tool);
    return yaml === undefined ? [] : [{ file: `rundeck/jobs/${tool.job?.name}.yaml`, make: () => yaml }];
  }),
  {
    file: 'rundeck/webhooks.json',
    make: () => `${JSON.stringify(jobWebhooks(Object.values<Tool>(catalogue)), undefined, 2)}\n`,
  },
];

const stale: string[] = [];
for (const { file, make } of generated) {
  const wanted = await make();
  if (read(file) === wanted) continue;
  stale.push(file);
  if (check) continue;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, wanted);
}
const which = stale.length > 0 ? `: ${stale.join(', ')}` : '';
console.log(
  `generated files: ${generated.length}, ${check ? 'stale' : 'rewritten'}: ${stale.length}${which}`,
);
if (check && stale.length > 0) fail('run npm run generate and commit what it writes');

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
