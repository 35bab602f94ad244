/** The screens: where each lives, what it is called, and how it is fetched when first opened. */
import type { Component } from 'svelte';
import type { Key } from '../i18n/en';
import type { IconName } from '../parts/Icon.svelte';

export interface Screen {
  path: string;
  title: Key;
  icon: IconName;
  group: Key | null;
  /** Whether goal, dates and filter mean something to it. */
  dated: boolean;
  /** Reached from elsewhere than the menu. */
  hidden?: true;
  /** The role it takes to open it at all. */
  role?: 'analyst' | 'admin';
  load: () => Promise<{ default: Component }>;
}

export const screens: readonly Screen[] = [
  { path: '/', title: 'nav.overview', icon: 'overview', group: null, dated: true, load: () => import('./Overview.svelte') },
  { path: '/attribution', title: 'nav.attribution', icon: 'credit', group: 'nav.group.credit', dated: true, load: () => import('./Attribution.svelte') },
  { path: '/agreement', title: 'nav.agreement', icon: 'agree', group: 'nav.group.credit', dated: true, load: () => import('./Agreement.svelte') },
  { path: '/channels', title: 'nav.channels', icon: 'channels', group: 'nav.group.credit', dated: true, load: () => import('./Channels.svelte') },
  { path: '/paths', title: 'nav.paths', icon: 'paths', group: 'nav.group.journeys', dated: true, load: () => import('./Paths.svelte') },
  { path: '/explorer', title: 'nav.explorer', icon: 'explorer', group: 'nav.group.journeys', dated: true, load: () => import('./Explorer.svelte') },
  { path: '/funnel', title: 'nav.funnel', icon: 'funnel', group: 'nav.group.journeys', dated: true, load: () => import('./Funnel.svelte') },
  { path: '/flow', title: 'nav.flow', icon: 'flow', group: 'nav.group.journeys', dated: true, load: () => import('./Flow.svelte') },
  { path: '/retention', title: 'nav.retention', icon: 'retention', group: 'nav.group.customers', dated: true, load: () => import('./Retention.svelte') },
  { path: '/people', title: 'nav.people', icon: 'people', group: 'nav.group.customers', dated: false, role: 'analyst', load: () => import('./People.svelte') },
  { path: '/quality', title: 'nav.quality', icon: 'quality', group: 'nav.group.data', dated: true, load: () => import('./Quality.svelte') },
  { path: '/sql', title: 'nav.sql', icon: 'sql', group: 'nav.group.data', dated: false, role: 'analyst', load: () => import('./Sql.svelte') },
  { path: '/settings', title: 'nav.settings', icon: 'settings', group: 'nav.group.data', dated: false, role: 'analyst', load: () => import('./Settings.svelte') },
  { path: '/account', title: 'app.account', icon: 'user', group: null, dated: false, hidden: true, load: () => import('./Account.svelte') },
];

/** The screen of an address: the longest path that it is, or begins with. */
export function screenOf(path: string): Screen | null {
  const clean = path.replace(/\/+$/, '') || '/';
  return screens.find((screen) => clean === screen.path || (screen.path === '/people' && clean.startsWith('/people/'))) ?? null;
}
