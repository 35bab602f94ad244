/** Steps as the server spells them: `event:NAME`, `page:/path*` (`*` stands for any text), `goal:NAME`. */
export const kinds = ['event', 'page', 'goal'] as const;
export type Kind = (typeof kinds)[number];

export interface Step {
  kind: Kind;
  value: string;
}

/** The events of a shop on the way to a purchase, as GA4 and its followers name them. */
export const usual: readonly string[] = ['page_view', 'view_item', 'add_to_cart', 'begin_checkout'];

export const write = ({ kind, value }: Step): string => `${kind}:${value.trim()}`;

/** A step of an address; null where it is none. */
export function read(text: string): Step | null {
  const kind = kinds.find((one) => text.startsWith(`${one}:`));
  return kind ? { kind, value: text.slice(kind.length + 1) } : null;
}

/** The step that a place of a report stands for: pages begin with a slash, everything else is an event. */
export const stepOf = (place: string): string => write({ kind: place.startsWith('/') ? 'page' : 'event', value: place });
