/** The policy's JSON schema, for editors that complete and check YAML. */
import * as z from 'zod';
import { policySchema } from '#lib/core/policy.ts';

/** JSON Schema 2020-12 of what may be written; what only code can check (time zones, an hour at most) is not in it. */
export function policyJsonSchema(): string {
  const schema = {
    title: "Remedia's policy",
    description: 'Generated from lib/core/policy.ts by npm run generate.',
    ...z.toJSONSchema(policySchema, { io: 'input' }),
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
