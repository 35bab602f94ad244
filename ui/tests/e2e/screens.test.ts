/** Every screen in English and Persian, wide and narrow, light and dark: it answers, complains of nothing, and axe is content. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faults, look, open, settled, shots, type Look, type Place } from './browser';

let place: Place;
beforeAll(async () => {
  place = await open();
});
afterAll(() => place.stop());

const funnelStep = (name: string): string => `step=event:${name}`;
const screens: Record<string, string> = {
  overview: '/',
  attribution: '/attribution?intervals=true',
  campaigns: '/attribution?by=campaign&within=channel%3DPaid+Social',
  explain: '/attribution?model=linear&explain=linear&label=Email',
  agreement: '/agreement',
  validation: '/agreement?tab=backtest',
  channels: '/channels?channel=Paid+Search',
  paths: '/paths',
  lengths: '/paths?tab=length',
  lags: '/paths?tab=lag',
  positions: '/paths?tab=positions',
  'non-converting': '/paths?tab=null',
  explorer: '/explorer',
  'explorer-backwards': '/explorer?end=goal:purchase',
  funnel: `/funnel?${['page_view', 'view_item', 'add_to_cart', 'purchase'].map(funnelStep).join('&')}&after=2`,
  flow: '/flow',
  obstacles: '/flow?tab=obstacles',
  segments: '/flow?tab=compare&a=channel+%3D+%27Email%27&b=channel+%3D+%27Paid+Search%27',
  retention: '/retention',
  people: '/people',
  quality: '/quality',
  sql: '/sql?query=SELECT+1',
  settings: '/settings',
  'settings-text': '/settings?tab=text',
  history: '/settings?tab=history',
  access: '/settings?tab=access',
  account: '/account',
};
const wanted = process.env['SCREENS']?.split(',');
const looks: Record<string, Look> = {
  'en-wide': { locale: 'en', theme: 'light', width: 1280, height: 900 },
  'fa-wide': { locale: 'fa', theme: 'dark', width: 1280, height: 900 },
  'en-narrow': { locale: 'en', theme: 'dark', width: 390, height: 844 },
  'fa-narrow': { locale: 'fa', theme: 'light', width: 390, height: 844 },
};

for (const [name, how] of Object.entries(looks)) {
  describe(name, () => {
    it.each(Object.entries(screens).filter(([screen]) => !wanted || wanted.includes(screen)))('%s', async (screen, address) => {
      const { page, context, complaints } = await look(place, how);
      await page.goto(address);
      await settled(page);
      await page.screenshot({ path: `${shots}${screen}-${name}.png`, fullPage: !(await page.$('dialog[open]')) });
      expect(await page.$$('[role=alert]')).toHaveLength(0);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 'the page scrolls sideways').toBe(0);
      expect(await faults(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await context.close();
    });

    it('a person', async () => {
      if (wanted && !wanted.includes('person')) return;
      const { page, context, complaints } = await look(place, how);
      await page.goto('/people');
      await settled(page);
      // Somebody who bought has something to show.
      await page.locator('th button').nth(4).click();
      await page.locator('td a').first().click();
      await settled(page);
      expect(page.url()).toMatch(/\/people\/\d+/);
      await page.screenshot({ path: `${shots}person-${name}.png`, fullPage: true });
      expect(await faults(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await context.close();
    });
  });
}
