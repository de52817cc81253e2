/** A throw-away host with a real systemd, driven by the tool that TARGET_HOST_CMD names. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs the tool with these words; `input` goes to the command inside. Bounded, so that a hang is a failure. */
function tool(words: readonly string[], input = '', seconds = 90): Promise<Ran> {
  const command = process.env['TARGET_HOST_CMD'] ?? '';
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: seconds * 1_000,
      killSignal: 'SIGKILL',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => {
        output += chunk;
      });
    }
    child.on('error', reject);
    // `exit` and not `close`: what a fault leaves running on the host may keep the pipes open.
    child.on('exit', (code) => setTimeout(() => resolve({ code: code ?? 255, output }), 20));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** One word for the shell on the other end of ssh, as Rundeck quotes it. */
const quote = (word: string) => `'${word.replaceAll("'", `'"'"'`)}'`;

export const host = {
  up: () => tool(['up'], '', 300),
  down: () => tool(['down'], '', 60),
  fill: (percent: number) => tool(['fill', String(percent)]),
  /** A shell line as root inside. */
  root: (line: string, input = '') => tool(['exec', 'sh', '-c', line], input),
  /** A shell line as Rundeck's user, over ssh. */
  rundeck: (line: string) => tool(['ssh', line]),
  /** The script of the job that only tells: over ssh as well, but without sudo. */
  notify: (...words: readonly string[]) =>
    tool(['ssh', ['/usr/local/lib/remedia/notify.sh', ...words.map(quote)].join(' ')]),
  /** One of the job scripts as Rundeck's job runs it: over ssh, by sudo, each argument quoted. */
  job: (name: string, ...words: readonly string[]) =>
    tool(['ssh', ['sudo -n', `/usr/local/lib/remedia/${name}.sh`, ...words.map(quote)].join(' ')]),
};

/** Installs the scripts and the sudoers file as docs/rundeck.md tells an administrator. */
export async function installScripts(): Promise<void> {
  const folder = new URL('../../rundeck/host/', import.meta.url);
  await host.root('install -d -m 755 /usr/local/lib/remedia');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.sh'))) {
    await host.root(
      `cat >/usr/local/lib/remedia/${file} && chmod 755 /usr/local/lib/remedia/${file}`,
      readFileSync(new URL(file, folder), 'utf8'),
    );
  }
  await host.root(
    'cat >/etc/sudoers.d/remedia && chmod 440 /etc/sudoers.d/remedia && visudo -c',
    readFileSync(new URL('sudoers-remedia', folder), 'utf8'),
  );
}

/** The JSON line with which every script ends. */
export function verdictOf({ output }: Ran): Readonly<Record<string, unknown>> {
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== 'object' || parsed === null) throw new Error(`no result line: ${line}`);
  return Object.fromEntries(Object.entries(parsed));
}
