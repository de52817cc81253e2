/** What serverless.yml says of functions and queues, for whoever runs them without serverless. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { serviceSchema } from '#local/embedded-aws.ts';

const root = join(import.meta.dirname, '..', '..');

/** Queues and functions, as far as the embedded AWS needs them; their names begin with `prefix`. */
export async function describeService(prefix: string): Promise<z.infer<typeof serviceSchema>> {
  const read = async (name: string): Promise<unknown> => {
    const text = await readFile(join(root, 'deploy', name), 'utf8');
    return parse(text.replaceAll(/\$\{self:custom\.prefix\}/g, prefix));
  };
  const functionFile = z.record(z.string(), z.looseObject({}));
  const functions = await Promise.all(
    ['functions-http.yml', 'functions-queue.yml', 'functions-schedule.yml'].map(async (name) =>
      Object.entries(functionFile.parse(await read(name))),
    ),
  );
  return serviceSchema.parse({
    functions: Object.fromEntries(functions.flat().map(([name, each]) => [name, { ...each, name }])),
    resources: await read('queues.yml'),
  });
}
