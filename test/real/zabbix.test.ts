/** A real Zabbix 7: what an administrator imports and sets up, what then arrives, and what Zabbix does when it does not. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import { makeCommentEvent, makeReadEvent, makeReadHostContext } from '#lib/adapters/zabbix.ts';
import { zabbixContract } from '#test/contracts/zabbix.contract.ts';
import { type HttpSink, openHttpSink, type SinkAnswer, type SinkRequest } from '#test/fakes/http-sink.ts';
import { type CallZabbix, logIn, openZabbix } from '../../zabbix/call-zabbix.ts';
import { type Connected, connectZabbix, NAMES } from '../../zabbix/connect.ts';
import { realPart } from './real-part.ts';
import {
  askTrapper,
  endProblem,
  eventually,
  type LabHost,
  type LabTrigger,
  makeHost,
  makeHostGroup,
  openProblem,
  type Trapper,
  warmUp,
} from './zabbix-lab.ts';

const real = realPart('Zabbix', [
  'ZABBIX_API_URL',
  'ZABBIX_API_USER',
  'ZABBIX_API_PASSWORD',
  'ZABBIX_TRAPPER',
]);
/** The command that runs a media script in Zabbix's interpreter, such as `zabbix_js`. */
const zabbixJs = real && realPart('zabbix_js', ['ZABBIX_JS']);
const script = readFileSync('zabbix/media_remedia.js', 'utf8');
const token = 'intake-token-of-the-test';
const signingKey = 'signing-key-of-the-test';
/** Names of their own for each run, so that a second run on the same server does not meet the first one's. */
const run = randomBytes(3).toString('hex');
const anything = z.unknown();

const accepted = (id = 'inc_0123456789abcdef01234567'): SinkAnswer => ({
  status: 202,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ incidentId: id, status: 'accepted', link: `https://remedia.example/i/${id}` }),
});
const problem = (status: number, title: string, more: object = {}): SinkAnswer => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ type: 'about:blank', title, status, ...more }),
});

describe.skipIf(!zabbixJs)("the script in Zabbix's own interpreter", () => {
  let sink: HttpSink;
  beforeAll(async () => {
    sink = await openHttpSink();
  });
  afterAll(() => sink?.close());

  /** What the script returns (exit 0) or throws (exit 1), run as the server runs it. */
  const runScript = async (parameters: Readonly<Record<string, string>>) => {
    const [command = '', ...args] = (zabbixJs?.ZABBIX_JS ?? '').split(' ');
    const value = JSON.stringify({
      url: sink.url,
      token,
      signing_key: '',
      event_id: '42',
      event_tags: '[]',
      ...parameters,
    });
    const child = spawn(command, [...args, '-s', '-', '-t', '20', '-p', value], { timeout: 60_000 });
    child.stdin.end(script);
    const [out, err, code] = await Promise.all([readAll(child.stdout), readAll(child.stderr), exitOf(child)]);
    return { code, out: out.trim(), said: `${out}${err}` };
  };
  const answering = (answer: SinkAnswer) => {
    const received: SinkRequest[] = [];
    sink.answerWith((request) => {
      received.push(request);
      return answer;
    });
    return received;
  };

  it('returns the tags that lead from the event to the incident', async () => {
    const received = answering(accepted());

    const { code, out } = await runScript({
      event_name: 'Disk "full" ünïcode 磁盘 💾 \u2028 \\',
      format_version: '1',
    });

    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      tags: {
        __remedia_incident: 'inc_0123456789abcdef01234567',
        __remedia_link: 'https://remedia.example/i/inc_0123456789abcdef01234567',
      },
    });
    const [request] = received;
    expect(request).toMatchObject({
      method: 'POST',
      url: '/api/v1/zabbix/alert',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
    expect(request?.headers).not.toHaveProperty('x-remedia-signature');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      event_id: '42',
      event_tags: '[]',
      event_name: 'Disk "full" ünïcode 磁盘 💾 \u2028 \\',
      format_version: '1',
    });
  });

  it('signs time and body when it is given a key', async () => {
    const received = answering(accepted());

    const { code } = await runScript({ signing_key: signingKey, event_name: 'ünïcode 💾' });

    expect(code).toBe(0);
    const [request] = received;
    const timestamp = String(request?.headers['x-remedia-timestamp']);
    expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(60);
    expect(request?.headers['x-remedia-signature']).toBe(
      createHmac('sha256', signingKey).update(`${timestamp}.${request?.body}`).digest('hex'),
    );
    expect(request?.body).not.toContain(signingKey);
  });

  it.each([
    ['a key that is not defined', { signing_key: '{$REMEDIA.SIGNING.KEY}' }],
    ['an address with a path', { url: '/api/v1/zabbix/alert' }],
    ['an address with a slash', { url: '/' }],
  ])('takes %s', async (_, parameters) => {
    const received = answering(accepted());
    const url = 'url' in parameters ? { url: sink.url + parameters.url } : {};

    const { code } = await runScript({ ...parameters, ...url });

    expect(code).toBe(0);
    expect(received).toMatchObject([{ url: '/api/v1/zabbix/alert' }]);
    expect(received[0]?.headers).not.toHaveProperty('x-remedia-signature');
  });

  it.each([
    ['simulate', 'simulate'],
    ['', undefined],
  ])('asks for a simulation only when it is told so: "%s"', async (mode, header) => {
    const received = answering(accepted());

    const { code } = await runScript({ mode });

    expect(code).toBe(0);
    expect(received[0]?.headers['x-remedia-mode']).toBe(header);
    expect(JSON.parse(received[0]?.body ?? '')).not.toHaveProperty('mode');
  });

  it('sets the tags once: not when the event has them already', async () => {
    answering(accepted());

    const { out } = await runScript({ event_tags: '[{"tag":"__remedia_incident","value":"inc_1"}]' });

    expect(JSON.parse(out)).toEqual({ tags: {} });
  });

  it('keeps of a link that a tag cannot hold what asks for a token, never half a signature', async () => {
    const plain = `https://${'long.'.repeat(40)}example/api/v1/incidents/inc_1`;
    answering({
      status: 202,
      body: JSON.stringify({
        incidentId: 'inc_1',
        status: 'accepted',
        link: `${plain}?signature=${'ab'.repeat(32)}`,
      }),
    });

    const { out } = await runScript({});

    expect(JSON.parse(out)).toMatchObject({ tags: { __remedia_link: plain } });
  });

  it('gives the Test button a clear answer', async () => {
    answering({ status: 200, body: '{"status":"test"}' });

    const { code, out } = await runScript({ event_id: '{EVENT.ID}' });

    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ tags: {}, test: expect.stringContaining('Nothing was recorded') });
  });

  it.each([
    [
      '401',
      problem(401, 'Unauthorized', { detail: 'The token is not known.' }),
      /HTTP 401: Unauthorized; The token is not known.; compare the macros \{\$REMEDIA.TOKEN\}/,
    ],
    [
      '400 with fields',
      problem(400, 'Bad Request', { errors: [{ field: 'event_id', expected: 'digits' }, 'x'] }),
      /HTTP 400: Bad Request; event_id: expected digits; x/,
    ],
    ['413', problem(413, 'Content Too Large'), /HTTP 413: Content Too Large/],
    [
      '503',
      problem(503, 'Service Unavailable', { detail: 'The queue does not answer.' }),
      /HTTP 503: Service Unavailable; The queue does not answer/,
    ],
    ['500 without words', { status: 500 }, /HTTP 500: no explanation/],
    [
      '404 from somebody else',
      { status: 404, body: '<html>Not Found</html>' },
      /HTTP 404: <html>Not Found<\/html>; is the address/,
    ],
    [
      '200 from somebody else',
      { status: 200, body: '<html>Welcome</html>' },
      /not the answer of Remedia.*<html>Welcome/,
    ],
    ['JSON from somebody else', { status: 200, body: '{"ok":true}' }, /not the answer of Remedia/],
    ['JSON that is no object', { status: 200, body: 'null' }, /not the answer of Remedia/],
  ] as const)('throws on %s, with the reason', async (_, answer, sentence) => {
    answering(answer);

    const { code, said } = await runScript({});

    expect(code).toBe(1);
    expect(said).toMatch(sentence);
    expect(said).not.toContain(token);
  });

  it.each([
    ['no address', { url: '{ALERT.SENDTO}' }, /parameter "url" is not filled in/],
    ['no web address', { url: 'remedia' }, /is not an address that begins with http/],
    ['no token', { token: '{$REMEDIA.TOKEN}' }, /parameter "token" is empty/],
    ['nobody listening', { url: 'http://127.0.0.1:9' }, /did not take the alert: .*connect/i],
    ['host groups that do not fit', { host_groups: 'g'.repeat(4000) }, /so many host groups/],
  ])('throws on %s', async (_, parameters, sentence) => {
    const received = answering(accepted());

    const { code, said } = await runScript(parameters);

    expect(code).toBe(1);
    expect(said).toMatch(sentence);
    expect(received).toEqual([]);
  });
});

describe.skipIf(!real)('a real Zabbix', () => {
  let call: CallZabbix;
  let trapper: Trapper;
  let sink: HttpSink;
  let pager: HttpSink;
  let connected: Connected;
  let apiToken = '';
  let host: LabHost;
  let pagedGroup: string;
  let printed = '';
  let tokenFileMode = 0;
  const groupName = `Remedia test ${run}`;

  const connection = () => ({
    remediaUrl: sink.url,
    intakeToken: token,
    signingKey,
    source: 'zabbix-under-test',
    hostGroups: [groupName],
    minimumSeverity: 2,
    // The shortest that Zabbix takes.
    safetyNet: { userGroup: pagedGroup, afterMinutes: 1 },
  });
  const posts = z.record(z.string(), z.string());
  const received = (eventId: string, more: Readonly<Record<string, string>> = {}) =>
    sink.requests
      .map(({ body }) => posts.parse(JSON.parse(body)))
      .filter(
        (post) =>
          post['event_id'] === eventId && Object.entries(more).every(([key, value]) => post[key] === value),
      );
  const arrival = (eventId: string, more: Readonly<Record<string, string>>) =>
    eventually(`a post for event ${eventId} with ${JSON.stringify(more)}`, () => received(eventId, more)[0]);
  const alertsOf = (eventId: string) =>
    call(
      'alert.get',
      {
        eventids: [eventId],
        output: ['status', 'error', 'retries', 'sendto', 'mediatypeid', 'alertid'],
        sortfield: 'alertid',
      },
      z.array(
        z.object({ status: z.string(), error: z.string(), retries: z.string(), mediatypeid: z.string() }),
      ),
    );

  beforeAll(async () => {
    if (!real) return;
    const [trapperHost = '', port = ''] = real.ZABBIX_TRAPPER.split(':');
    trapper = { host: trapperHost, port: Number(port) };
    call = await openZabbix(real.ZABBIX_API_URL, {
      user: real.ZABBIX_API_USER,
      password: real.ZABBIX_API_PASSWORD,
    });
    [sink, pager] = await Promise.all([openHttpSink(), openHttpSink()]);
    sink.answerWith(() => accepted());
    const groupId = await makeHostGroup(call, groupName);
    pagedGroup = await makePager(call, groupId, pager.url);
    // As an administrator does it, and again to learn the ids.
    const folder = await mkdtemp(join(tmpdir(), 'remedia-zabbix-'));
    const tokenFile = join(folder, 'secrets', 'zabbix-token');
    printed = await setUp(tokenFile);
    apiToken = (await readFile(tokenFile, 'utf8')).trim();
    tokenFileMode = (await stat(tokenFile)).mode & 0o777;
    await rm(folder, { recursive: true });
    connected = await connectZabbix(call, connection());
    await hurry();
    host = await makeHost(call, trapper, {
      host: `web-${run}`,
      groupId,
      tags: [{ tag: 'env', value: 'prod' }],
    });
    await warmUp(call, host, (eventId) => received(eventId).length > 0);
  });
  afterAll(async () => {
    if (host) await call('host.delete', [host.hostId], anything);
    if (connected) await call('action.update', { actionid: connected.actionId, status: 1 }, anything);
    await Promise.all([sink?.close(), pager?.close()]);
  });
  beforeEach(() => sink?.answerWith(() => accepted()));

  /** The tests of failures should not wait for half a minute between two attempts. */
  const hurry = () =>
    call(
      'mediatype.update',
      { mediatypeid: connected.mediaTypeId, attempt_interval: '1s', maxattempts: '3' },
      anything,
    );

  const setUp = async (tokenFile: string): Promise<string> => {
    const { remediaUrl, intakeToken, source, hostGroups, minimumSeverity, safetyNet } = connection();
    const child = spawn(
      process.execPath,
      ['scripts/zabbix-setup.ts', '--token-file', tokenFile, '--renew-token'],
      {
        env: {
          PATH: process.env['PATH'],
          ...real,
          PUBLIC_BASE_URL: remediaUrl,
          INTAKE_TOKENS: `${intakeToken},an-older-one`,
          INTAKE_HMAC_KEY: signingKey,
          REMEDIA_SOURCE: source,
          REMEDIA_HOST_GROUPS: hostGroups.join(', '),
          REMEDIA_MINIMUM_SEVERITY: String(minimumSeverity),
          REMEDIA_PAGE_GROUP: safetyNet.userGroup,
          REMEDIA_PAGE_AFTER: String(safetyNet.afterMinutes),
        },
        timeout: 120_000,
      },
    );
    const [out, err, code] = await Promise.all([readAll(child.stdout), readAll(child.stderr), exitOf(child)]);
    if (code !== 0) throw new Error(`the set-up ended with ${code}: ${out}${err}`);
    return out + err;
  };

  it('is set up by one command, which says what it did and shows no secret', () => {
    expect(printed).toMatch(/✓ media type "Remedia": imported/);
    expect(printed).toMatch(/✓ action "Remedia: remediate, and page humans if nobody answers"/);
    expect(printed).toMatch(/ZABBIX_API_TOKEN/);
    expect(printed).not.toContain('!');
    for (const secret of [token, signingKey, apiToken, real?.ZABBIX_API_PASSWORD ?? ''].filter(
      (each) => each.length > 6,
    ))
      expect(printed).not.toContain(secret);
    expect(apiToken).toMatch(/^[0-9a-f]{64}$/);
    expect(tokenFileMode).toBe(0o600);
  });

  it('takes the media type as it is in the file, and gives it back unchanged', async () => {
    await call(
      'configuration.import',
      {
        format: 'yaml',
        rules: { mediaTypes: { updateExisting: true } },
        source: readFileSync('zabbix/media_remedia.yaml', 'utf8'),
      },
      anything,
    );

    const exported = await call(
      'configuration.export',
      { format: 'yaml', options: { mediaTypes: [connected.mediaTypeId] } },
      z.string(),
    );

    const trimmed = (yaml: string): unknown =>
      JSON.parse(
        JSON.stringify(parseYaml(yaml), (_, value: unknown) =>
          typeof value === 'string' ? value.trim() : value,
        ),
      );
    expect(trimmed(exported)).toEqual(trimmed(readFileSync('zabbix/media_remedia.yaml', 'utf8')));
    // What Zabbix's export leaves out, because it is the default, holds all the same.
    const limits = [
      'timeout',
      'maxattempts',
      'attempt_interval',
      'maxsessions',
      'process_tags',
      'show_event_menu',
    ];
    expect(
      await call('mediatype.get', { mediatypeids: [connected.mediaTypeId], output: limits }, anything),
    ).toMatchObject([
      {
        timeout: '30s',
        maxattempts: '10',
        attempt_interval: '30s',
        maxsessions: '10',
        process_tags: '1',
        show_event_menu: '1',
      },
    ]);
    await hurry();
  });

  it('is set up once, however often that is asked for', async () => {
    const objects = async () => ({
      actions: await call(
        'action.get',
        {
          filter: { name: NAMES.action },
          selectFilter: 'extend',
          selectOperations: 'extend',
          selectRecoveryOperations: 'extend',
          selectUpdateOperations: 'extend',
        },
        anything,
      ),
      users: await call(
        'user.get',
        {
          filter: { username: NAMES.user },
          selectMedias: ['sendto', 'mediatypeid', 'active'],
          selectUsrgrps: ['usrgrpid'],
          output: ['userid', 'roleid', 'timezone'],
        },
        anything,
      ),
      roles: await call('role.get', { filter: { name: NAMES.role }, selectRules: 'extend' }, anything),
      macros: await call('usermacro.get', { globalmacro: true, search: { macro: 'REMEDIA' } }, anything),
      tokens: await call('token.get', { userids: [connected.userId], output: ['tokenid', 'name'] }, anything),
    });
    const withoutIds = (value: unknown): unknown =>
      JSON.parse(
        JSON.stringify(value, (key, inner: unknown) =>
          /^(opconditionid|operationid)$/.test(key) ? undefined : inner,
        ),
      );
    const before = await objects();

    const again = await connectZabbix(call, connection());

    expect(withoutIds(await objects())).toEqual(withoutIds(before));
    expect(again.apiToken).toBeUndefined();
    expect(again.warnings).toEqual([]);
    await hurry();
  });

  it('is not set up for host groups and user groups that are not there', async () => {
    await expect(
      connectZabbix(call, { ...connection(), hostGroups: [groupName, 'No such'] }),
    ).rejects.toThrow('Zabbix has no host group "No such"');
    await expect(
      connectZabbix(call, { ...connection(), safetyNet: { userGroup: 'No such', afterMinutes: 1 } }),
    ).rejects.toThrow('Zabbix has no user group "No such"');
    await hurry();
  });

  it('gives Remedia a token that can read and comment, and nothing else', async () => {
    const remedia = await openZabbix(real?.ZABBIX_API_URL ?? '', { token: apiToken });

    const hosts = await remedia('host.get', { output: ['host'] }, z.array(z.object({ host: z.string() })));

    expect(hosts).toEqual([{ host: host.host }]);
    for (const method of [
      'user.get',
      'usermacro.get',
      'host.update',
      'script.execute',
      'token.create',
      'action.get',
    ])
      await expect(remedia(method, {}, anything)).rejects.toThrow(/No permissions to call/);
    const trigger = await host.trigger({ name: 'cannot be closed', key: 'closed' });
    const eventId = await openProblem(call, trigger);
    await expect(remedia('event.acknowledge', { eventids: [eventId], action: 1 }, anything)).rejects.toThrow(
      /permission/i,
    );
    await endProblem(call, trigger, eventId);
  });

  it('posts problem, update and recovery, signed, with every field, and shows the incident on the event', async () => {
    const trigger = await host.trigger({
      name: 'Disk space is critically low on {HOST.NAME}',
      eventName: 'FS [/]: Space is critically low (used > 90%)',
      key: 'vfs.fs.dependent.size[/,pused]',
      opdata: 'Space used: {ITEM.LASTVALUE1}',
      description: 'Volume is filling up on {HOST.HOST}',
      tags: [
        { tag: 'scope', value: 'capacity' },
        { tag: 'filesystem', value: '/' },
      ],
    });

    const eventId = await openProblem(call, trigger);
    const opened = await arrival(eventId, { event_value: '1' });
    await makeCommentEvent({ url: real?.ZABBIX_API_URL ?? '', token: apiToken })(eventId, 'seen "it"', {
      acknowledge: false,
    });
    await call(
      'event.acknowledge',
      { eventids: [eventId], action: 4, message: 'a human says hello' },
      anything,
    );
    const updated = await arrival(eventId, { event_update_status: '1' });
    await endProblem(call, trigger, eventId);
    const closed = await arrival(eventId, { event_value: '0', event_update_status: '0' });

    expect(opened).toEqual({
      format_version: '1',
      source: 'zabbix-under-test',
      event_source: '0',
      event_id: eventId,
      event_recovery_id: '{EVENT.RECOVERY.ID}',
      event_name: 'FS [/]: Space is critically low (used > 90%)',
      event_value: '1',
      event_update_status: '0',
      event_nseverity: '4',
      event_tags: expect.any(String),
      event_opdata: 'Space used: 97.5',
      event_date: expect.stringMatching(/^\d{4}\.\d\d\.\d\d$/),
      event_time: expect.stringMatching(/^\d\d:\d\d:\d\d$/),
      host_host: host.host,
      host_name: `${host.host}.example.com`,
      host_ip: '192.0.2.10',
      host_id: host.hostId,
      host_groups: groupName,
      trigger_id: trigger.triggerId,
      trigger_name_orig: 'Disk space is critically low on {HOST.NAME}',
      trigger_description: `Volume is filling up on ${host.host}`,
      item_id: trigger.itemId,
      item_key: 'vfs.fs.dependent.size[/,pused]',
      item_key_orig: 'vfs.fs.dependent.size[/,pused]',
      item_value: '97.5',
      subject: 'FS [/]: Space is critically low (used > 90%)',
      message: 'Space used: 97.5',
    });
    expect(JSON.parse(opened['event_tags'] ?? '')).toEqual(
      expect.arrayContaining([
        { tag: 'scope', value: 'capacity' },
        { tag: 'filesystem', value: '/' },
        { tag: 'env', value: 'prod' },
      ]),
    );
    expect(updated).toMatchObject({
      event_value: '1',
      message: expect.stringContaining('a human says hello'),
    });
    expect(closed).toMatchObject({
      event_recovery_id: expect.stringMatching(/^\d+$/),
      subject: expect.stringMatching(/^Resolved: FS/),
    });
    expect(closed['event_tags']).toContain('"__remedia_incident"');

    for (const { headers, body } of sink.requests)
      expect(headers['x-remedia-signature']).toBe(
        createHmac('sha256', signingKey).update(`${headers['x-remedia-timestamp']}.${body}`).digest('hex'),
      );
    const [event] = await call(
      'event.get',
      { eventids: [eventId], selectTags: ['tag', 'value'] },
      z.array(z.object({ tags: z.array(z.object({ tag: z.string(), value: z.string() })) })),
    );
    expect(event?.tags.filter(({ tag }) => tag.startsWith('__remedia'))).toEqual(
      expect.arrayContaining([
        { tag: '__remedia_incident', value: 'inc_0123456789abcdef01234567' },
        { tag: '__remedia_link', value: 'https://remedia.example/i/inc_0123456789abcdef01234567' },
      ]),
    );
    expect(event?.tags.filter(({ tag }) => tag.startsWith('__remedia'))).toHaveLength(2);
    // The problem and its recovery were each posted once, and Zabbix counts them as sent.
    expect((await alertsOf(eventId)).map(({ status, error }) => [status, error])).toEqual(
      (await alertsOf(eventId)).map(() => ['1', '']),
    );
  });

  it('sends whole JSON whatever the length of what has no bound, in any language', async () => {
    const trigger = await host.trigger({
      name: 'a log line is too long',
      key: 'log.line',
      text: true,
      opdata: '{ITEM.LASTVALUE1} {ITEM.LASTVALUE1} {ITEM.LASTVALUE1}',
      description: `"\\💾磁ü`.repeat(2000),
      tags: Array.from({ length: 17 }, (_, index) => ({ tag: `tag ${index}`, value: '"'.repeat(200) })),
    });

    const eventId = await openProblem(call, trigger, `"\\💾磁ü\n\u0001`.repeat(8000));
    const post = await arrival(eventId, { event_value: '1' });
    await endProblem(call, trigger, eventId, 'short');

    expect([...(post['trigger_description'] ?? '')].length).toBe(1000);
    expect([...(post['item_value'] ?? '')].length).toBeLessThanOrEqual(500);
    expect([...(post['event_opdata'] ?? '')].length).toBeLessThanOrEqual(1000);
    expect(post['item_value']).toContain('"\\💾磁ü\n');
    expect(JSON.parse(post['event_tags'] ?? '')).toHaveLength(18);
  });

  it('refuses to show half of the tags as if they were all', async () => {
    const trigger = await host.trigger({
      name: 'very many tags',
      key: 'many.tags',
      tags: Array.from({ length: 60 }, (_, index) => ({ tag: `tag ${index}`, value: 'v'.repeat(240) })),
    });

    const eventId = await openProblem(call, trigger);
    const post = await arrival(eventId, { event_value: '1' });
    await endProblem(call, trigger, eventId);

    expect(post['event_tags']).toHaveLength(8000);
    expect(() => JSON.parse(post['event_tags'] ?? '')).toThrow();
  });

  it('tries again after 503, and then counts it as sent', async () => {
    const trigger = await host.trigger({ name: 'Remedia is busy for a while', key: 'busy' });
    let refused = 0;
    sink.answerWith(({ body }) => {
      if (!body.includes('Remedia is busy') || refused === 2) return accepted();
      refused += 1;
      return problem(503, 'Service Unavailable', { detail: 'The queue does not answer.' });
    });

    const eventId = await openProblem(call, trigger);
    await eventually('three posts', () => (received(eventId).length >= 3 ? null : undefined));

    const [alert] = await eventually('the alert is sent', async () => {
      const alerts = await alertsOf(eventId);
      return alerts[0]?.status === '1' ? alerts : undefined;
    });
    expect(alert).toMatchObject({ error: '' });
    await endProblem(call, trigger, eventId);
    await arrival(eventId, { event_value: '0' });
    expect(received(eventId, { event_value: '1' })).toHaveLength(3);
  });

  it('shows a person why a wrong token does not work', async () => {
    const trigger = await host.trigger({ name: 'the token is wrong', key: 'wrong.token' });
    sink.answerWith(({ body }) =>
      body.includes('the token is wrong')
        ? problem(401, 'Unauthorized', { detail: 'The token is not one of those that Remedia knows.' })
        : accepted(),
    );

    const eventId = await openProblem(call, trigger);

    const error = await eventually('the alert fails for good', async () => {
      const [alert] = await alertsOf(eventId);
      return alert?.status === '2' ? alert.error : undefined;
    });
    expect(error).toContain(
      'Remedia did not take the alert: HTTP 401: Unauthorized; The token is not one of those',
    );
    expect(error).toContain('{$REMEDIA.TOKEN}');
    expect(error).not.toContain(token);
    await endProblem(call, trigger, eventId);
  });

  it('answers the Test button of the media type', async () => {
    const sid = await logIn(
      real?.ZABBIX_API_URL ?? '',
      real?.ZABBIX_API_USER ?? '',
      real?.ZABBIX_API_PASSWORD ?? '',
    );
    const press = (parameters: object) =>
      askTrapper(trapper, {
        request: 'alert.send',
        sid,
        data: { mediatypeid: connected.mediaTypeId, sendto: '', subject: '', message: '', parameters },
      });
    sink.answerWith(() => ({ status: 200, body: '{"status":"test"}' }));

    const good = await press({ url: sink.url, token, event_id: '{EVENT.ID}' });
    const bad = await press({ url: '{ALERT.SENDTO}', token, event_id: '{EVENT.ID}' });

    expect(JSON.stringify(good)).toContain('Nothing was recorded');
    expect(JSON.stringify(bad)).toContain('is not filled in');
  });

  it('pages humans by itself when nobody answers, and only then', async () => {
    const [alone, answered] = await Promise.all([
      host.trigger({ name: `nobody answers ${run}`, key: 'nobody' }),
      host.trigger({ name: `somebody answers ${run}`, key: 'somebody' }),
    ]);
    // Remedia is down altogether: the net must not need it.
    sink.answerWith(() => ({ status: 503 }));

    const [aloneId, answeredId] = await Promise.all([openProblem(call, alone), openProblem(call, answered)]);
    await makeCommentEvent({ url: real?.ZABBIX_API_URL ?? '', token: apiToken })(
      answeredId,
      'told the night shift',
      { acknowledge: true },
    );
    const paged = await eventually(
      'a page',
      () => pager.requests.find(({ body }) => body.includes('nobody answers')),
      180,
    );
    // The other one's step comes at the same second; what comes late would come now.
    await eventually('the second step of both is over', async () => {
      const alerts = await alertsOf(aloneId);
      return alerts.some(({ mediatypeid, status }) => mediatypeid !== connected.mediaTypeId && status === '1')
        ? null
        : undefined;
    });
    await pause(5000);

    expect(paged.body).toContain(`nobody answers ${run}`);
    expect(pager.requests.filter(({ body }) => body.includes('somebody answers'))).toEqual([]);
    sink.answerWith(() => accepted());
    await endProblem(call, alone, aloneId);
    await endProblem(call, answered, answeredId);
  });

  describe('what Remedia’s user may ask about a host', () => {
    let own: LabHost;
    beforeAll(async () => {
      if (!real) return;
      const groupId = await groupIdOf(call, groupName);
      own = await makeHost(call, trapper, { host: `asked-${run}`, groupId });
    });
    afterAll(async () => {
      if (own) await call('host.delete', [own.hostId], anything);
    });

    const ask = (eventId: string, trigger: LabTrigger, hours = 1) =>
      makeReadHostContext({ url: real?.ZABBIX_API_URL ?? '', token: apiToken, timeoutMs: 10_000 })({
        eventId,
        triggerId: trigger.triggerId,
        host: own.host,
        past: {
          itemId: trigger.itemId,
          problemsSince: Date.now() - hours * 3_600_000,
          valuesSince: Date.now() - 1_800_000,
        },
      });

    it('is how a value went, how often the trigger fired, and what else is open there', async () => {
      const [flapping, other] = [
        await own.trigger({ name: 'flaps', key: 'flaps' }),
        await own.trigger({ name: 'something else', key: 'else' }),
      ];
      const otherId = await openProblem(call, other);
      const firstId = await openProblem(call, flapping, '99');
      await pause(1100);
      await endProblem(call, flapping, firstId, '71');
      await pause(1100);
      const eventId = await openProblem(call, flapping, '97.5');

      const from = performance.now();
      const context = await ask(eventId, flapping);
      console.log(`Zabbix told all of a host in ${Math.round(performance.now() - from)} ms`);

      expect(context).toEqual({
        at: expect.any(Number),
        event: 'problem',
        acknowledged: false,
        suppressed: 'no',
        host: 'monitored',
        maintenance: false,
        reachable: 'unknown',
        otherProblems: 1,
        otherProblemNames: ['something else'],
        sameTriggerProblems: 2,
        values: { trend: 'steady', from: '99', to: '97.5', overMs: expect.any(Number) },
      });
      expect(await ask(otherId, other)).toMatchObject({ otherProblems: 1, otherProblemNames: ['flaps'] });
      expect(await ask(eventId, other)).toMatchObject({ event: 'unknown' });
      await endProblem(call, flapping, eventId);
      await endProblem(call, other, otherId);
      expect(await ask(eventId, flapping)).toMatchObject({
        event: 'recovered',
        otherProblems: 0,
        values: { trend: 'falling', from: '99', to: '12' },
      });
    });

    it('is that a human suppressed the problem', async () => {
      const trigger = await own.trigger({ name: 'put aside', key: 'aside' });
      const eventId = await openProblem(call, trigger);

      await call('event.acknowledge', { eventids: [eventId], action: 32, suppress_until: 0 }, anything);
      await eventually('the suppression', async () =>
        (await ask(eventId, trigger)).suppressed === 'by_human' ? true : undefined,
      );
      await endProblem(call, trigger, eventId);
    });

    it('is that the host is in maintenance, with its data collected, and that this suppresses the problem', async () => {
      const trigger = await own.trigger({ name: 'is worked on', key: 'worked.on' });
      const eventId = await openProblem(call, trigger);
      const now = Math.floor(Date.now() / 1000);
      const { maintenanceids } = await call(
        'maintenance.create',
        {
          name: `Remedia test ${run}`,
          active_since: now - 60,
          active_till: now + 3600,
          hosts: [{ hostid: own.hostId }],
          timeperiods: [{ timeperiod_type: 0, start_date: now - 60, period: 3600 }],
        },
        z.object({ maintenanceids: z.array(z.string()) }),
      );

      const said = await eventually('the maintenance', async () => {
        const context = await ask(eventId, trigger);
        return context.maintenance && context.suppressed !== 'no' ? context : undefined;
      });

      expect(said).toMatchObject({ event: 'problem', suppressed: 'by_maintenance', host: 'monitored' });
      await call('maintenance.delete', maintenanceids, anything);
      await eventually('the end of the maintenance', async () => {
        const context = await ask(eventId, trigger);
        return context.maintenance || context.suppressed !== 'no' ? undefined : true;
      });
      await endProblem(call, trigger, eventId);
    });

    it('is that nobody monitors the host any more', async () => {
      const trigger = await own.trigger({ name: 'not watched', key: 'not.watched' });
      const eventId = await openProblem(call, trigger);

      await call('host.update', { hostid: own.hostId, status: 1 }, anything);

      expect(await ask(eventId, trigger)).toMatchObject({ host: 'not_monitored' });
      await call('host.update', { hostid: own.hostId, status: 0 }, anything);
    });
  });

  describe('the contract', () => {
    zabbixContract('real', async () => {
      const api = { url: real?.ZABBIX_API_URL ?? '', token: apiToken };
      const triggers = new Map<string, LabTrigger>();
      return {
        readEvent: makeReadEvent(api),
        commentEvent: makeCommentEvent(api),
        // The machine is shared: ten seconds here, 2.5 in production.
        readHostContext: makeReadHostContext({ ...api, timeoutMs: 10_000 }),
        question: (eventId) => ({
          eventId,
          triggerId: triggers.get(eventId)?.triggerId ?? '',
          host: host.host,
        }),
        async openProblem() {
          const trigger = await host.trigger({ name: 'contract', key: `contract.${triggers.size}` });
          const eventId = await openProblem(call, trigger);
          triggers.set(eventId, trigger);
          return eventId;
        },
        async recover(eventId) {
          const trigger = triggers.get(eventId);
          if (trigger) await endProblem(call, trigger, eventId);
        },
        async comments(eventId) {
          const [event] = await call(
            'event.get',
            { eventids: [eventId], select_acknowledges: ['message', 'action', 'clock', 'acknowledgeid'] },
            z.array(
              z.object({
                acknowledges: z.array(
                  z.object({
                    acknowledgeid: z.coerce.number(),
                    message: z.string(),
                    action: z.coerce.number(),
                  }),
                ),
              }),
            ),
          );
          return (event?.acknowledges ?? [])
            .toSorted((one, other) => one.acknowledgeid - other.acknowledgeid)
            .map(({ message, action }) => ({ message, acknowledged: (action & 2) !== 0 }));
        },
        close: async () => undefined,
      };
    });
  });
});

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('close', resolve));
}

function first(ids: readonly string[]): string {
  const [id] = ids;
  if (id === undefined) throw new Error('Zabbix made nothing');
  return id;
}

async function groupIdOf(call: CallZabbix, name: string): Promise<string> {
  const groups = z.array(z.object({ groupid: z.string() }));
  const found = await call('hostgroup.get', { filter: { name: [name] }, output: ['groupid'] }, groups);
  return first(found.map(({ groupid }) => groupid));
}

/** A user group with one user, who is paged by a webhook of the test: what a real group has by mail or SMS. */
async function makePager(call: CallZabbix, hostGroupId: string, url: string): Promise<string> {
  const made = (key: string) =>
    z.object({ [key]: z.array(z.string()) }).transform((each) => first(each[key] ?? []));
  const name = `Paged ${run}`;
  const mediatypeid = await call(
    'mediatype.create',
    {
      name,
      type: 4,
      status: 0,
      script: "var r = new HttpRequest(); r.post(JSON.parse(value).url, value); return 'ok';",
      parameters: [
        { name: 'url', value: '{ALERT.SENDTO}' },
        { name: 'subject', value: '{ALERT.SUBJECT}' },
      ],
      message_templates: [0, 1, 2].map((recovery) => ({
        eventsource: 0,
        recovery,
        subject: '{EVENT.NAME}',
        message: '{EVENT.NAME}',
      })),
    },
    made('mediatypeids'),
  );
  const usrgrpid = await call(
    'usergroup.create',
    { name, hostgroup_rights: [{ id: hostGroupId, permission: 2 }] },
    made('usrgrpids'),
  );
  await call(
    'user.create',
    {
      username: `paged-${run}`,
      roleid: '1',
      passwd: `${randomBytes(12).toString('base64url')}aA1!`,
      usrgrps: [{ usrgrpid }],
      medias: [{ mediatypeid, sendto: url, active: 0, severity: 63, period: '1-7,00:00-24:00' }],
    },
    made('userids'),
  );
  return name;
}
