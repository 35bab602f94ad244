/** Which of the first steps a user has made, and whether they are shown; kept in this browser, for each user apart. */
import { app } from './app.svelte';

export const steps = ['overview', 'compare', 'explain', 'obstacle', 'person', 'connect'] as const;
export type Step = (typeof steps)[number];

class Tour {
  #changed = $state(0);
  readonly #kept = $derived.by<{ hidden: boolean; done: string[] }>(() => {
    void this.#changed;
    return read(this.#key);
  });
  readonly done = $derived(new Set<string>(this.#kept.done));

  get #key(): string {
    return `safar.steps.${app.session?.user?.email ?? ''}`;
  }

  get shown(): boolean {
    return !this.#kept.hidden;
  }

  mark(step: Step, on: boolean): void {
    this.#write({ ...this.#kept, done: steps.filter((one) => (one === step ? on : this.done.has(one))) });
  }

  hide(): void {
    this.#write({ ...this.#kept, hidden: true });
  }

  show(): void {
    this.#write({ ...this.#kept, hidden: false });
  }

  #write(kept: { hidden: boolean; done: string[] }): void {
    localStorage.setItem(this.#key, JSON.stringify(kept));
    this.#changed += 1;
  }
}

/** What was kept; what cannot be read is as good as nothing. */
function read(key: string): { hidden: boolean; done: string[] } {
  try {
    const { hidden, done } = JSON.parse(localStorage.getItem(key) ?? '{}') as { hidden?: unknown; done?: unknown };
    return { hidden: hidden === true, done: Array.isArray(done) ? done.map(String) : [] };
  } catch {
    return { hidden: false, done: [] };
  }
}

export const tour = new Tour();
