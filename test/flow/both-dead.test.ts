/** With the model and Rundeck both dead every escalation is delivered, by a real mail server's protocol and a chat webhook. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { anAlert, anIncident } from '#test/builders/incidents.ts';
import { openSmtpSink, type SmtpSink } from '#test/fakes/smtp-sink.ts';
import { type Pipeline, startPipeline } from '#test/flow/pipeline.ts';

/** Nothing listens there. */
const NOBODY = 'http://127.0.0.1:9';
const MINUTE = 60_000;

let pipeline: Pipeline;
let mails: SmtpSink;

beforeAll(async () => {
  mails = await openSmtpSink();
  pipeline = await startPipeline({
    OLLAMA_URL: NOBODY,
    RUNDECK_URL: NOBODY,
    RUNDECK_API_TOKEN: 'token',
    RUNDECK_WEBHOOKS: JSON.stringify({
      cleanup_disk: `${NOBODY}/api/41/webhook/a`,
      restart_service: `${NOBODY}/api/41/webhook/b`,
      analyze_processes: `${NOBODY}/api/41/webhook/c`,
      restart_application: `${NOBODY}/api/41/webhook/d`,
    }),
    ESCALATION_SMTP_URL: mails.url,
    ESCALATION_MAIL_FROM: 'remedia@example.org',
    ESCALATION_MAIL_TO: 'night@example.org',
  });
});
afterAll(async () => {
  await pipeline.stop();
  await mails.close();
});

const mailsAbout = (text: string) => mails.mails.filter((mail) => mail.text.includes(text));
const chatsAbout = (text: string) => pipeline.people.told.filter((told) => told.includes(text));

/** Told once by each way, and the record says so. */
async function expectTold(incidentId: string, outcome: string): Promise<void> {
  const incident = await pipeline.until(
    incidentId,
    ({ state, escalation }) => state === 'closed' && escalation !== 'pending',
  );
  expect(incident).toMatchObject({ outcome, escalation: 'delivered' });
  expect(mailsAbout(incidentId)).toMatchObject([{ to: ['night@example.org'] }]);
  expect(chatsAbout(incidentId)).toHaveLength(1);
}

let events = 70_000;
async function sample(name: string): Promise<Record<string, string>> {
  const text = await readFile(
    join(import.meta.dirname, '..', '..', 'local', 'samples', `${name}.json`),
    'utf8',
  );
  events += 1;
  const id = String(events);
  const post = z.record(z.string(), z.string()).parse(JSON.parse(text));
  return { ...post, event_id: id, host_host: `web-${id}`, trigger_id: id };
}

describe('with the model and Rundeck both dead', () => {
  it.each(['unknown-problem', 'hostile-problem'])(
    'an alert that needs neither is told (%s)',
    async (name) => {
      const { incidentId } = await pipeline.post(await sample(name));
      await expectTold(incidentId, 'handed_over');
    },
  );

  it.each(['disk-problem', 'service-problem', 'application-problem', 'cpu-problem'])(
    'an alert that the model would choose for is told after two minutes (%s)',
    async (name) => {
      const { incidentId } = await pipeline.post(await sample(name));
      await pipeline.until(incidentId, ({ state }) => state === 'held');
      await pipeline.delayed('AlertsQueue');
      pipeline.laterBy(2 * MINUTE);
      await expectTold(incidentId, 'handed_over');
    },
  );

  const now = () => Date.now();
  const decided = (incidentId: string, eventId: string) => ({
    decisionId: `${incidentId}#1`,
    step: 1 as const,
    at: now(),
    verdict: {
      kind: 'remediate' as const,
      tool: 'restart_service' as const,
      arguments: { service_name: 'nginx.service' },
      node: `web-${eventId}`,
      autonomy: 'auto' as const,
      reasons: [],
    },
    expiresAt: now() + 15 * MINUTE,
  });
  const alertOf = (eventId: string) =>
    anAlert({ eventId, host: { host: `web-${eventId}` }, hostGroups: ['Linux servers', 'Web servers'] });
  const idOf = (eventId: string) => `inc_0000000000000000000${eventId}`;

  it('a job that was decided before cannot start, and is told', async () => {
    const incidentId = idOf('71001');
    await pipeline.table.createIncident({
      ...anIncident({ incidentId, eventId: '71001', hostKey: 'zabbix/web-71001', alert: alertOf('71001') }),
      state: 'decided',
      openedAt: now(),
      decideBy: now() + 15 * MINUTE,
      dueAt: now() + MINUTE,
      decisions: [{ ...decided(incidentId, '71001'), expiresAt: now() + 3_000 }],
    });
    await pipeline.put('JobsQueue', JSON.stringify({ incidentId, step: 1 }));
    await pipeline.until(incidentId, ({ timeline }) =>
      timeline.some(({ kind }) => kind === 'dispatch_failed'),
    );
    pipeline.laterBy(6 * MINUTE);
    // Its message may come again at the very instant of a sweep, and a try that began before may end only now, and
    // put off when it is due: one of the next minutes' sweeps finds it.
    await expect
      .poll(
        async () => {
          pipeline.laterBy(MINUTE);
          await pipeline.invoke('sweep-incidents', {});
          return (await pipeline.table.loadIncident(incidentId))?.state;
        },
        { timeout: 20_000, interval: 500 },
      )
      .toBe('closed');
    await expectTold(incidentId, 'handed_over');
  });

  it('a job that runs cannot be asked about, and is told when its time is over', async () => {
    const incidentId = idOf('71002');
    await pipeline.table.createIncident({
      ...anIncident({ incidentId, eventId: '71002', hostKey: 'zabbix/web-71002', alert: alertOf('71002') }),
      state: 'running',
      openedAt: now(),
      dueAt: now() + MINUTE,
      decisions: [
        {
          ...decided(incidentId, '71002'),
          dispatch: { claimedAt: now() - 60 * MINUTE, sent: 'yes', executionId: '17' },
        },
      ],
    });
    await pipeline.put('ChecksQueue', JSON.stringify({ incidentId, step: 1 }));
    await expectTold(incidentId, 'unverifiable');
  });

  it('a post without an answer, of which nobody can say whether it began, is told and not sent again', async () => {
    const incidentId = idOf('71003');
    await pipeline.table.createIncident({
      ...anIncident({ incidentId, eventId: '71003', hostKey: 'zabbix/web-71003', alert: alertOf('71003') }),
      state: 'dispatching',
      openedAt: now(),
      dueAt: now() - 1,
      decisions: [
        { ...decided(incidentId, '71003'), dispatch: { claimedAt: now() - 5 * MINUTE, sent: 'unknown' } },
      ],
    });
    await pipeline.invoke('sweep-incidents', {});
    await expectTold(incidentId, 'unknown');
  });

  it('a message that nobody can read is told', async () => {
    await pipeline.put('JobsQueue', '{"poison": "of both dead"');
    await expect.poll(() => chatsAbout('jobs-dead').length, { timeout: 20_000 }).toBe(1);
    await expect.poll(() => mailsAbout('jobs-dead').length, { timeout: 20_000 }).toBe(1);
  });

  it('is told by mail alone while the chat is dead too', async () => {
    await pipeline.people.stop();
    const { incidentId } = await pipeline.post(await sample('unknown-problem'));
    const incident = await pipeline.until(incidentId, ({ escalation }) => escalation === 'delivered');
    expect(incident.outcome).toBe('handed_over');
    expect(mailsAbout(incidentId)).toHaveLength(1);
  });
});
