/** `npm start`: the whole pipeline on this machine by one command; says what is simulated, and what becomes of each alert. */
import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fail, readArguments } from '../scripts/command-line.ts';
import { readLocalSettings } from './local-settings.ts';
import { takeOverOutput } from './output.ts';

readArguments(
  `usage: npm start

Starts the whole pipeline on this machine, and goes on until Ctrl-C. Without any setting the API is at
http://127.0.0.1:3000, and what has no real part is simulated. Settings are environment variables, docs/operations.md has
all of them: REMEDIA_PORT, REMEDIA_DATA_DIR, REMEDIA_POLICY, DECIDER, OLLAMA_URL, OLLAMA_MODEL, RUNDECK_URL,
...`,
  {},
);
const root = join(import.meta.dirname, '..');

try {
  await start();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}

async function start(): Promise<void> {
  const settings = readLocalSettings(process.env);
  await makeDataDir(settings.dataDir);
  await refuseOccupied(settings.port, 'REMEDIA_PORT');
  const lambdaPort = Number(process.env['REMEDIA_LAMBDA_PORT'] || 0);
  if (lambdaPort !== 0) await refuseOccupied(lambdaPort, 'REMEDIA_LAMBDA_PORT');
  process.env['REMEDIA_PORT'] = String(settings.port);
  process.env['REMEDIA_LAMBDA_PORT'] = String(lambdaPort || (await freePort()));
  const build = process.env['REMEDIA_BUILD'] ?? `offline-${settings.port}`;
  process.env['REMEDIA_BUILD'] = build;
  process.once('exit', () => rmSync(join(root, '.esbuild', build), { recursive: true, force: true }));
  process.env['SLS_LOG_LEVEL'] ??= 'warning';
  takeOverOutput({ logFile: join(settings.dataDir, 'remedia.log') });
  process.chdir(root);
  process.argv = [process.argv[0] ?? 'node', 'serverless', 'offline', 'start', '--stage', 'local'];
  createRequire(import.meta.url)('serverless/bin/serverless.js');
}

/** Throws one sentence when the folder cannot be had. */
async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Error(`The folder ${dataDir} cannot be made (${code}): set REMEDIA_DATA_DIR to another one.`);
  }
}

/** Throws one sentence when the port cannot be had. */
async function refuseOccupied(port: number, variable: string): Promise<void> {
  const code = await listen(port);
  if (code === 'EADDRINUSE')
    throw new Error(
      `Port ${port} of 127.0.0.1 is occupied: stop what uses it, or set ${variable} to another one.`,
    );
  if (typeof code === 'string') throw new Error(`Port ${port} of 127.0.0.1 cannot be used: ${code}.`);
}

async function freePort(): Promise<number> {
  const port = await listen(0);
  if (typeof port === 'string') throw new Error(`No free port on 127.0.0.1: ${port}.`);
  return port;
}

/** Answers the port that was had for a moment, or the error's code. */
function listen(port: number): Promise<number | string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : port));
    });
  });
}
