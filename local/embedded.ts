/** DynamoDB and SQS inside this process, from npm alone, reachable from this machine only. */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { Server } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import dynalite from 'dynalite';
import { startFauxqs } from 'fauxqs';

const LOOPBACK = '127.0.0.1';

export interface Embedded {
  /** Base URL for an AWS client. */
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

/** Port 0 takes a free one. With `path` (a folder) the tables survive a restart, else they are in memory. */
export async function startEmbeddedDynamo({
  port,
  path,
}: {
  readonly port: number;
  readonly path?: string;
}): Promise<Embedded> {
  if (path !== undefined) await mkdir(path, { recursive: true });
  const server = dynalite({ createTableMs: 0, ...(path === undefined ? {} : { path }) });
  server.listen(port, LOOPBACK);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('dynalite listens on no port');
  return {
    endpoint: `http://${LOOPBACK}:${address.port}`,
    close: async () => {
      const closed = new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
      });
      // The SDK keeps its connections; waiting for them would last as long as the process.
      server.closeAllConnections();
      await closed;
    },
  };
}

export interface EmbeddedSqs extends Embedded {
  /** Receipts of the messages that somebody has received and not settled yet; SQS itself tells only how many. */
  readonly inFlight: (queueName: string) => readonly string[];
}

/** Port 0 takes a free one. With `dataDir` the queues survive a restart, else they are in memory. */
export async function startEmbeddedSqs({
  port,
  dataDir,
}: {
  readonly port: number;
  readonly dataDir?: string;
}): Promise<EmbeddedSqs> {
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true });
  const server = await withoutWaitingForTheDisk(() =>
    onLoopbackOnly(() => startFauxqs({ port, logger: false, ...(dataDir === undefined ? {} : { dataDir }) })),
  );
  return {
    endpoint: `http://${LOOPBACK}:${server.port}`,
    close: () => server.stop(),
    inFlight: (queueName) =>
      (server.inspectQueue(queueName)?.messages.inflight ?? []).map(({ receiptHandle }) => receiptHandle),
  };
}

/**
 * fauxqs 2.4 listens on 0.0.0.0 and has no setting for it; its queues would be open to the whole network, and a
 * message is an order. So the address is replaced where Node is asked to listen.
 */
async function onLoopbackOnly<Started>(start: () => Promise<Started>): Promise<Started> {
  const { listen } = Server.prototype;
  Server.prototype.listen = function listenOnLoopback(this: Server, ...wanted: unknown[]) {
    const [first] = wanted;
    const options =
      typeof first === 'object' && first !== null && 'host' in first && first.host === '0.0.0.0'
        ? [{ ...first, host: LOOPBACK }, ...wanted.slice(1)]
        : wanted;
    return Reflect.apply(listen, this, options);
  };
  try {
    return await start();
  } finally {
    Server.prototype.listen = listen;
  }
}

/**
 * fauxqs 2.4 waits for the disk three times for each message, and has no setting for it. What a process has written is
 * there after it was killed even without; only a machine that loses its power can lose the last moments, and then it loses
 * them of the table as well, which never waits. https://www.sqlite.org/pragma.html#pragma_synchronous
 */
async function withoutWaitingForTheDisk<Started>(start: () => Promise<Started>): Promise<Started> {
  const { exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function execAndRelax(this: DatabaseSync, sql: string) {
    exec.call(this, sql);
    // The journal that this is safe with has just been chosen.
    if (/journal_mode\s*=\s*WAL/i.test(sql)) exec.call(this, 'PRAGMA synchronous = NORMAL');
  };
  try {
    return await start();
  } finally {
    DatabaseSync.prototype.exec = exec;
  }
}
