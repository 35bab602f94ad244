// Server-side SDKs: node node.mjs COLLECTOR [WORDS…]. Prints a line of JSON for each thing that was sent.
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const [collector, ...words] = process.argv.slice(2);
const patience = Number(process.env.PATIENCE ?? 1);
const pause = (ms) => new Promise((done) => setTimeout(done, ms * patience));

/** Each client has a user, an order, a page and a device of its own, so that a condition finds one event. */
const of = (client) => ({
  user: client, device: `device-${client}`, email: `${client}@shop.example`,
  page: `https://shop.example/${client}?utm_source=letter&utm_medium=email&utm_campaign=${client}`,
  order: { order_id: `${client}-1`, revenue: 129.9, currency: 'EUR', products: [{ product_id: 'p1', name: 'Tëst “Shoe”', price: 64.95, quantity: 2 }] },
});
const expect = (client) => (what, where) => console.log(JSON.stringify({ client, what, where }));
const ordered = (client) => `order_id = '${client}-1' and value = 129.9 and currency = 'EUR' and items is not null`;

const clients = {
  'segment-node': async (name) => {
    const { Analytics } = require('@segment/analytics-node');
    const { user, device, email, page, order } = of(name), say = expect(name);
    const a = new Analytics({ writeKey: 'WRITE_KEY', host: collector, flushAt: 5, flushInterval: 500 });
    a.identify({ userId: user, anonymousId: device, traits: { email } });
    a.track({ userId: user, event: 'Order Completed', properties: order, timestamp: new Date('2026-11-01T10:00:00.123Z') });
    a.track({ anonymousId: device, event: 'segment-node 😀', properties: { nested: { a: [1, { b: null }] } } });
    a.page({ userId: user, name: 'Home', properties: { url: page, referrer: 'https://t.co/x' } });
    a.screen({ anonymousId: device, name: 'Main' });
    a.group({ userId: user, groupId: 'acme', traits: { name: 'Acme' } });
    a.alias({ previousId: device, userId: user });
    await a.closeAndFlush({ timeout: 10000 });
    say('identify', `name = 'identify' and user_id = '${user}' and anonymous_id = '${device}' and email_hash is not null`);
    say('track an order', `${ordered(name)} and user_id = '${user}'`);
    say('track with an emoji', `name = 'segment-node 😀' and anonymous_id = '${device}'`);
    say('page', `name = 'page_view' and user_id = '${user}' and page_url = '${page}' and utm_campaign = '${name}'`);
    say('screen', `name = 'screen_view' and anonymous_id = '${device}'`);
    say('group', `name = 'group' and user_id = '${user}'`);
    say('alias', `name = 'alias' and user_id = '${user}' and anonymous_id = '${device}'`);
  },
  'rudder-node': async (name) => {
    const module = require('@rudderstack/rudder-sdk-node');
    const Rudder = module.default || module;
    const { user, email, page, order } = of(name), say = expect(name);
    const a = new Rudder('WRITE_KEY', { dataPlaneUrl: collector, flushAt: 20, flushInterval: 300, gzip: true });
    a.identify({ userId: user, traits: { email } });
    a.track({ userId: user, event: 'Order Completed', properties: order, timestamp: new Date('2026-11-01T10:00:00.123Z') });
    a.page({ userId: user, name: 'Home', properties: { url: page } });
    await pause(2000);
    const plain = new Rudder('WRITE_KEY', { dataPlaneUrl: collector, flushAt: 1, gzip: false });
    plain.track({ anonymousId: 'plain', event: 'rudder-node without gzip' });
    await pause(1500);
    say('identify', `name = 'identify' and user_id = '${user}' and email_hash is not null`);
    say('track an order', `${ordered(name)} and occurred_at = timestamp '2026-11-01T10:00:00.123Z'`);
    say('page', `name = 'page_view' and page_url = '${page}'`);
    say('track without gzip', `name = 'rudder-node without gzip'`);
  },
  'snowplow-node': async (name) => {
    const { newTracker, buildPageView, buildStructEvent, buildSelfDescribingEvent } = require('@snowplow/node-tracker');
    const { user, page, order } = of(name), say = expect(name);
    for (const [eventMethod, encodeBase64] of [['post', false], ['get', true]]) {
      const client = `${name}-${eventMethod}`, device = `device-${client}`;
      const t = newTracker({ namespace: client, appId: 'shop', encodeBase64 }, { endpoint: collector.replace('http://', ''), protocol: 'http', eventMethod, bufferSize: eventMethod === 'post' ? 3 : 1 });
      t.setUserId(user);
      t.setDomainUserId(device);
      t.track(buildPageView({ pageUrl: page, pageTitle: 'Checkout', referrer: 'https://www.google.com/' }));
      t.track(buildStructEvent({ category: 'Shop', action: 'add-to-basket', label: 'web', property: 'pcs', value: 2 }));
      t.track(buildSelfDescribingEvent({ event: { schema: 'iglu:com.acme/order_completed/jsonschema/1-0-0', data: { ...order, order_id: `${client}-1` } } }));
      t.flush?.();
      await pause(1500);
      say(`page view, ${eventMethod}`, `name = 'page_view' and anonymous_id = '${device}' and user_id = '${user}' and page_url = '${page}'`);
      say(`structured event, ${eventMethod}`, `name = 'add-to-basket' and anonymous_id = '${device}'`);
      say(`order, ${eventMethod}`, `${ordered(client)} and anonymous_id = '${device}'`);
    }
  },
  'posthog-node': async (name) => {
    const { PostHog } = require('posthog-node');
    const { user, device, email, page, order } = of(name), say = expect(name);
    const p = new PostHog('phc_TEST', { host: collector, flushAt: 20, flushInterval: 300 });
    p.capture({ distinctId: user, event: 'Order Completed', properties: { ...order, $current_url: page, $set: { email } } });
    p.identify({ distinctId: user, properties: { email, $anon_distinct_id: device } });
    p.alias({ distinctId: user, alias: `alias-${name}` });
    await p.captureImmediate({ distinctId: user, event: 'posthog-node immediate' });
    await p.shutdown(10000);
    say('capture an order', `${ordered(name)} and user_id = '${user}' and page_url = '${page}'`);
    say('identify', `name = 'identify' and user_id = '${user}' and anonymous_id = '${device}'`);
    say('alias', `name = 'alias' and user_id = '${user}' and anonymous_id = 'alias-${name}'`);
    say('immediate', `name = 'posthog-node immediate' and user_id = '${user}'`);
  },
  'jitsu-node': async (name) => {
    const { jitsuAnalytics } = require('@jitsu/js');
    const { user, email, page, order } = of(name), say = expect(name);
    const j = jitsuAnalytics({ host: collector, writeKey: 'key:secret', echoEvents: false, fetch });
    await j.identify(user, { email });
    await j.track('Order Completed', order);
    await j.page({ name: 'Home', url: page });
    say('identify', `name = 'identify' and user_id = '${user}' and email_hash is not null`);
    say('track an order', ordered(name));
    say('page', `name = 'page_view' and page_url = '${page}'`);
  },
  'umami-node': async (name) => {
    const umami = require('@umami/node').default;
    const { user, email } = of(name), say = expect(name);
    umami.init({ websiteId: '94db1cb1-74f4-4a40-ad6c-962362670409', hostUrl: collector });
    await umami.track({ url: `/${name}?utm_source=letter`, title: 'Home', hostname: 'shop.example', referrer: 'https://www.google.com/' });
    await umami.track('umami-node order', { revenue: 12.5, currency: 'EUR' });
    await umami.identify({ id: user, email });
    say('page view', `name = 'page_view' and page_url like 'https://shop.example/${name}%'`);
    say('event', `name = 'umami-node order' and value = 12.5 and currency = 'EUR'`);
    say('identify', `name = 'identify' and user_id = '${user}'`);
  },
  'matomo-node': async (name) => {
    const Matomo = require('matomo-tracker');
    const { user, page } = of(name), say = expect(name);
    const m = new Matomo(1, `${collector}/matomo.php`);
    m.on('error', (error) => console.error('matomo', error.message));
    m.track({ url: page, action_name: 'Checkout', uid: user, _id: '0123456789abcdef', idgoal: 0, ec_id: `${name}-1`, revenue: 129.9, ec_items: JSON.stringify([['SKU-1', 'Tëst', 'Shoes', 64.95, 2]]) });
    await pause(500);
    m.trackBulk([{ url: `https://shop.example/${name}/a`, action_name: 'A' }, { url: `https://shop.example/${name}/b`, action_name: 'B' }], () => {});
    await pause(1000);
    say('order', `order_id = '${name}-1' and value = 129.9 and user_id = '${user}' and items is not null`);
    for (const letter of ['a', 'b']) say(`bulk, ${letter}`, `name = 'page_view' and page_url = 'https://shop.example/${name}/${letter}'`);
  },
  'ga4-measurement': async (name) => { // Google ships no client: the documented JSON, sent by fetch
    const { page } = of(name), say = expect(name);
    const send = (body) => fetch(`${collector}/mp/collect?measurement_id=G-TEST&api_secret=SECRET`, { method: 'POST', body: JSON.stringify(body) });
    await send({ client_id: '123456.7654321', user_id: name, events: [{ name: 'purchase', params: { transaction_id: `${name}-1`, value: 129.9, currency: 'EUR', items: [{ item_id: 'SKU-1', price: 64.95, quantity: 2 }] } }] });
    await send({ client_id: '123456.7654321', events: [{ name: 'page_view', params: { page_location: page } }] });
    say('purchase', `${ordered(name)} and name = 'purchase' and user_id = '${name}'`);
    say('page view', `name = 'page_view' and page_url = '${page}'`);
  },
};

let failed = 0;
for (const [name, run] of Object.entries(clients)) {
  if (words.length && !words.some((word) => name.includes(word))) continue;
  try {
    await run(name);
  } catch (error) {
    failed += 1;
    console.error(name, error);
  }
}
process.exit(failed ? 1 : 0);
