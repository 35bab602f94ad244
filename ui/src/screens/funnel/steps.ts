/** A step as the settings spell conditions: `{"field":"name","is":["purchase"]}`. */
export const fields = ['name', 'page', 'channel', 'source', 'campaign'] as const;
export const operators = ['is', 'contains', 'starts_with'] as const;
export type Operator = (typeof operators)[number];

export interface Step {
  field: string;
  operator: Operator;
  value: string;
}

export const usual: readonly Step[] = [
  { field: 'name', operator: 'is', value: 'session_start' },
  { field: 'name', operator: 'is', value: 'view_item' },
  { field: 'name', operator: 'is', value: 'add_to_cart' },
  { field: 'name', operator: 'is', value: 'begin_checkout' },
  { field: 'name', operator: 'is', value: 'purchase' },
];

export function write(step: Step): string {
  return JSON.stringify({ field: step.field, [step.operator]: [step.value] });
}

/** A step of an address; null where it is none. */
export function read(text: string): Step | null {
  try {
    const json = JSON.parse(text) as Record<string, unknown>;
    const operator = operators.find((one) => Array.isArray(json[one]));
    const values = operator && (json[operator] as unknown[]);
    if (!operator || typeof json['field'] !== 'string' || typeof values?.[0] !== 'string') return null;
    return { field: json['field'], operator, value: values[0] };
  } catch {
    return null;
  }
}
