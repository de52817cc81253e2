/** `npm run test:chaos -- --alerts N --seed S`: a long simulated run; prints what happened, exits 1 on a broken promise. */
import { parseArgs } from 'node:util';
import { chaosPolicy } from '#test/chaos/chaos-policy.ts';
import { memoryStack } from '#test/chaos/memory-stack.ts';
import { type Report, simulate } from '#test/chaos/simulate.ts';

const { values } = parseArgs({
  options: {
    alerts: { type: 'string', default: '1000' },
    'show-suspects': { type: 'boolean', default: false },
    duplicates: { type: 'string', default: '0.3' },
    seed: { type: 'string', default: '1' },
    'without-conditions': { type: 'boolean', default: false },
  },
});
const alerts = Number(values.alerts);
const seed = Number(values.seed);
if (!Number.isInteger(alerts) || alerts < 1 || !Number.isInteger(seed)) {
  console.error(
    'usage: npm run test:chaos -- [--alerts N] [--seed S] [--without-conditions] [--show-suspects]',
  );
  process.exit(2);
}

const began = performance.now();
const report = await simulate({
  alerts,
  seed,
  stack: memoryStack(),
  policy: chaosPolicy(),
  tightened: chaosPolicy({ tightened: true }),
  duplicates: Number(values.duplicates),
  withoutConditions: values['without-conditions'],
});
print(report);
if (values['show-suspects']) console.log(JSON.stringify(report.suspects, undefined, 2));
if ([...report.violations.values()].some((each) => each.length > 0)) process.exit(1);

function print({ violations, suspects: _, faults, outcomes, reasons, ...figures }: Report): void {
  console.log(`${alerts} alerts, seed ${seed}, ${((performance.now() - began) / 1000).toFixed(1)} s`);
  const { lasted, ...counts } = figures;
  console.log(`  the made-up clock went on by ${(lasted / 3_600_000).toFixed(1)} h`);
  for (const part of [counts, { ...faults }, { ...outcomes }, { ...reasons }]) {
    console.log(
      `  ${Object.entries(part)
        .map(([name, count]) => `${name} ${count}`)
        .join(', ')}`,
    );
  }
  for (const [judge, broken] of violations) {
    console.log(`  ${broken.length === 0 ? 'holds' : 'BROKEN'}: ${judge}`);
    for (const sentence of broken.slice(0, 10)) console.log(`    ${sentence}`);
    if (broken.length > 10) console.log(`    and ${broken.length - 10} more`);
  }
}
