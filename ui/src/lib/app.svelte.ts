/** Who is here, which workspace this is, and how it is shown. */
import { call, keepCsrf, type Session, type Workspace } from './api';
import { addDays, today } from './days';
import { view } from './view.svelte';

export type Theme = 'system' | 'light' | 'dark';
const rank = { viewer: 0, analyst: 1, admin: 2 } as const;

class App {
  session = $state.raw<Session | null>(null);
  workspace = $state.raw<Workspace | null>(null);
  theme = $state<Theme>(readTheme());

  async open(): Promise<void> {
    const session = await call<Session>('GET', '/session');
    keepCsrf(session.csrf);
    this.workspace = session.user ? await call<Workspace>('GET', '/workspace') : null;
    this.session = session;
  }

  async refresh(): Promise<void> {
    this.workspace = await call<Workspace>('GET', '/workspace');
  }

  may(role: keyof typeof rank): boolean {
    const mine = this.session?.user?.role;
    return mine !== undefined && rank[mine] >= rank[role];
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    localStorage.setItem('safar.theme', theme);
    showTheme(theme);
  }

  get currency(): string {
    return this.workspace?.currency ?? 'EUR';
  }

  /** The workspace's time zone; UTC where the browser does not know it, which `zoneUnknown` tells. */
  readonly zone = $derived(this.workspace && isZone(this.workspace.time_zone) ? this.workspace.time_zone : 'UTC');
  readonly zoneUnknown = $derived(this.workspace !== null && !isZone(this.workspace.time_zone));

  get goal(): string {
    return view.get('goal') ?? this.workspace?.goals[0] ?? '';
  }

  /** The day after the last one that has data. */
  get end(): string {
    return addDays(this.workspace?.last_day ?? today(this.zone), 1);
  }

  /** First day shown, and the day after the last: the last 90 days that have data where the address names none. */
  get range(): { from: string; to: string } {
    const to = view.get('to') ?? this.end;
    return { from: view.get('from') ?? addDays(to, -90), to };
  }

  /** The days just before, as many. */
  get before(): { from: string; to: string } {
    const { from, to } = this.range;
    const days = Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
    return { from: addDays(from, -days), to: from };
  }

  get comparing(): boolean {
    return view.get('compare') !== 'none';
  }

  /** What every report is asked with. */
  get common(): Record<string, string | null> {
    return { goal: view.get('goal'), ...this.range, where: view.get('where') };
  }
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function readTheme(): Theme {
  const kept = localStorage.getItem('safar.theme');
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

export function showTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export const app = new App();
