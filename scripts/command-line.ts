/** How every command takes its arguments: `--help` and a mistake end each of them in the same way. */
import { readFileSync } from 'node:fs';
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Ends with 1 and these lines, without a stack: what was asked for cannot be done. */
export function fail(...lines: readonly string[]): never {
  for (const line of lines) console.error(line);
  process.exit(1);
}

/** Ends with 2, the sentence and the usage: the command was called in a way that it does not know. */
export function misused(usage: string, sentence: string): never {
  console.error(`${sentence}\n\n${usage}`);
  process.exit(2);
}

/**
 * Reads the arguments of this process as `parseArgs` of node:util does. `--help` or `-h` prints the usage and ends with
 * 0, whatever else is there; what `parseArgs` refuses, or more than `atMost` arguments that are no options, ends with
 * 2, a sentence and the usage.
 */
export function readArguments<const Config extends ParseArgsConfig>(
  usage: string,
  config: Config,
  { atMost = 0 }: { readonly atMost?: number } = {},
): ReturnType<typeof parseArgs<Config>> {
  const args = process.argv.slice(2);
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (options.includes('--help') || options.includes('-h')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    const read = parseArgs(config);
    const unexpected = read.positionals[atMost];
    if (unexpected !== undefined) misused(usage, `Unexpected argument '${unexpected}'.`);
    return read;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // What follows explains how an argument may begin with a dash, which is not what was meant.
    const [sentence = message] = message.split(/\. To specify|\n/);
    return misused(usage, sentence.replace(/\.?$/, '.'));
  }
}

/** The text of a file that was named; ends with 1 when it cannot be read. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return fail(`${file} cannot be read (${code})`);
  }
}

/** A whole number of an option; anything else, or one out of bounds, ends with 2. */
export function readNumber(
  usage: string,
  option: string,
  text: string,
  [least, most]: readonly [number, number],
): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(number) || number < least || number > most)
    misused(usage, `${option} ${text}: expected a whole number from ${least} to ${most}.`);
  return number;
}
