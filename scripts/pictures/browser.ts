/** Drives a Chromium of this machine for pictures: loopback alone, and one name that stands for Remedia's public address. */
import { statSync } from 'node:fs';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const LARGEST_PICTURE = 300 * 1024;
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface PictureBrowser {
  /** A window; the phone is small, sharp and dark. */
  readonly open: (device: 'desk' | 'phone') => Promise<Page>;
  readonly close: () => Promise<void>;
}

/** @param shown the address that stands in the pictures; what is asked of it is taken from `real` */
export async function openBrowser({
  executablePath,
  shown,
  real,
}: {
  readonly executablePath: string;
  readonly shown: string;
  readonly real: string;
}): Promise<PictureBrowser> {
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
  return {
    open: async (device) => {
      const context = await browser.newContext({
        locale: 'en-GB',
        timezoneId: 'UTC',
        ...(device === 'desk'
          ? { viewport: { width: 1440, height: 400 }, colorScheme: 'light' }
          : { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, colorScheme: 'dark' }),
      });
      await keepInside(context, shown, real);
      return context.newPage();
    },
    close: () => browser.close(),
  };
}

/** Nothing is fetched from elsewhere, whatever a page asks for. */
async function keepInside(context: BrowserContext, shown: string, real: string): Promise<void> {
  await context.route('**/*', async (route) => {
    const url = route.request().url();
    if (url.startsWith(`${shown}/`)) {
      const answer = await fetch(real + url.slice(shown.length));
      await route.fulfill({
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        body: Buffer.from(await answer.arrayBuffer()),
      });
    } else if (/^https?:$/.test(new URL(url).protocol) && !isLoopback(url)) await route.abort();
    else await route.continue();
  });
}

function isLoopback(url: string): boolean {
  return /^(127(\.\d+){3}|localhost|\[::1\])$/.test(new URL(url).hostname);
}

/** Takes a picture of the window. Throws when the file is too large for a repository. */
export async function takePicture(page: Page, path: string): Promise<void> {
  await page.screenshot({ path, animations: 'disabled' });
  const { size } = statSync(path);
  if (size > LARGEST_PICTURE) throw new Error(`${path} has ${size} bytes: more than ${LARGEST_PICTURE}`);
}
