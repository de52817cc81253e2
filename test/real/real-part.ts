/** Where the real parts are; a suite without its part skips aloud, or fails where every part has to be there. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The values of these variables, or `undefined` when one is missing. Throws when `REMEDIA_REQUIRE_REAL=1`. */
export function realPart<Name extends string>(
  part: string,
  names: readonly Name[],
): Readonly<Record<Name, string>> | undefined {
  const missing = names.filter((name) => !process.env[name]);
  if (missing.length === 0) {
    const values: Partial<Record<Name, string>> = {};
    for (const name of names) values[name] = process.env[name] ?? '';
    // Every name was just given its value.
    return values as Record<Name, string>;
  }
  skipAloud(`no real ${part}: set ${missing.join(', ')}`);
  return undefined;
}

/** Whether this machine has these programs. Throws when one is missing and `REMEDIA_REQUIRE_REAL=1`. */
export function requirePrograms(part: string, programs: readonly string[]): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const missing = programs.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
  if (missing.length === 0) return true;
  skipAloud(`no real ${part}: ${missing.join(', ')} is not installed`);
  return false;
}

function skipAloud(sentence: string): void {
  if (process.env['REMEDIA_REQUIRE_REAL'] === '1') throw new Error(sentence);
  console.warn(`\nSKIPPED, nothing here was tested: ${sentence}\n`);
}
