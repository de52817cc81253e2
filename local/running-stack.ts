/** How an operator's command finds the pipeline that runs on this machine: a file says where its queues and its table are. */
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { readLocalSettings } from './local-settings.ts';

type Environment = Record<string, string | undefined>;

/** Whoever names any of these means AWS or another endpoint, not the pipeline on this machine. */
const ELSEWHERE =
  /^(AWS_(ENDPOINT_URL.*|PROFILE|ACCESS_KEY_ID|WEB_IDENTITY_TOKEN_FILE)|INCIDENTS_TABLE|.*_QUEUE_URL)$/;

const announcement = z.object({ pid: z.int(), environment: z.record(z.string(), z.string()) });

const fileIn = (dataDir: string): string => join(dataDir, 'running.json');

/** Writes the file; the answer takes it away again. `environment` holds addresses and no secret of a user. */
export async function announceStack(
  dataDir: string,
  environment: Readonly<Record<string, string>>,
): Promise<() => Promise<void>> {
  const file = fileIn(dataDir);
  await writeFile(file, JSON.stringify({ pid: process.pid, environment }), { mode: 0o600 });
  return () => rm(file, { force: true });
}

/**
 * Adds the addresses of the running pipeline to `env`, unless that names others already. Answers whether it did;
 * what a pipeline that was killed has left behind does not count.
 */
export function aimAtRunningStack(env: Environment = process.env): boolean {
  if (Object.entries(env).some(([name, value]) => value && ELSEWHERE.test(name))) return false;
  try {
    const file = fileIn(readLocalSettings(env).dataDir);
    const { pid, environment } = announcement.parse(JSON.parse(readFileSync(file, 'utf8')));
    // Signal 0 only asks whether there is such a process.
    process.kill(pid, 0);
    for (const [name, value] of Object.entries(environment)) env[name] ||= value;
    return true;
  } catch {
    return false;
  }
}
