/** notify: tells a team that a human is needed. */
import * as z from 'zod';
import type { Tool } from '#lib/catalogue/tool.ts';

export const notify = {
  name: 'notify',
  description: 'Tell a team that a human is needed. For whatever no other tool mends, and in doubt.',
  when: [],
  safety: 'message',
  parameters: z.strictObject({
    message: z
      .string()
      .max(300)
      .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]{1,300}$/u, 'expected one line of up to 300 characters')
      .describe('One short sentence: what a human should look at'),
    team: z
      .string()
      .max(64)
      .regex(/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}$/, 'expected the plain name of a team')
      .optional()
      .describe('The team'),
    priority: z.enum(['low', 'normal', 'high', 'critical']).optional().describe('How urgent it is'),
  }),
  // For teams that route by Rundeck, besides Remedia's own way to people, which never goes through it.
  job: {
    name: 'notify',
    uuid: '6a1f0c52-5d0e-4b7e-9c37-0d8f4e5b1a05',
    timeLimitSeconds: 120,
    on: 'relay',
  },
  recoveryWithinSeconds: 0,
} as const satisfies Tool<'notify'>;
