/** restart_application: restarts one application or container with the least interruption. */
import * as z from 'zod';
import { processName } from '#lib/catalogue/parameter-shapes.ts';
import type { Tool } from '#lib/catalogue/tool.ts';

export const restartApplication = {
  name: 'restart_application',
  description:
    'Restart one application or container that has stopped or is unhealthy, with the least interruption.',
  when: ['down', 'unhealthy'],
  safety: 'disruptive',
  parameters: z.strictObject({
    app_name: processName.describe('The application or container, such as orders-api'),
    graceful: z.boolean().optional().describe('Let running requests end first; by default true'),
    timeout: z.int().min(5).max(900).optional().describe('Seconds to wait for it, 5 to 900; by default 120'),
  }),
  harsher: { graceful: false },
  target: { parameter: 'app_name', subject: 'application' },
  job: { name: 'restart-application', uuid: '6a1f0c52-5d0e-4b7e-9c37-0d8f4e5b1a04', timeLimitSeconds: 960 },
  recoveryWithinSeconds: 300,
} as const satisfies Tool<'restart_application'>;
