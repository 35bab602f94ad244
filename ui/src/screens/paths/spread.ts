/** How conversions spread over whole numbers: days, or touches. */
import { num, type Row } from '../../lib/api';
import { t, words } from '../../i18n/words.svelte';

const most = 31;

/** Conversions at `key` 0, 1, 2 …, none of them left out; those beyond what a chart shows are one column, told so. */
export function spread(rows: Row[], key: string): { labels: string[]; values: number[] } {
  const known = rows.filter((row) => row[key] !== null);
  const sum = (of: Row[]): number => of.reduce((all, row) => all + num(row['conversions']), 0);
  const last = Math.max(0, ...known.map((row) => num(row[key])));
  const places = Array.from({ length: Math.min(last, most - 1) + 1 }, (_, at) => at);
  const labels = places.map((at) => words.number(at));
  const values = places.map((at) => sum(known.filter((row) => num(row[key]) === at)));
  if (last >= most) {
    labels.push(t('paths.orMore', { n: most }));
    values.push(sum(known.filter((row) => num(row[key]) >= most)));
  }
  // Without a number: on a chart only where there is nothing else, a note has it otherwise.
  return known.length ? { labels, values } : { labels: [t('paths.untimed')], values: [sum(rows)] };
}
