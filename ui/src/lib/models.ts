import { app } from './app.svelte';
import { words } from '../i18n/words.svelte';

/** The first word of a specification: `position:first=0.3` is a `position`. */
export const kind = (spec: string): string => spec.split(':')[0] ?? spec;

/** Settings that a model has anyway: its name says nothing of them. */
const usual: Record<string, string> = { last_non_direct: 'direct=Direct', position: 'first=0.4,last=0.4', time_decay: 'half_life=7d', markov: 'order=1', shapley_markov: 'order=1', logistic: 'bags=100,l2=1,seed=1', hazard: 'rounds=60', intent_hazard: 'levels=7,moods=3,rounds=60' };
const settingsOf = (spec: string): string => {
  const settings = spec.slice(kind(spec).length + 1);
  return settings === usual[kind(spec)] ? '' : settings;
};
const told = (spec: string): { name: string; help: string; shares_of_four?: (number | null)[] | null } | undefined => app.workspace?.models.find((model) => model.spec === spec);

/** A model's name in the reader's language, with its settings; the server's name where there is none. */
export function modelName(spec: string): string {
  const settings = settingsOf(spec);
  const known = words.has(`model.${kind(spec)}`);
  const name = known ? words.known('model', kind(spec)) : (told(spec)?.name ?? spec);
  return known && settings ? `${name} (${settings})` : name;
}

export function modelHelp(spec: string): string {
  const key = `model.${kind(spec)}.help`;
  return words.has(key) ? words.t(key) : (told(spec)?.help ?? '');
}

/** How a model comes to its shares; null for one that this screen does not know. */
export function nature(spec: string): 'ruleFixed' | 'ruleWhole' | 'ruleChannels' | 'learned' | null {
  const name = kind(spec);
  if (name === 'participation') return 'ruleWhole';
  if (name === 'shapley') return 'ruleChannels';
  if (['first', 'last', 'last_non_direct', 'linear', 'position', 'position_decay', 'time_decay', 'custom', 'amplitude_j', 'w_shaped'].includes(name)) return 'ruleFixed';
  return ['markov', 'shapley_rate', 'shapley_markov', 'leave_one_out', 'shao_li', 'logistic', 'hazard', 'intent_hazard'].includes(name) ? 'learned' : null;
}

/** Shares of four touches, first to last, of the rules that need no data; times are a day apart. The server's where it tells them. */
export function fourShares(spec: string): number[] | null {
  const given = told(spec)?.shares_of_four;
  if (given?.length === 4 && given.every((share) => typeof share === 'number')) return given as number[];
  if (settingsOf(spec)) return null;
  const decay = [3, 2, 1, 0].map((days) => 2 ** (-days / 7));
  const sum = decay.reduce((a, b) => a + b);
  const rules: Record<string, number[]> = {
    first: [1, 0, 0, 0],
    last: [0, 0, 0, 1],
    linear: [0.25, 0.25, 0.25, 0.25],
    position: [0.4, 0.1, 0.1, 0.4],
    position_decay: [0.1, 0.2, 0.3, 0.4],
    time_decay: decay.map((weight) => weight / sum),
  };
  return rules[kind(spec)] ?? null;
}
