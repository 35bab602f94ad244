import { app } from './app.svelte';
import { words } from '../i18n/words.svelte';

/** The first word of a specification: `position:first=0.3` is a `position`. */
export const kind = (spec: string): string => spec.split(':')[0] ?? spec;

/** Settings that a model has anyway: its name says nothing of them. */
const usual: Record<string, string> = { last_non_direct: 'direct=Direct', position: 'first=0.4,last=0.4', time_decay: 'half_life=7d', markov: 'order=1' };
const settingsOf = (spec: string): string => {
  const settings = spec.slice(kind(spec).length + 1);
  return settings === usual[kind(spec)] ? '' : settings;
};

/** A model's name in the reader's language, with its settings; the server's name where there is none. */
export function modelName(spec: string): string {
  const settings = settingsOf(spec);
  const known = words.has(`model.${kind(spec)}`);
  const name = known ? words.known('model', kind(spec)) : (app.workspace?.models.find((model) => model.spec === spec)?.name ?? spec);
  return known && settings ? `${name} (${settings})` : name;
}

export function modelHelp(spec: string): string {
  const key = `model.${kind(spec)}.help`;
  return words.has(key) ? words.t(key) : (app.workspace?.models.find((model) => model.spec === spec)?.help ?? '');
}

/** Shares of four touches, first to last, of the rules that need no data; times are a day apart. */
export function fourShares(spec: string): number[] | null {
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
