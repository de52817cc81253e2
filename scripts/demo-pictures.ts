/**
 * `npm run demo:pictures`: the way of one alert through a real Zabbix and a real host, as pictures and a recording in
 * docs/pictures. docs/demo.md says what it needs.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir, hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createColors } from 'picocolors';
import type { Page } from 'playwright-core';
import * as z from 'zod';
import { CHAIN_PARTS, type ChainParts, openChain, warmModel } from '#test/real/chain-lab.ts';
import { realPart } from '#test/real/real-part.ts';
import { host } from '#test/real/target-host-lab.ts';
import { eventually } from '#test/real/zabbix-lab.ts';
import { openZabbix } from '../zabbix/call-zabbix.ts';
import { readArguments } from './command-line.ts';
import { openBrowser, takePicture } from './pictures/browser.ts';
import { collectLines, recordTerminal, saysPrivate } from './pictures/terminal-recording.ts';

const root = resolve(import.meta.dirname, '..');
const USAGE = `usage: npm run demo:pictures -- [--to FOLDER]

Takes the pictures of docs/demo.md into FOLDER, docs/pictures by default, from a real Zabbix, a real host and a browser.
That page says what it needs, and by which variables they are named.`;
const { values: options } = readArguments(USAGE, {
  options: { to: { type: 'string', default: join(root, 'docs/pictures') } },
});
// The recording has colours wherever this is run.
const colors = createColors(true);
const HOST = process.env['DEMO_HOST'] || 'shop-web-01';
const GROUP = 'Shop';
/** Stands in the pictures as the address of Remedia. */
const SHOWN = 'https://remedia.example.com';
const PROBLEM = 'nginx.service is not running';
const MADE_HERE = 'Made by `npm run demo:pictures` of Remedia; its next run deletes it.';
const POLICY = `version: 1
rules:
  - tools: [restart_service]
    where: { hosts: [${HOST}] }
    autonomy: auto
allow:
  services: [nginx.service]
`;

const real = realPart('Zabbix and target host for the pictures', CHAIN_PARTS);
if (real === undefined) process.exit(2);
await takePictures(real);

async function takePictures(real: ChainParts): Promise<void> {
  mkdirSync(options.to, { recursive: true });
  const file = (name: string) => join(options.to, name);
  await removeOldHost(real);
  const warm = warmModel();
  const recording = collectLines(Date.now);
  let recorded = false;
  const key = randomBytes(24).toString('hex');
  const chain = await openChain(real, {
    host: HOST,
    group: GROUP,
    source: 'zabbix',
    policy: POLICY,
    token: randomBytes(24).toString('hex'),
    executionToken: randomBytes(24).toString('hex'),
    hostFields: { tags: [{ tag: 'env', value: 'prod' }], description: MADE_HERE },
    settings: { PUBLIC_BASE_URL: SHOWN, LINK_SIGNING_KEY: key },
    hear: (chunk) => {
      if (recorded) recording.hear(chunk);
    },
  });
  const browser = await openBrowser({
    executablePath: process.env['CHROMIUM'] || '/usr/bin/chromium',
    shown: SHOWN,
    real: chain.remediaUrl,
  });
  try {
    await chain.watch({
      name: PROBLEM,
      key: 'systemd.unit.info[nginx.service,ActiveState]',
      valueType: 1,
      condition: '<>"active"',
      // Between two looks of Zabbix there is time for a picture of the problem.
      every: '30s',
      trigger: {
        opdata: 'State: {ITEM.LASTVALUE1}',
        tags: [
          { tag: 'scope', value: 'availability' },
          { tag: 'service', value: 'nginx' },
        ],
      },
    });
    await chain.hasValues(1);
    const page = await browser.open('desk');
    await logIn(page, real);
    const problems = `${webOf(real)}/zabbix.php?action=problem.view&filter_set=1&show=1&show_tags=3&show_opdata=1&age_state=0&hostids%5B0%5D=${chain.hostId}`;
    await openProblems(page, problems);
    await warm;

    recorded = true;
    recording.say(colors.dim(`# on ${HOST}, by hand: the web server dies`));
    recording.say(`${colors.green('$')} systemctl kill -s KILL nginx`);
    const from = Date.now();
    await host.root('systemctl kill -s KILL nginx');
    const problem = await chain.problemOf(PROBLEM, from);
    await openProblems(page, problems);
    await problemIn(page).waitFor();
    await takePicture(page, file('zabbix-problem.png'));

    const incident = await chain.closed(problem.eventid);
    if (incident.outcome !== 'verified')
      throw new Error(`it ended as ${incident.outcome}\n${chain.printed().slice(-4000)}`);
    const event = await eventually('the event bears a comment', async () => {
      const found = await chain.eventOf(problem.eventid);
      return found && found.acknowledges.length > 0 ? found : undefined;
    });
    recorded = false;
    const active = (await host.root('systemctl is-active nginx')).output.trim();
    recording.say(colors.dim(`# on ${HOST}, again`));
    recording.say(`${colors.green('$')} systemctl is-active nginx`);
    recording.say(active);
    const svg = recordTerminal(recording.lines, 'Remedia: a service dies, and nobody is woken');
    refusePrivate(svg, real, key);
    writeFileSync(file('way-of-an-alert.svg'), svg);

    await openProblems(page, problems);
    await page.getByText('RESOLVED').first().waitFor();
    await takePicture(page, file('zabbix-resolved.png'));
    // Before the menu opens: it closes when the window changes.
    await page.setViewportSize({ width: 1440, height: 560 });
    await problemIn(page).click();
    await page.getByText('Remedia: what was done').waitFor();
    // It blinks for a while.
    await page.getByText('RESOLVED').first().waitFor();
    await takePicture(page, file('zabbix-menu.png'));
    await page.goto(`${webOf(real)}/tr_events.php?triggerid=${problem.objectid}&eventid=${problem.eventid}`);
    await page.getByText(PROBLEM).first().waitFor();
    await page.setViewportSize({ width: 1980, height: 640 });
    await takePicture(page, file('zabbix-event.png'));

    const link = event.tags.find(({ tag }) => tag === '__remedia_link')?.value ?? '';
    await page.setViewportSize({ width: 820, height: 1240 });
    await page.goto(link);
    await takePicture(page, file('incident.png'));
    await page.setViewportSize({ width: 820, height: 900 });
    await page.locator('ol.way + p').scrollIntoViewIfNeeded();
    await takePicture(page, file('incident-timeline.png'));
    const phone = await browser.open('phone');
    await phone.goto(link);
    await takePicture(phone, file('incident-phone.png'));
    console.log(
      `The pictures are in ${options.to}; the whole way took ${Math.round((Date.now() - from) / 1000)} s.`,
    );
  } finally {
    await browser.close();
    await chain.close();
  }
}

/** What an earlier run left behind; a host of the same name that somebody else made is left alone, and that ends it. */
async function removeOldHost(real: ChainParts): Promise<void> {
  const call = await openZabbix(real.ZABBIX_API_URL, {
    user: real.ZABBIX_API_USER,
    password: real.ZABBIX_API_PASSWORD,
  });
  const [found] = await call(
    'host.get',
    { filter: { host: [HOST] }, output: ['hostid', 'description'] },
    z.array(z.object({ hostid: z.string(), description: z.string() })),
  );
  if (found === undefined) return;
  if (found.description !== MADE_HERE)
    throw new Error(
      `Zabbix has a host ${HOST} already that is not the demo's: set DEMO_HOST to another name.`,
    );
  await call('host.delete', [found.hostid], z.unknown());
}

/** Its name in the list, which opens the event's menu. */
function problemIn(page: Page) {
  return page.locator('.list-table a', { hasText: PROBLEM }).first();
}

/** The list without its filter, which takes most of the window. */
async function openProblems(page: Page, url: string): Promise<void> {
  await page.goto(url);
  const filter = page.locator('.tabfilter-item-link').first();
  if (await page.getByRole('button', { name: 'Apply' }).isVisible()) await filter.click();
}

function webOf({ ZABBIX_API_URL: api }: ChainParts): string {
  return api.replace(/\/*(?:api_jsonrpc\.php)?$/, '');
}

async function logIn(page: Page, real: ChainParts): Promise<void> {
  await page.goto(`${webOf(real)}/index.php`);
  await page.locator('input[name=name]').fill(real.ZABBIX_API_USER);
  await page.locator('input[name=password]').fill(real.ZABBIX_API_PASSWORD);
  await page.locator('button[name=enter]').click();
  await page.waitForURL(/zabbix\.php/);
}

/** A recording is text: neither this machine's folders and name nor a secret may be in it. */
function refusePrivate(text: string, real: ChainParts, key: string): void {
  const found = saysPrivate(text, [root, homedir(), tmpdir(), hostname(), real.TARGET_SSH_KEY, key]);
  if (found.length > 0) throw new Error(`the recording says ${found.join(', ')}`);
}
