// Of React Native's client what sends, by `fetch`; the rest of it needs React.
import MatomoTracker from 'matomo-tracker-react-native/src/MatomoTracker.js';
window.run = async (collector, name) => {
  const matomo = new MatomoTracker({ urlBase: collector, siteId: 1, userId: name });
  const items = [['SKU-1', 'Tëst', 'Shoes', 64.95, 2]];
  await matomo.trackScreenView({ name: 'Home', url: location.href });
  await matomo.track({ url: location.href, idgoal: 0, ec_id: `${name}-1`, revenue: 129.9, ec_items: JSON.stringify(items) });
};
