// Every report of the contract, answered from the imaginary shop.
import { models, removal, weights } from './credit.mjs';
import { costOf, day, firstDay, lastDay, people, touchesOf } from './world.mjs';

const iso = (at) => new Date(at).toISOString();
const dayOf = (at) => iso(at).slice(0, 10);
const text = (name) => ({ name, type: 'text', unit: null });
const whole = (name, unit = null) => ({ name, type: 'integer', unit });
const number = (name, unit = null) => ({ name, type: 'number', unit });
const time = (name) => ({ name, type: 'time', unit: null });
const money = (name) => number(name, 'EUR');
const share = (name) => number(name, 'percent');
const sum = (list) => list.reduce((a, b) => a + b, 0);
const usualModels = models.filter((model) => model.chosen).map((model) => model.spec);
const round = (value, digits = 6) => Number(value.toFixed(digits));

/** What the server says beside the numbers: a code and values, and the sentence in English. */
const note = (code, values, said) => ({ code, ...(values ? { values } : {}), text: said });
const association = note('association', null, 'credit is association, not cause, unless it is calibrated by an experiment');

function range(query) {
  const to = query.get('to') ?? dayOf(Date.parse(`${lastDay}T00:00:00Z`) + day);
  return { from: query.get('from') ?? firstDay, to, start: Date.parse(`${query.get('from') ?? firstDay}T00:00:00Z`), end: Date.parse(`${to}T00:00:00Z`) };
}
const keepOf = (query) => {
  const where = /value\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)/.exec(query.get('where') ?? '');
  if (!where) return () => true;
  const limit = Number(where[2]);
  return { '>': (c) => c.value > limit, '<': (c) => c.value < limit, '>=': (c) => c.value >= limit, '<=': (c) => c.value <= limit }[where[1]];
};
const sessionsIn = ({ start, end }) => people.flatMap((person) => person.sessions.filter((session) => session.at >= start && session.at < end).map((session) => ({ person, session })));
function conversionsIn({ start, end }, keep = () => true) {
  return people.flatMap((person) => person.conversions.filter((one) => one.at >= start && one.at < end && keep(one)).map((one) => ({ person, conversion: one, touches: touchesOf(person, one) })));
}
const count = (entries, key, add) => {
  const found = new Map();
  for (const entry of entries) {
    const name = key(entry);
    const row = found.get(name) ?? found.set(name, {}).get(name);
    add(row, entry);
  }
  return found;
};

function totals(span, keep) {
  const visits = sessionsIn(span);
  const bought = conversionsIn(span, keep);
  const value = sum(bought.map(({ conversion }) => conversion.value));
  const crowd = new Set(visits.map(({ person }) => person.id)).size;
  return { people: crowd, sessions: visits.length, conversions: bought.length, value: round(value, 2), conversion_rate: visits.length ? bought.length / visits.length : null, average_value: bought.length ? round(value / bought.length, 2) : null, unattributed_share: bought.length ? bought.filter((one) => one.touches.length === 0).length / bought.length : null };
}

/** Paths for models that learn: buyers' touches, and those of people who bought nothing. */
function pathsOf(span, label, keep) {
  const bought = conversionsIn(span, keep).filter((one) => one.touches.length).map((one) => ({ labels: one.touches.map(label), conversions: 1, nulls: 0 }));
  const lost = people.filter((person) => person.conversions.length === 0).map((person) => ({ labels: person.sessions.filter((session) => session.at >= span.start && session.at < span.end).map(label), conversions: 0, nulls: 1 })).filter((path) => path.labels.length);
  return [...bought, ...lost];
}
const labelBy = (by, within) => (touch) => (within.every(([key, value]) => touch[key] === value) ? touch[by] || '(not set)' : '(elsewhere)');
const withinOf = (query) => query.getAll('within').map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]);

function creditOf(query, usual = ['last']) {
  const span = range(query);
  const by = query.get('by') ?? 'channel';
  const label = labelBy(by, withinOf(query));
  const paths = conversionsIn(span, keepOf(query));
  const specs = query.getAll('model').length ? query.getAll('model') : usual;
  const strength = specs.includes('markov') ? removal(pathsOf(span, label, keepOf(query))) : new Map();
  return specs.map((model) => {
    const credit = new Map();
    const give = (name, conversions, value) => {
      const row = credit.get(name) ?? credit.set(name, { conversions: 0, value: 0 }).get(name);
      row.conversions += conversions;
      row.value += value;
    };
    for (const { conversion, touches } of paths) {
      if (!touches.length) give('(unattributed)', 1, conversion.value);
      weights(model, touches, conversion.at, label, strength).forEach((weight, at) => give(label(touches[at]), weight, weight * conversion.value));
    }
    credit.delete('(elsewhere)');
    return { model, credit };
  });
}

/** `event:NAME`, `page:/path*` or `goal:NAME`, as the server spells steps. */
function meets(step, event) {
  const [kind, value] = [step.slice(0, step.indexOf(':')), step.slice(step.indexOf(':') + 1)];
  if (kind === 'page') return value.endsWith('*') ? event.page.startsWith(value.slice(0, -1)) : event.page === value;
  return event.name === value;
}
const nameOf = (step) => step.slice(step.indexOf(':') + 1);
function funnelOf(query) {
  const wanted = query.getAll('step');
  const span = range(query);
  const limit = Number(query.get('window_days') ?? 14) * day;
  const reached = wanted.map(() => []);
  const next = wanted.map(() => new Map());
  const dropped = wanted.map(() => []);
  for (const person of people) {
    const events = person.sessions.filter((session) => session.at >= span.start && session.at < span.end).flatMap((session) => session.events.map((event) => ({ event, session })));
    let best = [];
    let after = null;
    events.forEach(({ event, session }, from) => {
      if (!meets(wanted[0], event)) return;
      const times = [event.at];
      let at = from;
      for (let step = 1; step < wanted.length; step++) {
        const found = events.findIndex((other, place) => place > at && other.event.at - event.at <= limit && meets(wanted[step], other.event));
        if (found < 0) break;
        times.push(events[found].event.at);
        at = found;
      }
      if (times.length > best.length) {
        best = times;
        after = events[at + 1]?.event.name ?? '(nothing more)';
      }
    });
    best.forEach((at, step) => reached[step].push(step ? at - best[step - 1] : 0));
    if (best.length && best.length < wanted.length) dropped[best.length - 1].push(person.id);
    if (best.length && best.length < wanted.length) next[best.length - 1].set(after, (next[best.length - 1].get(after) ?? 0) + 1);
  }
  return { wanted, reached, next, dropped };
}
const median = (list) => (list.length ? list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] / 1000 : null);

function movesOf(query) {
  const span = range(query);
  const found = new Map();
  for (const { person, touches } of conversionsIn(span, keepOf(query))) {
    touches.slice(1).forEach((touch, at) => {
      const key = `${touches[at].channel}\u0000${touch.channel}`;
      const row = found.get(key) ?? found.set(key, { people: new Set(), count: 0, gaps: [] }).get(key);
      row.people.add(person.id);
      row.count++;
      row.gaps.push(touch.at - touches[at].at);
    });
  }
  return [...found].map(([key, row]) => [...key.split('\u0000'), row.people.size, row.count, median(row.gaps)]).sort((a, b) => b[2] - a[2]);
}

function explore(query) {
  const end = query.get('end');
  const place = end ?? query.get('start') ?? 'event:page_view';
  const [depth, width] = [Number(query.get('depth') ?? 4), Number(query.get('width') ?? 6)];
  const walks = [];
  const met = new Set();
  for (const { person, session } of sessionsIn(range(query))) {
    const { events } = session;
    const at = end ? events.findLastIndex((event) => meets(place, event)) : events.findIndex((event) => meets(place, event));
    if (at < 0) continue;
    const nodes = query.get('nodes') ?? 'steps';
    const way = (end ? events.slice(0, at + 1).reverse() : events.slice(at)).filter((event, index) => index === 0 || nodes !== 'pages' || event.name === 'page_view');
    // The first is what was asked for, as the server calls it.
    const names = way.map((event, index) => (index === 0 ? nameOf(place) : nodes !== 'events' && event.name === 'page_view' ? event.page : event.name));
    walks.push(Object.assign(Array.from({ length: depth + 1 }, (_, step) => names[step] ?? '(end)'), { first: !met.has(person.id) }));
    met.add(person.id);
  }
  const shown = Array.from({ length: depth + 1 }, (_, step) => {
    const sizes = count(walks, (walk) => walk[step], (row) => (row.n = (row.n ?? 0) + 1));
    return new Set([...sizes].sort((a, b) => b[1].n - a[1].n).slice(0, width).map(([name]) => name));
  });
  const name = (walk, at) => (walk[at] === '(end)' || shown[at].has(walk[at]) ? walk[at] : '(others)');
  return Array.from({ length: depth }, (_, step) => {
    const found = count(walks.filter((walk) => walk[step] !== '(end)'), (walk) => `${name(walk, step)}\u0000${name(walk, step + 1)}`, (row, walk) => { row.n = (row.n ?? 0) + 1; row.people = (row.people ?? 0) + Number(walk.first); });
    return [...found].map(([key, row]) => [step, ...key.split('\u0000'), row.people, row.n]);
  }).flat();
}

/** Every path that was walked, with its conversions and the people who did not convert. */
function walked(query) {
  const span = range(query);
  const found = new Map();
  const put = (path, change) => {
    const row = found.get(path) ?? found.set(path, { conversions: 0, value: 0, nulls: 0 }).get(path);
    change(row);
  };
  for (const { conversion, touches } of conversionsIn(span, keepOf(query))) put(touches.map((touch) => touch.channel).join(' > '), (row) => { row.conversions++; row.value += conversion.value; });
  for (const person of people) {
    const path = person.conversions.length ? '' : person.sessions.filter((session) => session.at >= span.start && session.at < span.end).map((session) => session.channel).join(' > ');
    if (path) put(path, (row) => row.nulls++);
  }
  return [...found].map(([path, row]) => ({ path, length: path ? path.split(' > ').length : 0, ...row, rate: row.conversions / (row.conversions + row.nulls) }));
}

const rulesOf = (query) => note('funnel', { order: query.get('order') ?? 'ordered', open: query.get('open') === 'true', days: Number(query.get('window_days') ?? 14) }, 'the rules of the funnel');

/** The people of two segments; whoever is in both is in neither. */
function segmentsOf(query) {
  const of = (condition) => {
    const [, channel] = /channel\s*=\s*'([^']*)'/.exec(condition ?? '') ?? [];
    return new Set(people.filter((person) => person.sessions.some((session) => session.channel === channel)));
  };
  const [a, b] = [of(query.get('a')), of(query.get('b'))];
  const both = [...a].filter((person) => b.has(person)).length;
  const said = note('segments', { a: query.get('a') ?? '', b: query.get('b') ?? '', both, level: 0.95 }, `a: ${query.get('a')}; b: ${query.get('b')}`);
  return { a: [...a].filter((person) => !b.has(person)), b: [...b].filter((person) => !a.has(person)), said };
}

/** The difference of two parts with Newcombe's interval (1998, method 10). */
function newcombe(a, allA, b, allB) {
  const z = 1.959963984540054;
  const wilson = (part, all) => {
    const p = part / all;
    const spread = z * Math.sqrt((p * (1 - p)) / all + (z * z) / (4 * all * all));
    return [-1, 1].map((sign) => (p + (z * z) / (2 * all) + sign * spread) / (1 + (z * z) / all));
  };
  const [p, q, [lowA, highA], [lowB, highB]] = [a / allA, b / allB, wilson(a, allA), wilson(b, allB)];
  return [p - q, p - q - Math.hypot(p - lowA, highB - q), p - q + Math.hypot(highA - p, q - lowB)].map((one) => round(one));
}

export const reports = {
  overview(query) {
    const span = range(query);
    const length = span.end - span.start;
    const [now, then] = [totals(span, keepOf(query)), totals({ start: span.start - length, end: span.start }, keepOf(query))];
    const unit = { value: 'EUR', average_value: 'EUR', conversion_rate: 'percent', unattributed_share: 'percent' };
    const empty = then.sessions === 0;
    const days = { from: span.from, to: span.to, before_from: dayOf(span.start - length), before_to: span.from };
    const notes = [note('goal', { goal: query.get('goal') ?? 'purchase' }, 'goal purchase'), empty ? note('period_alone', { from: span.from, to: span.to }, 'there are no earlier data to compare with') : note('periods', days, `${span.from} to ${span.to}, against the days before`)];
    return { notes, columns: [text('kpi'), number('value'), number('previous'), text('unit')], rows: Object.keys(now).map((kpi) => [kpi, now[kpi], empty ? null : then[kpi], unit[kpi] ?? null]) };
  },
  trend(query) {
    const span = range(query);
    const visits = count(sessionsIn(span), ({ session }) => dayOf(session.at), (row, { person }) => { row.n = (row.n ?? 0) + 1; (row.people ??= new Set()).add(person.id); });
    const bought = count(conversionsIn(span, keepOf(query)), ({ conversion }) => dayOf(conversion.at), (row, { conversion }) => { row.n = (row.n ?? 0) + 1; row.value = (row.value ?? 0) + conversion.value; });
    const rows = [];
    for (let at = span.start; at < span.end; at += day) rows.push([dayOf(at), visits.get(dayOf(at))?.n ?? 0, visits.get(dayOf(at))?.people.size ?? 0, bought.get(dayOf(at))?.n ?? 0, round(bought.get(dayOf(at))?.value ?? 0, 2)]);
    return { columns: [time('day'), whole('sessions'), whole('people', 'people'), whole('conversions'), money('value')], rows };
  },
  attribution(query) {
    const intervals = query.get('intervals') === 'true';
    const measure = query.get('measure') ?? 'conversions';
    const rows = creditOf(query, usualModels).filter(({ model }) => !(model.startsWith('hazard') && query.get('by') === 'campaign')).flatMap(({ model, credit }) => {
      const all = sum([...credit.values()].map((one) => one[measure])) || 1;
      return [...credit].sort((a, b) => b[1].conversions - a[1].conversions).map(([label, one]) => {
        const spread = 1.96 * Math.sqrt(Math.max(one.conversions, 0.2)) * (measure === 'value' ? one.value / Math.max(one.conversions, 0.2) : 1);
        return [model, label, round(one.conversions), round(one.value), one[measure] / all, ...(intervals ? [round(Math.max(0, one[measure] - spread)), round(one[measure] + spread)] : [])];
      });
    });
    // A model of cause learns from where people came; campaigns of one channel are too few for it here.
    const refused = query.getAll('model').filter((spec) => spec.startsWith('hazard') && query.get('by') === 'campaign');
    return { seed: intervals ? Number(query.get('seed') ?? 1) : null, notes: [...refused.map((spec) => note('refused', { model: spec, why: { code: 'needs_timelines' } }, `${spec} is not computed: it reads whole timelines of people`)), association, ...(intervals ? [note('intervals', { level: 0.95, resamples: 200 }, 'intervals: 95 % of 200 resamples of people')] : [])], columns: [text('model'), text('label'), number('conversions'), money('value'), share('share'), ...(intervals ? [number('low'), number('high')] : [])], rows };
  },
  agreement(query) {
    const found = creditOf(query, usualModels).map(({ model, credit }) => {
      credit.delete('(unattributed)');
      const all = sum([...credit.values()].map((one) => one.conversions)) || 1;
      return { model, shares: new Map([...credit].map(([label, one]) => [label, one.conversions / all])) };
    });
    const rows = found.flatMap((one, at) => found.slice(at + 1).map((other) => [one.model, other.model, round(sum([...new Set([...one.shares.keys(), ...other.shares.keys()])].map((label) => Math.abs((one.shares.get(label) ?? 0) - (other.shares.get(label) ?? 0)))) / 2)]));
    return { columns: [text('model_a'), text('model_b'), share('distance')], rows };
  },
  backtest(query) {
    const specs = query.getAll('model').length ? query.getAll('model') : usualModels;
    const score = { first: [0.382, 0.61], last: [0.371, 0.66], last_non_direct: [0.377, 0.63], linear: [0.365, 0.69], position: [0.367, 0.68], time_decay: [0.362, 0.7], markov: [0.341, 0.74], shapley: [0.355, 0.71] };
    if (query.get('show') === 'calibration') {
      return { columns: [text('model'), whole('bin'), share('predicted'), share('observed')], rows: specs.flatMap((model, at) => Array.from({ length: 10 }, (_, bin) => [model, bin + 1, round(0.01 + bin * 0.022), round(0.008 + bin * (0.017 + (at % 4) * 0.003))])) };
    }
    return { columns: [text('model'), number('log_loss'), number('auc'), share('steadiness')], rows: specs.map((model, at) => [model, ...(score[model] ?? [0.39, 0.6]), 0.9 + (at % 5) * 0.015]), notes: [note('recommended', { model: 'markov', gain: 0.0412, gain_error: 0.0031 }, 'recommended: markov'), note('learned_from', { goal: 'purchase', from: '2026-08-23T05:10:00Z', split: '2026-10-30T11:00:00Z', to: '2026-11-21T22:41:00Z', weeks: 12 }, 'learned from earlier paths'), note('prediction_is_not_cause', null, 'credit is association')] };
  },
  explain(query) {
    const span = range(query);
    const by = query.get('by') ?? 'channel';
    const label = labelBy(by, withinOf(query));
    const [model, wanted, limit] = [query.get('model') ?? 'last', query.get('label') ?? '', Number(query.get('conversions') ?? 10)];
    const strength = model === 'markov' ? removal(pathsOf(span, label, keepOf(query))) : new Map();
    const given = conversionsIn(span, keepOf(query)).flatMap((one) => {
      if (wanted === '(unattributed)') return one.touches.length ? [] : [{ ...one, shares: [], part: 1 }];
      const shares = weights(model, one.touches, one.conversion.at, label, strength);
      const part = sum(one.touches.map((touch, at) => (label(touch) === wanted ? shares[at] : 0)));
      return part > 0 ? [{ ...one, shares, part }] : [];
    }).sort((a, b) => b.part - a.part || b.conversion.value - a.conversion.value);
    const rows = given.slice(0, limit || undefined).flatMap(({ person, conversion, touches, shares }) => {
      const base = [conversion.order, iso(conversion.at), person.id, conversion.value];
      if (!touches.length) return [[...base, null, null, null, null, null, null, null, null, null]];
      return touches.map((touch, at) => [...base, at + 1, iso(touch.at), round((conversion.at - touch.at) / day, 2), label(touch), touch.source, touch.medium, touch.campaign || null, 'visit', round(shares[at])]);
    });
    return { columns: [text('conversion_id'), time('converted_at'), text('person_id'), money('conversion_value'), whole('place'), time('touched_at'), number('age_days'), text('label'), text('source'), text('medium'), text('campaign'), text('interaction'), share('weight')], rows, total_rows: sum(given.map((one) => Math.max(1, one.touches.length))), extra: { lines: [note('shares', { conversions: given.length, sum: round(sum(given.map((one) => one.part)), 2) }, `${given.length} conversions gave it a share`)] } };
  },
  paths(query) {
    const rows = walked(query).filter((row) => row.conversions > 0).sort((a, b) => b.conversions - a.conversions);
    return { columns: [text('path'), whole('length'), whole('conversions'), money('value'), whole('nulls', 'people'), share('conversion_rate')], rows: rows.map((row) => [row.path, row.length, row.conversions, round(row.value, 2), row.nulls, row.rate]) };
  },
  'null-paths'(query) {
    const rows = walked(query).filter((row) => row.nulls > 0).sort((a, b) => b.nulls - a.nulls);
    return { columns: [text('path'), whole('length'), whole('people', 'people'), whole('conversions'), share('conversion_rate')], rows: rows.map((row) => [row.path, row.length, row.nulls, row.conversions, row.rate]) };
  },
  'path-lengths'(query) {
    const found = count(conversionsIn(range(query), keepOf(query)), ({ touches }) => touches.length, (row, { conversion }) => { row.n = (row.n ?? 0) + 1; row.value = (row.value ?? 0) + conversion.value; });
    return { columns: [whole('touches'), whole('conversions'), money('value'), whole('nulls')], rows: [...found].sort((a, b) => a[0] - b[0]).map(([touches, row]) => [touches, row.n, round(row.value, 2), Math.round(row.n * 2.7)]) };
  },
  'time-lags'(query) {
    const found = count(conversionsIn(range(query), keepOf(query)).filter((one) => one.touches.length), ({ conversion, touches }) => Math.floor((conversion.at - touches[0].at) / day), (row, { conversion }) => { row.n = (row.n ?? 0) + 1; row.value = (row.value ?? 0) + conversion.value; });
    return { columns: [whole('days'), whole('conversions'), money('value')], rows: [...found].sort((a, b) => a[0] - b[0]).map(([days, row]) => [days, row.n, round(row.value, 2)]) };
  },
  positions(query) {
    const found = count(conversionsIn(range(query), keepOf(query)).flatMap(({ touches }) => touches.map((touch, at) => ({ touch, at, last: touches.length - 1 }))), ({ touch }) => touch.channel, (row, { at, last }) => { row.all = (row.all ?? 0) + 1; const part = at === last ? 'late' : at === 0 ? 'early' : 'mid'; row[part] = (row[part] ?? 0) + 1; });
    return { columns: [text('channel'), share('early'), share('mid'), share('late'), whole('touches')], rows: [...found].sort((a, b) => b[1].all - a[1].all).map(([channel, row]) => [channel, (row.early ?? 0) / row.all, (row.mid ?? 0) / row.all, (row.late ?? 0) / row.all, row.all]) };
  },
  transitions: (query) => ({ columns: [text('from'), text('to'), whole('people', 'people'), whole('count'), number('median_seconds', 'seconds')], rows: movesOf(query) }),
  explorer(query) {
    const rows = explore(query);
    const [people, step] = [sum(rows.filter((row) => row[0] === 0).map((row) => row[3])), nameOf(query.get('end') ?? query.get('start') ?? '')];
    const explored = note('explored', { people, step, way: query.get('end') ? 'before' : 'after', depth: Number(query.get('depth') ?? 4), width: Number(query.get('width') ?? 6) }, `${people} people met ${step}`);
    return { notes: [explored, note('transitions', null, 'transitions count every such event')], columns: [whole('from_step'), text('from'), text('to'), whole('people', 'people'), whole('transitions')], rows };
  },
  funnel(query) {
    const { wanted, reached } = funnelOf(query);
    return { notes: [rulesOf(query)], columns: [text('step'), whole('people', 'people'), share('share_of_first'), share('share_of_previous'), number('median_seconds', 'seconds'), whole('dropped', 'people')], rows: wanted.map((step, at) => [nameOf(step), reached[at].length, reached[0].length ? reached[at].length / reached[0].length : null, at && reached[at - 1].length ? reached[at].length / reached[at - 1].length : null, at ? median(reached[at]) : null, at + 1 < wanted.length ? reached[at].length - reached[at + 1].length : null]) };
  },
  'dropped-people'(query) {
    const after = Number(query.get('after') ?? 1);
    return { columns: [text('person_id')], rows: funnelOf(query).dropped[after - 1].toSorted().map((id) => [id]) };
  },
  dropouts(query) {
    const { next } = funnelOf(query);
    return { columns: [text('next'), whole('people', 'people')], rows: [...(next[Number(query.get('after')) - 1] ?? [])].sort((a, b) => b[1] - a[1]) };
  },
  obstacles(query) {
    const visits = sessionsIn(range(query));
    const nodes = query.get('nodes') ?? 'steps';
    const place = (event) => (nodes === 'events' ? event.name : event.name === 'page_view' ? event.page : nodes === 'pages' ? null : event.name);
    const found = count(visits.flatMap(({ person, session }) => session.events.map((event, at) => ({ person, page: place(event), left: at === session.events.length - 1 && event.name !== 'purchase' })).filter(({ page }) => page !== null)), ({ page }) => page, (row, { person, left }) => { (row.reach ??= new Set()).add(person.id); if (left) (row.leave ??= new Set()).add(person.id); });
    const buyers = new Set(people.filter((person) => person.conversions.length).map((person) => person.id));
    const rows = [...found].map(([page, row]) => {
      const stayed = [...row.reach].filter((id) => !row.leave?.has(id));
      const rate = stayed.length ? stayed.filter((id) => buyers.has(id)).length / stayed.length : 0;
      const stake = (row.leave?.size ?? 0) * rate;
      return [page, row.reach.size, row.leave?.size ?? 0, round(stake, 2), round(stake * 88.4, 2)];
    }).sort((a, b) => b[3] - a[3]);
    return { columns: [text('place'), whole('people_reaching', 'people'), whole('people_leaving', 'people'), number('conversions_at_stake'), money('value_at_stake')], rows, notes: [note('held_against', { alone: 0 }, 'people who left are held against people who went on'), note('goes_together', null, 'this is what goes together, not what causes it')] };
  },
  compare(query) {
    const span = range(query);
    const segments = segmentsOf(query);
    const group = (members) => {
      const of = (pick) => members.map((person) => pick(person));
      const within = (list) => list.filter((one) => one.at >= span.start && one.at < span.end);
      return { n: members.length, conversion_rate: of((p) => Number(within(p.conversions).length > 0)), conversions_per_person: of((p) => within(p.conversions).length), value_per_person: of((p) => sum(within(p.conversions).map((one) => one.value))), sessions_per_person: of((p) => within(p.sessions).length) };
    };
    const [a, b] = [group(segments.a), group(segments.b)];
    const mean = (list) => (list.length ? sum(list) / list.length : 0);
    const error = (list) => { const centre = mean(list); return sum(list.map((one) => (one - centre) ** 2)) / Math.max(1, list.length - 1) / Math.max(1, list.length); };
    const units = { conversion_rate: 'percent', conversions_per_person: 'conversions', value_per_person: 'EUR', sessions_per_person: 'sessions' };
    const rows = Object.entries(units).map(([name, unit]) => {
      const gap = mean(a[name]) - mean(b[name]);
      const half = 1.96 * Math.sqrt(error(a[name]) + error(b[name]));
      return [name, ...[mean(a[name]), mean(b[name]), gap, gap - half, gap + half].map((one) => round(one)), unit];
    });
    return { columns: [text('metric'), number('a'), number('b'), number('difference'), number('low'), number('high'), text('unit')], rows: [['people', a.n, b.n, null, null, null, 'people'], ...rows], notes: [segments.said] };
  },
  'compare-flow'(query) {
    const [span, segments] = [range(query), segmentsOf(query)];
    const found = new Map();
    ['a', 'b'].forEach((name, side) => {
      for (const person of segments[name]) {
        const steps = new Set();
        for (const conversion of person.conversions.filter((one) => one.at >= span.start && one.at < span.end)) {
          const way = ['(start)', ...touchesOf(person, conversion).map((touch) => touch.channel), '(conversion)'];
          way.forEach((place, at) => { steps.add(place); if (at) steps.add(`${way[at - 1]}\u0000${place}`); });
        }
        for (const step of steps) (found.get(step) ?? found.set(step, [0, 0]).get(step))[side]++;
      }
    });
    const [allA, allB] = [segments.a.length, segments.b.length];
    const rows = [...found].map(([key, [one, other]]) => [...(key.includes('\u0000') ? key.split('\u0000') : [key, null]), one, other, one / allA, other / allB, ...newcombe(one, allA, other, allB)]);
    rows.sort((x, y) => Number(x[1] !== null) - Number(y[1] !== null) || Math.abs(y[6]) - Math.abs(x[6]));
    return { columns: [text('from'), text('to'), number('people_a', 'people'), number('people_b', 'people'), share('a'), share('b'), share('difference'), share('low'), share('high')], rows, notes: [note('segment_sizes', { goal: 'purchase', a: allA, b: allB }, 'people of the segments'), segments.said] };
  },
  retention(query) {
    const span = range(query);
    const long = query.get('every') === 'month' ? 30 * day : 7 * day;
    const cohorts = new Map();
    for (const person of people) {
      const born = Math.floor((person.sessions[0].at - span.start) / long);
      if (person.sessions[0].at < span.start || person.sessions[0].at >= span.end) continue;
      const row = cohorts.get(born) ?? cohorts.set(born, []).get(born);
      row.push(new Set(person.sessions.filter((session) => session.at < span.end).map((session) => Math.floor((session.at - span.start) / long) - born)));
    }
    const last = Math.floor((span.end - 1 - span.start) / long);
    const rows = [...cohorts].sort((a, b) => a[0] - b[0]).flatMap(([born, list]) => Array.from({ length: last - born + 1 }, (_, period) => { const back = list.filter((seen) => seen.has(period)).length; return [dayOf(span.start + born * long), period, back, list.length, list.length ? back / list.length : null, span.start + (born + period + 1) * long <= span.end]; }));
    return { columns: [time('cohort'), whole('period'), whole('people', 'people'), whole('size', 'people'), share('share'), { name: 'is_complete', type: 'bool', unit: null }], rows };
  },
  people(query) {
    const search = query.get('search') ?? '';
    const rows = people.filter((person) => !search || person.id.startsWith(search) || `user-${person.number}`.startsWith(search)).map((person) => [person.id, iso(person.sessions[0].at), iso(person.sessions.at(-1).at), person.sessions.length, person.conversions.length, round(sum(person.conversions.map((one) => one.value)), 2), person.sessions.at(-1).channel]).sort((a, b) => (a[2] < b[2] ? 1 : -1));
    return { columns: [text('person_id'), time('first_seen'), time('last_seen'), whole('sessions'), whole('conversions'), money('value'), text('last_channel')], rows };
  },
  quality() {
    const checks = [['rejected rows', 37, 0.0006, 'look at the rejected rows below, correct them and import the file again'], ['events without an identifier', 248, 0.004, 'map a column to anonymous_id, user_id, email, phone or crm_id'], ['events received over an hour late', 91, 0.0015, 'look at the queues and clocks of tracking clients'], ['events dated after they were received', 0, 0, 'a clock or a time zone is wrong'], ['touches of an unknown channel', 118, 0.0174, 'add a rule for the sources below'], ['sources spelled in several ways', 2, 0.18, 'name them as one under [channels.aliases]'], ['orders told more than once', 21, 0.028, 'nothing to do: an order counts once'], ['conversions that no touch preceded', 62, 0.08, 'look at the look-back window']];
    const codes = ['rejected_rows', 'no_identifier', 'hour_late', 'from_the_future', 'unknown_channel', 'spellings', 'told_again', 'no_touch'];
    return { columns: [text('check'), whole('count'), share('share'), text('what_to_do'), text('code')], rows: checks.map((row, at) => [...row, codes[at]]) };
  },
  rejects: () => ({ columns: [text('origin'), whole('line'), text('column'), text('value'), text('reason'), text('code')], rows: Array.from({ length: 37 }, (_, at) => ['till-2026-10.csv', 118 + at * 13, at % 3 ? 'occurred_at' : 'value', at % 3 ? `${(at % 28) + 1}.13.2026` : '12,5O', ...(at % 3 ? ['not a time that exists', 'no_such_time'] : ['not a number', 'not_a_number'])]) }),
  'reject-reasons': () => ({ columns: [text('reason'), whole('rows'), whole('files'), text('first_file'), whole('first_line'), text('code')], rows: [['not a time that exists', 24, 1, 'till-2026-10.csv', 131, 'no_such_time'], ['not a number', 13, 1, 'till-2026-10.csv', 118, 'not_a_number']] }),
  sources(query) {
    const found = count(sessionsIn(range(query)), ({ session }) => [session.source, session.medium, session.channel].join('\u0000'), (row, { session }) => (row.n = (row.n ?? 0) + session.events.length));
    return { columns: [text('source'), text('medium'), text('channel'), whole('events')], rows: [...found].map(([key, row]) => [...key.split('\u0000'), row.n]).sort((a, b) => Number(b[2] === 'Unassigned') - Number(a[2] === 'Unassigned') || b[3] - a[3]) };
  },
  channels(query) {
    const [span, by] = [range(query), query.get('by') ?? 'channel'];
    const label = labelBy(by, withinOf(query));
    const visits = count(sessionsIn(span), ({ session }) => label(session), (row, { person, session }) => { row.n = (row.n ?? 0) + 1; (row.people ??= new Set()).add(person.id); row.cost = (row.cost ?? 0) + (costOf[session.channel] ?? 0); });
    const on = count(conversionsIn(span, keepOf(query)).flatMap(({ conversion, touches }) => [...new Set(touches.map(label))].map((name) => ({ name, conversion }))), ({ name }) => name, (row, { conversion }) => { row.n = (row.n ?? 0) + 1; row.value = (row.value ?? 0) + conversion.value; });
    const models = query.getAll('model').length ? query.getAll('model') : ['linear', 'last'];
    const credited = creditOf(new URLSearchParams([...[...query].filter(([name]) => name !== 'model'), ...models.map((model) => ['model', model])]));
    const told = (name, cost, sessions, seen, took, value) => {
      const of = ({ credit }) => { const won = credit.get(name) ?? { conversions: 0, value: 0 }; return [round(won.conversions), round(won.value, 2), cost && won.conversions ? round(cost / won.conversions, 2) : null, cost ? round(won.value / cost, 3) : null]; };
      return [name, sessions, seen, took, value, cost ? Math.round(cost * 61) : null, cost ? Math.round(sessions * 1.3) + 20 : null, cost || null, ...credited.flatMap(of)];
    };
    const rows = [...new Set([...(credited[0]?.credit.keys() ?? []), ...visits.keys()])].map((name) => told(name, name.startsWith('(') ? 0 : round(visits.get(name)?.cost ?? 0, 2), visits.get(name)?.n ?? 0, visits.get(name)?.people.size ?? 0, on.get(name)?.n ?? 0, round(on.get(name)?.value ?? 0, 2))).sort((a, b) => b[8] - a[8]);
    // A campaign whose links do not carry its name.
    const lost = by === 'campaign' && withinOf(query).some(([, value]) => value === 'Paid Search');
    if (lost) rows.push(told('Autumn, brand', 412.5, 0, 0, 0, 0));
    const uncosted = rows.filter((row) => row[7] === null && row[8] > 0 && !row[0].startsWith('('));
    const notes = [...(lost ? [note('spent_without_credit', { model: models[0], cost: 412.5, rows: 1 }, '412.5 was spent without credit')] : []), ...(uncosted.length && rows.some((row) => row[7] !== null) ? [note('credit_without_cost', { model: models[0], conversions: round(sum(uncosted.map((row) => row[8])), 2), rows: uncosted.length }, 'conversions without a cost')] : []), note('goal_at_each_channel', { goal: 'purchase' }, 'goal purchase'), association];
    return { notes, columns: [text(by), whole('sessions'), whole('people', 'people'), number('conversions'), money('value'), whole('impressions'), whole('clicks'), money('cost'), ...models.flatMap((model) => [number(`credit ${model}`), money(`value ${model}`), money(`cpa ${model}`), number(`roas ${model}`)])], rows };
  },
  sessions(query) {
    const found = count(sessionsIn(range(query)), ({ session }) => session[query.get('by') ?? 'channel'], (row) => (row.n = (row.n ?? 0) + 1));
    return { columns: [text('label'), whole('sessions')], rows: [...found].map(([label, row]) => [label, row.n]) };
  },
};
