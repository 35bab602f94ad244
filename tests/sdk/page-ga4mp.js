import ga4mp from '@analytics-debugger/ga4mp';
import { pause } from './shared.js';
window.run = async (collector, name) => {
  // The client knows Google's address only.
  const here = (address) => String(address).replace(/^https:\/\/www\.google-analytics\.com/, collector);
  const [beacon, get] = [navigator.sendBeacon.bind(navigator), window.fetch];
  navigator.sendBeacon = (address, body) => beacon(here(address), body);
  window.fetch = (address, options) => get(here(address), options);
  const ga4 = ga4mp(['G-TEST123'], { user_id: name });
  ga4.trackEvent('page_view');
  ga4.trackEvent('purchase', { transaction_id: `${name}-1`, value: 129.9, currency: 'EUR', items: [{ item_id: 'SKU-1', price: 64.95, quantity: 2 }] });
  await pause(1500);
};
