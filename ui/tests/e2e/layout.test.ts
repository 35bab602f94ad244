/**
 * Where the landmarks of a few screens stand, held against references that were looked at: `tests/e2e/references/layout.json`, with
 * pictures of some beside it. All text is set in one font from npm, since a machine's own decide how wide words are. Places may move a
 * little; nothing may be lost, overlap or leave the page.
 * `LAYOUT=renew npm run e2e -- layout` writes them anew; look at the pictures before they are committed.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { look, open, settled, type Look, type Place } from './browser';

const renew = process.env['LAYOUT'] === 'renew';
const folder = new URL('./references/', import.meta.url).pathname;
const screens: Record<string, string> = { overview: '/', attribution: '/attribution', explorer: '/explorer', quality: '/quality' };
const looks: Record<string, Look> = {
  'en-desktop': { locale: 'en', theme: 'light', width: 1280, height: 900 },
  'fa-desktop': { locale: 'fa', theme: 'dark', width: 1280, height: 900 },
  'en-phone': { locale: 'en', theme: 'dark', width: 390, height: 844 },
  'fa-phone': { locale: 'fa', theme: 'light', width: 390, height: 844 },
};
const pictured = ['en-desktop', 'fa-phone'];
type Box = [left: number, top: number, width: number, height: number];

/** The boxes of what a page is made of, from its start: those of a right-to-left page are measured from the right. */
const measure = (): [string, Box][] => {
  const rtl = document.documentElement.dir === 'rtl';
  const found: [string, Box][] = [];
  const add = (name: string, element: Element | null): void => {
    const box = element?.getBoundingClientRect();
    if (!box || box.width < 1 || box.height < 1 || !(element as HTMLElement).checkVisibility({ visibilityProperty: true })) return;
    found.push([name, [rtl ? innerWidth - box.right : box.left, box.top + scrollY, box.width, box.height].map(Math.round) as Box]);
  };
  add('menu', document.querySelector('.side nav'));
  add('title', document.querySelector('h1'));
  add('tools', document.querySelector('.tools'));
  add('bar', document.querySelector('.bar'));
  add('main', document.querySelector('main'));
  document.querySelectorAll('main section').forEach((section, at) => add(`section ${at + 1}`, section));
  document.querySelectorAll('main figure, main svg[role=group], main svg[role=img]').forEach((chart, at) => add(`chart ${at + 1}`, chart));
  document.querySelectorAll('main table').forEach((table, at) => add(`table ${at + 1}`, table));
  return found;
};

const font = (script: string): string => readFileSync(createRequire(import.meta.url).resolve(`@fontsource-variable/vazirmatn/files/vazirmatn-${script}-wght-normal.woff2`), 'base64');
const fonts = ['latin-ext', 'latin', 'arabic'].map((script) => [`layout-${script}`, font(script)] as const);

/** Sets all text of the page in fonts given as base64. */
const typeset = async (fonts: (readonly [string, string])[]): Promise<void> => {
  for (const [name, data] of fonts) {
    const face = new FontFace(name, Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)), { weight: '100 900' });
    document.fonts.add(await face.load());
  }
  const names = fonts.map(([name]) => name).join(', ');
  for (const family of ['--font', '--mono']) document.documentElement.style.setProperty(family, names);
  await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
};

let place: Place;
beforeAll(async () => {
  place = await open();
  mkdirSync(folder, { recursive: true });
});
afterAll(() => place.stop());
const file = `${folder}layout.json`;
const kept = renew ? {} : (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, Box>>);
/** Heights add up along the page. */
const near = (now: number, then: number, slack: number): boolean => Math.abs(now - then) <= Math.max(slack, Math.abs(then) * 0.12);

describe.each(Object.entries(looks))('%s', (name, how) => {
  it.each(Object.entries(screens))('%s', async (screen, address) => {
    const { page, context } = await look(place, how);
    // What comes live is never the same twice.
    await page.route('**/api/v1/live', (route) => route.abort());
    await page.goto(address);
    await settled(page);
    await page.evaluate(typeset, fonts);
    const now = Object.fromEntries(await page.evaluate(measure));
    const key = `${screen} ${name}`;
    if (renew) {
      kept[key] = now;
      writeFileSync(file, `${JSON.stringify(kept, null, 1).replace(/\[\s+(-?\d+),\s+(-?\d+),\s+(-?\d+),\s+(-?\d+)\s+\]/g, '[$1, $2, $3, $4]')}\n`);
      // Pictures of half of them say enough, and are light.
      if (pictured.includes(name)) await page.screenshot({ path: `${folder}${screen}-${name}.png`, scale: 'css' });
    }
    const then = kept[key] ?? {};
    expect(Object.keys(now), 'what there is').toEqual(Object.keys(then));
    for (const [part, [left, top, width, height]] of Object.entries(now)) {
      const [wasLeft, wasTop, wasWidth, wasHeight] = then[part] ?? [0, 0, 0, 0];
      const same = near(left, wasLeft, 24) && near(top, wasTop, 60) && near(width, wasWidth, 24) && near(height, wasHeight, 60);
      expect(same, `${part}: at ${left}, ${top}, ${width} × ${height}; was at ${wasLeft}, ${wasTop}, ${wasWidth} × ${wasHeight}`).toBe(true);
      if (!part.startsWith('table')) expect(left >= -1 && left + width <= (how.width ?? 0) + 1, `${part} leaves the page`).toBe(true);
    }
    // Cards below one another do not overlap.
    const sections = Object.entries(now).filter(([part]) => part.startsWith('section'));
    for (const [one, [l1, t1, w1, h1]] of sections) {
      for (const [other, [l2, t2, w2, h2]] of sections) {
        if (one >= other) continue;
        const inside = (l1 >= l2 - 1 && t1 >= t2 - 1 && l1 + w1 <= l2 + w2 + 1 && t1 + h1 <= t2 + h2 + 1) || (l2 >= l1 - 1 && t2 >= t1 - 1 && l2 + w2 <= l1 + w1 + 1 && t2 + h2 <= t1 + h1 + 1);
        const apart = l1 + w1 <= l2 + 1 || l2 + w2 <= l1 + 1 || t1 + h1 <= t2 + 1 || t2 + h2 <= t1 + 1;
        expect(inside || apart, `${one} and ${other} overlap`).toBe(true);
      }
    }
    await context.close();
  });
});
