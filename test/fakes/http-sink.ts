/** A loopback HTTP server that keeps what it is sent and answers as it is told. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';

export interface SinkRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface SinkAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpSink {
  readonly url: string;
  readonly requests: readonly SinkRequest[];
  /** Replaces how the next requests are answered; `undefined` from it means never. */
  answerWith(
    answer: (request: SinkRequest) => SinkAnswer | undefined | Promise<SinkAnswer | undefined>,
  ): void;
  close(): Promise<void>;
}

export async function openHttpSink(): Promise<HttpSink> {
  const requests: SinkRequest[] = [];
  let answer: Parameters<HttpSink['answerWith']>[0] = () => ({ status: 200, body: 'ok' });
  const server = createServer(async (incoming, outgoing) => {
    const request = {
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      headers: incoming.headers,
      body: await text(incoming),
    };
    requests.push(request);
    const said = await answer(request);
    if (said) outgoing.writeHead(said.status, said.headers).end(said.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    answerWith(next) {
      answer = next;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
