/** Every screen over the real program: its heading, rows in a table or marks on a chart, nothing refused, nothing complained of. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faults, look, open, settled, shots, type Place } from '../e2e/browser';
import { en } from '../../src/i18n/en';
import { fa } from '../../src/i18n/fa';
import { admin, start, type Real } from './server';

let real: Real;
let place: Place;
beforeAll(async () => {
  real = await start();
  place = await open({ at: real.url, as: admin });
}, 600_000);
afterAll(async () => {
  await place?.stop();
  await real?.stop();
});

/** The filter that the bar gives as an example: it must fit every screen. */
const filter = new URLSearchParams({ where: "person_id IN (SELECT person_id FROM touchpoints WHERE channel = 'Email')" });
const step = (name: string): string => `step=event:${name}`;
/** The address of each view, its heading, and what it must show: rows in a table, or so many marks. */
const screens: Record<string, [string, keyof typeof en, 'rows' | 'words' | { marks: string; least: number }]> = {
  overview: ['/', 'nav.overview', 'words'],
  attribution: ['/attribution?model=last&model=markov', 'nav.attribution', 'rows'],
  'filtered overview': [`/?${filter}`, 'nav.overview', 'words'],
  'filtered attribution': [`/attribution?model=linear&${filter}`, 'nav.attribution', 'rows'],
  'filtered flow': [`/flow?${filter}`, 'nav.flow', 'rows'],
  'filtered paths': [`/paths?${filter}`, 'nav.paths', 'rows'],
  'filtered retention': [`/retention?${filter}`, 'nav.retention', 'rows'],
  devices: ['/attribution?model=last&by=device', 'nav.attribution', 'rows'],
  intervals: ['/attribution?model=linear&intervals=true', 'nav.attribution', 'rows'],
  explain: ['/attribution?model=linear&explain=linear&label=Email', 'nav.attribution', 'words'],
  agreement: ['/agreement', 'nav.agreement', 'rows'],
  channels: ['/channels?channel=Paid+Search', 'nav.channels', 'rows'],
  paths: ['/paths', 'nav.paths', 'rows'],
  lags: ['/paths?tab=lag', 'nav.paths', 'words'],
  'non-converting': ['/paths?tab=null', 'nav.paths', 'rows'],
  explorer: ['/explorer', 'nav.explorer', { marks: 'path.link', least: 4 }],
  'explorer backwards': ['/explorer?end=goal:purchase', 'nav.explorer', { marks: 'path.link', least: 2 }],
  'usual funnel': ['/funnel', 'nav.funnel', { marks: 'main ol strong.num', least: 5 }],
  'model of cause': ['/attribution?model=last&model=hazard', 'nav.attribution', 'rows'],
  funnel: [`/funnel?${['view_item', 'add_to_cart', 'purchase'].map(step).join('&')}&after=1`, 'nav.funnel', 'words'],
  flow: ['/flow', 'nav.flow', 'rows'],
  obstacles: ['/flow?tab=obstacles', 'nav.flow', 'words'],
  segments: [`/flow?tab=compare&${new URLSearchParams({ a: `properties LIKE '%"persona":"loyal"%'`, b: `properties LIKE '%"persona":"gift_buyer"%'` })}`, 'nav.flow', 'rows'],
  retention: ['/retention', 'nav.retention', 'rows'],
  people: ['/people?sort=-value', 'nav.people', 'rows'],
  quality: ['/quality', 'nav.quality', 'rows'],
  sql: ['/sql?query=SELECT+channel,+count(*)+AS+n+FROM+touchpoints+GROUP+BY+channel', 'nav.sql', 'words'],
  settings: ['/settings', 'nav.settings', 'words'],
  history: ['/settings?tab=history', 'nav.settings', 'words'],
  access: ['/settings?tab=access', 'nav.settings', 'rows'],
  account: ['/account', 'app.account', 'words'],
};
const catalogues = { en, fa } as const;

describe.each(['en', 'fa'] as const)('%s', (locale) => {
  it.each(Object.entries(screens))('%s', async (name, [address, title, wanted]) => {
    const { page, context, complaints } = await look(place, { locale, ...(locale === 'fa' ? { theme: 'dark', width: 390, height: 844 } : {}) });
    await page.goto(address, { waitUntil: 'domcontentloaded' });
    await page.getByRole('heading', { level: 1, name: String(catalogues[locale][title]) }).waitFor();
    await settled(page);
    await page.screenshot({ path: `${shots}real-${name}-${locale}.png`, fullPage: !(await page.$('dialog[open]')) });
    expect(await page.locator('[role=alert]').allTextContents()).toEqual([]);
    if (typeof wanted === 'object') {
      const marks = await page.locator(wanted.marks).allTextContents();
      expect(marks.length).toBeGreaterThanOrEqual(wanted.least);
      // Numbers of people, where the marks are numbers.
      expect(marks.filter((mark) => /^[0۰]$/.test(mark.trim()))).toEqual([]);
    }
    if (wanted === 'rows') expect(await page.locator('tbody tr').count()).toBeGreaterThan(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 'the page scrolls sideways').toBe(0);
    expect(await faults(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('a person, from the list', async () => {
    const { page, context, complaints } = await look(place, { locale });
    await page.goto('/people?sort=-value', { waitUntil: 'domcontentloaded' });
    await settled(page);
    await page.locator('td a').first().click();
    await page.locator('ol li').first().waitFor();
    await page.screenshot({ path: `${shots}real-person-${locale}.png` });
    expect(page.url()).toMatch(/\/people\/\d+/);
    expect(await page.locator('.goal').count()).toBeGreaterThan(0);
    expect(await faults(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });
});

it('a bare name of a model in the address is the workspace’s own model, and each column adds up', async () => {
  const { page, context } = await look(place);
  await page.goto('/attribution?model=last&model=markov', { waitUntil: 'domcontentloaded' });
  await settled(page);
  const totals = await page.locator('tr.sum td').allTextContents();
  expect(totals).toHaveLength(2);
  expect(totals[0]?.trim()).not.toBe('0');
  expect(new Set(totals).size).toBe(1);
  await context.close();
});

it('the server sorts what is long, and the address keeps the order', async () => {
  const { page, context } = await look(place);
  await page.goto('/people', { waitUntil: 'domcontentloaded' });
  await settled(page);
  await page.getByRole('columnheader', { name: 'Value' }).getByRole('button').click();
  await page.waitForURL(/sort=-value/);
  await settled(page);
  const asked = await context.request.get('/api/v1/reports/people?sort=-value&limit=1');
  const [first] = ((await asked.json()) as { rows: string[][] }).rows;
  expect(await page.locator('td a').first().textContent()).toBe(first?.[0]);
  await context.close();
});

it('an unknown source gets a rule whose effect is told before it is saved', async () => {
  const { page, context } = await look(place);
  await page.goto('/quality', { waitUntil: 'domcontentloaded' });
  await settled(page);
  await page.getByRole('button', { name: 'Add a rule' }).first().click();
  await page.getByRole('dialog').getByLabel('Channel', { exact: true }).fill('Poster');
  await page.getByRole('dialog').getByText(/Unassigned → Poster: events \d+/).waitFor();
  await page.screenshot({ path: `${shots}real-rule-en.png` });
  expect(await faults(page)).toEqual([]);
  await context.close();
});

it('a viewer’s menu leads to no refusal', async () => {
  const { page, context } = await look(place);
  await page.goto('/settings?tab=access', { waitUntil: 'domcontentloaded' });
  await settled(page);
  const guest = { name: 'Jón', email: 'jon@shop.example', password: 'another good sentence' };
  await page.getByRole('button', { name: 'Add a user' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill(guest.name);
  await page.getByRole('dialog').getByLabel('E-mail').fill(guest.email);
  await page.getByRole('dialog').getByLabel('Password').fill(guest.password);
  await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click();
  await page.getByText(guest.email).waitFor();
  await context.close();
  const other: Place = { url: place.url, browser: place.browser, as: guest, stop: async () => undefined };
  const seen = await look(other);
  await seen.page.goto('/', { waitUntil: 'domcontentloaded' });
  await settled(seen.page);
  const links = await seen.page.getByRole('navigation', { name: 'Menu' }).getByRole('link').evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''));
  for (const href of [...links, '/account']) {
    await seen.page.goto(href, { waitUntil: 'domcontentloaded' });
    await settled(seen.page);
    expect(await seen.page.getByRole('alert').allTextContents(), href).toEqual([]);
  }
  expect(seen.complaints).toEqual([]);
  await seen.context.close();
});

it('SQL is exported whole, beyond what the screen shows', async () => {
  const { page, context } = await look(place);
  await page.goto('/sql?query=SELECT+event_id,+name+FROM+events', { waitUntil: 'domcontentloaded' });
  await settled(page);
  const all = Number((await page.getByText(/Rows 1 to/).last().innerText()).match(/of ([\d,]+)/)?.[1]?.replaceAll(',', ''));
  await page.getByRole('button', { name: 'Export' }).click();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()]);
  const { readFile } = await import('node:fs/promises');
  const lines = (await readFile(await file.path(), 'utf8')).trim().split(/\r?\n/);
  expect(lines.length - 1).toBe(all);
  expect(all).toBeGreaterThan(1000);
  await context.close();
});
