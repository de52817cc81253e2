/** Structured logs, one JSON object a line; secrets that slip into a text are taken out before it is written. */

import { logContext, traceFor } from '#lib/runtime/log-context.ts';

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  readonly info: (message: string, fields?: Fields) => void;
  readonly warn: (message: string, fields?: Fields) => void;
  readonly error: (message: string, fields?: Fields) => void;
}

const SECRETS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]+/gi, '$1 [redacted]'],
  // Rundeck's webhooks carry their token in the path, chat services theirs as well.
  [/(\/webhook\/)[^\s/#?"']+/gi, '$1[redacted]'],
  [/(hooks\.slack\.com\/|\/hooks\/|\/webhooks\/|webhook\.office\.com\/)[^\s"']+/gi, '$1[redacted]'],
  [/(:\/\/)[^\s/@:"']*:[^\s/@"']+@/g, '$1[redacted]@'],
  // A text may have been cut before the @ that ends a password; a port is none.
  [/(:\/\/)[^\s/@:"'[\]]*:(?!\d{1,5}(?![\w-]))[^\s/@"']+/g, '$1[redacted]'],
  [/([?&](?:token|auth|key|secret|password|authtoken|signature|sig)=)[^&\s"']+/gi, '$1[redacted]'],
  [/\(Token:[^)]*\)?/g, '(Token:[redacted])'],
];

/** Takes out what looks like a token, a password in an address, or a webhook's secret path. */
export function redact(text: string): string {
  return SECRETS.reduce((clean, [pattern, instead]) => clean.replace(pattern, instead), text);
}

/** @param write gets one line without its end; the standard output by default */
export function makeLog(
  bound: Fields = {},
  write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
): Log {
  const at =
    (level: 'INFO' | 'WARN' | 'ERROR') =>
    (message: string, fields: Fields = {}): void => {
      const record: Record<string, string | number | boolean | undefined> = {
        level,
        time: new Date().toISOString(),
        message: redact(message),
      };
      const context = logContext();
      const said = { ...bound, ...context, ...fields };
      const incidentId = fields['incident_id'] ?? context.incident_id;
      const trace_id =
        fields['trace_id'] ?? traceFor(typeof incidentId === 'string' ? incidentId : undefined);
      for (const [name, value] of Object.entries({ ...said, trace_id }))
        record[name] = typeof value === 'string' ? redact(value) : value;
      write(JSON.stringify(record));
    };
  return { info: at('INFO'), warn: at('WARN'), error: at('ERROR') };
}

/** What an error may say in a log: its name and its message without secrets, and of an upstream who and whether sent. */
export function errorFields(error: unknown): Fields {
  if (!(error instanceof Error)) return { error: 'unknown' };
  const { name, message } = error;
  return {
    error: name,
    detail: redact(message).slice(0, 1000),
    ...('upstream' in error && typeof error.upstream === 'string' && { upstream: error.upstream }),
    ...('sent' in error && typeof error.sent === 'string' && { sent: error.sent }),
  };
}
