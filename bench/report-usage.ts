/** Loaded before a program by `--import`: answers its parent with what the process has used. A benchmark measures by it. */

export interface Usage {
  /** User and system time of all threads since the start. Microseconds. */
  readonly cpu: number;
  /** Resident set. Bytes. */
  readonly rss: number;
}

process.on('message', (question) => {
  if (question !== 'usage') return;
  const { user, system } = process.cpuUsage();
  process.send?.({ cpu: user + system, rss: process.memoryUsage.rss() } satisfies Usage);
});
// The program ends when it has nothing more to do, and not when its parent goes.
process.channel?.unref();
