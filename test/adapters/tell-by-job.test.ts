/** The adapter behind "besides, by Rundeck": which teams, what is posted, and how little a silent Rundeck costs. */
import { afterEach, describe, expect, it } from 'vitest';
import { makeTellByJob } from '#lib/adapters/tell-by-job.ts';
import { escalationMessage } from '#lib/core/messages.ts';
import { type RemediaRundeck, startRemediaRundeck } from '#local/rundeck/remedia-project.ts';
import { anAlert, anIncident } from '#test/builders/incidents.ts';
import { type HttpSink, openHttpSink } from '#test/fakes/http-sink.ts';

let open: RemediaRundeck | undefined;
let sink: HttpSink | undefined;
afterEach(async () => {
  await open?.rundeck.close();
  await sink?.close();
  open = undefined;
  sink = undefined;
});

const HOSTILE = "$(touch /tmp/x) `id` '; rm -rf / #";
const incident = anIncident({ alert: anAlert({ eventName: HOSTILE }) });
const message = (team?: string) =>
  escalationMessage({
    incident,
    team,
    priority: 'high',
    incidentLink: (id) => `https://remedia.test/api/v1/incidents/${id}`,
    now: incident.openedAt,
    reasons: [],
  });
const teams = (url: string, secret?: string) =>
  JSON.stringify({ night: { rundeck_notify: { url, ...(secret && { secret }) } }, day: {} });

describe('telling a team by the job notify', () => {
  it('runs it on the relay, with the text as it is, and the link to the timeline', async () => {
    open = await startRemediaRundeck({ jobMs: 1 });
    const url = open.rundeck.webhookUrls()['remedia-notify'] ?? '';
    const tell = makeTellByJob({ teams: teams(url) });
    expect(await tell?.(incident, message('night'))).toBe('1');
    await open.rundeck.idle();
    const [execution] = open.rundeck.executions();
    expect(execution).toMatchObject({
      status: 'succeeded',
      nodeFilter: 'tags: remedia-notify',
      options: {
        team: 'night',
        priority: 'high',
        mode: 'live',
        remedia_incident_id: incident.incidentId,
        remedia_link: `https://remedia.test/api/v1/incidents/${incident.incidentId}`,
      },
    });
    expect(execution?.options['message']).toContain(HOSTILE);
  });

  it.each([
    ['another team', message('day')],
    ['no team', message()],
    // Its links answer the question, and Rundeck keeps options.
    ['a question', { ...message('night'), kind: 'approval' as const }],
  ])('not for %s', async (_what, about) => {
    sink = await openHttpSink();
    const tell = makeTellByJob({ teams: teams(`${sink.url}/api/41/webhook/t`) });
    expect(await tell?.(incident, about)).toBeUndefined();
    expect(sink.requests).toEqual([]);
  });

  it('is not there when no team asks for it', () => {
    expect(makeTellByJob({})).toBeUndefined();
    expect(makeTellByJob({ teams: '{"day":{}}' })).toBeUndefined();
  });

  it('a Rundeck that cannot be reached is left alone for a minute', async () => {
    let now = 0;
    const tell = makeTellByJob(
      { teams: teams('http://127.0.0.1:1/api/41/webhook/SECRET') },
      { clock: () => now },
    );
    const why = async () => tell?.(incident, message('night')).catch((error: unknown) => String(error));
    expect(await why()).toContain('no connection');
    now = 59_000;
    expect(await why()).toContain('did not answer a moment ago');
    now = 61_000;
    expect(await why()).toContain('no connection');
    expect(await why()).not.toContain('SECRET');
  });

  it.each([
    ['{"night":{"rundeck_notify":{"url":"SECRET"}}}', 'ESCALATION_TEAMS.night.rundeck_notify.url'],
    ['{"night":{"rundeck_notify":{"url":"https://x/SECRET"}}}', 'ESCALATION_TEAMS.night.rundeck_notify.url'],
    ['{"night":{"rundeck_notify":{}}}', 'ESCALATION_TEAMS.night.rundeck_notify.url'],
  ])('a wrong setting %s is named, and not shown', (given, name) => {
    expect(() => makeTellByJob({ teams: given })).toThrow(name);
    expect(() => makeTellByJob({ teams: given })).not.toThrow('SECRET');
  });
});
