/** Answers that follow what is looked at: asked again when the question changes, dropped when nobody waits any more. */
import { ApiError, call, reportUrl, type Params, type Problem, type Report } from './api';
import { app } from './app.svelte';
import { view } from './view.svelte';

export class Loaded<T> {
  /** The newest answer; kept on the screen while the next is awaited. */
  value = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  loading = $state(true);
  asked = $state(0);

  /** Asks once more. */
  again(): void {
    this.asked += 1;
  }
}

/** Follows a question; `null` asks nothing. To be called while a component is made. */
export function load<T>(question: () => ((signal: AbortSignal) => Promise<T>) | null): Loaded<T> {
  const loaded = new Loaded<T>();
  $effect(() => {
    void loaded.asked;
    const ask = question();
    if (!ask) {
      loaded.value = null;
      loaded.loading = false;
      return;
    }
    const control = new AbortController();
    loaded.loading = true;
    loaded.problem = null;
    ask(control.signal).then(
      (value) => {
        if (control.signal.aborted) return;
        loaded.value = value;
        loaded.loading = false;
      },
      (error: unknown) => {
        if (control.signal.aborted) return;
        loaded.loading = false;
        loaded.value = null;
        loaded.problem = problemFrom(error);
      },
    );
    return () => control.abort();
  });
  return loaded;
}


export interface Question {
  name: string;
  params?: Params;
  /** Of all data: goal, days and filter are not asked with. */
  whole?: boolean;
  /** Sorted by the server: its table is longer than what one answer holds. */
  sorted?: boolean;
}

/** The most rows that one answer holds; downloads have no limit. */
const most = 10_000;

export interface Found {
  answer: Loaded<Report>;
  download: (format: string) => string;
  /** How the server sorts; of use where the table is longer than what one answer holds. */
  order: { now: string | null; set: (order: string) => void };
}

export function report(question: () => Question | null): Found {
  const name = $derived(question()?.name ?? '');
  const sort = $derived(name ? view.get(`sort-${name}`) : null);
  const asked = $derived.by(() => {
    const wanted = question();
    return wanted && { name: wanted.name, params: { ...(wanted.whole ? {} : app.common), limit: most, sort: wanted.sorted ? sort : null, ...wanted.params } };
  });
  const answer = load(() => {
    const now = asked;
    if (!now) return null;
    const path = reportUrl(now.name, now.params).replace('/api/v1', '');
    return (signal) => call<Report>('GET', path, undefined, signal);
  });
  const download = (format: string): string => {
    if (!asked) return '';
    const { limit: _limit, offset: _offset, ...all } = asked.params as Params;
    return reportUrl(asked.name, { ...all, format });
  };
  const order = { get now() { return sort; }, set: (wanted: string) => view.set({ [`sort-${name}`]: wanted }, 'replace') };
  return { answer, download, order };
}

export function problemFrom(error: unknown): Problem {
  if (error instanceof ApiError) {
    if (error.problem.status === 401) void app.open().catch(() => undefined);
    return error.problem;
  }
  return { type: 'about:blank', title: String(error), status: 0, code: 'screen' };
}
