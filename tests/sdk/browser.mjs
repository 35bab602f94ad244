// Browsers' SDKs, bundled, in Chromium on a page of another site: node browser.mjs COLLECTOR [WORDS…].
import { build } from 'esbuild';
import puppeteer from 'puppeteer-core';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const [collector, ...words] = process.argv.slice(2);
const here = path.dirname(fileURLToPath(import.meta.url));
const patience = Number(process.env.PATIENCE ?? 1);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const only = (name) => !words.length || words.some((word) => name.includes(word));
const ordered = (name) => `order_id = '${name}-1' and value = 129.9 and currency = 'EUR' and items is not null`;
/** Every client's page has an address of its own. */
const onPage = (name) => `page_url like '%/${name}?%'`;
const campaign = (name) => `utm_source = 'letter' and utm_medium = 'email' and utm_campaign = '${name}'`;

// Name, page script, options, and what is to be found: [what, condition].
const clients = [
  ...[['segment-browser', {}], ['segment-browser-cdn', { cdn: true }], ['segment-browser-batch', { batch: true }], ['rudder-browser', {}], ['rudder-browser-beacon', { beacon: true }]].map(([name, options]) => [
    name, name.split('-')[0], options, [
      ['page', `name = 'page_view' and ${onPage(name)} and ${campaign(name)}`],
      ['identify', `name = 'identify' and user_id = '${name}' and email_hash is not null and anonymous_id is not null`],
      ['track an order', `${ordered(name)} and user_id = '${name}'`],
      ['track while leaving', `name = 'leaving ${name}'`],
    ]]),
  ...[['snowplow-browser-post', { method: 'post' }], ['snowplow-browser-get', { method: 'get' }]].map(([name, options]) => [
    name, 'snowplow', options, [
      ['page view', `name = 'page_view' and ${onPage(name)} and user_id = '${name}' and ${campaign(name)}`],
      ['structured event', `name = 'add-to-basket' and user_id = '${name}'`],
      ['order', `${ordered(name)} and user_id = '${name}'`],
      ['event while leaving', `name = 'leaving ${name}'`],
    ]]),
  ...[['posthog-browser', {}], ['posthog-browser-plain', { plain: true }]].map(([name, options]) => [
    name, 'posthog', options, [
      ['page view', `name = 'page_view' and ${onPage(name)}`],
      ['capture an order', ordered(name)],
      ['identify', `name = 'identify' and user_id = '${name}' and email_hash is not null`],
      ['capture while leaving', `name = 'leaving ${name}'`],
    ]]),
  ['jitsu-browser', 'jitsu', {}, [
    ['page', `name = 'page_view' and ${onPage('jitsu-browser')}`],
    ['identify', `name = 'identify' and user_id = 'jitsu-browser'`],
    ['track an order', ordered('jitsu-browser')],
  ]],
  ['plausible-browser', 'plausible', {}, [
    ['page view', `name = 'page_view' and ${onPage('plausible-browser')}`],
    ['event with revenue', `name = 'plausible-browser order' and value = 129.9 and currency = 'EUR'`],
  ]],
  ['ga4mp-browser', 'ga4mp', {}, [
    ['page view', `name = 'page_view' and ${onPage('ga4mp-browser')}`],
    ['purchase', ordered('ga4mp-browser')],
  ]],
  ['minimal-ga4-browser', 'minimal-ga4', {}, [
    ['page view', `name = 'page_view' and ${onPage('minimal-ga4-browser')}`],
    ['purchase', `order_id = 'minimal-ga4-browser-1' and value = 129.9 and currency = 'EUR'`],
  ]],
  ['plausible-tracker', 'plausible-tracker', {}, [
    ['page view', `name = 'page_view' and ${onPage('plausible-tracker')}`],
    ['event with revenue', `name = 'plausible-tracker order' and order_id = 'plausible-tracker-1' and value = 129.9 and currency = 'EUR'`],
  ]],
  ['matomo-react-native', 'matomo', {}, [
    ['screen view', `name = 'page_view' and ${onPage('matomo-react-native')} and user_id = 'matomo-react-native'`],
    ['order', `order_id = 'matomo-react-native-1' and value = 129.9 and items is not null and user_id = 'matomo-react-native'`],
  ]],
].filter(([name]) => only(name));

const dist = path.join(here, 'dist');
fs.mkdirSync(dist, { recursive: true });
for (const script of new Set(clients.map(([, script]) => script))) {
  await build({ entryPoints: [path.join(here, `page-${script}.js`)], bundle: true, format: 'iife', outfile: path.join(dist, `${script}.js`), logLevel: 'error', define: { 'process.env.NODE_ENV': '"production"' } });
}
const site = http.createServer((request, response) => {
  const file = path.join(dist, path.basename(new URL(request.url, 'http://site').pathname));
  if (file.endsWith('.js') && fs.existsSync(file)) {
    response.writeHead(200, { 'content-type': 'application/javascript' });
    return response.end(fs.readFileSync(file));
  }
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end('<!doctype html><html lang=en><head><title>Checkout – Tëst</title></head><body><h1>Shop</h1></body></html>');
});
await new Promise((done) => site.listen(0, '127.0.0.1', done));
const port = site.address().port;
const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true, args: ['--no-sandbox', '--disable-gpu'] });
let failed = 0;
for (const [name, script, options, expected] of clients) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(name, String(error).slice(0, 300)));
  try {
    // `localhost` and `127.0.0.1` are two sites, so every request is one across sites.
    await page.goto(`http://localhost:${port}/${name}?utm_source=letter&utm_medium=email&utm_campaign=${name}`, { waitUntil: 'load' });
    await page.addScriptTag({ url: `/${script}.js` });
    await page.mouse.move(100, 100);
    await page.evaluate((patience) => { window.patience = patience; }, patience);
    await page.evaluate((collector, name, options) => window.run(collector, name, options), collector, name, options);
    await page.goto('about:blank');
    await pause(1500);
    for (const [what, where] of expected) console.log(JSON.stringify({ client: name, what, where }));
  } catch (error) {
    failed += 1;
    console.error(name, error);
  }
  await context.close();
}
await browser.close();
site.close();
process.exit(failed ? 1 : 0);
