/** What is looked at is in the address and nowhere else: a copied address shows the same view. */

/** Parameters that stay when another screen is opened. */
const shared = ['goal', 'from', 'to', 'compare', 'where'];

type Change = Record<string, string | readonly string[] | null>;

class View {
  path = $state(location.pathname);
  search = $state(location.search);
  readonly #query = $derived(new URLSearchParams(this.search));

  constructor() {
    addEventListener('popstate', () => this.#read());
  }

  #read(): void {
    this.path = location.pathname;
    this.search = location.search;
  }

  get(name: string): string | null {
    return this.#query.get(name);
  }

  all(name: string): string[] {
    return this.#query.getAll(name);
  }

  /** How many rows come before the page that is looked at. */
  offset(name: string): number {
    return Math.max(0, Number(this.get(name) ?? 0) || 0);
  }

  /** Changes parameters of this screen; `null` removes one. */
  set(change: Change, how: 'push' | 'replace' = 'push'): void {
    this.#write(this.path, changed(new URLSearchParams(this.search), change), how);
  }

  /** The address of a screen with the shared parameters of this one. */
  href(path: string, change: Change = {}): string {
    const query = new URLSearchParams();
    for (const name of shared) for (const value of this.#query.getAll(name)) query.append(name, value);
    const text = changed(query, change).toString();
    return text ? `${path}?${text}` : path;
  }

  go(href: string, how: 'push' | 'replace' = 'push'): void {
    const url = new URL(href, location.href);
    this.#write(url.pathname, url.searchParams, how);
  }

  #write(path: string, query: URLSearchParams, how: 'push' | 'replace'): void {
    const text = query.toString();
    const href = path + (text ? `?${text}` : '');
    if (href === location.pathname + location.search) return;
    history[how === 'push' ? 'pushState' : 'replaceState'](null, '', href);
    const moved = path !== this.path;
    this.#read();
    if (moved) scrollTo(0, 0);
  }
}

function changed(query: URLSearchParams, change: Change): URLSearchParams {
  for (const [name, value] of Object.entries(change)) {
    query.delete(name);
    if (value === null || value === '') continue;
    for (const item of typeof value === 'string' ? [value] : value) query.append(name, item);
  }
  return query;
}

export const view = new View();

/** Lets links of this site change the view without loading the page anew. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest('a');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.pathname.startsWith('/api/')) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  view.go(link.href);
}
