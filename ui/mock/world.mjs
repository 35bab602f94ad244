// An imaginary shop, the same at every start: people, their sessions with events, and their purchases.

/** A small generator of numbers from 0 to 1 (mulberry32). */
function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export const day = 86_400_000;
export const firstDay = '2026-06-01';
export const lastDay = '2026-11-21';
const start = Date.parse(`${firstDay}T00:00:00Z`);
const end = Date.parse(`${lastDay}T00:00:00Z`) + day;

/** Channel, source, medium, campaigns, weight as an opener, weight later, effect on buying, cost of a session. */
const channels = [
  ['Organic Search', 'google', 'organic', [''], 22, 12, 0.05, 0],
  ['Paid Search', 'google', 'cpc', ['brand', 'autumn-coats', 'shoes-generic'], 14, 12, 0.1, 0.85],
  ['Paid Social', 'facebook', 'paid_social', ['lookalike-2026', 'retarget-cart', 'autumn-coats'], 18, 10, 0.06, 0.55],
  ['Display', 'adnetwork', 'display', ['awareness-video', 'retarget-cart'], 15, 6, 0.02, 0.2],
  ['Email', 'newsletter', 'email', ['weekly', 'welcome', 'back-in-stock'], 3, 16, 0.14, 0.02],
  ['Direct', '(direct)', '(none)', [''], 10, 24, 0.09, 0],
  ['Referral', 'styleblog.example', 'referral', [''], 7, 5, 0.05, 0],
  ['Affiliates', 'partnerize', 'affiliate', ['deals-site', 'coupons'], 3, 6, 0.12, 0.4],
  ['Organic Social', 'instagram', 'social', [''], 7, 5, 0.03, 0],
  ['AI Assistant', 'chatgpt.com', 'ai-assistant', [''], 3, 2, 0.08, 0],
  ['Unassigned', 'qr-poster', 'offline', ['autumn-coats'], 2, 1, 0.04, 0],
];
const contents = ['hero-video', 'carousel', 'text-a', 'text-b'];
const terms = ['winter coat', 'leather boots', 'shop name', ''];
const pages = ['/', '/coats', '/boots', '/sale', '/coats/parka', '/boots/chelsea', '/size-guide', '/returns'];

function pick(random, weights) {
  let left = random() * weights.reduce((a, b) => a + b, 0);
  return weights.findIndex((weight) => (left -= weight) < 0);
}

function make() {
  const random = dice(20261122);
  const people = [];
  for (let number = 0; number < 5200; number++) {
    const born = start + Math.floor(random() ** 0.85 * (end - start));
    const interest = 0.4 + random() * 1.4;
    const person = { id: String(4_000_000_000_000_000_000n + BigInt(number) * 982_451_653n), sessions: [], conversions: [], known: random() < 0.4, number };
    let at = born;
    let warmth = 0;
    for (let visit = 0; at < end; visit++) {
      const [channel, source, medium, campaigns, , , effect] = channels[pick(random, channels.map((one) => one[visit === 0 ? 4 : 5])) ] ?? channels[5];
      const paid = campaigns[0] !== '';
      const campaign = campaigns[Math.floor(random() * campaigns.length)];
      warmth += effect * interest;
      const session = { at, channel, source, medium, campaign, content: paid ? contents[Math.floor(random() * contents.length)] : '', term: medium === 'cpc' ? terms[Math.floor(random() * terms.length)] : '', events: [], visit };
      let clock = at;
      const add = (name, page, value = null) => {
        session.events.push({ at: clock, name, page, value });
        clock += 8000 + Math.floor(random() * 95_000);
      };
      add('page_view', pages[Math.floor(random() * 4)]);
      for (let views = Math.floor(random() * 3); views > 0; views--) add('page_view', pages[Math.floor(random() * pages.length)]);
      if (random() < 0.45 + warmth / 3) {
        add('view_item', pages[4 + Math.floor(random() * 2)]);
        if (random() < 0.18 + warmth / 2) {
          add('add_to_cart', '/cart');
          if (random() < 0.62) {
            add('begin_checkout', '/checkout');
            if (random() < 0.6) {
              const value = Math.round((25 + random() ** 2 * 190) * 100) / 100;
              add('purchase', '/thank-you', value);
              person.conversions.push({ at: clock, value, goal: 'purchase', order: `SO-${10_000 + number}-${visit}` });
              warmth = 0.05;
            }
          }
        }
      }
      person.sessions.push(session);
      if (random() > 0.62) break;
      at += Math.floor(random() ** 2 * 24 * day) + 3_600_000;
    }
    // Some bought in the store or by telephone, and left no touch before.
    if (random() < 0.012) person.conversions.push({ at: born + Math.floor(random() * day), value: 79, goal: 'purchase', order: `TILL-${number}`, alone: true });
    people.push(person);
  }
  return people;
}

export const people = make();
export const costOf = Object.fromEntries(channels.map((one) => [one[0], one[7]]));

/** Touches in the 30 days before a conversion and after the conversion before it, oldest first. */
export function touchesOf(person, conversion) {
  if (conversion.alone) return [];
  const before = Math.max(conversion.at - 30 * day, ...person.conversions.filter((other) => other.at < conversion.at).map((other) => other.at));
  return person.sessions.filter((session) => session.at > before && session.at < conversion.at);
}
