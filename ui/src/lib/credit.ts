/** The report `channels` carries, for each model, columns `credit MODEL`, `value MODEL`, `cpa MODEL` and `roas MODEL`. */
import type { Report } from './api';

/** The first model of the report; null where it has none. */
export function modelOf(report: Report | null): string | null {
  return report?.columns.find((column) => column.name.startsWith('credit '))?.name.slice('credit '.length) ?? null;
}

/** The column that tells a measure: conversions and value as the first model gives credit, so that they add up. */
export function columnOf(report: Report, measure: string): string {
  const model = modelOf(report);
  if (model === null) return measure;
  return measure === 'conversions' ? `credit ${model}` : measure === 'value' ? `value ${model}` : measure;
}
