/** Starts wiring while Lambda initialises the function, and keeps a failed start from being a silent one. */
import { errorFields, type Log } from '#lib/runtime/logger.ts';

/**
 * A handler whose parts are still being made. Settings and secrets are read once, during initialisation; a start that
 * failed is told in the log, and tried again with the next invocation, for a secret may be readable by then.
 */
export function whenReady<Event, Answer>(
  start: () => Promise<(event: Event, context: unknown) => Promise<Answer>>,
  log: Log,
): (event: Event, context: unknown) => Promise<Answer> {
  const begin = () => {
    const started = start();
    started.catch((error: unknown) => {
      log.error('the function cannot start', errorFields(error));
      ready = undefined;
    });
    return started;
  };
  let ready: ReturnType<typeof start> | undefined = begin();
  return async (event, context) => {
    ready ??= begin();
    const handler = await ready;
    return handler(event, context);
  };
}
