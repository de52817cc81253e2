/** The table that is deployed is the table that the adapter was written and tested for. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { tableDefinition } from '#lib/adapters/incidents-table.ts';

const template = z.object({
  Resources: z.object({ IncidentsTable: z.object({ Properties: z.record(z.string(), z.unknown()) }) }),
});

it('the deployed table has the keys and indexes of the adapter, and expires by its attribute', async () => {
  const yaml: unknown = parse(await readFile(new URL('../../deploy/table.yml', import.meta.url), 'utf8'));
  const deployed = template.parse(yaml).Resources.IncidentsTable.Properties;
  const { TableName: _, ...definition } = tableDefinition('incidents');
  expect(deployed).toMatchObject(definition);
  expect(deployed).toMatchObject({ TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true } });
});
