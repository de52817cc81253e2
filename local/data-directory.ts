/** One pipeline for one data directory: a second would find the database locked and say so in words for nobody. */
import { mkdir, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

/** What the system takes for the path of a socket. */
const LONGEST_PATH = 100;

/**
 * Makes the directory and claims it until the answer is called or the process ends, however it ends: the claim is a
 * socket that somebody listens to. Throws one sentence when another process has it.
 */
export async function claimDataDirectory(directory: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'running');
  if (path.length > LONGEST_PATH) return async () => {};
  if (await listens(path))
    throw new Error(
      `The data directory ${directory} is in use: end the pipeline that has it, or set REMEDIA_DATA_DIR to another one.`,
    );
  await rm(path, { force: true });
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}

function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
