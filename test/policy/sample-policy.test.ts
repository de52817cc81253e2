import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readPolicy } from '#lib/adapters/policy-file.ts';
import { ground } from '#lib/core/grounding.ts';
import { policySchema } from '#lib/core/policy.ts';
import { matchPolicy } from '#lib/core/policy-match.ts';
import { anAlert, NOON } from './examples.ts';

const trigger = z.object({
  name: z.string(),
  nseverity: z.literal([0, 1, 2, 3, 4, 5]),
  tags: z.array(z.object({ tag: z.string(), value: z.string() })),
  item_key: z.string(),
  host: z.string(),
  remediation: z.string(),
  also_acceptable: z.array(z.string()),
});
const triggers = readFileSync('test/fixtures/zabbix/labelled-triggers.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map((line) => trigger.parse(JSON.parse(line)));
const policyOf = (file: string) => {
  const reading = readPolicy(readFileSync(file, 'utf8'));
  return reading.kind === 'policy' ? reading.policy : policySchema.parse({ version: 1 });
};
const alertOf = ({ name, nseverity, tags, item_key, host }: (typeof triggers)[number]) =>
  anAlert({ eventName: name, severity: nseverity, tags, item: { key: item_key }, host: { host } });

describe('local/policy.yaml', () => {
  const policy = policyOf('local/policy.yaml');
  const mendable = triggers.filter(
    ({ host, remediation }) => remediation !== 'notify' && !host.startsWith('win-'),
  );

  it.each(mendable)('lets $item_key on $host be mended', (each) => {
    const { eligible } = ground({ alert: alertOf(each), policy, now: NOON });
    const possible = eligible.map(({ tool }) => tool);

    // Where a human is fine too, no tool has to be possible.
    const wanted = [each.remediation, ...each.also_acceptable];
    expect(wanted.includes('notify') || possible.some((tool) => wanted.includes(tool))).toBe(true);
  });
});

describe('policy.yaml', () => {
  const policy = policyOf('policy.yaml');

  it('lets no job start, whatever the alert', () => {
    for (const alert of triggers.map(alertOf)) {
      for (const tool of [
        'cleanup_disk',
        'restart_service',
        'analyze_processes',
        'restart_application',
      ] as const) {
        const match = matchPolicy({ policy, alert, tool, now: NOON });
        expect(match).toMatchObject({ kind: 'allowed', autonomy: 'observe' });
      }
    }
  });
});
