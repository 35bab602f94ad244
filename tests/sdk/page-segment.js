import { AnalyticsBrowser } from '@segment/analytics-next';
import { order, pause } from './shared.js';
window.run = async (collector, name, { batch, cdn }) => {
  // With `cdnURL` alone, as docs/collect.md says: the settings that it asks for name the address for its events.
  const to = cdn ? {} : { apiHost: `${collector.replace('http://', '')}/v1`, protocol: 'http' };
  if (batch) to.deliveryStrategy = { strategy: 'batching', config: { size: 3, timeout: 1000 } };
  const options = cdn ? {} : { integrations: { 'Segment.io': to } };
  const analytics = AnalyticsBrowser.load({ writeKey: 'WRITE_KEY', cdnURL: collector }, options);
  await analytics.page('Docs', 'Checkout');
  await analytics.identify(name, { email: `${name}@shop.example` });
  await analytics.track('Order Completed', order(name));
  await pause(2000);
  analytics.track(`leaving ${name}`);
  await pause(200);
};
