/** The report `channels` carries, for each model, columns `credit MODEL`, `value MODEL`, `cpa MODEL` and `roas MODEL`. */
import { records, type Report } from './api';

/** The models of the report, in its order. */
export function modelsOf(report: Report | null): string[] {
  return (report?.columns ?? []).flatMap((column) => (column.name.startsWith('credit ') ? [column.name.slice('credit '.length)] : []));
}

/** The first model of the report; null where it has none. */
export const modelOf = (report: Report | null): string | null => modelsOf(report)[0] ?? null;

/** The column that tells a measure: conversions and value as a model gives credit, so that they add up. */
export function columnOf(report: Report, measure: string, model: string | null = modelOf(report)): string {
  if (model === null) return measure;
  if (measure === 'conversions') return `credit ${model}`;
  return ['value', 'cpa', 'roas'].includes(measure) ? `${measure} ${model}` : measure;
}

/** Whether any row of the report has a number there: the column is there in any case. */
export const tells = (report: Report | null, column: string): boolean => records(report).some((row) => typeof row[column] === 'number');

/** Whether any row of the report has a number that is not 0. */
export const tellsAny = (report: Report | null): boolean => records(report).some((row) => Object.values(row).some((cell) => typeof cell === 'number' && cell !== 0));

/** Whether any row of the report knows its cost. */
export const hasCosts = (report: Report | null): boolean => tells(report, 'cost');
