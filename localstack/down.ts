/** `npm run localstack:down`: takes the stack away, and the container when `localstack:up` started one. */
import { endpoint, isUp, run } from './endpoint.ts';

const composeFile = new URL('compose.yaml', import.meta.url).pathname;

if (await isUp()) {
  const { code } = await run('serverless', ['remove', '--stage', 'local']);
  if (code !== 0) console.error(`serverless remove ended with ${code}; going on.`);
} else console.log(`Nothing answers at ${endpoint}, so there is no stack to take away.`);
// Whoever was started in another way is stopped in that way.
const { code, output } = await run('docker', ['compose', '-f', composeFile, 'ps', '--quiet'], {
  quiet: true,
});
if (code === 0 && output.trim() !== '')
  process.exit((await run('docker', ['compose', '-f', composeFile, 'down'])).code);
