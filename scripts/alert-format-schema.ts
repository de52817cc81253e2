/** The alert format as a JSON schema, for whoever writes another sender: what may be posted, not what comes out. */
import * as z from 'zod';
import { wireAlertSchema } from '#lib/core/parse-alert.ts';

export function alertFormatJsonSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(wireAlertSchema, { target: 'draft-7', io: 'input' });
  return `${JSON.stringify({ $schema, title: 'Remedia alert, format version 1', ...schema }, null, 2)}\n`;
}
