/** Places and moves of the report `transitions`. */
import { num, text, type Row } from '../../lib/api';

export interface Move { from: string; to: string; size: number }

export const measures = ['people', 'count', 'median_seconds'] as const;
export type Measure = (typeof measures)[number];

export const moves = (rows: Row[], measure: Measure | 'difference' = 'people'): Move[] => rows.map((row) => ({ from: text(row['from']), to: text(row['to']), size: num(row[measure]) }));

/** The places that most people came through: those that open paths first, those that end them last. */
export function places(list: Move[], most = 12): string[] {
  const weight = new Map<string, { out: number; in: number }>();
  const at = (name: string): { out: number; in: number } => weight.get(name) ?? weight.set(name, { out: 0, in: 0 }).get(name)!;
  for (const { from, to, size } of list) {
    if (from === to) continue;
    at(from).out += size;
    at(to).in += size;
  }
  return [...weight].toSorted(([, x], [, y]) => y.out + y.in - x.out - x.in).slice(0, most).toSorted(([, x], [, y]) => y.out / (y.in + 1) - x.out / (x.in + 1)).map(([name]) => name);
}

/** Rows and columns of a table over the moves; ways out have no row, the way in no column. */
export function grid(list: Move[], names: string[]): { columns: string[]; rows: { label: string; values: (number | null)[] }[] } {
  const found = new Map(list.map((move) => [`${move.from}\u0000${move.to}`, move.size]));
  const rows = names.filter((name) => list.some((move) => move.from === name));
  const columns = names.filter((name) => list.some((move) => move.to === name));
  return { columns, rows: rows.map((from) => ({ label: from, values: columns.map((to) => found.get(`${from}\u0000${to}`) ?? null) })) };
}
