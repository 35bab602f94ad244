import { track } from '@minimal-analytics/ga4';
import { pause } from './shared.js';
window.run = async (collector, name) => {
  window.minimalAnalytics = { analyticsEndpoint: `${collector}/g/collect` };
  track('G-TEST123');
  track('G-TEST123', { type: 'purchase', event: { 'ep.transaction_id': `${name}-1`, 'epn.value': 129.9, 'ep.currency': 'EUR' } });
  await pause(1500);
};
