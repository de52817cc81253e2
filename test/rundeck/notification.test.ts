/** The four notifications that Rundeck's own code sent, against what the simulated one makes of the same execution. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Rundeck’s own templates look like that
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { notificationRequest, notificationUrls } from '#local/rundeck/notification.ts';

const body = z.object({
  trigger: z.enum(['start', 'success', 'failure']),
  status: z.string(),
  executionId: z.number(),
  execution: z.record(z.string(), z.unknown()),
});
const { cases } = z
  .object({
    cases: z.array(
      z.object({
        name: z.string(),
        url: z.string(),
        request: z.object({
          method: z.literal('POST'),
          path: z.string(),
          headers: z.array(z.tuple([z.string(), z.string()])),
          body,
        }),
      }),
    ),
  })
  .parse(
    JSON.parse(
      readFileSync(new URL('../fixtures/rundeck/notification-request.json', import.meta.url), 'utf8'),
    ),
  );

/** What the HTTP client adds by itself. */
const CLIENTS_OWN = ['Host', 'Connection', 'Accept-Encoding', 'Content-Length'];

it('there are four', () => {
  expect(cases).toHaveLength(4);
});

it.each(cases.map((one) => [one.name, one] as const))('%s', (_name, { url, request }) => {
  const key = request.headers.some(([name]) => name.endsWith('Digest')) ? 'k3y' : undefined;
  const sent = notificationRequest(url, request.body.trigger, request.body.execution, key);
  expect(sent.headers).toEqual(
    Object.fromEntries(request.headers.filter(([name]) => !CLIENTS_OWN.includes(name))),
  );
  expect(JSON.parse(sent.body)).toEqual(request.body);
  const target = new URL(sent.url);
  expect(target.pathname + target.search).toBe(request.path);
  expect(sent.url).not.toContain('s3cret');
});

it('a comma splits the address in two, and the id is filled in', () => {
  expect(
    notificationUrls('http://a/x?id=${execution.id}, http://b/y', {
      id: 7,
      status: 'failed',
      project: 'remedia',
    }),
  ).toEqual(['http://a/x?id=7', 'http://b/y']);
});
