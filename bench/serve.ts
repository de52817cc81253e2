/** A server of a benchmark's own on a free port of 127.0.0.1, which gets each request with its whole body. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Serving {
  /** Without a slash at the end. */
  readonly url: string;
  /** Ends its connections as well. */
  readonly close: () => void;
}

/** A request whose answer fails is cut off, so that whoever asked notices. */
export async function serve(
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void | Promise<void>,
): Promise<Serving> {
  const server = createServer(async (request, response) => {
    try {
      await answer(request, await text(request), response);
    } catch {
      response.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listens on no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
