/** What every function is watched by: its log, its metrics, its narration, and the failures of single channels. */
import { type Log, makeLog } from '#lib/runtime/logger.ts';
import { type Measure, makeMeasure } from '#lib/runtime/metrics.ts';
import { makeNarrate } from '#lib/runtime/narrate.ts';
import type { Narrate } from '#lib/workflow/ports.ts';

export interface Watched {
  readonly log: Log;
  readonly measure: Measure;
  readonly narrate: Narrate;
  /** For the sender of messages: another channel may have taken what this one did not. */
  readonly channels: { readonly log: (failure: Readonly<Record<string, string>>) => void };
}

/** `name` is the function's, without service and stage; it is in every line of its log. */
export function watchFunction(name: string): Watched {
  const log = makeLog({ function: name });
  return {
    log,
    measure: makeMeasure(),
    narrate: makeNarrate(log),
    channels: { log: (failure) => log.warn('a channel failed', failure) },
  };
}
