/** The three queues' messages as schemas: what is sent is what can be read. */
import * as z from 'zod';
import type { AlertMessage, CheckMessage, JobMessage } from '#lib/workflow/ports.ts';

const incidentId = z.string().regex(/^(inc|sim)_[0-9a-f]{24}$/, 'expected an incident id');
const step = z.literal([1, 2]);

export const alertMessageSchema: z.ZodType<AlertMessage> = z.strictObject({ incidentId });
export const jobMessageSchema: z.ZodType<JobMessage> = z.strictObject({ incidentId, step });
export const checkMessageSchema: z.ZodType<CheckMessage> = z.strictObject({ incidentId, step });
