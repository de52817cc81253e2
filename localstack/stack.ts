/** Deploys serverless.yml to LocalStack, with the secrets that its functions read and a policy. */
import {
  DeleteParametersCommand,
  ParameterAlreadyExists,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { endpoint, run, sdk } from './endpoint.ts';

export interface Deployed {
  /** Without a slash at the end. */
  readonly apiUrl: string;
  /** What deploy/people.yml puts out, by name. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** Secrets by the last part of their SSM names; an empty one is taken away. */
export type Secrets = Readonly<Record<string, string>>;

/**
 * Writes the secrets to where the functions of stage `local` read them. With `keep` one that is there already stays as
 * it is: what was made up at the first deployment must not change at the next.
 */
export async function putSecrets(
  secrets: Secrets,
  { keep = false }: { readonly keep?: boolean } = {},
): Promise<void> {
  const ssm = new SSMClient(sdk);
  try {
    for (const [name, value] of Object.entries(secrets)) {
      const Name = `/remedia/local/${name}`;
      if (value === '') await ssm.send(new DeleteParametersCommand({ Names: [Name] }));
      else
        await ssm
          .send(new PutParameterCommand({ Name, Value: value, Type: 'SecureString', Overwrite: !keep }))
          .catch((error: unknown) => {
            if (!keep || !(error instanceof ParameterAlreadyExists)) throw error;
          });
    }
  } finally {
    ssm.destroy();
  }
}

/** Deploys, and answers where the API is. `parameters` are what serverless.yml lists. Throws with the tool's own words. */
export async function deployStack(parameters: Readonly<Record<string, string>>): Promise<Deployed> {
  const params = Object.entries(parameters).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
  const deployed = await run('serverless', ['deploy', '--stage', 'local', ...params], {
    env: { REMEDIA_BUILD: 'localstack' },
  });
  if (deployed.code !== 0) throw new Error(`serverless deploy failed:\n${deployed.output}`);
  return readStack();
}

/** What is deployed. Throws when nothing is. */
export async function readStack(): Promise<Deployed> {
  const info = await run('serverless', ['info', '--verbose', '--stage', 'local'], { quiet: true });
  const outputs = Object.fromEntries(
    [...info.output.matchAll(/^ {2}(\w+): (\S+)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
  const apiId = outputs['ApiId'];
  if (apiId === undefined) throw new Error(`serverless info names no ApiId:\n${info.output}`);
  return { apiUrl: `${endpoint}/_aws/execute-api/${apiId}/local`, outputs };
}
