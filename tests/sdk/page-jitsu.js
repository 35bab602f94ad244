import { jitsuAnalytics } from '@jitsu/js';
import { order } from './shared.js';
window.run = async (collector, name) => {
  const jitsu = jitsuAnalytics({ host: collector, writeKey: 'key:secret', echoEvents: false });
  await jitsu.page();
  await jitsu.identify(name, { email: `${name}@shop.example` });
  await jitsu.track('Order Completed', order(name));
};
