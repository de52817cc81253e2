/** What `serverless package` makes of each function: its zip, what is inside, and the environment it is deployed with. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import * as z from 'zod';

const root = join(import.meta.dirname, '..');
const STAGE = 'prod';

export interface PackagedFunction {
  /** As in serverless.yml. */
  readonly name: string;
  readonly zip: Uint8Array;
  /** The zip's files, by name. */
  readonly files: ReadonlyMap<string, string>;
  /** Such as `functions/receive-alert.handler`. */
  readonly handler: string;
  readonly memory: number;
  /** Each setting as the template has it: a text, or a reference of CloudFormation. */
  readonly environment: Readonly<Record<string, unknown>>;
}

const lambda = z.object({
  Type: z.literal('AWS::Lambda::Function'),
  Properties: z.object({
    FunctionName: z.string(),
    Handler: z.string(),
    MemorySize: z.number(),
    Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
  }),
});

/** Packages all of them into a temporary folder, by serverless.yml as it stands. Throws with the tool's own words. */
export async function packageFunctions(): Promise<readonly PackagedFunction[]> {
  const folder = await mkdtemp(join(tmpdir(), 'remedia-package-'));
  try {
    await promisify(execFile)(
      join(root, 'node_modules', '.bin', 'serverless'),
      ['package', '--stage', STAGE, '--package', folder],
      {
        cwd: root,
        env: {
          ...process.env,
          REMEDIA_BUILD: 'bench-cold',
          AWS_ACCESS_KEY_ID: 'none',
          AWS_SECRET_ACCESS_KEY: 'none',
        },
      },
    );
    const text = await readFile(join(folder, 'cloudformation-template-update-stack.json'), 'utf8');
    const { Resources } = z.object({ Resources: z.record(z.string(), z.unknown()) }).parse(JSON.parse(text));
    const found = Object.values(Resources).flatMap((each) => lambda.safeParse(each).data?.Properties ?? []);
    return await Promise.all(
      found.map(async ({ FunctionName, Handler, MemorySize, Environment }) => {
        const name = FunctionName.replace(`remedia-${STAGE}-`, '');
        const zip = await readFile(join(folder, `${name}.zip`));
        return {
          name,
          zip,
          files: filesOf(zip),
          handler: Handler,
          memory: MemorySize,
          environment: Environment.Variables,
        };
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function filesOf(zip: Uint8Array): ReadonlyMap<string, string> {
  const decoder = new TextDecoder();
  return new Map(Object.entries(unzipSync(zip)).map(([name, bytes]) => [name, decoder.decode(bytes)]));
}
