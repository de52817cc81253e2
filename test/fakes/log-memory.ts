/** A log that keeps its lines for a test to read. */
import { type Log, makeLog } from '#lib/runtime/logger.ts';

export function createMemoryLog(): { readonly log: Log; readonly lines: () => readonly string[] } {
  const lines: string[] = [];
  return { log: makeLog({}, (line) => lines.push(line)), lines: () => lines };
}
