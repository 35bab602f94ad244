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
    await page.getByRole('button', { name: 'Build now' }).click();
    await page.getByText('The build is done.').waitFor();
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
    await mine.page.getByRole('link', { name: 'Text', exact: true }).click();
    const text = mine.page.getByLabel('safar.toml');
    await expect.poll(() => text.inputValue()).toContain('click_days = 14 # clicks, visits and offline touches');
    await text.fill(`${await text.inputValue()}\nbroken =\n`);
    await mine.page.getByRole('button', { name: 'Check' }).click();
    await mine.page.getByRole('alert').getByText(/safar\.toml:\d+: a key without a value/).waitFor();
    await mine.context.close();
    await other.context.close();
  });

  it('a viewer’s menu has no refusal in it, and a place for password and tokens', async () => {
    const guest = await open({ logged: false });
    const { page, complaints } = await look(guest);
    await page.goto('/');
    await page.getByLabel('E-mail').fill('jon@example.com');
    await page.getByLabel('Password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Log in' }).click();
    await settled(page);
    const links = await page.getByRole('navigation', { name: 'Menu' }).getByRole('link').evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''));
    expect(links.some((href) => /people|settings|sql/.test(href))).toBe(false);
    for (const href of links) {
      await page.goto(href);
      await settled(page);
      expect(await page.getByRole('alert').allTextContents(), href).toEqual([]);
    }
    expect(complaints).toEqual([]);
    for (const path of ['/sql', '/settings', '/people']) {
      await page.goto(path);
      await page.getByText('Your role does not allow this.').waitFor();
    }
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('link', { name: 'My account' }).click();
    await page.getByRole('button', { name: 'Create a token' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('my laptop');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await page.getByText('safar_mock_0123456789').waitFor();
    await page.getByLabel('Current password').fill('not this');
    await page.getByLabel('New password').fill('another good sentence');
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByRole('alert').getByText('the current password is another').waitFor();
    await page.getByLabel('Current password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByText('The password is changed.').waitFor();
    expect(await faults(page)).toEqual([]);
    await guest.stop();
  });

  it('explorer and funnel begin with what people do here, and suggest it', async () => {
    const { page, context } = await look(place);
    await page.goto('/explorer');
    await settled(page);
    expect(await page.locator('path.link').count()).toBeGreaterThan(3);
    expect(await page.getByLabel('Step', { exact: true }).inputValue()).toBe('event:page_view');
    await expect.poll(() => page.locator('datalist option').evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value))).toEqual(expect.arrayContaining(['goal:purchase', 'event:add_to_cart', 'page:/coats']));
    await page.goto('/funnel');
    await settled(page);
    const counts = await page.locator('ol strong.num').allTextContents();
    expect(counts).toHaveLength(5);
    expect(counts.map((one) => Number(one.replace(/\D/g, ''))).every((one) => one > 0)).toBe(true);
    await context.close();
  });

  it('a model that the server refuses says why, and the others are there', async () => {
    const { page, context, complaints } = await look(place);
    await page.goto('/attribution?model=last&model=hazard:rounds=60');
    await settled(page);
    expect(await page.locator('tr.sum td').count()).toBe(2);
    await page.getByRole('radio', { name: 'Campaign' }).check({ force: true });
    await page.getByRole('status').getByText(/Additive hazard is not shown: it reads whole timelines/).waitFor();
    await settled(page);
    expect(await page.locator('tr.sum td').count()).toBe(1);
    expect(await page.getByRole('button', { name: 'Additive hazard' }).getAttribute('title')).toMatch(/^it reads whole timelines/);
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('button', { name: 'W-shaped' }).click();
    await page.getByRole('button', { name: 'How these models' }).click();
    await page.getByText('a fixed rule; nothing is learned from the data').waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('a funnel names who dropped, and leads to them', async () => {
    const { page, context } = await look(place);
    await page.goto('/funnel');
    await settled(page);
    const dropped = (await page.locator('main ol .bad').first().innerText()).replace(/\D/g, '');
    await page.getByTitle('Choose a step').first().click();
    await settled(page);
    const who = page.getByRole('region', { name: 'Who dropped after step 1' });
    expect((await who.getByText(/Rows 1 to 10 of/).innerText()).replace(/^.* of /, '').replace(/\D/g, '')).toBe(dropped);
    await who.getByRole('link').first().click();
    await page.getByRole('heading', { name: /^Person/ }).waitFor();
    await context.close();
  });

  it('lists of settings take new lines as they are typed', async () => {
    const { page, context } = await look(place);
    await page.goto('/settings');
    await settled(page);
    const field = page.getByLabel('Your own domains');
    await field.click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type('\nnew.example\n\nmore.example');
    expect(await field.inputValue()).toBe('coats.example\nboots.example\nnew.example\n\nmore.example');
    await page.getByRole('button', { name: 'Add a goal' }).click();
    await page.getByRole('link', { name: 'Text', exact: true }).click();
    const text = await page.getByLabel('safar.toml').inputValue();
    expect(text).toContain('own_domains = ["coats.example", "boots.example", "new.example", "more.example"]');
    expect(text.indexOf('name = "goal-3"')).toBeGreaterThan(text.indexOf('name = "sign-up"'));
    await context.close();
  });

  it('the history tells what each change did, and leads back', async () => {
    const fresh = await open();
    const { page } = await look(fresh);
    await page.goto('/settings?tab=history');
    await settled(page);
    await page.locator('code.in').getByText('click_days = 30').waitFor();
    await page.locator('code.out').getByText('click_days = 90').waitFor();
    await page.getByRole('button', { name: 'Restore' }).last().click();
    await expect.poll(() => page.getByLabel('safar.toml').inputValue()).toContain('click_days = 90');
    await page.getByText('Unsaved changes').waitFor();
    await fresh.stop();
  });

  it('two segments are the same people in figures and transitions; places of one alone are there', async () => {
    const { page, context } = await look(place);
    await page.goto(`/flow?${new URLSearchParams({ tab: 'compare', a: "channel = 'Email'", b: "channel = 'Display'" })}`);
    await settled(page);
    const table = page.getByRole('group', { name: 'Difference of transitions, A less B' });
    const [rows, columns] = [await table.getByRole('rowheader').allTextContents(), await table.getByRole('columnheader').allTextContents()];
    expect([...rows, ...columns]).toEqual(expect.arrayContaining(['Email', 'Display']));
    await page.getByRole('button', { name: 'Show the table' }).click();
    expect(await page.getByRole('columnheader', { name: /^(Segment A|Segment B|Difference|Low end|High end)$/ }).count()).toBeGreaterThanOrEqual(10);
    const download = page.getByRole('region', { name: 'Difference of transitions, A less B' }).getByRole('button', { name: 'Export' });
    await download.click();
    expect(await page.getByRole('link', { name: 'CSV' }).getAttribute('href')).toMatch(/\/reports\/compare-flow\?.*a=channel.*format=csv/);
    await context.close();
  });

  it('how a table is sorted is in the address', async () => {
    const { page, context } = await look(place);
    await page.goto('/flow?tab=obstacles');
    await settled(page);
    await page.getByRole('button', { name: 'Show the table' }).click();
    await page.getByRole('button', { name: 'People reaching it' }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get('sort-obstacles')).toBe('-people_reaching');
    await page.reload();
    await settled(page);
    await page.getByRole('button', { name: 'Show the table' }).click();
    expect(await page.getByRole('columnheader', { name: 'People reaching it' }).getAttribute('aria-sort')).toBe('descending');
    await context.close();
  });

  it('SQL is exported whole, in every format', async () => {
    const { page, context } = await look(place);
    await page.goto('/sql?query=SELECT+1');
    await settled(page);
    for (const format of ['CSV', 'JSON', 'Parquet', 'Arrow']) {
      await page.getByRole('button', { name: 'Export' }).click();
      const [sent, saved] = await Promise.all([page.waitForRequest(/\/sql\?format=/), page.waitForEvent('download'), page.getByRole('button', { name: format }).click()]);
      expect([new URL(sent.url()).searchParams.get('format'), saved.suggestedFilename()]).toEqual([format.toLowerCase(), `query.${format.toLowerCase()}`]);
      expect(sent.postDataJSON()).toEqual({ query: 'SELECT 1' });
    }
    await context.close();
  });

  it('the menu of a phone takes the focus and gives it back', async () => {
    const { page, context } = await look(place, { width: 390, height: 844 });
    await page.goto('/channels');
    await settled(page);
    await page.getByRole('button', { name: 'Menu' }).click();
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Channels & campaigns');
    expect(await page.locator('.page').getAttribute('inert')).not.toBeNull();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Menu');
    expect(await page.getByRole('button', { name: 'Copy link' }).isVisible()).toBe(true);
    await context.close();
  });

  it('charts are read by keyboard', async () => {
    const { page, context } = await look(place);
    await page.goto('/paths?tab=length');
    await settled(page);
    await page.getByRole('img', { name: 'Length' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('figcaption strong').first().waitFor();
    await page.goto('/agreement');
    await settled(page);
    await page.getByRole('img', { name: /smallest and largest/ }).focus();
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('figcaption strong').count()).toBeGreaterThan(5);
    await page.goto('/agreement?tab=backtest');
    await settled(page);
    await page.getByRole('img', { name: 'Predicted against observed' }).focus();
    await page.keyboard.press('End');
    await page.locator('.told strong').first().waitFor();
    await page.goto('/explorer');
    await settled(page);
    await page.locator('g.pick').nth(3).focus();
    await page.keyboard.press('Space');
    await expect.poll(() => new URL(page.url()).searchParams.get('start')).not.toBeNull();
    await context.close();
  });

  it('on paper there is the report, its dates and nothing to press', async () => {
    const { page, context } = await look(place);
    await page.goto('/attribution?from=2026-10-01&to=2026-11-01');
    await settled(page);
    await page.emulateMedia({ media: 'print' });
    expect(await page.getByRole('navigation', { name: 'Menu' }).isVisible()).toBe(false);
    expect(await page.locator('header.no-print').isVisible()).toBe(false);
    expect(await page.locator('.print-only').innerText()).toMatch(/Attribution[\s\S]*purchase[\s\S]*1 Oct 2026 – 31 Oct 2026/);
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)');
    await context.close();
  });

  it('Persian may be read with the Gregorian calendar and Latin digits', async () => {
    const { page, context } = await look(place, { locale: 'fa' });
    await page.goto('/');
    await settled(page);
    expect(await page.evaluate(() => [...document.fonts].filter((font) => font.status === 'loaded').map((font) => font.family.replaceAll('"', '')))).toContain('Vazirmatn Variable');
    await page.getByRole('button', { name: 'زبان' }).click();
    await page.getByRole('radio', { name: 'میلادی' }).check({ force: true });
    await page.getByRole('radio', { name: '123' }).check({ force: true });
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^تاریخ‌ها: 24 اوت 2026/ }).waitFor();
    await page.reload();
    await settled(page);
    expect(await page.getByRole('button', { name: /^تاریخ‌ها: 24 اوت 2026/ }).count()).toBe(1);
    await context.close();
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
