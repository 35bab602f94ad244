/** What every page's client tells of its order. */
export const order = (name) => ({ order_id: `${name}-1`, revenue: 129.9, currency: 'EUR', products: [{ product_id: 'p1', name: 'Tëst “Shoe”', price: 64.95, quantity: 2 }] });
/** Longer where the collector is busy and the client is to send again: `window.patience` times. */
export const pause = (ms) => new Promise((done) => setTimeout(done, ms >= 1500 ? ms * (window.patience ?? 1) : ms));
