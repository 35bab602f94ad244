import posthog from 'posthog-js';
import { order, pause } from './shared.js';
window.run = async (collector, name, { plain }) => {
  posthog.init('phc_TEST', { api_host: collector, ui_host: collector, disable_compression: !!plain, opt_out_useragent_filter: true, disable_surveys: true, disable_session_recording: true, disable_external_dependency_loading: true });
  await pause(1000);
  posthog.capture('Order Completed', order(name));
  posthog.identify(name, { email: `${name}@shop.example` });
  await pause(4500);
  posthog.capture(`leaving ${name}`);
};
