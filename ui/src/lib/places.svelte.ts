/** What people do on this site: names of events and pages as reports spell steps, those that most people reached first. */
import { records, text } from './api';
import { report } from './load.svelte';
import { stepOf, usual, type Step } from '../screens/funnel/steps';
import { app } from './app.svelte';

/** To be called while a component is made. Viewers may ask it too, unlike SQL. */
export class Places {
  readonly #events = report(() => ({ name: 'obstacles', params: { nodes: 'events', sort: '-people_reaching', settle_days: 0, limit: 200 }, whole: true }));
  readonly #pages = report(() => ({ name: 'obstacles', params: { nodes: 'pages', sort: '-people_reaching', settle_days: 0, limit: 200 }, whole: true }));

  /** Null until they are known. */
  readonly events = $derived(this.#events.answer.value && records(this.#events.answer.value).map((row) => text(row['place'])));
  readonly pages = $derived(records(this.#pages.answer.value).map((row) => text(row['place'])));

  /** What can stand in a step's field, by kind. */
  readonly byKind = $derived({ event: this.events ?? [], page: this.pages, goal: app.workspace?.goals ?? [] });

  /** As steps, for one field that takes all kinds. */
  readonly steps = $derived([...this.byKind.goal.map((goal) => `goal:${goal}`), ...this.byKind.event.map((name) => `event:${name}`), ...this.byKind.page.map(stepOf)]);

  /** Where an exploration begins unless somebody says otherwise: page views, or what most people did. */
  readonly start = $derived(firstOf(this.events));

  /** The funnel of a shop, as far as this site has its steps; what most people did and the goal where it has none. */
  readonly funnel = $derived(funnelOf(this.events, app.goal));
}

export function firstOf(events: readonly string[] | null): string {
  const known = !events || events.length === 0 || events.includes('page_view');
  return `event:${known ? 'page_view' : events[0]}`;
}

export function funnelOf(events: readonly string[] | null, goal: string): Step[] {
  const end: Step[] = goal ? [{ kind: 'goal', value: goal }] : [];
  const steps = usual.filter((name) => !events || events.length === 0 || events.includes(name)).map((value): Step => ({ kind: 'event', value }));
  if (steps.length) return [...steps, ...end];
  return [...(events ?? []).filter((name) => name !== goal).slice(0, 1).map((value): Step => ({ kind: 'event', value })), ...end];
}
