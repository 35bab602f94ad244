/** Parts by themselves: what opens closes, what is refused says so, what is drawn can be read and chosen. */
import { cleanup, fireEvent, render, screen, within } from '@testing-library/svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import Arcs from '../../src/charts/Arcs.svelte';
import Columns from '../../src/charts/Columns.svelte';
import Heat from '../../src/charts/Heat.svelte';
import Lines from '../../src/charts/Lines.svelte';
import Sankey from '../../src/charts/Sankey.svelte';
import Scatter from '../../src/charts/Scatter.svelte';
import { step } from '../../src/charts/step';
import { app } from '../../src/lib/app.svelte';
import type { Report } from '../../src/lib/api';
import { Loaded } from '../../src/lib/load.svelte';
import { view } from '../../src/lib/view.svelte';
import DateRange from '../../src/parts/DateRange.svelte';
import LinesField from '../../src/parts/Lines.svelte';
import Models from '../../src/screens/attribution/Models.svelte';
import Effect from '../../src/screens/settings/Effect.svelte';
import Form from '../../src/screens/settings/Form.svelte';
import Harness from './Harness.svelte';

const model = (spec: string, more: object = {}): object => ({ spec, name: spec.split(':')[0], help: 'told', causal: false, chosen: true, ...more });
const workspace = (more: object = {}): void => {
  app.workspace = { name: 'shop', time_zone: 'UTC', currency: 'EUR', goals: ['purchase'], models: [], dimensions: [], first_day: '2026-01-01', last_day: '2026-11-21', events: 10, people: 5, data_version: '1', settings_version: 'a', program_version: '0.1.0', last_build: null, locale: null, ...more } as never;
};
afterEach(() => {
  cleanup();
  app.workspace = null;
  view.go('/');
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('a menu', () => {
  it('opens, closes by its own choice, and gives the focus back on Escape', async () => {
    render(Harness, { part: 'menu' });
    const opener = screen.getByRole('button', { name: 'Things: two' });
    expect(opener.getAttribute('aria-expanded')).toBe('false');
    await fireEvent.click(opener);
    await fireEvent.click(screen.getByRole('button', { name: 'first' }));
    expect(screen.queryByRole('button', { name: 'second' })).toBeNull();
    await fireEvent.click(opener);
    await fireEvent.keyDown(screen.getByRole('button', { name: 'second' }), { key: 'Escape' });
    expect([opener.getAttribute('aria-expanded'), document.activeElement]).toEqual(['false', opener]);
  });
  it('closes when somebody presses elsewhere', async () => {
    render(Harness, { part: 'menu' });
    await fireEvent.click(screen.getByRole('button', { name: /Things/ }));
    await fireEvent.pointerDown(screen.getByRole('button', { name: 'outside' }));
    expect(screen.queryByRole('button', { name: 'first' })).toBeNull();
  });
});

it('a dialog is named by its title, and tells when it is closed', async () => {
  const closed = vi.fn();
  render(Harness, { part: 'dialog', onclose: closed });
  const dialog = screen.getByRole('dialog', { name: 'Are you sure?' });
  expect((dialog as HTMLDialogElement).open).toBe(true);
  expect(within(dialog).getByText('inside')).toBeTruthy();
  await fireEvent.click(within(dialog).getByRole('button', { name: 'Close' }));
  expect(closed).toHaveBeenCalledOnce();
});

describe('the dates', () => {
  it('are chosen quickly, or day by day in either order', async () => {
    workspace();
    render(DateRange, {});
    await fireEvent.click(screen.getByRole('button', { name: /^Dates: / }));
    await fireEvent.click(screen.getByRole('button', { name: 'Last 7 days' }));
    expect([view.get('from'), view.get('to')]).toEqual(['2026-11-15', '2026-11-22']);
    await fireEvent.click(screen.getByRole('button', { name: /^Dates: / }));
    await fireEvent.click(screen.getByRole('button', { name: '20 Nov 2026' }));
    await fireEvent.click(screen.getByRole('button', { name: '3 Nov 2026' }));
    expect([view.get('from'), view.get('to')]).toEqual(['2026-11-03', '2026-11-21']);
  });
});

describe('a panel', () => {
  const found = (rows: Report['rows'], more: Partial<Report> = {}): Report => ({ meta: { report: 'numbers', data_version: '1', settings_version: 's', program_version: 'p', seed: null, took_ms: 3, cached: false, from: null, to: null, goal: null, notes: [{ code: 'of_a_later_server' as never, values: {} as never, text: 'a note' }] }, columns: [{ name: 'label', type: 'text', unit: null }, { name: 'n', type: 'integer', unit: null }], rows, total_rows: rows.length, ...more });
  const answered = (value: Report | null, problem: object | null = null): Loaded<Report> => Object.assign(new Loaded<Report>(), { value, problem, loading: false }) as Loaded<Report>;
  it('shows the chart, then its table, with placeholders in words and the notes below', async () => {
    render(Harness, { part: 'panel', answer: answered(found([['(not set)', 2], ['b', 1]])) });
    expect(screen.getByTestId('chart').textContent).toBe('2 drawn');
    expect(screen.getByText('a note')).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: 'Show the table' }));
    expect(screen.getAllByRole('row')).toHaveLength(3);
    await fireEvent.click(screen.getByRole('button', { name: /n$/i }));
    expect(view.get('sort-numbers')).toBe('-n');
    await fireEvent.click(screen.getByRole('button', { name: 'Export' }));
    expect(screen.getAllByRole('link').map((link) => link.getAttribute('href'))).toEqual(['/file.csv', '/file.json', '/file.parquet', '/file.arrow']);
  });
  it('leaves out what it is told to, says that there is nothing, and shows a refusal with a way to ask again', async () => {
    const { rerender } = render(Harness, { part: 'panel', answer: answered(found([['(elsewhere)', 2], ['b', 1]])), keep: (row: Record<string, unknown>) => row['label'] !== '(elsewhere)' });
    expect(screen.getByTestId('chart').textContent).toBe('1 drawn');
    await rerender({ answer: answered(found([])) });
    expect(screen.getByText('Nothing here yet')).toBeTruthy();
    const refused = answered(null, { type: '', title: 'Not computable', status: 422, code: 'not_computable', detail: 'too few people' });
    await rerender({ answer: refused });
    expect(screen.getByRole('alert').textContent).toContain('The data do not allow this');
    await fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(refused.asked).toBe(1);
  });
});

describe('the form of the settings', () => {
  const text = '[workspace]\nname = "shop"\n\n[channels]\nown_domains = [\n  "a.example", # ours\n]\n\n[channels.aliases]\nfacebook = ["fb"]\n';
  it('edits lists over many lines, whatever stands there', async () => {
    const changed = vi.fn();
    render(Form, { text, onchange: changed, disabled: false });
    const field = screen.getByLabelText('Your own domains') as HTMLTextAreaElement;
    expect(field.value).toBe('a.example');
    await fireEvent.input(field, { target: { value: 'a.example\n\nb.example' } });
    expect(changed).toHaveBeenLastCalledWith(text.replace('# ours\n', '# ours\n  "b.example",\n'));
    expect(field.value).toBe('a.example\n\nb.example');
  });
  it('edits spellings of a source, and goals', async () => {
    const changed = vi.fn();
    render(Form, { text, onchange: changed, disabled: false });
    const field = screen.getByLabelText('Spellings of one source') as HTMLTextAreaElement;
    expect(field.value).toBe('facebook = fb');
    await fireEvent.input(field, { target: { value: 'facebook = fb, FB Ads\nx y = z\nunfinished' } });
    expect(changed).not.toHaveBeenCalled();
    await fireEvent.change(field);
    expect(changed).toHaveBeenLastCalledWith(text.replace('facebook = ["fb"]', 'facebook = ["fb", "FB Ads"]\n"x y" = ["z"]'));
    await fireEvent.click(screen.getByRole('button', { name: 'Add a goal' }));
    expect(changed.mock.lastCall?.[0]).toMatch(/\[\[goals\]\]\nname = "purchase"\nevents = .*\n\n\[\[goals\]\]\nname = "goal-2"/);
  });
  it('cannot be used by whom it is not for', () => {
    render(Form, { text, onchange: vi.fn(), disabled: true });
    expect(screen.getAllByRole('textbox').every((box) => (box as HTMLInputElement).disabled)).toBe(true);
  });
});

it('a list keeps an empty line that is being typed, and takes what comes from elsewhere', async () => {
  const changed = vi.fn();
  const { rerender } = render(LinesField, { label: 'Names', value: ['a'], onchange: changed });
  const field = screen.getByLabelText('Names') as HTMLTextAreaElement;
  await fireEvent.input(field, { target: { value: 'a\n' } });
  await rerender({ value: ['a'] });
  expect([field.value, changed.mock.lastCall]).toEqual(['a\n', [['a']]]);
  await rerender({ value: ['b', 'c'] });
  expect(field.value).toBe('b\nc');
});

it('the effect of settings is asked once typing pauses, and what was asked before is dropped', async () => {
  vi.useFakeTimers();
  const asked: { text: string; signal: AbortSignal }[] = [];
  vi.stubGlobal('fetch', vi.fn((_url: string, init: { body: string; signal: AbortSignal }) => {
    asked.push({ text: (JSON.parse(init.body) as { text: string }).text, signal: init.signal });
    return new Promise(() => undefined);
  }));
  const { rerender } = render(Effect, { text: 'P' });
  for (const text of ['Po', 'Pos', 'Post', 'Poster']) {
    await rerender({ text });
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(600);
  expect(asked.map((one) => one.text)).toEqual(['Poster']);
  await rerender({ text: 'Posters' });
  await vi.advanceTimersByTimeAsync(600);
  expect(asked.map((one) => [one.text, one.signal.aborted])).toEqual([['Poster', true], ['Posters', false]]);
});

describe('the choice of models', () => {
  it('says of each how it shares: by shares, by a rule, or by learning', async () => {
    workspace({ models: [model('time_decay:half_life=3d'), model('w_shaped', { shares_of_four: [0.3, 0.05, 0.35, 0.3] }), model('participation'), model('markov:order=1')] });
    render(Models, { chosen: ['time_decay:half_life=3d', 'w_shaped', 'participation', 'markov:order=1'], onchange: vi.fn() });
    await fireEvent.click(screen.getByRole('button', { name: 'How these models share one conversion' }));
    const told = screen.getAllByRole('definition').map((one) => one.textContent?.trim() ?? '');
    expect(told.filter((one) => one === 'a fixed rule; nothing is learned from the data')).toHaveLength(1);
    expect(told.filter((one) => one === 'learns its shares from the data')).toHaveLength(1);
    expect(told.some((one) => one.startsWith('gives the whole conversion'))).toBe(true);
    expect(screen.getByRole('img', { name: /30%, 5%, 35%, 30%/ })).toBeTruthy();
  });
  it('marks one that has no numbers, and says why', async () => {
    workspace({ models: [model('last'), model('hazard:rounds=60', { causal: true })] });
    const changed = vi.fn();
    render(Models, { chosen: ['last', 'hazard:rounds=60'], without: [{ model: 'hazard:rounds=60', why: 'they have no times' }], onchange: changed });
    const chip = screen.getByRole('button', { name: 'Additive hazard' });
    expect([chip.classList.contains('cannot'), chip.title]).toEqual([true, 'they have no times']);
    await fireEvent.click(chip);
    expect(changed).toHaveBeenCalledWith(['last']);
  });
});

describe('charts', () => {
  const number = (value: number): string => String(value);
  it('a stream of people is chosen by Enter and by Space, under the name that is shown', async () => {
    const picked = vi.fn();
    render(Sankey, { title: 'Ways', streams: [{ step: 0, from: 'home', to: '(end)', size: 3 }, { step: 0, from: 'home', to: 'cart', size: 2 }], show: number, onpick: picked, label: (name: string) => name.replace('(end)', '(ende)') });
    expect(screen.getByText(/\(ende\)/, { selector: 'text' })).toBeTruthy();
    const boxes = screen.getAllByRole('button');
    expect(boxes.map((box) => box.getAttribute('aria-label'))).toEqual(['home: 5', 'cart: 2']);
    for (const key of ['Enter', ' ']) await fireEvent.keyDown(boxes[1] as Element, { key });
    expect(picked.mock.calls).toEqual([['cart'], ['cart']]);
  });
  it('a name that is cut is read out as it is seen, and whole', () => {
    const long = '/checkout/thank-you-very-much';
    render(Sankey, { title: 'Ways', streams: [{ step: 0, from: long, to: '(end)', size: 3 }], show: number, onpick: vi.fn() });
    const box = screen.getByRole('button');
    const seen = box.querySelector('text')?.textContent?.trim() ?? '-';
    expect(seen).toContain('…');
    expect(box.getAttribute('aria-label')).toContain(seen);
    expect(box.getAttribute('aria-label')).toContain(long);
  });
  it('a place among arcs is chosen by Space, and let go again', async () => {
    render(Arcs, { title: 'Moves', places: ['a', 'b'], moves: [{ from: 'a', to: 'b', people: 1 }, { from: 'a', to: 'a', people: 4 }], show: number });
    const place = screen.getByRole('button', { name: 'a' });
    await fireEvent.keyDown(place, { key: ' ' });
    expect(place.getAttribute('aria-pressed')).toBe('true');
    await fireEvent.keyDown(place, { key: ' ' });
    expect(place.getAttribute('aria-pressed')).toBe('false');
  });
  it('columns, points and lines are read out by the arrow keys', async () => {
    const { container, unmount } = render(Columns, { title: 'Lengths', labels: ['1', '2'], series: [{ label: 'Conversions', values: [7, null] }], show: number });
    const chart = screen.getByRole('img', { name: 'Lengths' });
    await fireEvent.keyDown(chart, { key: 'ArrowRight' });
    expect(container.querySelector('figcaption')?.textContent).toMatch(/1\s*Conversions\s*7/);
    await fireEvent.keyDown(chart, { key: 'ArrowRight' });
    expect(container.querySelector('figcaption')?.textContent).toMatch(/2\s*Conversions\s*–/);
    unmount();
    const points = render(Scatter, { title: 'Fit', xLabel: 'Predicted', yLabel: 'Observed', series: [{ label: 'Markov', points: [{ x: 0.1, y: 0.2 }] }] });
    await fireEvent.keyDown(screen.getByRole('img', { name: 'Fit' }), { key: 'End' });
    expect(points.container.querySelector('.told')?.textContent).toBe('Markov: Predicted 10%, Observed 20%');
    points.unmount();
    const lines = render(Lines, { title: 'Trend', days: ['2026-11-01', '2026-11-02'], series: [{ label: 'Now', values: [1, 2] }], show: number });
    await fireEvent.keyDown(screen.getByRole('img', { name: 'Trend' }), { key: 'ArrowLeft' });
    expect(lines.container.querySelector('[aria-live]')?.textContent).toBe('2 Nov: Now 2');
  });
  it('a cell without a number is empty, not 0', () => {
    render(Heat, { title: 'Back', corner: 'First seen', columns: ['0', '1'], rows: [{ label: 'May', values: [1, null], open: [false, true] }], show: number });
    expect(screen.getAllByRole('cell').map((cell) => cell.textContent)).toEqual(['1', '']);
  });
  it('steps of the keyboard turn round in right-to-left pages and stop at the ends', () => {
    expect([step('ArrowRight', null, 3, false), step('ArrowRight', 2, 3, false), step('ArrowRight', 2, 3, true), step('Home', 2, 3, false), step('End', null, 3, false), step('x', 0, 3, false), step('End', 0, 0, false)]).toEqual([0, 2, 1, 0, 2, null, null]);
  });
});
