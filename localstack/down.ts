/** `npm run localstack:down`: takes the stack away, and the container if Docker has one. */
import { endpoint, isUp, run } from './endpoint.ts';

const composeFile = new URL('compose.yaml', import.meta.url).pathname;

if (await isUp()) {
  const { code } = await run('serverless', ['remove', '--stage', 'local']);
  if (code !== 0) console.error(`serverless remove ended with ${code}; going on.`);
} else console.log(`Nothing answers at ${endpoint}.`);
if ((await run('docker', ['compose', 'version'], { quiet: true })).code === 0)
  process.exit((await run('docker', ['compose', '-f', composeFile, 'down'])).code);
