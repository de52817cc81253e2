/** `npm run test:hostile -- [--payloads N] [--seed S]`: many hostile posts; prints the counts, exits 1 on any harm. */
import { parseArgs } from 'node:util';
import { attack } from '#test/hostile/attack.ts';
import { inOneLine } from '#test/hostile/counts.ts';

const { values } = parseArgs({
  options: { payloads: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const count = Number(values.payloads);
const seed = Number(values.seed);
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
  console.error('usage: npm run test:hostile -- [--payloads N] [--seed S]');
  process.exit(2);
}
const harm = await attack({ count, seed });
console.log(inOneLine(harm));
const wrong = [...harm.crashes, ...harm.widened, ...harm.leaks, ...harm.lost];
for (const each of wrong.slice(0, 20)) console.error(each);
if (wrong.length > 0) process.exit(1);
