/** analyze_processes: finds what consumes a resource, and changes nothing. */
import * as z from 'zod';
import type { Tool } from '#lib/catalogue/tool.ts';

export const analyzeProcesses = {
  name: 'analyze_processes',
  description: 'Find which processes use up CPU, memory, disk input/output or network. Changes nothing.',
  // Memory and swap run full, as a disk does.
  when: ['busy', 'full'],
  safety: 'read_only',
  parameters: z.strictObject({
    resource_type: z.enum(['cpu', 'memory', 'io', 'network']).describe('The resource that is short'),
    top_count: z
      .int()
      .min(1)
      .max(50)
      .optional()
      .describe('How many processes to list, 1 to 50; by default 10'),
  }),
  target: { parameter: 'resource_type', subject: 'resource' },
  job: { name: 'analyze-processes', uuid: '6a1f0c52-5d0e-4b7e-9c37-0d8f4e5b1a03', timeLimitSeconds: 120 },
  // It mends nothing, so no recovery is waited for.
  recoveryWithinSeconds: 0,
} as const satisfies Tool<'analyze_processes'>;
