import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';
import { order, pause } from './shared.js';
window.run = async (collector, name, { beacon }) => {
  const analytics = new RudderAnalytics();
  analytics.load('WRITE_KEY', collector, { configUrl: collector, useBeacon: !!beacon, beaconQueueOptions: { flushQueueInterval: 1000 }, plugins: [], sendAdblockPage: false, loadIntegration: false });
  analytics.page('Docs', 'Checkout');
  analytics.identify(name, { email: `${name}@shop.example` });
  analytics.track('Order Completed', order(name));
  await pause(4500);
  analytics.track(`leaving ${name}`);
  await pause(1500);
};
