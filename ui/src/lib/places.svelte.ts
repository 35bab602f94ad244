/** What people did in the days shown: names of events and pages as reports spell steps, those that most people reached first. */
import { records, text, type Report } from './api';
import { report, type Question } from './load.svelte';
import { stepOf, usual, type Step } from '../screens/funnel/steps';
import { app } from './app.svelte';

const ask = (nodes: string): Question => ({ name: 'obstacles', params: { nodes, sort: '-people_reaching', settle_days: 0, limit: 200 } });
const namesOf = (found: Report | null): string[] => records(found).map((row) => text(row['place'])).filter((name) => name && !name.startsWith('('));

/** To be called while a component is made. Viewers may ask it too, unlike SQL. */
export class Places {
  readonly #events = report(() => ask('events'));
  readonly #pages = report(() => ask('pages'));

  /** Null until they are known. Trackers call page views by several names: none is taken for granted. */
  readonly events = $derived(this.#events.answer.value && namesOf(this.#events.answer.value));
  readonly pages = $derived(namesOf(this.#pages.answer.value));

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
