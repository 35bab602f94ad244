/** What the server says in codes and values, in the reader's language; its own English where a code is not known here. */
import type { Problem, Report } from './api';
import type { Note } from './contract';
import { app } from './app.svelte';
import { amount, label, namespace } from './cells';
import { addDays } from './days';
import { modelName } from './models';
import type { Key } from '../i18n/en';
import { t, words } from '../i18n/words.svelte';

type Values = Record<string, unknown>;
interface Said { code: string; values?: Values; text?: string }

/** Values that are words of the server's own, with the texts that say them. */
const named: Record<string, (value: unknown) => string> = {
  order: (value) => `order.${String(value)}`,
  open: (value) => (value ? 'funnel.open' : 'funnel.closed'),
  way: (value) => `explorer.${String(value)}`,
  role: (value) => `role.${String(value)}`,
  step: (value) => `doing.${String(value)}`,
  wanted: (value) => `wanted.${String(value)}`,
};
const parts = ['level', 'share', 'earlier', 'later', 'chance'];
const money = ['cost', 'value', 'unattributed_value'];
const dates = ['from', 'to', 'before_from', 'before_to', 'first', 'split'];

function told(name: string, value: unknown, all: Values): string {
  const key = named[name]?.(value);
  if (key && words.has(key)) return t(key);
  if (typeof value === 'number') {
    if (parts.includes(name)) return words.percent(value, 2);
    if (money.includes(name)) return amount(value, typeof all['currency'] === 'string' ? all['currency'] : app.currency);
    return name === 'p' ? words.chance(value) : words.number(value, 5);
  }
  if (Array.isArray(value)) return value.map((one) => (name === 'models' ? modelName(String(one)) : label(String(one)))).join(', ');
  if (typeof value === 'object' && value) return say(value as Said, 'why');
  const text = String(value ?? '');
  if (name === 'model') return modelName(text);
  if (name.endsWith('namespace')) return namespace(text);
  // The day after the last is the last day to readers.
  if (dates.includes(name)) return text.includes('T') ? words.time(text, app.zone) : words.day(name.endsWith('to') ? addDays(text, -1) : text);
  return label(text);
}

/** A note, a reason or a refusal in words; codes are those of the server's contract. */
export function say(said: Said, kind: 'note' | 'why' | 'reason' | 'build' = 'note'): string {
  const [key, values] = [`${kind}.${said.code}`, said.values ?? {}];
  if (!words.has(key)) return said.text ?? String(values['text'] ?? said.code);
  return t(key, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, told(name, value, values)])));
}

/** Notes in words, each with the direction of its writing where that is not the reader's. */
export const sayAll = (notes: readonly Note[]): { text: string; dir: 'auto' | undefined }[] => notes.map((note) => ({ text: say(note), dir: words.has(`note.${note.code}`) ? undefined : 'auto' }));

export interface Refused { model: string; why: string }

/** Models that the server did not compute, each with its reason. */
export const refusedIn = (report: Report | null): Refused[] =>
  (report?.meta.notes ?? []).flatMap((note) => (note.code === 'refused' ? [{ model: note.values.model, why: say(note.values.why, 'why') }] : []));

/** What its title says all of. */
const plain = ['csrf', 'busy', 'login_needed', 'read_only'];

/** Settings by their last name, and what says how their values are written. */
const ways: Record<string, Key> = {
  time_zone: 'allowed.time_zone', zone: 'allowed.time_zone', currency: 'allowed.currency', default_currency: 'allowed.currency',
  own_domains: 'allowed.domains', ignored_referrers: 'allowed.domains',
  keep_events: 'allowed.age', keep_requests: 'allowed.age', keep_rejects: 'allowed.age', keep_dropped: 'allowed.age',
  session_days: 'allowed.session_days', phone_country: 'allowed.phone_country', models: 'allowed.models', from: 'allowed.day', until: 'allowed.day',
};

/** What a refusal says beyond its title, whether that is the server's English, and what only the server's English tells. */
export function because(problem: Problem): { text: string; english: boolean; detail?: string } {
  const reason = problem.reason && words.has(`reason.${problem.reason.code}`) ? problem.reason : null;
  if (reason?.code === 'bad_setting') {
    const way = ways[reason.values.setting.split('.').at(-1) ?? ''];
    return { text: [say(reason, 'reason'), way ? t(way) : ''].filter(Boolean).join(' · '), english: false, detail: problem.detail ?? '' };
  }
  if (reason) return { text: say(reason, 'reason'), english: false, ...(reason.code === 'not_toml' ? { detail: problem.detail ?? '' } : {}) };
  if (plain.includes(problem.code ?? '')) return { text: '', english: false };
  return { text: [problem.detail, problem.hint].filter(Boolean).join(' · '), english: true };
}

/** The kind of a refusal. */
export function titleOf(problem: Problem): string {
  if (problem.status === 0 && problem.code === 'offline') return t('app.offline');
  const key = `problem.${problem.code ?? ''}`;
  return words.has(key) ? t(key) : problem.title || t('app.failed');
}

/** A refusal in one line, for a notice. */
export const complaint = (problem: Problem): string => because(problem).text || titleOf(problem);
