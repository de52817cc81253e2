/** cleanup_disk: removes old temporary files and logs on a file system that fills up. */
import * as z from 'zod';
import { ageAtLeast, mountPoint, sizeAtLeast } from '#lib/catalogue/parameter-shapes.ts';
import type { Tool } from '#lib/catalogue/tool.ts';

export const cleanupDisk = {
  name: 'cleanup_disk',
  description: 'Remove old temporary files and logs on a file system that is running out of space or inodes.',
  when: ['full'],
  safety: 'disruptive',
  parameters: z.strictObject({
    path: mountPoint.describe('Mount point that fills up, such as /var'),
    min_size: sizeAtLeast.optional().describe('Least size of a file, such as 100M; by default 100K'),
    file_age: ageAtLeast.optional().describe('Least age of a file in days, such as 7d; by default 1d'),
  }),
  target: { parameter: 'path', subject: 'path' },
  job: { name: 'cleanup-disk', uuid: '6a1f0c52-5d0e-4b7e-9c37-0d8f4e5b1a01', timeLimitSeconds: 600 },
  // Zabbix's own templates look at file systems once a minute, some once in 15 minutes.
  recoveryWithinSeconds: 960,
} as const satisfies Tool<'cleanup_disk'>;
