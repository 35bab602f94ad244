/** Columns of a report as columns of a table. */
import type { Report } from '../lib/api';
import { modelName } from '../lib/models';
import { words } from '../i18n/words.svelte';
import type { Col } from './Table.svelte';

/** Those named, in that order; all where none is named. Bars go to `bars`. */
export function columnsOf(report: Report, names?: readonly string[], bars: readonly string[] = []): Col[] {
  const all = names ? names.flatMap((name) => report.columns.find((column) => column.name === name) ?? []) : report.columns;
  const models = new Set(all.map(({ name }) => parted(name)?.model));
  models.delete(undefined);
  return all.map((column) => ({ ...column, title: titleOf(column.name, models.size === 1), bar: bars.includes(column.name) }));
}

/** `credit linear` is the credit that the model linear gives. */
function parted(name: string): { what: string; model: string } | null {
  const [, what, model] = /^(credit|value|cpa|roas) (.+)$/.exec(name) ?? [];
  return what && model ? { what, model } : null;
}

/** A column's title. Where the table is of one model, what stands over it says which. */
export function titleOf(name: string, alone = false): string {
  const { what = name, model = '' } = parted(name) ?? {};
  return model && !alone ? `${words.known('col', what)} · ${modelName(model)}` : words.known('col', what);
}
