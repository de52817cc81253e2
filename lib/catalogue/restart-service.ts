/** restart_service: restarts a system service that stopped or no longer answers. */
import * as z from 'zod';
import { processName } from '#lib/catalogue/parameter-shapes.ts';
import type { Tool } from '#lib/catalogue/tool.ts';

export const restartService = {
  name: 'restart_service',
  description: 'Restart a system service that is down, stopped or not running.',
  when: ['down', 'unhealthy'],
  safety: 'disruptive',
  parameters: z.strictObject({
    service_name: processName.describe('The service, such as nginx.service'),
    force: z.boolean().optional().describe('Kill what does not stop in time; by default false'),
    timeout: z.int().min(5).max(600).optional().describe('Seconds to wait for it, 5 to 600; by default 60'),
  }),
  harsher: { force: true },
  target: { parameter: 'service_name', subject: 'service' },
  job: { name: 'restart-service', uuid: '6a1f0c52-5d0e-4b7e-9c37-0d8f4e5b1a02', timeLimitSeconds: 660 },
  recoveryWithinSeconds: 300,
} as const satisfies Tool<'restart_service'>;
