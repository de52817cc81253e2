/** The lab cannot run without images, but its description can be read: pinned images, loopback ports, real paths. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';

const folder = resolve(import.meta.dirname, '../../utils/docker');
const service = z.object({
  image: z.string().optional(),
  build: z.string().optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  depends_on: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).optional(),
});
const compose = z
  .object({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.unknown()) })
  .parse(parse(readFileSync(resolve(folder, 'compose.yaml'), 'utf8'), { merge: true }));
const services = Object.entries(compose.services);

describe('the lab', () => {
  it.each(services)('%s is built here or pinned to a version', (_, { image, build }) => {
    if (build) expect(existsSync(resolve(folder, build, 'Dockerfile'))).toBe(true);
    else expect(image).toMatch(/:.*\d+\.\d+/);
  });

  it.each(services.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port] as const)))(
    '%s publishes %s on loopback only',
    (_, port) => {
      expect(port).toMatch(/^127\.0\.0\.1:/);
    },
  );

  it.each(services.flatMap(([name, { volumes = [] }]) => volumes.map((volume) => [name, volume] as const)))(
    '%s mounts %s, which exists',
    (_, volume) => {
      const source = volume.split(':')[0] ?? '';
      if (source.startsWith('.')) expect(existsSync(resolve(folder, source))).toBe(true);
      else if (!source.startsWith('/')) expect(Object.keys(compose.volumes)).toContain(source);
      else expect(['/sys/fs/cgroup', '/var/run/docker.sock']).toContain(source);
    },
  );

  it.each(services)('%s depends on services that are there', (_, { depends_on = [] }) => {
    const needed = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on);
    for (const each of needed) expect(Object.keys(compose.services)).toContain(each);
  });
});
