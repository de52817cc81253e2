/** What the commands for LocalStack say when something is missing: one sentence that names the next step, and exit 1. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';

const root = join(import.meta.dirname, '..', '..');
/** Nothing listens on port 1. */
const NOWHERE = 'http://127.0.0.1:1';

/** A LocalStack that is up, and on which nothing is deployed. */
let bare: Server;
let bareUrl: string;
/** Answers everything, and is no LocalStack. */
let other: Server;
let otherUrl: string;
const asked: string[] = [];
/** Holds a `docker` and nothing else. */
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remedia-docker-'));
  bare = createServer((request, response) => {
    const health = { services: { sqs: 'running' }, edition: 'community', version: '4.14.0' };
    if (request.url === '/_localstack/health') response.end(JSON.stringify(health));
    else response.writeHead(404).end('{}');
  });
  other = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('{"status":"ok"}');
  });
  bareUrl = await listen(bare);
  otherUrl = await listen(other);
});
afterAll(async () => {
  bare.close();
  other.close();
  await rm(folder, { recursive: true });
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

/** A `docker` that does what `script` says, or none. */
async function dockerThat(script: string | undefined): Promise<void> {
  const file = join(folder, 'docker');
  await rm(file, { force: true });
  if (script === undefined) return;
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

function command(name: string, endpoint: string): Promise<{ readonly code: number; readonly said: string }> {
  return new Promise((done) => {
    const env = { PATH: folder, AWS_ENDPOINT_URL: endpoint };
    execFile(process.execPath, [`localstack/${name}.ts`], { cwd: root, env }, (error, out, err) =>
      done({
        code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1,
        said: `${out}${err}`,
      }),
    );
  });
}

const NO_DOCKER = undefined;
const NO_DAEMON = '[ "$1" = compose ] && exit 0; echo "Cannot connect to the Docker daemon" >&2; exit 1';
const NO_IMAGE = 'case "$*" in *" up "*) echo "pull access denied" >&2; exit 18;; esac';

describe('localstack:up', () => {
  it.each([
    ['no Docker', NO_DOCKER, NOWHERE, /there is no Docker with its compose plugin/],
    ['a Docker without its daemon', NO_DAEMON, NOWHERE, /its daemon does not answer/],
    [
      'an image that cannot be had',
      NO_IMAGE,
      NOWHERE,
      /pull access denied[\s\S]*docker compose ended with 18/,
    ],
    ['an endpoint elsewhere', NO_DOCKER, 'http://192.0.2.1:4566', /only a LocalStack on this machine/],
  ])(
    'with %s says so, and what else can be done',
    async (_, docker, endpoint, words) => {
      await dockerThat(docker);

      const { code, said } = await command('up', endpoint);

      expect([code, said]).toEqual([1, expect.stringMatching(words)]);
      expect(said).not.toMatch(/^\s+at .*:\d+/m);
    },
    20_000,
  );

  it('leaves alone what is up already, Docker or not', async () => {
    await dockerThat(NO_DOCKER);

    const { code, said } = await command('up', bareUrl);

    expect([code, said]).toEqual([0, expect.stringContaining(`up already at ${bareUrl}`)]);
  });
});

it.each(['deploy', 'smoke'])(
  'localstack:%s without a LocalStack names the command that starts one',
  async (name) => {
    const { code, said } = await command(name, NOWHERE);

    expect([code, said]).toEqual([
      1,
      `Nothing answers at ${NOWHERE}. Start LocalStack first: npm run localstack:up\n`,
    ]);
  },
);

it.each(['up', 'deploy', 'smoke', 'down'])(
  'localstack:%s leaves alone what is not LocalStack',
  async (name) => {
    await dockerThat('echo docker was called');
    asked.length = 0;

    const { code, said } = await command(name, otherUrl);

    expect([code, said]).toEqual([
      1,
      expect.stringContaining(`What answers at ${otherUrl} is not LocalStack`),
    ]);
    expect(said).not.toContain('docker was called');
    expect(asked).toEqual(['GET /_localstack/health']);
  },
);

it.each(['deploy', 'down'])('localstack:%s first says what it acts on', async (name) => {
  await dockerThat(NO_DOCKER);

  const { code, said } = await command(name, bareUrl);

  // There is no serverless in this PATH.
  expect(code).toBe(1);

  expect(said).toMatch(
    new RegExp(`^(Deploying to|Taking the stack away from) LocalStack 4\\.14\\.0 at ${bareUrl}\\.\n`),
  );
});

it('localstack:smoke without a deployment names the command that makes one', async () => {
  const { code, said } = await command('smoke', bareUrl);

  expect([code, said]).toEqual([1, expect.stringContaining('npm run localstack:deploy')]);
});

it('localstack:down with nothing there is content', async () => {
  await dockerThat(NO_DOCKER);

  const { code, said } = await command('down', NOWHERE);

  expect([code, said]).toEqual([0, expect.stringContaining('no stack to take away')]);
});

it('starts the last LocalStack that needs no account, on loopback, with every service that the template uses', async () => {
  const { localstack } = z
    .object({
      services: z.object({
        localstack: z.object({
          image: z.string(),
          ports: z.array(z.string()),
          environment: z.object({ SERVICES: z.string() }),
        }),
      }),
    })
    .parse(parse(await readFile(join(root, 'localstack/compose.yaml'), 'utf8'))).services;

  expect(localstack.image).toBe('localstack/localstack:4.14.0');
  expect(localstack.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:/)]);
  expect(localstack.environment.SERVICES.split(',')).toEqual(
    expect.arrayContaining([
      ...['apigateway', 'cloudformation', 'cloudwatch', 'dynamodb', 'events', 'iam', 'lambda', 'logs'],
      ...['s3', 'secretsmanager', 'sns', 'sqs', 'ssm', 'sts'],
    ]),
  );
});
