/** A loopback mail server that keeps what it is sent: as much of SMTP (RFC 5321) as one message without TLS needs. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

export interface SmtpSink {
  readonly url: string;
  readonly mails: readonly Mail[];
  /** How the whole message is answered, `250` by default; `undefined` means never. */
  answerWith(line: string | undefined): void;
  close(): Promise<void>;
}

export async function openSmtpSink(): Promise<SmtpSink> {
  const mails: Mail[] = [];
  const sockets = new Set<Socket>();
  let verdict: string | undefined = '250 kept';
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    const say = (line: string) => socket.write(`${line}\r\n`);
    let from = '';
    let to: string[] = [];
    let data: string[] | undefined;
    say('220 sink ready');
    createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
      if (data) {
        if (line !== '.') {
          data.push(line.replace(/^\./, ''));
          return;
        }
        if (verdict?.startsWith('250')) mails.push(parse(from, to, data));
        if (verdict !== undefined) say(verdict);
        data = undefined;
        return;
      }
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'EHLO' || verb === 'HELO') say('250 sink');
      else if (verb === 'MAIL') {
        from = /<(.*?)>/.exec(line)?.[1] ?? '';
        to = [];
        say('250 ok');
      } else if (verb === 'RCPT') {
        to.push(/<(.*?)>/.exec(line)?.[1] ?? '');
        say('250 ok');
      } else if (verb === 'DATA') {
        data = [];
        say('354 go on');
      } else if (verb === 'QUIT') {
        say('221 bye');
        socket.end();
      } else say('502 not here');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `smtp://127.0.0.1:${address.port}`,
    mails,
    answerWith(line) {
      verdict = line;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function parse(from: string, to: readonly string[], lines: readonly string[]): Mail {
  const end = lines.indexOf('');
  const headers = new Map<string, string>();
  // A line that begins with white space continues the header before it.
  for (const line of lines
    .slice(0, end)
    .join('\n')
    .replace(/\n[ \t]+/g, ' ')
    .split('\n')) {
    const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
    headers.set(name.toLowerCase(), decodeWords(value));
  }
  const body = lines.slice(end + 1).join('\n');
  const encoding = headers.get('content-transfer-encoding');
  if (encoding === 'base64') return { from, to, headers, text: Buffer.from(body, 'base64').toString('utf8') };
  return {
    from,
    to,
    headers,
    text: encoding === 'quoted-printable' ? unquote(body.replace(/=\n/g, '')) : body,
  };
}

/** RFC 2047, as far as UTF-8. */
function decodeWords(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?(.*?)\?=/gi, (_, form: string, text: string) =>
      form.toLowerCase() === 'b'
        ? Buffer.from(text, 'base64').toString('utf8')
        : unquote(text.replaceAll('_', ' ')),
    );
}

function unquote(text: string): string {
  const bytes = text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
