/** Turns HTTP requests into the events that API Gateway's proxy integration makes, by the paths of serverless.yml. */
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import * as z from 'zod';

const answerSchema = z.object({
  statusCode: z.number(),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  body: z.string().optional(),
});

/** A path such as `/api/v1/incidents/{id}`, and the function behind it. */
export interface Route {
  readonly path: string;
  readonly invoke: (event: unknown) => Promise<unknown>;
}

/** Listens on a free port of 127.0.0.1. */
export async function openSmallGateway(
  routes: () => readonly Route[],
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://gateway');
    for (const { path, invoke } of routes()) {
      const pathParameters = match(path, url.pathname);
      if (pathParameters === undefined) continue;
      const body = await buffer(request);
      try {
        const answer = answerSchema.parse(await invoke(eventOf(request, url, path, pathParameters, body)));
        const headers = Object.entries(answer.headers ?? {}).map(
          ([name, value]) => [name, String(value)] as const,
        );
        response.writeHead(answer.statusCode, Object.fromEntries(headers)).end(answer.body ?? '');
      } catch {
        // As API Gateway: what the function threw is nobody's business outside.
        response
          .writeHead(502, { 'content-type': 'application/json' })
          .end('{"message":"Internal server error"}');
      }
      return;
    }
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listens on no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function match(template: string, path: string): Readonly<Record<string, string>> | undefined {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const found = new RegExp(`^${template.replaceAll(/\{\w+\}/g, '([^/]+)')}$`).exec(path);
  return found
    ? Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? '')]))
    : undefined;
}

function eventOf(
  request: IncomingMessage,
  url: URL,
  resource: string,
  pathParameters: Readonly<Record<string, string>>,
  body: Buffer,
) {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
  );
  return {
    resource,
    path: url.pathname,
    httpMethod: request.method,
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: url.searchParams.size > 0 ? Object.fromEntries(url.searchParams) : null,
    multiValueQueryStringParameters: null,
    pathParameters: Object.keys(pathParameters).length > 0 ? pathParameters : null,
    stageVariables: null,
    requestContext: { stage: 'test', identity: { sourceIp: '127.0.0.1' }, requestId: crypto.randomUUID() },
    body: body.length > 0 ? body.toString('utf8') : null,
    isBase64Encoded: false,
  };
}
