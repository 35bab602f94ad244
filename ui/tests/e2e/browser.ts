/** Debian's Chromium against the stand-in server, or against a real one. */
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContext, type Cookie, type Page } from 'playwright-core';
// @ts-expect-error the stand-in is plain JavaScript
import { serve } from '../../mock/server.mjs';

export interface Place {
  url: string;
  browser: Browser;
  /** Whom a real server wants to log in. */
  as: { email: string; password: string } | null;
  /** Those of its login, after the first page. */
  cookies?: Cookie[];
  stop: () => Promise<void>;
}

const program = process.env['CHROMIUM'] ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
export const shots = new URL('./screenshots/', import.meta.url).pathname;

/** A browser, and a server that it looks at: the one at `at`, or a stand-in with a state of its own. */
export async function open({ at, as, ...options }: { setup?: boolean; logged?: boolean; at?: string; as?: { email: string; password: string } } = {}): Promise<Place> {
  if (!program) throw new Error('No Chromium found: install the package chromium, or set CHROMIUM to its path.');
  mkdirSync(shots, { recursive: true });
  const server = at ? null : ((await serve(0, options)) as { url: string; stop: () => Promise<void> });
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--force-color-profile=srgb'] });
  return {
    url: at ?? server?.url ?? '',
    browser,
    as: as ?? null,
    stop: async () => {
      await browser.close();
      await server?.stop();
    },
  };
}

export interface Look {
  locale?: 'en' | 'fa' | 'ar' | 'pl' | 'is';
  theme?: 'light' | 'dark';
  width?: number;
  height?: number;
}

/** A page of its own with a language and an appearance; what it complains about is in `complaints`. */
export async function look(place: Place, { locale = 'en', theme = 'light', width = 1280, height = 900 }: Look = {}): Promise<{ page: Page; context: BrowserContext; complaints: string[] }> {
  const context = await place.browser.newContext({ viewport: { width, height }, baseURL: place.url, reducedMotion: 'reduce', timezoneId: 'UTC' });
  await context.addInitScript(`localStorage.setItem('safar.locale', '${locale}'); localStorage.setItem('safar.theme', '${theme}');`);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(place.url) && !/^(data|blob):/.test(request.url())) complaints.push(`third party: ${request.url()}`);
  });
  if (place.cookies) await context.addCookies(place.cookies);
  else if (place.as) {
    const session = (await (await context.request.get('/api/v1/session')).json()) as { csrf: string };
    const { email, password } = place.as;
    const answer = await context.request.post('/api/v1/login', { data: { email, password }, headers: { 'X-Safar-CSRF': session.csrf } });
    if (!answer.ok()) throw new Error(`The login was refused: ${await answer.text()}`);
    place.cookies = await context.cookies();
  }
  return { page, context, complaints };
}

/** Waits until what the screen asked for is there. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('#app > *');
  await page.waitForFunction(() => !document.querySelector('[role=status] .line') && !document.querySelector('[aria-busy=true]'), undefined, { timeout: 90_000 });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe finds wrong (WCAG 2.2 A and AA, and its best practices). */
export async function faults(page: Page): Promise<string[]> {
  // The page's policy forbids foreign scripts; axe comes in by the debugger, which is not the page.
  const { readFileSync } = await import('node:fs');
  await page.evaluate(readFileSync(axe, 'utf8'));
  const found = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as { violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[] };
  return found.violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} — ${node.failureSummary.slice(0, 240)}`).join(' | ')}`);
}
