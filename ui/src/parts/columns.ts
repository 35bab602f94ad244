/** Columns of a report as columns of a table. */
import type { Report } from '../lib/api';
import { modelName } from '../lib/models';
import { words } from '../i18n/words.svelte';
import type { Col } from './Table.svelte';

/** Those named, in that order; all where none is named. Bars go to `bars`. */
export function columnsOf(report: Report, names?: readonly string[], bars: readonly string[] = []): Col[] {
  const all = names ? names.flatMap((name) => report.columns.find((column) => column.name === name) ?? []) : report.columns;
  return all.map((column) => ({ ...column, title: titleOf(column.name), bar: bars.includes(column.name) }));
}

/** A column's title; `credit linear` is the credit that the model linear gives. */
export function titleOf(name: string): string {
  const [, what, model] = /^(credit|value|cpa|roas) (.+)$/.exec(name) ?? [];
  return what && model ? `${words.known('col', what)} · ${modelName(model)}` : words.known('col', name);
}
