/** `npm run test:hostile -- [--payloads N] [--seed S]`: many hostile posts; prints the counts, exits 1 on any harm. */
import { attack } from '#test/hostile/attack.ts';
import { inOneLine } from '#test/hostile/counts.ts';
import { readArguments, readNumber } from '../../scripts/command-line.ts';

const USAGE = `usage: npm run test:hostile -- [--payloads N] [--seed S]

Posts N hostile bodies (1000 by default), made from the seed S (1), to the functions in memory; prints the counts, and ends
with 1 on any harm.`;

const { values } = readArguments(USAGE, {
  options: { payloads: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const count = readNumber(USAGE, '--payloads', values.payloads, [1, 10_000_000]);
const seed = readNumber(USAGE, '--seed', values.seed, [0, 2 ** 31 - 1]);
const harm = await attack({ count, seed });
console.log(inOneLine(harm));
const wrong = [...harm.crashes, ...harm.widened, ...harm.leaks, ...harm.lost];
for (const each of wrong.slice(0, 20)) console.error(each);
if (wrong.length > 0) process.exit(1);
