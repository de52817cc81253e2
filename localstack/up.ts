/** `npm run localstack:up`: starts LocalStack with Docker, or says that one is up already, or why it cannot. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, readArguments } from '../scripts/command-line.ts';
import { endpoint, findLocalStack, isUp, run } from './endpoint.ts';

readArguments(
  `usage: npm run localstack:up

Starts LocalStack on this machine with Docker and its compose plugin. When one answers at AWS_ENDPOINT_URL
(http://127.0.0.1:4566) already it says so, and starts none.`,
  {},
);
const composeFile = new URL('compose.yaml', import.meta.url).pathname;
const ELSE = 'Or start LocalStack 4.14.0 in another way and set AWS_ENDPOINT_URL to it.';

if ((await findLocalStack()) !== undefined) {
  console.log(`LocalStack is up already at ${endpoint}. Next: npm run localstack:deploy`);
  process.exit(0);
}
const { hostname } = new URL(endpoint);
if (!['127.0.0.1', 'localhost'].includes(hostname))
  fail(`Nothing answers at ${endpoint}, and only a LocalStack on this machine can be started from here.`);
if ((await run('docker', ['compose', 'version'], { quiet: true })).code !== 0)
  fail(
    `Nothing answers at ${endpoint}, and there is no Docker with its compose plugin here to start LocalStack with. ` +
      `Install both. ${ELSE}`,
  );
if ((await run('docker', ['info'], { quiet: true })).code !== 0)
  fail(
    `Docker is installed, but its daemon does not answer; it may not run, or you may not use it (try: docker info). ${ELSE}`,
  );
const { code } = await run('docker', ['compose', '-f', composeFile, 'up', '--detach']);
if (code !== 0) fail(`docker compose ended with ${code}; its own words are above. ${ELSE}`);
const until = Date.now() + 120_000;
while (!(await isUp())) {
  if (Date.now() > until)
    fail(`LocalStack did not answer at ${endpoint} within two minutes. Look: docker logs remedia-localstack`);
  await sleep(500);
}
console.log(`LocalStack is up at ${endpoint}. Next: npm run localstack:deploy`);
