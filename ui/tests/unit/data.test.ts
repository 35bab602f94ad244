import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError, call, keepCsrf, parse, query, records, reportUrl } from '../../src/lib/api';
import { amount, show } from '../../src/lib/cells';
import { changes, diff } from '../../src/lib/diff';
import { fourShares, modelName } from '../../src/lib/models';
import { refusedIn } from '../../src/lib/notes';
import { firstOf, funnelOf } from '../../src/lib/places.svelte';
import { grid, moves, places } from '../../src/screens/flow/places';
import { csv } from '../../src/lib/files';
import { columnOf, hasCosts, modelOf } from '../../src/lib/credit';
import { titleOf } from '../../src/parts/columns';
import { read, stepOf, write } from '../../src/screens/funnel/steps';
import { spread } from '../../src/screens/paths/spread';
import { ticks } from '../../src/charts/width';
import { words } from '../../src/i18n/words.svelte';

afterEach(() => vi.unstubAllGlobals());
const answers = (body: string, init: ResponseInit): ReturnType<typeof vi.fn> => {
  const fetched = vi.fn(async () => new Response(body, init));
  vi.stubGlobal('fetch', fetched);
  return fetched;
};

describe('conversions by day', () => {
  const row = (days: number | null, conversions: number): Record<string, number | null> => ({ days, conversions });
  it('leave out no day, and add up', () => expect(spread([row(3, 2), row(0, 5), row(null, 4)], 'days')).toEqual({ labels: ['0', '1', '2', '3'], values: [5, 0, 0, 2] }));
  it('beyond a month are one column', () => {
    const { labels, values } = spread([row(1, 2), row(30, 1), row(31, 3), row(90, 4)], 'days');
    expect([labels.at(-2), labels.at(-1), values.at(-2), values.at(-1), labels.length]).toEqual(['30', '31 or more', 1, 7, 32]);
  });
  it('are one column where no path has times', () => expect(spread([row(null, 4)], 'days')).toEqual({ labels: ['unknown'], values: [4] }));
});

describe('asking', () => {
  it('repeats lists and leaves out what is not set', () => {
    expect(query({ model: ['last', 'linear'], where: '', goal: null, limit: 0 })).toBe('?model=last&model=linear&limit=0');
    expect(reportUrl('paths', { format: 'csv' })).toBe('/api/v1/reports/paths?format=csv');
  });
  it('carries the token on what changes something, and not on reading', async () => {
    keepCsrf('token');
    const fetched = answers('{}', { headers: { 'content-type': 'application/json' } });
    await call('POST', '/build');
    await call('GET', '/session');
    const headers = fetched.mock.calls.map(([, init]) => (init as { headers: Record<string, string> }).headers['X-Safar-CSRF']);
    expect(headers).toEqual(['token', undefined]);
  });
  it('gives the problem of a refusal, with its hint', async () => {
    answers(JSON.stringify({ title: 'No such report', status: 404, hint: 'See the list.' }), { status: 404, headers: { 'content-type': 'application/problem+json' } });
    const error = await call('GET', '/reports/x').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).problem).toMatchObject({ status: 404, hint: 'See the list.' });
  });
  it('says offline where no server answers', async () => {
    vi.stubGlobal('fetch', vi.fn(async () => Promise.reject(new TypeError('failed'))));
    const error = await call('GET', '/session').catch((caught: unknown) => caught);
    expect((error as ApiError).problem).toMatchObject({ status: 0, code: 'offline' });
  });
});

describe('cells', () => {
  it('name rows by column', () => {
    expect(records({ meta: {} as never, columns: [{ name: 'a', type: 'text', unit: null }, { name: 'b', type: 'number', unit: null }], rows: [['x', 1]], total_rows: 1 })).toEqual([{ a: 'x', b: 1 }]);
  });
  it('show units, and a dash for nothing: an empty cell is no zero', () => {
    expect([amount(0.5, 'percent'), amount(1234, 'EUR'), amount(7200, 'seconds'), show({ name: 'x', type: 'number', unit: null }, null)]).toEqual(['50%', '€1,234', '2 hrs', '–']);
  });
  it('keep 63-bit ids whole', () => {
    const id = '9007199254740993';
    // Node 20 has no source text in the reviver; then nothing can be done, and this says which it was.
    const exact = (JSON as { rawJSON?: unknown }).rawJSON !== undefined;
    expect(parse(`{"id":${id},"n":1.5}`)).toEqual({ id: exact ? id : Number(id), n: 1.5 });
  });
  it('quote what CSV must quote (RFC 4180)', () => {
    expect(csv(['a', 'b'], [['x,y', null], ['say "no"', 1.25]])).toBe('a,b\r\n"x,y",\r\n"say ""no""",1.25\r\n');
  });
});

describe('funnel steps', () => {
  it('come back from the address as they were', () => {
    const step = { kind: 'page' as const, value: '/sale?a:b*' };
    expect(read(write(step))).toEqual(step);
  });
  it.each(['', 'purchase', '{"events":["x"]}'])('%s is no step', (text) => expect(read(text)).toBeNull());
  it('are pages where they begin with a slash', () => expect([stepOf('/cart'), stepOf('purchase')]).toEqual(['page:/cart', 'event:purchase']));
});

describe('columns of credit', () => {
  it('are those of the first model, so that they add up', () => {
    const columns = ['channel', 'conversions', 'credit linear', 'value linear', 'credit last'].map((name) => ({ name, type: 'number' as const, unit: null }));
    const report = { meta: {} as never, columns, rows: [], total_rows: 0 };
    expect([modelOf(report), columnOf(report, 'conversions'), columnOf(report, 'people'), titleOf('credit last'), titleOf('credit last', true)]).toEqual(['linear', 'credit linear', 'people', 'Credit · Last touch', 'Credit']);
    expect(columnOf({ ...report, columns: columns.slice(0, 2) }, 'conversions')).toBe('conversions');
  });
});

describe('models', () => {
  it('are named without the settings that they have anyway, and with those that somebody chose', () => {
    expect([modelName('markov:order=1'), modelName('markov:order=3'), modelName('position:first=0.4,last=0.4')]).toEqual(['Markov chain', 'Markov chain (order=3)', 'Position based']);
    expect(fourShares('position:first=0.4,last=0.4')).toEqual([0.4, 0.1, 0.1, 0.4]);
    expect(fourShares('position:first=0.3,last=0.5')).toBeNull();
  });
});

describe('axes', () => {
  it.each([0.003, 1, 7, 12, 99, 1234, 5e6])('begin at 0 and reach %d', (most) => {
    const marks = ticks(most);
    expect(marks[0]).toBe(0);
    expect(marks.at(-1)).toBeGreaterThanOrEqual(most * 0.999);
    expect(marks.length).toBeLessThanOrEqual(7);
  });
});

describe('the labels of axes', () => {
  it.each([0.003, 0.9, 1, 7, 1100, 1234, 5e6])('up to %d tell what they stand at', (most) => {
    const value = (label: string): number => parseFloat(label) * (/k$/i.test(label) ? 1e3 : /m$/i.test(label) ? 1e6 : 1);
    for (const count of [3, 4, 5]) for (const mark of ticks(most, count)) expect(value(words.compact(mark))).toBeCloseTo(mark, 8);
  });
});

describe('two groups', () => {
  it('grids have the places of either, and no row for ways out', () => {
    const list = moves([{ from: '(start)', to: 'a', people: 3 }, { from: 'a', to: '(conversion)', people: 2 }, { from: 'b', to: 'a', people: 1 }]);
    const found = grid(list, places(list));
    expect(found.rows.map((row) => row.label)).not.toContain('(conversion)');
    expect(found.columns).not.toContain('(start)');
    expect(found.rows.find((row) => row.label === 'b')?.values[found.columns.indexOf('a')]).toBe(1);
  });
});

describe('where explorations begin', () => {
  it('is what people did: page views, or what most did', () => {
    expect([firstOf(null), firstOf(['call', 'page_view']), firstOf(['call', 'visit']), firstOf([])]).toEqual(['event:page_view', 'event:page_view', 'event:call', 'event:page_view']);
    expect(funnelOf(['page_view', 'add_to_cart', 'call'], 'order').map(write)).toEqual(['event:page_view', 'event:add_to_cart', 'goal:order']);
    expect(funnelOf(['call'], 'order').map(write)).toEqual(['event:call', 'goal:order']);
  });
});

describe('differences of texts', () => {
  it('keep what is common and tell what came and went', () => {
    expect(diff('a\nb\nc', 'a\nx\nc\nd')).toEqual([{ sign: ' ', text: 'a' }, { sign: '-', text: 'b' }, { sign: '+', text: 'x' }, { sign: ' ', text: 'c' }, { sign: '+', text: 'd' }]);
    const long = Array.from({ length: 20 }, (_, at) => `line ${at}`);
    expect(changes(diff(long.join('\n'), [...long.slice(0, 10), 'new', ...long.slice(10)].join('\n')), 1).map((line) => line && line.sign + line.text)).toEqual([null, ' line 9', '+new', ' line 10', null]);
  });
});

describe('models that have no numbers', () => {
  it('are found in the notes, with the reason in words, or the server’s where no other is known', () => {
    const notes = [{ code: 'refused', values: { model: 'hazard:rounds=60', why: { code: 'needs_timelines' } }, text: '' }, { code: 'association', text: '' }, { code: 'refused', values: { model: 'shapley', why: { code: 'other', values: { text: 'no luck' } } }, text: '' }];
    const found = refusedIn({ meta: { notes } as never, columns: [], rows: [], total_rows: 0 });
    expect(found).toEqual([{ model: 'hazard:rounds=60', why: expect.stringMatching(/^it reads whole timelines/) }, { model: 'shapley', why: 'no luck' }]);
  });
});

describe('costs', () => {
  it('are there where a row has one, not where a column could', () => {
    const columns = ['channel', 'cost', 'credit last', 'roas last'].map((name) => ({ name, type: 'number' as const, unit: null }));
    const of = (cost: number | null) => ({ meta: {} as never, columns, rows: [['Email', cost, 1, null]], total_rows: 1 });
    expect([hasCosts(of(null)), hasCosts(of(3)), columnOf(of(3), 'roas', 'last'), columnOf(of(3), 'cost', 'last')]).toEqual([false, true, 'roas last', 'cost']);
  });
});
