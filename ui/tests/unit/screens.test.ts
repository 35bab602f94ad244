/** Screens by themselves, over answers that only data of some kinds bring about. */
import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { app } from '../../src/lib/app.svelte';
import { view } from '../../src/lib/view.svelte';
import Attribution from '../../src/screens/Attribution.svelte';
import Channels from '../../src/screens/Channels.svelte';
import Explorer from '../../src/screens/Explorer.svelte';
import Flow from '../../src/screens/Flow.svelte';
import Quality from '../../src/screens/Quality.svelte';
import Retention from '../../src/screens/Retention.svelte';
import Audit from '../../src/screens/settings/Audit.svelte';
import History from '../../src/screens/settings/History.svelte';
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
  const columns = ['channel', 'sessions', 'people', 'conversions', 'value', 'impressions', 'clicks', 'cost', 'credit last', 'value last', 'cpa last', 'roas last'];
  it('say how costs come in where there are none, and choose among measures of costs where there are', async () => {
    as('admin');
    answering(columns, [['Email', 1, 1, 1, 9, null, null, null, 1, 9, null, null]]);
    const { unmount } = render(Channels, {});
    await screen.findByText(/ROAS and cost per conversion appear/);
    expect(screen.queryByRole('radio', { name: 'ROAS' })).toBeNull();
    unmount();
    answering(columns, [['Email', 1, 1, 1, 9, null, 40, 3, 1, 9, 3, 3], ['(unattributed)', 0, 0, 1, 5, null, null, null, 1, 5, null, null]]);
    render(Channels, {});
    await fireEvent.click(await screen.findByRole('radio', { name: 'ROAS' }));
    expect(screen.queryByText(/ROAS and cost per conversion appear/)).toBeNull();
    expect([view.get('measure'), screen.queryByRole('link', { name: /unattributed/ })]).toEqual(['roas', null]);
  });
  it('lead to campaigns with what they cost: no conversions is no cost per conversion, no cost is no zero', async () => {
    as('viewer');
    view.set({ channel: 'Paid Search' });
    const asked: string[] = [];
    const columnsOf = (by: string): string[] => [by, ...columns.slice(1)];
    const answer = (by: string, rows: unknown[][]): string => JSON.stringify({ meta: { ...meta, report: by, notes: [{ code: 'spent_without_credit', values: { model: 'last', cost: 12, rows: 1 }, text: 'english' }] }, columns: columnsOf(by).map((name, at) => ({ name, type: at ? 'number' : 'text', unit: null })), rows, total_rows: rows.length, extra: {} });
    vi.stubGlobal('fetch', vi.fn(async (url: string) => {
      asked.push(url);
      const campaign = new URL(url, 'http://x').searchParams.get('by') === 'campaign';
      const rows = campaign ? [['spring', 1, 1, 1, 100, 1000, 10, 25, 1, 100, 25, 4], ['lost', 0, 0, 0, 0, 200, 2, 12, 0, 0, null, 0], ['quiet', 1, 1, 1, 40, null, null, null, 1, 40, null, null], ['(elsewhere)', 0, 0, 5, 5, null, null, null, 5, 5, null, null]] : [['Paid Search', 3, 3, 3, 200, 1700, 17, 67, 3, 200, 22.3, 2.98]];
      return new Response(answer(campaign ? 'campaign' : 'channel', rows), { headers: { 'content-type': 'application/json' } });
    }));
    render(Channels, {});
    const campaigns = await screen.findByRole('group', { name: 'Campaigns of Paid Search' });
    const cells = (name: string): (string | undefined)[] => [...(campaigns.querySelectorAll('tbody tr') ?? [])].filter((row) => row.textContent?.includes(name)).flatMap((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent?.trim()));
    expect(cells('spring').slice(-5)).toEqual(['1,000', '10', '25', '25', '4']);
    expect(cells('lost').slice(-5)).toEqual(['200', '2', '12', '–', '0']);
    expect(cells('quiet').slice(-5)).toEqual(['–', '–', '–', '–', '–']);
    expect(campaigns.textContent).not.toContain('(elsewhere)');
    expect(screen.getAllByText(/was spent where Last touch credits no conversion/).length).toBeGreaterThan(0);
    expect(asked.some((url) => url.includes('/reports/channels?') && url.includes('by=campaign') && url.includes('within=channel%3DPaid+Search'))).toBe(true);
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

it('an identifier says why it is linked, in parts that each language puts in order', async () => {
  as('analyst');
  const identifiers = [{ namespace: 'user', identifier: 'ada', first_seen: null, last_seen: null, why: 'english', tie: 'event', tie_namespace: 'anonymous', tie_identifier: 'd1', tie_at: '2026-03-02T10:00:00Z', tie_source: 'web' }, { namespace: 'crm', identifier: '9', first_seen: null, last_seen: null, why: 'english', tie: null }];
  vi.stubGlobal('fetch', vi.fn(async () => new Response(JSON.stringify({ person: { person_id: '7' }, identifiers, sessions: [], conversions: [], timeline: [], timeline_rows: 0 }), { headers: { 'content-type': 'application/json' } })));
  render(PersonPage, { id: '7' });
  await screen.findByText('Why linked: with device d1, on one event, 2 Mar 2026, 10:00, told by web');
  expect(screen.getByText(/the only identifier, or tied to the others by nothing/)).toBeTruthy();
});

it('two segments are asked for by the server’s own comparison, with places and ways apart', async () => {
  as('analyst');
  view.set({ tab: 'compare', a: "channel = 'Email'", b: "channel = 'Display'" });
  const asked: string[] = [];
  vi.stubGlobal('fetch', vi.fn(async (url: string) => {
    asked.push(new URL(url, 'http://x').pathname.replace('/api/v1/reports/', ''));
    const columns = ['from', 'to', 'people_a', 'people_b', 'a', 'b', 'difference', 'low', 'high'].map((name, at) => ({ name, type: at < 2 ? 'text' : 'number', unit: at > 3 ? 'percent' : null }));
    const rows = [['Email', null, 8, 0, 0.8, 0, 0.8, 0.5, 0.9], ['(start)', 'Email', 8, 0, 0.8, 0, 0.8, 0.5, 0.9], ['Email', '(conversion)', 2, 1, 0.2, 0.1, 0.1, -0.2, 0.4]];
    return new Response(JSON.stringify({ meta, columns, rows, total_rows: 3, extra: {} }), { headers: { 'content-type': 'application/json' } });
  }));
  render(Flow, {});
  const grid = await screen.findByRole('group', { name: 'Difference of transitions, A less B' });
  expect(asked).toEqual(expect.arrayContaining(['compare', 'compare-flow']));
  expect(asked).not.toContain('transitions');
  expect([...grid.querySelectorAll('td')].map((cell) => cell.textContent).filter(Boolean)).toEqual(['80%', '10%*']);
  const places = screen.getByRole('group', { name: 'Places, A less B' });
  expect(places.querySelectorAll('tbody tr')).toHaveLength(1);
});

it('explorations are of people or of transitions, and the address says which', async () => {
  as('viewer');
  answering(['from_step', 'from', 'to', 'people', 'transitions'], [[0, 'page_view', '/cart', 3, 12], [0, 'page_view', '(end)', 1, 4]]);
  const { container } = render(Explorer, {});
  await screen.findByRole('button', { name: /\/cart: 3/ });
  await fireEvent.click(screen.getByRole('radio', { name: 'Transitions' }));
  await screen.findByRole('button', { name: /\/cart: 12/ });
  expect([view.get('measure'), container.querySelectorAll('path.link').length]).toEqual(['transitions', 2]);
});

it('an exploration backwards begins where the server says', async () => {
  as('viewer');
  view.set({ end: 'event:purchase' });
  answering(['from_step', 'from', 'to', 'people', 'transitions'], [[0, 'purchase', '/cart', 3, 3], [0, 'purchase', '(start)', 1, 1]]);
  const { container } = render(Explorer, {});
  await screen.findByRole('button', { name: /\/cart: 3/ });
  expect(container.textContent).toContain('(start)');
});

it('checks are called by their code; one of a later server by its own words', async () => {
  as('viewer');
  answering(['check', 'count', 'share', 'what_to_do', 'code'], [['rejected rows', 3, 0.1, 'english advice', 'rejected_rows'], ['something new', 2, 0.2, 'do the new thing', 'of_later']]);
  const { container } = render(Quality, {});
  await screen.findByRole('heading', { name: 'Rejected rows' });
  const told = [...container.querySelectorAll('.check')].map((check) => check.textContent ?? '');
  expect(told[0]).toContain('correct the rows and import the file again');
  expect(told[0]).not.toContain('english advice');
  expect(told[1]).toMatch(/something new.*do the new thing/s);
});

describe('long lists', () => {
  /** A server that has `total` of something, and gives a page of it. */
  const paged = (total: number, one: (at: number) => object): string[] => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', vi.fn(async (url: string) => {
      asked.push(url.replace('/api/v1', ''));
      const query = new URL(url, 'http://x').searchParams;
      const [from, most] = [Number(query.get('offset')), Number(query.get('limit'))];
      const rows = Array.from({ length: Math.max(0, Math.min(most, total - from)) }, (_, at) => one(from + at));
      return new Response(JSON.stringify(rows), { headers: { 'content-type': 'application/json', 'x-safar-total-rows': String(total) } });
    }));
    return asked;
  };
  it('the audit log comes in pages, each with its own address', async () => {
    as('admin');
    const asked = paged(120, (at) => ({ at: '2026-11-21T10:00:00Z', who: `account:user${at}@example.com`, act: 'download', detail: {} }));
    render(Audit, {});
    await screen.findByText('user49@example.com');
    expect(screen.getByText('Rows 1 to 50 of 120')).toBeTruthy();
    expect(screen.queryByRole('button', { name: /Time/ })).toBeNull();
    await fireEvent.click(screen.getByRole('button', { name: 'Next page' }));
    await screen.findByText('user99@example.com');
    expect([view.get('audit'), asked.at(-1)]).toEqual(['50', '/audit?limit=50&offset=50']);
  });
  it('the history of settings too, and its last change of a page is told by the one before', async () => {
    as('admin');
    paged(30, (at) => ({ version: `v${at}`, time: 1_795_000_000 - at, user: 'ada@example.com', text: `days = ${at}\n` }));
    const { container } = render(History, { now: 'v0', onrestore: vi.fn() });
    await screen.findByText('v19');
    expect(screen.queryByText('v20')).toBeNull();
    await fireEvent.click(screen.getByText('v19'));
    expect([container.querySelector('code.in')?.textContent, container.querySelector('code.out')?.textContent]).toEqual(['+ days = 19', '- days = 20']);
    await fireEvent.click(screen.getByRole('button', { name: 'Next page' }));
    await screen.findByText('v29');
    expect(view.get('history')).toBe('20');
  });
});
