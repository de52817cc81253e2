/** `npm run localstack:up`: starts LocalStack with Docker, or says that one is up already, or why it cannot. */
import { setTimeout as sleep } from 'node:timers/promises';
import { endpoint, isUp, run } from './endpoint.ts';

const composeFile = new URL('compose.yaml', import.meta.url).pathname;

if (await isUp()) {
  console.log(`LocalStack is up already at ${endpoint}.`);
  process.exit(0);
}
if ((await run('docker', ['compose', 'version'], { quiet: true })).code !== 0)
  fail(
    `Nothing answers at ${endpoint}, and there is no Docker with compose here to start LocalStack with. ` +
      'Install Docker, or start LocalStack in another way and set AWS_ENDPOINT_URL.',
  );
const { code } = await run('docker', ['compose', '-f', composeFile, 'up', '--detach']);
if (code !== 0) fail(`docker compose ended with ${code}; its own words are above.`);
const until = Date.now() + 120_000;
while (!(await isUp())) {
  if (Date.now() > until) fail(`LocalStack did not answer at ${endpoint} within two minutes.`);
  await sleep(500);
}
console.log(`LocalStack is up at ${endpoint}. Next: npm run localstack:deploy`);

function fail(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}
