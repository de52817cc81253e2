/** Says what a benchmark ran on: no time is worth anything without the machine, and what else kept it busy. */
import { arch, cpus, loadavg, platform, totalmem } from 'node:os';

/** One line; the load average is of the moment, so a benchmark prints it before and after. */
export function machineLine(): string {
  const cores = cpus();
  const model = cores[0]?.model.trim() || 'unknown processor';
  const gib = Math.round(totalmem() / 2 ** 30);
  return (
    `Node ${process.version}, ${platform()} ${arch()}, ${cores.length} x ${model}, ${gib} GiB; ` +
    `load average ${loadLine()}`
  );
}

/** The load average of 1, 5 and 15 minutes: whatever is above what the benchmark itself needs has disturbed it. */
export function loadLine(): string {
  return loadavg()
    .map((each) => each.toFixed(2))
    .join(', ');
}
