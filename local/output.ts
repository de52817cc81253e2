/** What a person sees while the pipeline runs: each alert's way in plain words; everything else goes into a file. */
import { createWriteStream } from 'node:fs';
import colors from 'picocolors';
import * as z from 'zod';

type Write = typeof process.stdout.write;

/** A log line of the functions that tells of one step of one alert. */
const narration = z.object({ incident_id: z.string(), step: z.string(), text: z.string() });
const fault = z.object({ level: z.enum(['ERROR', 'WARN', 'error', 'warn']), message: z.string() });

const terminal: Write = process.stdout.write.bind(process.stdout);

/** Prints one line for the person. */
export function say(line = ''): void {
  terminal(`${line}\n`);
}

/** Prints one line that must not be overlooked. */
export function sayLoudly(line: string): void {
  say(colors.bold(colors.yellow(line)));
}

/**
 * From now on what this process writes goes through here: steps of an alert are printed for a person, faults as well,
 * and every line is kept in `logFile`. serverless's own words on stderr are printed, but not its table of routes.
 */
export function takeOverOutput({ logFile }: { readonly logFile: string }): void {
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  const errors: Write = process.stderr.write.bind(process.stderr);
  process.stdout.write = byLines((line) => {
    log.write(`${line}\n`);
    const told = forPerson(line);
    if (told !== undefined) say(told);
  });
  process.stderr.write = byLines((line) => {
    log.write(`${line}\n`);
    if (line.trim() !== '' && !/^\s*[┌│└]/.test(line)) errors(`${line}\n`);
  });
}

/** The line as a person is told it; `undefined` when it is for the file alone. */
export function forPerson(line: string): string | undefined {
  const record = parse(line);
  const step = narration.safeParse(record);
  if (step.success) {
    const { incident_id, text } = step.data;
    return `${colors.dim(new Date().toTimeString().slice(0, 8))}  ${colors.cyan(incident_id.slice(0, 12))}  ${colors.bold(step.data.step.padEnd(10))}  ${text}`;
  }
  const failed = fault.safeParse(record);
  if (failed.success) return colors.red(`${failed.data.level.toLowerCase()}: ${failed.data.message}`);
  return undefined;
}

function parse(line: string): unknown {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** A `write` that hands on whole lines; what comes without an end of line waits for it. */
function byLines(take: (line: string) => void): Write {
  let rest = '';
  return (chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
    const lines = (rest + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'))).split(
      '\n',
    );
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
    for (const callback of [encoding, done]) if (typeof callback === 'function') callback();
    return true;
  };
}
