import { newTracker, setUserId, trackPageView, trackSelfDescribingEvent, trackStructEvent } from '@snowplow/browser-tracker';
import { order, pause } from './shared.js';
window.run = async (collector, name, { method }) => {
  newTracker(name, collector, { appId: 'shop', eventMethod: method, bufferSize: 1, contexts: { webPage: true, session: true }, discoverRootDomain: false, cookieSecure: false });
  setUserId(name);
  trackPageView({ title: 'Checkout' });
  trackStructEvent({ category: 'Shop', action: 'add-to-basket', label: 'web', value: 2 });
  trackSelfDescribingEvent({ event: { schema: 'iglu:com.acme/order_completed/jsonschema/1-0-0', data: order(name) } });
  await pause(2500);
  trackStructEvent({ category: 'Last', action: `leaving ${name}` });
  await pause(200);
};
