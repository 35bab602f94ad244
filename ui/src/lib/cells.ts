/** Cells as the reader sees them: rounded for the eye, by the column's type and unit. */
import type { Cell, Column } from './api';
import { words, t } from '../i18n/words.svelte';
import { app } from './app.svelte';

/** A day without a time of day. */
const dayOnly = /^\d{4}-\d{2}-\d{2}(T00:00:00(\.0+)?Z?)?$/;

export function show(column: Column, cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return '–';
  if (column.type === 'bool') return cell ? '✓' : '–';
  if (column.type === 'time') return dayOnly.test(String(cell)) ? words.day(String(cell)) : words.time(String(cell), app.zone);
  if (typeof cell !== 'number') return label(String(cell));
  return amount(cell, column.unit);
}

/** A number with its unit: a currency (ISO 4217), `percent` (a part of 1), `seconds`, or a plain count. */
export function amount(value: number, unit: string | null): string {
  if (unit && /^[A-Z]{3}$/.test(unit)) return words.money(value, unit);
  if (unit === 'percent' || unit === 'share') return words.percent(value);
  if (unit === 'seconds') return words.span(value);
  return words.number(value);
}

/** A name of a kind in words; as it stands where there are none. */
function called(kind: string, name: string): string {
  const key = `${kind}.${name}`;
  return words.has(key) ? t(key) : name;
}

/** What a person sees in place of a name that the server keeps for what has no name. */
export function label(name: string): string {
  if (name === '(unattributed)') return t('attr.unattributed');
  return called('placeholder', name);
}

/** What kind of identifier it is; kinds of the workspace's own are called as it calls them. */
export function namespace(name: string): string {
  return called('namespace', name);
}

/** Numbers stand at the end of their cell, so that digits stand below one another. */
export const isNumber = (column: Column): boolean => column.type === 'number' || column.type === 'integer';
