import { AnalyticsBrowser } from '@segment/analytics-next';
import { order, pause } from './shared.js';
window.run = async (collector, name, { batch }) => {
  const to = { apiHost: `${collector.replace('http://', '')}/v1`, protocol: 'http' };
  if (batch) to.deliveryStrategy = { strategy: 'batching', config: { size: 3, timeout: 1000 } };
  const analytics = AnalyticsBrowser.load({ writeKey: 'WRITE_KEY', cdnURL: collector }, { integrations: { 'Segment.io': to } });
  await analytics.page('Docs', 'Checkout');
  await analytics.identify(name, { email: `${name}@shop.example` });
  await analytics.track('Order Completed', order(name));
  await pause(2000);
  analytics.track(`leaving ${name}`);
  await pause(200);
};
