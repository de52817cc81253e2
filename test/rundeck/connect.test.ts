/** Set-up and check of a Rundeck server, against the simulated one: what is there afterwards works, and stays safe. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseWebhooks } from '#lib/adapters/rundeck.ts';
import { catalogue } from '#lib/catalogue/index.ts';
import {
  type SimulatedRundeck,
  type SimulatedRundeckOptions,
  startSimulatedRundeck,
} from '#local/simulated-rundeck.ts';
import { openRundeck } from '../../rundeck/call-rundeck.ts';
import {
  type ConnectSettings,
  connectRundeck,
  type RundeckSettings,
  readRundeckSettings,
  writeRundeckSettings,
} from '../../rundeck/connect.ts';
import { type Finding, verifyRundeck } from '../../rundeck/verify.ts';

let rundeck: SimulatedRundeck;
const open = (options: SimulatedRundeckOptions = {}) =>
  startSimulatedRundeck({
    nodes: [
      { nodename: 'web-01', tags: 'remedia' },
      { nodename: 'db-01', tags: 'db' },
      { nodename: 'relay-01', tags: 'remedia-notify' },
    ],
    jobMs: 1,
    ...options,
  });
beforeEach(async () => {
  rundeck = await open();
});
afterEach(() => rundeck.close());

const connect = (changes: Partial<ConnectSettings> = {}, token = rundeck.apiToken) =>
  connectRundeck(openRundeck(rundeck.url, token), {
    url: rundeck.url,
    project: 'remedia',
    tools: Object.values(catalogue),
    user: 'admin',
    renew: false,
    ...changes,
  });
const verify = async (settings: RundeckSettings, node = 'web-01') => {
  const findings: Finding[] = [];
  for await (const finding of verifyRundeck({
    url: rundeck.url,
    apiToken: settings.apiToken,
    webhooks: parseWebhooks(JSON.stringify(settings.webhooks)),
    catalogue: catalogue,
    node,
    samples: {
      cleanup_disk: { path: '/' },
      restart_service: { service_name: 'cron.service' },
      analyze_processes: { resource_type: 'cpu' },
      restart_application: { app_name: 'cron' },
      notify: { message: "It's $(only) a `check`; nothing happened.", team: 'night shift' },
    },
    cleanupRoots: ['/var/tmp'],
    waitMs: 2_000,
  })) {
    findings.push(finding);
  }
  return findings;
};

describe('set-up', () => {
  it('a fresh server can do everything afterwards that Remedia needs, and the check finds nothing wrong', async () => {
    const connected = await connect();
    expect(Object.keys(connected.webhooks)).toEqual([
      'cleanup_disk',
      'restart_service',
      'analyze_processes',
      'restart_application',
      'notify',
    ]);
    const findings = await verify(connected);
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    // A host that is no node has nothing to say to the job of the relay.
    expect(findings).toHaveLength(5 * 7 - 1);
  });

  it('a second run changes no webhook, secret or token', async () => {
    const first = await connect();
    const second = await connect({ earlier: first });
    expect(second.webhooks).toEqual(first.webhooks);
    expect(second.apiToken).toBe(first.apiToken);
    expect((await verify(second)).every(({ ok }) => ok)).toBe(true);
  });

  it('without what an earlier run wrote, secrets are made anew and the old ones no longer work', async () => {
    const first = await connect();
    const second = await connect();
    expect(second.webhooks['cleanup_disk']?.url).toBe(first.webhooks['cleanup_disk']?.url);
    expect(second.webhooks['cleanup_disk']?.secret).not.toBe(first.webhooks['cleanup_disk']?.secret);
    const findings = await verify(first);
    expect(findings.some(({ ok, text }) => !ok && text.includes('secret is wrong'))).toBe(true);
  });

  it('what it wrote can be read again; anything else is nothing', async () => {
    const { webhooks, apiToken } = await connect();
    const text = writeRundeckSettings(rundeck.url, { webhooks, apiToken });
    expect(readRundeckSettings(text)).toEqual({ url: rundeck.url, webhooks, apiToken });
    for (const wrong of ['', 'x', 'RUNDECK_WEBHOOKS={}', text.replace('RUNDECK_API_TOKEN', 'OTHER')]) {
      expect(readRundeckSettings(wrong)).toBeUndefined();
    }
  });

  it('notifications go where it says, or are left out', async () => {
    const told = await connect({ notificationUrl: 'http://u:p@127.0.0.1:1/x' });
    expect(told.warnings.join()).not.toContain('no notification URL');
    expect((await connect({ earlier: told })).warnings.join()).toContain('no notification URL');
  });

  it('says in one sentence what is wrong, without a token', async () => {
    await expect(connect({}, 'wrong-token-wrong-token')).rejects.toThrow(
      /does not know the administrator’s token/,
    );
    await rundeck.refuse();
    await expect(connect()).rejects.toThrow(
      /^No connection to Rundeck at 127\.0\.0\.1:\d+ \(ECONNREFUSED\)\.$/,
    );
    await rundeck.listenAgain();
  });

  it('tells when the reading token ends', async () => {
    expect((await connect()).warnings.join()).toMatch(/expires at \d{4}-/);
  });
});

describe('check', () => {
  it.each([
    [
      'a token that may do more than read',
      (one: RundeckSettings) => ({ ...one, apiToken: rundeck.apiToken }),
      'should only read',
    ],
    [
      'a token that nobody knows',
      (one: RundeckSettings) => ({ ...one, apiToken: 'x' }),
      'does not see the job',
    ],
    [
      'a webhook that is not there',
      (one: RundeckSettings) => ({ ...one, webhooks: {} }),
      'RUNDECK_WEBHOOKS has no webhook',
    ],
  ] as const)('finds %s', async (_what, change, text) => {
    const findings = await verify(change(await connect()));
    expect(findings.some((finding) => !finding.ok && finding.text.includes(text))).toBe(true);
  });

  it('without a node that passes messages on it says what that means, and nothing is wrong', async () => {
    await rundeck.close();
    rundeck = await open({ nodes: [{ nodename: 'web-01', tags: 'remedia' }] });
    const findings = await verify(await connect());
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(findings.map(({ text }) => text).join('\n')).toContain('no node bears the tag remedia-notify');
  });

  it('finds a host without the tag', async () => {
    const findings = await verify(await connect(), 'db-01');
    expect(findings.filter(({ ok }) => !ok).map(({ text }) => text)[0]).toMatch(/dry run \d+ is failed/);
  });
});
