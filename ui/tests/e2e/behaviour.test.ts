/** What people do: first run, logging in, drilling, sharing a view, writing a rule, changing settings, using the keyboard. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faults, look, open, settled, shots, type Place } from './browser';

describe('what people do', () => {
  let place: Place;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(() => place.stop());

  it('the first run makes an administrator and logs in', async () => {
    const fresh = await open({ setup: true });
    const { page, complaints } = await look(fresh);
    await page.goto('/');
    await page.getByLabel('One-time code').fill('AB12-CD34');
    await page.getByLabel('Your name').fill('Ada');
    await page.getByLabel('E-mail').fill('ada@example.com');
    await page.getByLabel('Password').fill('correct horse battery');
    await page.screenshot({ path: `${shots}setup-en.png` });
    expect(await faults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create the account' }).click();
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in to Safar' }).waitFor();
    await page.getByLabel('E-mail').fill('ada@example.com');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('E-mail or password is wrong.').waitFor();
    expect(complaints.filter((one) => !one.includes('401'))).toEqual([]);
    await fresh.stop();
  });

  it('an address restores the view: dates, goal, models, measure, table order apart', async () => {
    const { page, context } = await look(place);
    await page.goto('/attribution?model=first&model=markov&measure=value&by=source&from=2026-10-01&to=2026-11-01');
    await settled(page);
    expect(await page.getByRole('button', { name: 'Dates: 1 Oct 2026 – 31 Oct 2026' }).count()).toBe(1);
    const pressed = await page.locator('[aria-pressed=true]').allTextContents();
    expect(pressed.map((one) => one.trim())).toEqual(['First touch', 'Markov chain']);
    expect(await page.getByRole('radio', { name: 'Source' }).isChecked()).toBe(true);
    await page.getByRole('link', { name: 'Conversion paths' }).click();
    await settled(page);
    expect(new URL(page.url()).searchParams.get('from')).toBe('2026-10-01');
    await page.goBack();
    await settled(page);
    expect(new URL(page.url()).searchParams.getAll('model')).toEqual(['first', 'markov']);
    await context.close();
  });

  it('a number is explained down to single touches, and a channel leads to its campaigns', async () => {
    const { page, context } = await look(place);
    await page.goto('/attribution?model=linear');
    await settled(page);
    await page.getByRole('table').getByRole('button').first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Touches before the conversion').waitFor();
    expect(await dialog.locator('article').count()).toBe(10);
    const weights = await dialog.locator('article').first().locator('.weight').allTextContents();
    expect(weights.map((one) => Number.parseFloat(one)).reduce((a, b) => a + b)).toBeCloseTo(100, 0);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await expect.poll(() => page.url()).not.toContain('explain');
    await page.getByRole('table').getByRole('link', { name: 'Email' }).click();
    await settled(page);
    expect(await page.getByRole('table').getByRole('rowheader').allTextContents()).toEqual(expect.arrayContaining(['weekly', 'welcome', 'back-in-stock']));
    await context.close();
  });

  it('credits and what is unattributed sum to all conversions, in every column', async () => {
    const { page, context } = await look(place);
    await page.goto('/attribution?model=first&model=last&model=linear&model=position&model=time_decay&model=markov');
    await settled(page);
    const totals = await page.locator('tr.sum td').allTextContents();
    expect(totals).toHaveLength(6);
    expect(new Set(totals).size).toBe(1);
    await context.close();
  });

  it('an unknown source gets a rule, with its effect told before it is saved', async () => {
    const { page, context } = await look(place);
    await page.goto('/quality');
    await settled(page);
    await page.getByRole('button', { name: 'Add a rule' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Channel', { exact: true }).fill('Poster');
    await dialog.getByText('131 events of 96 people would change; 11 conversions of theirs may be credited anew.').waitFor();
    expect(await faults(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Save the rule' }).click();
    await page.getByText('The rule is saved.').waitFor();
    await page.goto('/settings?tab=text');
    const text = await page.getByLabel('safar.toml').inputValue();
    expect(text).toContain('[[channels.rules]]\nchannel = "Poster"\nwhen = { source = "qr-poster", medium = "offline" }\n');
    await context.close();
  });

  it('settings: the form edits the text, a mistake names its line, a change meanwhile is kept apart', async () => {
    const [mine, other] = [await look(place), await look(place)];
    await mine.page.goto('/settings');
    await other.page.goto('/settings');
    await settled(mine.page);
    await settled(other.page);
    for (const [page, days] of [[other.page, '14'], [mine.page, '7']] as const) {
      const field = page.getByLabel('Days that clicks and visits may earn credit');
      await field.fill(days);
      await field.blur();
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByText(days === '14' ? 'Saved.' : 'Somebody saved the file meanwhile.').first().waitFor();
    }
    await mine.page.getByRole('button', { name: 'Load the saved version' }).click();
    await mine.page.getByRole('link', { name: 'Text' }).click();
    const text = mine.page.getByLabel('safar.toml');
    await expect.poll(() => text.inputValue()).toContain('click_days = 14 # clicks, visits and offline touches');
    await text.fill(`${await text.inputValue()}\nbroken =\n`);
    await mine.page.getByRole('button', { name: 'Check' }).click();
    await mine.page.getByRole('alert').getByText(/safar\.toml:\d+: a key without a value/).waitFor();
    await mine.context.close();
    await other.context.close();
  });

  it('a viewer sees no filter, no SQL and no way to save', async () => {
    const guest = await open({ logged: false });
    const { page } = await look(guest);
    await page.goto('/settings');
    await page.getByLabel('E-mail').fill('jon@example.com');
    await page.getByLabel('Password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Only administrators may change settings.').waitFor();
    expect(await page.getByRole('button', { name: 'Save', exact: true }).count()).toBe(0);
    expect(await page.getByRole('link', { name: 'SQL' }).count()).toBe(0);
    await page.goto('/sql');
    await page.getByText('Your role does not allow this.').waitFor();
    await guest.stop();
  });

  it('works by keyboard: skip link, menus, calendar, choices', async () => {
    const { page, context } = await look(place);
    await page.goto('/');
    await settled(page);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    await page.getByRole('button', { name: /^Dates/ }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await settled(page);
    expect(await page.getByRole('button', { name: 'Dates: 15 Nov 2026 – 21 Nov 2026' }).count()).toBe(1);
    await page.getByRole('button', { name: /^Dates/ }).press('Enter');
    await page.keyboard.press('Escape');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-expanded'))).toBe('false');
    await page.getByRole('radio', { name: 'Conversions' }).focus();
    await page.keyboard.press('ArrowRight');
    await settled(page);
    expect(page.url()).toContain('measure=value');
    await context.close();
  });

  it('the language changes at once and stays; Persian has its own calendar', async () => {
    const { page, context } = await look(place);
    await page.goto('/');
    await settled(page);
    await page.getByRole('button', { name: 'Language' }).click();
    await page.getByRole('button', { name: 'فارسی' }).click();
    await page.getByRole('heading', { name: 'نمای کلی', level: 1 }).waitFor();
    expect(await page.evaluate(() => [document.documentElement.dir, document.documentElement.lang])).toEqual(['rtl', 'fa']);
    await page.getByRole('button', { name: /^تاریخ‌ها/ }).click();
    await page.getByText('آبان ۱۴۰۵', { exact: true }).waitFor();
    expect(await page.locator('.days button').count()).toBe(30);
    await page.screenshot({ path: `${shots}calendar-fa.png` });
    expect(await faults(page)).toEqual([]);
    await context.close();
  });

  it.each(['ar', 'pl', 'is'] as const)('speaks %s on every screen that is in the menu', async (locale) => {
    const { page, context, complaints } = await look(place, { locale });
    for (const address of ['/', '/attribution', '/funnel', '/settings']) {
      await page.goto(address);
      await settled(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), address).toBe(0);
    }
    await page.goto('/');
    await settled(page);
    await page.screenshot({ path: `${shots}overview-${locale}.png` });
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('refusals say what to do', async () => {
    const { page, context } = await look(place);
    await page.goto('/paths?where=!!');
    await page.getByRole('alert').getByText('Write a condition over paths, such as value > 100.').waitFor();
    await page.goto('/no-such-page');
    await page.getByText('There is no such page').first().waitFor();
    await context.close();
  });

  it('every chart has its table and its downloads', async () => {
    const { page, context } = await look(place);
    await page.goto('/paths?tab=length');
    await settled(page);
    await page.getByRole('button', { name: 'Show the table' }).click();
    expect(await page.getByRole('columnheader').count()).toBeGreaterThan(2);
    await page.getByRole('button', { name: 'Export' }).click();
    const href = (await page.getByRole('link', { name: 'CSV' }).getAttribute('href')) ?? '';
    const answer = await context.request.get(href);
    expect((await answer.text()).split('\r\n')[0]).toBe('touches,conversions,value,nulls');
    expect(href).not.toContain('limit=');
    await context.close();
  });
});
