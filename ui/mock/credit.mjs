// Attribution on the imaginary shop's paths.
import { day } from './world.mjs';

const model = (spec, help, causal = false) => ({ spec, name: spec.split(':')[0], help, causal, chosen: true });
export const models = [
  model('first', 'all credit to the first touch'),
  model('last', 'all credit to the last touch, direct included'),
  model('last_non_direct', 'all credit to the last touch that is not direct'),
  model('linear', 'equal credit to every touch'),
  model('position', 'fixed shares for the first and the last touch'),
  model('time_decay', "a touch's weight halves with every half-life"),
  model('markov', 'removal effects in a Markov chain'),
  { ...model('shapley', "equal credit to a path's distinct channels"), chosen: false },
  { ...model('w_shaped', '30 % each to the first, the middle and the last touch'), chosen: false },
  { ...model('hazard:rounds=60', "what touches add to a person's rate of conversion", true), chosen: false },
];

const only = (count, at) => Array.from({ length: count }, (_, place) => (place === at ? 1 : 0));

/** Shares of a path's touches; `strength` is what a learned model thinks of each label. */
export function weights(model, touches, at, label, strength) {
  const count = touches.length;
  if (model === 'first') return only(count, 0);
  if (model === 'last') return only(count, count - 1);
  if (model === 'last_non_direct') {
    const last = touches.findLastIndex((touch) => touch.channel !== 'Direct');
    return only(count, last < 0 ? count - 1 : last);
  }
  const raw =
    model === 'time_decay' ? touches.map((touch) => 2 ** (-(at - touch.at) / (7 * day)))
    : model === 'position' && count > 2 ? touches.map((_, place) => (place === 0 || place === count - 1 ? 0.4 : 0.2 / (count - 2)))
    : model === 'shapley' ? touches.map((touch) => 1 / touches.filter((other) => label(other) === label(touch)).length)
    : model === 'markov' ? touches.map((touch) => strength.get(label(touch)) ?? 0)
    : touches.map(() => 1);
  const sum = raw.reduce((a, b) => a + b, 0) || 1;
  return raw.map((weight) => weight / sum);
}

/** Removal effects of a chain of order one, by power iteration; `paths` are { labels, conversions, nulls }. */
export function removal(paths) {
  const moves = new Map();
  const add = (from, to, weight) => {
    const row = moves.get(from) ?? moves.set(from, new Map()).get(from);
    row.set(to, (row.get(to) ?? 0) + weight);
  };
  for (const { labels, conversions, nulls } of paths) {
    const weight = conversions + nulls;
    ['(start)', ...labels].forEach((from, at) => (at < labels.length ? add(from, labels[at], weight) : (add(from, '(yes)', conversions), add(from, '(no)', nulls))));
  }
  const chance = (without) => {
    const value = new Map([['(yes)', 1]]);
    for (let round = 0; round < 60; round++) {
      for (const [from, row] of moves) {
        if (from === without) continue;
        let [sum, all] = [0, 0];
        for (const [to, weight] of row) {
          all += weight;
          sum += to === without ? 0 : weight * (value.get(to) ?? 0);
        }
        value.set(from, all ? sum / all : 0);
      }
    }
    return value.get('(start)') ?? 0;
  };
  const whole = chance(null) || 1;
  return new Map([...moves.keys()].filter((name) => name !== '(start)').map((name) => [name, 1 - chance(name) / whole]));
}
