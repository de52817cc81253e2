/** Rundeck's way with argument strings and command lines: how options are split, joined, found and quoted. */

/** Java's `trim`: every character up to and including the space separates words. */
const separates = (character: string | undefined): boolean => character !== undefined && character <= ' ';

/** Splits as OptsUtil.burst does: a word that begins with a quote keeps its spaces, a doubled quote stands for one. */
export function splitArguments(line: string): readonly string[] {
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    while (separates(line[at])) at += 1;
    if (at >= line.length) break;
    const first = line[at];
    const quote = first === '"' || first === "'" ? first : undefined;
    let quoting = quote !== undefined;
    if (quoting) at += 1;
    let word = '';
    while (at < line.length) {
      const character = line[at] ?? '';
      if (quoting && character === quote) {
        if (line[at + 1] === quote) {
          word += character;
          at += 2;
        } else {
          quoting = false;
          at += 1;
        }
      } else if (!quoting && separates(character)) {
        break;
      } else if (!quoting && quote !== undefined && character === quote) {
        quoting = true;
        at += 1;
      } else {
        word += character;
        at += 1;
      }
    }
    words.push(word);
  }
  return words;
}

/** Joins as OptsUtil.join does. Control characters other than CR and LF are not quoted: that is the injection. */
export function joinArguments(words: readonly string[]): string {
  return words
    .map((word) => (word === '' || /[ "'\r\n]/.test(word) ? `"${word.replaceAll('"', '""')}"` : word))
    .join(' ');
}

/** Finds `-name value` pairs as OptionsParserUtil does: the last one wins, and a value may begin with a dash. */
export function readOptions(line: string): Readonly<Record<string, string>> {
  const options: Record<string, string> = {};
  let name: string | undefined;
  for (const word of splitArguments(line)) {
    if (name !== undefined) {
      options[name] = word;
      name = undefined;
    } else if (word.startsWith('-') && word.length > 1) {
      name = word.slice(1);
    }
  }
  return options;
}

/** Quotes one word for the node's shell as CLIUtils.quoteUnixShellArg does. `~`, `#` and a leading dash stay bare. */
function quoteForShell(word: string): string {
  return /["';{}()&$\\|*?><`\n\r\t ]/.test(word) ? `'${word.replaceAll("'", `'"'"'`)}'` : word;
}

const OPTION_WORD = /^\$\{option\.([^}]+)\}$/;
const OPTION_ANYWHERE = /\$\{(?:unquotedoption|option)\.([^}]+)\}/g;

/** Replaces options in a line: quoted only where a whole word is one `${option.x}`; a missing option is nothing. */
function renderLine(line: string, values: Readonly<Record<string, string>>): string {
  return line
    .split(' ')
    .map((word) => {
      const whole = OPTION_WORD.exec(word)?.[1];
      if (whole !== undefined) return quoteForShell(values[whole] ?? '');
      return word.replaceAll(OPTION_ANYWHERE, (_match, name: string) => values[name] ?? '');
    })
    .join(' ');
}

/** One step of a job's sequence: a command line, or a script with its arguments. */
export interface Step {
  readonly exec?: string | undefined;
  readonly script?: string | undefined;
  readonly args?: string | undefined;
  readonly scriptInterpreter?: string | undefined;
  readonly interpreterArgsQuoted?: boolean | undefined;
}

export interface RenderedStep {
  /** Goes to the node's shell. */
  readonly command: string;
  /** The file that was copied to the node, when the step is a script. */
  readonly script?: string;
  /** Reaches the script only where sshd accepts it. */
  readonly env: Readonly<Record<string, string>>;
}

/** Renders a step as Rundeck's workflow does before it hands it to the node executor. */
export function renderStep(
  step: Step,
  values: Readonly<Record<string, string>>,
  scriptPath = '/tmp/script.sh',
): RenderedStep {
  const env = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      `RD_OPTION_${name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_')}`,
      value,
    ]),
  );
  if (step.script === undefined) return { command: renderLine(step.exec ?? '', values), env };
  const script = step.script.replaceAll(
    /@option\.([A-Za-z0-9_.-]+)@/g,
    (_match, name: string) => values[name] ?? '',
  );
  const call = step.args === undefined ? scriptPath : `${scriptPath} ${renderLine(step.args, values)}`;
  if (step.scriptInterpreter === undefined) return { command: call, script, env };
  const argument = step.interpreterArgsQuoted ? quoteForShell(call) : call;
  return { command: `${step.scriptInterpreter} ${argument}`, script, env };
}
