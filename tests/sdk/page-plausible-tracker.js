import Plausible from 'plausible-tracker';
import { pause } from './shared.js';
window.run = async (collector, name) => {
  const { trackPageview, trackEvent } = Plausible({ domain: 'shop.example', apiHost: collector, trackLocalhost: true });
  trackPageview();
  trackEvent(`${name} order`, { props: { order_id: `${name}-1`, revenue: 129.9, currency: 'EUR' } });
  await pause(1500);
};
