import { render, screen, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import Bars from '../../src/charts/Bars.svelte';
import Segments from '../../src/parts/Segments.svelte';
import Table from '../../src/parts/Table.svelte';
import TouchPath from '../../src/parts/TouchPath.svelte';
import Trouble from '../../src/parts/Trouble.svelte';
import Kpi from '../../src/screens/overview/Kpi.svelte';

const columns = [
  { name: 'who', title: 'Who', type: 'text' as const, unit: null },
  { name: 'n', title: 'N', type: 'integer' as const, unit: null },
];
const firstCells = (): string[] => screen.getAllByRole('row').slice(1).map((row) => within(row).getAllByRole('cell')[0]?.textContent?.trim() ?? '');

describe('a table', () => {
  it('sorts numbers as numbers, downwards first, with nothing at one end', async () => {
    render(Table, { caption: 'People', columns, rows: [{ who: 'a', n: 9 }, { who: 'b', n: 10 }, { who: 'c', n: 2 }] });
    screen.getByRole('button', { name: /N/ }).click();
    await vi.waitFor(() => expect(firstCells()).toEqual(['b', 'a', 'c']));
    expect(screen.getByRole('columnheader', { name: /N/ }).getAttribute('aria-sort')).toBe('descending');
    screen.getByRole('button', { name: /N/ }).click();
    await vi.waitFor(() => expect(firstCells()).toEqual(['c', 'a', 'b']));
  });
  it('pages what is long and says how many there are', async () => {
    render(Table, { caption: 'People', columns, rows: Array.from({ length: 30 }, (_, n) => ({ who: `p${n}`, n })), size: 25 });
    expect(firstCells()).toHaveLength(25);
    expect(screen.getByText('Rows 1 to 25 of 30')).toBeTruthy();
    screen.getByRole('button', { name: 'Next page' }).click();
    await vi.waitFor(() => expect(firstCells()).toEqual(['p25', 'p26', 'p27', 'p28', 'p29']));
  });
  it('asks for the order where only a part is here, and shows the rows as they came', async () => {
    const asked = vi.fn();
    render(Table, { caption: 'People', columns, rows: [{ who: 'a', n: 9 }, { who: 'b', n: 10 }], sort: { by: 'n', down: true }, onsort: asked });
    expect(screen.getByRole('columnheader', { name: /N/ }).getAttribute('aria-sort')).toBe('descending');
    screen.getByRole('button', { name: /N/ }).click();
    screen.getByRole('button', { name: /Who/ }).click();
    expect(asked.mock.calls).toEqual([['n'], ['who']]);
    expect(firstCells()).toEqual(['a', 'b']);
  });
  it('says so when it is empty', () => {
    render(Table, { caption: 'People', columns, rows: [] });
    expect(screen.getByText('No rows in this period.')).toBeTruthy();
  });
});

describe('bars', () => {
  it('can be chosen by keyboard, and say what they are', () => {
    const picked = vi.fn();
    render(Bars, { title: 'Credit', series: ['Last', 'Linear'], show: String, onpick: picked, rows: [{ label: 'Email', bars: [{ value: 3, low: 2, high: 4 }, { value: null }] }] });
    const bar = screen.getByRole('button', { name: 'Email 3' });
    bar.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    expect(picked).toHaveBeenCalledWith(0, 0);
    expect(screen.getAllByRole('button')).toHaveLength(1);
  });
  it('share one scale: twice the value is twice the length', () => {
    const { container } = render(Bars, { title: 'Credit', series: ['x'], show: String, rows: [{ label: 'a', bars: [{ value: 10 }] }, { label: 'b', bars: [{ value: 5 }] }] });
    const lengths = [...container.querySelectorAll('rect.f0')].map((rect) => Number(rect.getAttribute('width')));
    expect((lengths[0] ?? 0) / (lengths[1] ?? 1)).toBeCloseTo(2);
  });
});

describe('other parts', () => {
  it('segments are radio buttons of one group', () => {
    const changed = vi.fn();
    render(Segments, { label: 'Measure', value: 'a', options: [{ value: 'a', label: 'A' }, { value: 'b', label: 'B' }], onchange: changed });
    expect((screen.getByRole('radio', { name: 'A' }) as HTMLInputElement).checked).toBe(true);
    screen.getByRole('radio', { name: 'B' }).click();
    expect(changed).toHaveBeenCalledWith('b');
  });
  it('a path folds repeats, counts them, and says when it is empty', async () => {
    const { container, rerender } = render(TouchPath, { path: 'Direct > Direct > Email' });
    expect([...container.querySelectorAll('.touch')].map((touch) => touch.textContent)).toEqual(['Direct×2', 'Email']);
    await rerender({ path: '' });
    expect(container.textContent).toContain('no touch in the window');
  });
  it('a refusal shows what to do', () => {
    render(Trouble, { problem: { type: '', title: 'Bad condition', status: 400, detail: 'no such column', hint: 'Use value.', line: 2, column: 7 } });
    expect(screen.getByRole('alert').textContent).toContain('line 2, column 7 · no such column · Use value.');
  });
});

describe('a figure beside the period before', () => {
  const told = (value: number, previous: number | null): string => {
    const { container, unmount } = render(Kpi, { row: { kpi: 'conversions', unit: null, value, previous }, spark: null, comparing: true });
    const text = container.textContent?.replace(/\s+/g, ' ').trim() ?? '';
    unmount();
    return text;
  };
  it('tells nothing from no data', () => {
    expect(told(3, 0)).toBe('Conversions 3 before: 0');
    expect(told(0, 0)).toBe('Conversions 0 unchanged before: 0');
    expect(told(3, null)).toBe('Conversions 3 no earlier data');
    expect(told(3, 2)).toContain('50%');
  });
});
