/** `npm run bench:cold`: how large each packaged function is, and how long it takes to be ready in a real Lambda. */
import { isUp } from '../localstack/endpoint.ts';
import { readArguments, readNumber } from '../scripts/command-line.ts';
import { initTable, packageFaults, sizeTable, slowStarts } from './cold-report.ts';
import { emptyFunction, measureColdStarts } from './cold-starts.ts';
import { loadLine, machineLine } from './machine.ts';
import { packageFunctions } from './packaged-functions.ts';

const USAGE = `usage: npm run bench:cold -- [--times N]

Packages every function by serverless.yml, and starts each cold in the Lambda at AWS_ENDPOINT_URL.

  --times N   cold starts of each function, by default 5

Ends with 1 when a package is too large or holds what it should not. A start that takes longer than was promised is said
aloud, and does not.`;

const { values: options } = readArguments(USAGE, {
  options: {
    times: { type: 'string', default: '5' },
  },
});
const times = readNumber(USAGE, '--times', options.times, [1, 1000]);

console.log(machineLine());
const packaged = await packageFunctions();
console.log(`\n${sizeTable(packaged)}\n`);
const faults = packaged.flatMap((each) => packageFaults(each).map((fault) => `${each.name} ${fault}`));
for (const fault of faults) console.log(`BROKEN ${fault}`);
if (faults.length > 0) process.exitCode = 1;

if (process.env['AWS_ENDPOINT_URL'] === undefined || process.env['AWS_ENDPOINT_URL'] === '')
  console.log('SKIPPED: how long they take to start. AWS_ENDPOINT_URL names no LocalStack.');
else if (!(await isUp())) {
  console.error(`No LocalStack answers at AWS_ENDPOINT_URL, ${process.env['AWS_ENDPOINT_URL']}.`);
  process.exitCode = 1;
} else {
  const memory = packaged[0]?.memory ?? 256;
  const [empty, ...starts] = await measureColdStarts([emptyFunction(memory), ...packaged], times);
  if (empty === undefined) throw new Error('nothing was started');
  console.log(`${initTable(empty, starts)}\n`);
  const slow = slowStarts(starts);
  for (const each of slow) console.log(`MISSED ${each}`);
  if (slow.length === 0) console.log('kept   every function is ready in time');
}
console.log(`load average now ${loadLine()}`);
