import { init, track } from '@plausible-analytics/tracker';
import { pause } from './shared.js';
window.run = async (collector, name) => {
  init({ domain: 'shop.example', endpoint: `${collector}/api/event`, captureOnLocalhost: true });
  await pause(500);
  track(`${name} order`, { revenue: { currency: 'EUR', amount: 129.9 } });
  await pause(1500);
};
