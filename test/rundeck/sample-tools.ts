/** Tools with every kind of parameter, for tests of what is made from a catalogue. */
import * as z from 'zod';
import type { Tool, ToolName } from '#lib/catalogue/tool.ts';

const tool = (name: ToolName, index: number, shape: z.ZodRawShape, more: Partial<Tool> = {}): Tool => ({
  name,
  description: `The tool ${name}.`,
  safety: 'disruptive',
  parameters: z.strictObject(shape),
  job: {
    name: name.replaceAll('_', '-'),
    uuid: `11111111-2222-4333-8444-55555555550${index}`,
    timeLimitSeconds: 120,
  },
  recoveryWithinSeconds: 60,
  ...more,
});

export const sampleTools: Readonly<Record<ToolName, Tool>> = {
  cleanup_disk: tool(
    'cleanup_disk',
    1,
    {
      path: z.string().regex(/^\/[A-Za-z0-9._/-]*$/),
      min_size: z
        .string()
        .regex(/^[0-9]{1,6}[KMG]$/)
        .optional(),
      file_age: z
        .string()
        .regex(/^[0-9]{1,4}[hdw]$/)
        .optional(),
    },
    { target: { parameter: 'path', subject: 'path' } },
  ),
  restart_service: tool('restart_service', 2, {
    service_name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9@._-]*$/),
    force: z.boolean().optional(),
    timeout: z.int().min(10).max(3600).optional(),
  }),
  analyze_processes: tool('analyze_processes', 3, {
    resource_type: z.enum(['cpu', 'memory', 'io', 'network']),
    top_count: z.int().min(1).max(50).optional(),
  }),
  restart_application: tool('restart_application', 4, {
    app_name: z.string().regex(/^[a-z0-9-]+$/),
    graceful: z.boolean().optional(),
    timeout: z.int().optional(),
  }),
  notify: {
    name: 'notify',
    description: 'Tells a human.',
    safety: 'message',
    parameters: z.strictObject({ message: z.string() }),
    recoveryWithinSeconds: 0,
  },
};
