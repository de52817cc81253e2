/** `npm run localstack:down`: takes the stack away, and the container when `localstack:up` started one. */
import { readArguments } from '../scripts/command-line.ts';
import { endpoint, findLocalStack, run } from './endpoint.ts';

readArguments(
  `usage: npm run localstack:down

Takes the stack away from the LocalStack at AWS_ENDPOINT_URL (http://127.0.0.1:4566), and the container when
npm run localstack:up started one.`,
  {},
);
const composeFile = new URL('compose.yaml', import.meta.url).pathname;

const version = await findLocalStack();
if (version !== undefined) {
  console.log(`Taking the stack away from LocalStack ${version} at ${endpoint}.`);
  const { code } = await run('serverless', ['remove', '--stage', 'local']);
  if (code !== 0) {
    console.error(`serverless remove ended with ${code}; going on.`);
    // Unless the container goes, and the stack with it.
    process.exitCode = 1;
  }
} else console.log(`Nothing answers at ${endpoint}, so there is no stack to take away.`);
// Whoever was started in another way is stopped in that way.
const { code, output } = await run('docker', ['compose', '-f', composeFile, 'ps', '--quiet'], {
  quiet: true,
});
if (code === 0 && output.trim() !== '')
  process.exit((await run('docker', ['compose', '-f', composeFile, 'down'])).code);
