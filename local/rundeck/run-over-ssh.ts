/** Runs a job's step on a real host over ssh, as Rundeck's node executor does: copies the script, runs it, removes it. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { RenderedStep } from './arguments.ts';
import type { Node } from './node-filter.ts';

export interface SshAccess {
  readonly keyFile: string;
  readonly user: string;
  /** The address of a node; its `hostname` attribute or its name when nothing is said. */
  readonly addressOf?: (node: Node) => string;
}

/** What a step is given to run on one node; answers its exit code. */
export type RunStep = (step: {
  readonly node: Node;
  readonly render: (scriptPath: string) => RenderedStep;
  readonly signal: AbortSignal;
  readonly print: (line: string, level?: 'NORMAL' | 'ERROR') => void;
}) => Promise<number>;

function ssh(
  access: SshAccess,
  address: string,
  command: string,
  options: {
    readonly input?: string;
    readonly signal: AbortSignal;
    readonly print: (line: string, level?: 'NORMAL' | 'ERROR') => void;
  },
): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(
      'ssh',
      [
        '-q',
        '-i',
        access.keyFile,
        '-o',
        'BatchMode=yes',
        '-o',
        'ConnectTimeout=10',
        '-o',
        'StrictHostKeyChecking=no',
        '-o',
        'UserKnownHostsFile=/dev/null',
        `${access.user}@${address}`,
        command,
      ],
      // Rundeck's time-out only ends its own side: the command on the host runs on.
      { stdio: 'pipe', signal: options.signal, killSignal: 'SIGKILL' },
    );
    for (const [stream, level] of [
      [child.stdout, 'NORMAL'],
      [child.stderr, 'ERROR'],
    ] as const) {
      let rest = '';
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) options.print(line, level);
      });
      stream.on('end', () => {
        if (rest !== '') options.print(rest, level);
      });
    }
    child.on('error', () => resolve(255));
    child.on('close', (code) => resolve(code ?? 255));
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** A `RunStep` over ssh with one key and one user for all nodes. */
export function runOverSsh(access: SshAccess): RunStep {
  return async ({ node, render, signal, print }) => {
    const address = access.addressOf?.(node) ?? node.hostname ?? node.nodename;
    const path = `/tmp/${Date.now()}-${randomBytes(4).toString('hex')}-dispatch-script.tmp.sh`;
    const { command, script } = render(path);
    const here = (line: string, options: { readonly input?: string } = {}) =>
      ssh(access, address, line, { ...options, signal, print });
    if (script === undefined) return here(command);
    const copied = await here(`cat >'${path}' && chmod 700 '${path}'`, { input: script });
    if (copied !== 0) {
      print(`Failed copying the script to the node: exit code ${copied}`, 'ERROR');
      return copied;
    }
    const code = await here(command);
    await ssh(access, address, `rm -f '${path}'`, { signal: AbortSignal.timeout(5_000), print });
    return code;
  };
}
