/** Settings of the set-up commands: what each is and where it comes from, said by --help and when one is missing. */
import type * as z from 'zod';

/** What a setting is and where it comes from, by its name; a line that is broken goes on below itself. */
export type Explanations = Readonly<Record<string, string>>;

const WIDTH = 28;

/** The settings for a usage text. */
export function explainedSettings(explanations: Explanations): string {
  return Object.entries(explanations)
    .map(([name, text]) => `  ${name.padEnd(WIDTH - 2)}${text.replaceAll('\n', `\n${' '.repeat(WIDTH)}`)}`)
    .join('\n');
}

/**
 * Reads the environment by the schema; an empty variable counts as none. Ends with 2 and names everything that is
 * missing or wrong, with its explanation and without its value. Of `oneOf`, lists of names, one must be given wholly.
 */
export function readExplained<Settings>(
  schema: z.ZodType<Settings>,
  explanations: Explanations,
  oneOf: readonly (readonly string[])[] = [],
): Settings {
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value));
  const parsed = schema.safeParse(given);
  const problems = (parsed.error?.issues ?? []).map(({ path, message }) => {
    const name = path.map(String).join('.');
    return [name, name in given ? `${name} cannot be used (${message})` : `${name} is missing`] as const;
  });
  const [first] = oneOf.flat();
  if (first !== undefined && !oneOf.some((names) => names.every((name) => name in given)))
    problems.push([first, `${oneOf.map((names) => names.join(' and ')).join(', or ')} is missing`]);
  if (parsed.success && problems.length === 0) return parsed.data;
  const order = Object.keys(explanations);
  problems.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  for (const [name, problem] of problems)
    console.error(`${problem}:\n    ${(explanations[name] ?? '').replaceAll('\n', '\n    ')}`);
  console.error('\n--help tells of every setting.');
  process.exit(2);
}
