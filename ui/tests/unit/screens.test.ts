/** Screens by themselves, over answers that only data of some kinds bring about. */
import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { app } from '../../src/lib/app.svelte';
import { view } from '../../src/lib/view.svelte';
import Attribution from '../../src/screens/Attribution.svelte';
import Channels from '../../src/screens/Channels.svelte';
import Retention from '../../src/screens/Retention.svelte';
import Live from '../../src/screens/overview/Live.svelte';
import PersonPage from '../../src/screens/people/Person.svelte';
import Rule from '../../src/screens/quality/Rule.svelte';

const as = (role: 'viewer' | 'analyst' | 'admin'): void => {
  app.session = { user: { name: 'Ada', email: 'ada@example.com', role }, setup_needed: false, csrf: '', locale: null };
  app.workspace = { name: 'shop', time_zone: 'UTC', currency: 'EUR', goals: ['purchase'], models: [{ spec: 'last', name: 'last', help: '', causal: false, chosen: true }], dimensions: [], first_day: '2026-01-01', last_day: '2026-11-21', events: 10, people: 5, data_version: '1', settings_version: 'a', program_version: '0.1.0', last_build: null, locale: null };
};
const meta = { report: 'r', data_version: '1', settings_version: 's', program_version: 'p', seed: null, took_ms: 1, cached: false, from: null, to: null, goal: null, notes: [] };
/** A server that answers every report with these columns and rows. */
const answering = (columns: string[], rows: unknown[][]): void => {
  const types = columns.map((name, at) => ({ name, type: typeof rows[0]?.[at] === 'number' ? 'number' : 'text', unit: null }));
  vi.stubGlobal('fetch', vi.fn(async () => new Response(JSON.stringify({ meta, columns: types, rows, total_rows: rows.length, extra: {} }), { headers: { 'content-type': 'application/json' } })));
};
afterEach(() => {
  cleanup();
  app.session = null;
  app.workspace = null;
  view.go('/');
  vi.unstubAllGlobals();
});

it('a cohort of nobody has no share, not 0 %', async () => {
  as('admin');
  answering(['cohort', 'period', 'people', 'size', 'share', 'is_complete'], [['2026-01-05', 0, 4, 4, 1, true], ['2026-01-05', 1, 0, 4, 0, true], ['2026-01-12', 0, 0, 0, 0, true], ['2026-01-19', 0, 0, 0, null, true]]);
  render(Retention, {});
  await screen.findByRole('rowheader', { name: '12 Jan 2026' });
  const cells = (name: string): string[] => [...(screen.getByRole('rowheader', { name }).parentElement?.querySelectorAll('td') ?? [])].map((cell) => cell.textContent ?? '');
  expect([cells('5 Jan 2026'), cells('12 Jan 2026'), cells('19 Jan 2026')]).toEqual([['4', '100%', '0%'], ['0', '', ''], ['0', '', '']]);
});

it('nobody drills into what is elsewhere or unattributed', async () => {
  as('viewer');
  view.set({ by: 'campaign', within: ['channel=Email'], model: 'last' });
  answering(['model', 'label', 'conversions', 'value', 'share'], [['last', 'weekly', 2, 20, 0.2], ['last', '(elsewhere)', 7, 70, 0.7], ['last', '(unattributed)', 1, 10, 0.1]]);
  render(Attribution, {});
  await screen.findByRole('rowheader', { name: 'weekly' });
  expect(screen.getAllByRole('rowheader').map((head) => [head.textContent, head.querySelector('a') !== null])).toEqual([['weekly', true], ['(elsewhere)', false], ['(unattributed)', false], ['All', false]]);
});

describe('channels', () => {
  const columns = ['channel', 'sessions', 'people', 'conversions', 'value', 'cost', 'credit last', 'value last', 'cpa last', 'roas last'];
  it('say how costs come in where there are none, and choose among measures of costs where there are', async () => {
    as('admin');
    answering(columns, [['Email', 1, 1, 1, 9, null, 1, 9, null, null]]);
    const { unmount } = render(Channels, {});
    await screen.findByText(/ROAS and cost per conversion appear/);
    expect(screen.queryByRole('radio', { name: 'ROAS' })).toBeNull();
    unmount();
    answering(columns, [['Email', 1, 1, 1, 9, 3, 1, 9, 3, 3], ['(unattributed)', 0, 0, 1, 5, null, 1, 5, null, null]]);
    render(Channels, {});
    await fireEvent.click(await screen.findByRole('radio', { name: 'ROAS' }));
    expect(screen.queryByText(/ROAS and cost per conversion appear/)).toBeNull();
    expect([view.get('measure'), screen.queryByRole('link', { name: /unattributed/ })]).toEqual(['roas', null]);
  });
});

describe('events as they come', () => {
  class Stream {
    static all: Stream[] = [];
    onmessage: ((message: { data: string }) => void) | null = null;
    constructor() {
      Stream.all.push(this);
    }
    close(): void {}
  }
  it.each([['analyst', '/people/7'], ['viewer', null]] as const)('lead an %s to the person: %s', async (role, href) => {
    as(role);
    vi.stubGlobal('EventSource', Stream);
    render(Live, {});
    Stream.all.at(-1)?.onmessage?.({ data: JSON.stringify({ events: [{ time: '2026-11-21T10:00:00Z', name: 'page_view', channel: null, person: '7' }], per_minute: 1, lag_seconds: null }) });
    const name = await screen.findByText('page_view');
    expect(name.closest('a')?.getAttribute('href') ?? null).toBe(href);
  });
});

it('a rule for events that say nothing is refused with its reason, before the server must', async () => {
  as('admin');
  vi.stubGlobal('fetch', vi.fn(async () => new Response(JSON.stringify({ text: '', version: 'v', history: [] }), { headers: { 'content-type': 'application/json' } })));
  const { unmount } = render(Rule, { source: '(not set)', medium: '', onclose: vi.fn(), onsaved: vi.fn() });
  await screen.findByText(/say neither source nor medium/);
  expect((screen.getByRole('button', { name: 'Save the rule' }) as HTMLButtonElement).disabled).toBe(true);
  unmount();
  render(Rule, { source: '(not set)', medium: 'qr', onclose: vi.fn(), onsaved: vi.fn() });
  expect((await screen.findByText(/\[\[channels\.rules\]\]/)).textContent).toContain('when = { medium = "qr" }');
});

it('of a long life the newest events are shown, however many pages there are', async () => {
  as('analyst');
  const asked: string[] = [];
  const event = (at: number): object => ({ time: new Date(Date.UTC(2026, 0, 1 + at)).toISOString(), kind: 'event', name: `event ${at}`, channel: null, source: null, campaign: null, value: null, page: null });
  vi.stubGlobal('fetch', vi.fn(async (url: string) => {
    asked.push(url.replace('/api/v1', ''));
    const from = Number(new URL(url, 'http://x').searchParams.get('offset') ?? 0);
    return new Response(JSON.stringify({ person: { person_id: '7' }, identifiers: [], sessions: [], conversions: [], timeline: Array.from({ length: from ? 1000 : 3 }, (_, at) => event(from + at)), timeline_rows: 1300 }), { headers: { 'content-type': 'application/json' } });
  }));
  render(PersonPage, { id: '7' });
  await screen.findByText('event 1299');
  expect(asked).toEqual(['/people/7', '/people/7?limit=1000&offset=300']);
  expect(screen.getByText('The newest 1,000 of 1,300 events.')).toBeTruthy();
});
