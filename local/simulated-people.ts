/** Stands in for the humans: takes what a chat webhook would get, keeps it and prints it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as bodyOf } from 'node:stream/consumers';

export interface SimulatedPeople {
  /** Takes posts as Slack, Mattermost and Teams do. */
  readonly url: string;
  readonly told: readonly string[];
  readonly stop: () => Promise<void>;
}

/** Starts the server on a free port of 127.0.0.1; `onTold` gets each message's text as it arrives. */
export async function startSimulatedPeople(
  onTold: (text: string) => void = () => {},
): Promise<SimulatedPeople> {
  const told: string[] = [];
  const server = createServer(async (request, response) => {
    const text = textOf(await bodyOf(request));
    told.push(text);
    onTold(text);
    response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}/chat`,
    told,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function textOf(body: string): string {
  try {
    const message: { text?: unknown } = JSON.parse(body);
    return typeof message.text === 'string' ? message.text : body;
  } catch {
    return body;
  }
}
