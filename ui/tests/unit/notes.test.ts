/** Every code that the server can send has words here, filled with what the server sends along. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { en, type Key } from '../../src/i18n/en';
import { words } from '../../src/i18n/words.svelte';
import { app } from '../../src/lib/app.svelte';
import { because, complaint, say } from '../../src/lib/notes';

interface Schema { properties?: Record<string, Schema>; enum?: string[]; oneOf?: Schema[]; required?: string[] }
const document = JSON.parse(readFileSync(join(dirname(fileURLToPath(import.meta.url)), '../../../docs/reference/openapi.json'), 'utf8')) as { components: { schemas: Record<string, Schema> } };
/** What the document says that a code comes with. */
const codes = (name: string): [string, string[]][] => (document.components.schemas[name]?.oneOf ?? []).map((one) => [one.properties?.['code']?.enum?.[0] ?? '', Object.keys(one.properties?.['values']?.properties ?? {})]);

const kinds = [['NoteKind', 'note'], ['Refusal', 'why'], ['Reason', 'reason'], ['BuildNoteKind', 'build']] as const;

describe.each(kinds)('%s', (schema, kind) => {
  it.each(codes(schema).filter(([code]) => code !== 'other'))('%s is said with its values', (code, values) => {
    expect(words.has(`${kind}.${code}`)).toBe(true);
    const message = en[`${kind}.${code}` as Key];
    const places = [...(message as string).matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    expect(values).toEqual(expect.arrayContaining(places));
  });
  it('has codes', () => expect(codes(schema).length).toBeGreaterThan(5));
});

it('every step of a build is said, and no other', () => {
  const steps = document.components.schemas['Step']?.enum ?? [];
  expect(Object.keys(en).filter((key) => key.startsWith('doing.')).toSorted()).toEqual(steps.map((step) => `doing.${step}`).toSorted());
});

const file = (path: string): string => readFileSync(join(dirname(fileURLToPath(import.meta.url)), '../../..', path), 'utf8');

it('every reason for which the import or the collector rejects a row is said, and no other', () => {
  const source = ['crates/ingest/src/import/reason.rs', 'crates/collect/src/reason.rs'].map(file).join('\n');
  const reasons = [...source.matchAll(/^ +[A-Z0-9_]+, "(\w+)", "/gm)].map(([, code]) => `reject.${code}`);
  expect(Object.keys(en).filter((key) => key.startsWith('reject.')).toSorted()).toEqual(reasons.toSorted());
});

it('every rule that ships is said', () => {
  const codes = [...file('crates/enrich/src/ga4.rs').matchAll(/code: "(\w+)"/g)].map(([, code]) => `rule.${code}`);
  expect(codes.length).toBeGreaterThan(20);
  expect(codes.filter((code) => !words.has(code))).toEqual([]);
});

it('every column is said as the reference of tables says it, and no other', () => {
  const [said, used] = [en as Record<string, unknown>, new Set<string>()];
  for (const part of file('docs/reference/tables.md').split('\n## ').slice(1)) {
    const table = part.slice(0, part.indexOf('\n'));
    for (const [, column, meaning] of part.matchAll(/^\| (\w+) \|[^|]*\|(?: yes)? *\| (.*) \|$/gm)) {
      const own = `about.${table}.${column}`;
      const key = own in said ? own : `about.${column}`;
      used.add(key);
      expect(said[key], own).toBe(meaning);
    }
  }
  expect(Object.keys(en).filter((key) => key.startsWith('about.')).toSorted()).toEqual([...used].toSorted());
});

it('every kind of value that a setting needs is said', () => {
  const kinds = document.components.schemas['ValueKind']?.enum ?? [];
  expect(Object.keys(en).filter((key) => key.startsWith('wanted.')).toSorted()).toEqual(kinds.map((kind) => `wanted.${kind}`).toSorted());
});

it('no words are left of codes that no server sends', () => {
  const known = kinds.flatMap(([schema, kind]) => codes(schema).map(([code]) => `${kind}.${code}`));
  expect(Object.keys(en).filter((key) => /^(note|why|reason|build)\./.test(key) && !known.includes(key))).toEqual([]);
});

describe('a note', () => {
  afterEach(async () => words.use('en'));
  app.workspace = { currency: 'EUR', time_zone: 'UTC', models: [] } as never;
  it('has its numbers, days and models as the reader writes them', async () => {
    const periods = { code: 'periods', values: { from: '2026-03-09', to: '2026-03-16', before_from: '2026-03-02', before_to: '2026-03-09' }, text: '' };
    expect(say(periods)).toBe('9 Mar 2026 to 15 Mar 2026, against 2 Mar 2026 to 8 Mar 2026.');
    const spent = { code: 'spent_without_credit', values: { model: 'last', cost: 12, rows: 1 }, text: '' };
    expect(say(spent)).toMatch(/^€12\.00 was spent where Last touch credits no conversion \(rows: 1\)/);
    expect(say({ code: 'shift', values: { earlier: 0.021, later: 0.034, p: 0.0000213 }, text: '' })).toMatch(/from 2\.1% to 3\.4% \(p = 2\.1E-5\)/);
    expect(say({ code: 'funnel', values: { order: 'strict', open: false, days: 14 }, text: '' })).toBe('Directly after each other. Closed: everybody enters at the first step. Within 14 days of an attempt’s start.');
    await words.use('fa');
    expect(say(periods)).toMatch(/^از .*۱۴۰۴.* تا .*، در برابر/);
  });
  it('shows a value as it stands that only looks like a day’s name', () => expect(say({ code: 'crowded', values: { values: 1, most: 10, example: 'A-1' }, text: '' }, 'build')).toContain('A-1'));
  it('of a code that is not known here is the server’s own', () => expect(say({ code: 'of_later', values: { n: 1 }, text: 'as it stands' })).toBe('as it stands'));
});

describe('a refusal', () => {
  const problem = { type: '', title: 'Your role does not allow this', status: 403, code: 'not_allowed' as const, detail: 'this needs the role admin', hint: 'an administrator can make you admin' };
  it('says its reason in the reader’s language', () => expect(because({ ...problem, reason: { code: 'needs_role', values: { role: 'admin' } } })).toEqual({ text: 'This needs the role Administrator. An administrator can give it to you.', english: false }));
  it('is the server’s English where it has none, and says so', () => expect(because(problem)).toEqual({ text: 'this needs the role admin · an administrator can make you admin', english: true }));
  it('of a setting says what is allowed, and keeps the reader’s own words', () => {
    const setting = { type: '', title: '', status: 422, code: 'bad_settings' as const, line: 2, column: 12, detail: '`Euro` is no currency code' };
    const said = because({ ...setting, reason: { code: 'bad_setting', values: { setting: 'workspace.currency', found: 'currency = "Euro"' } } });
    expect(said).toEqual({ text: 'workspace.currency cannot be used as it is. The line is: currency = "Euro" · Write the three capital letters of ISO 4217, such as EUR.', english: false, detail: setting.detail });
    const kind = because({ ...setting, reason: { code: 'wrong_kind', values: { setting: 'windows.click_days', wanted: 'whole_number', found: 'click_days = "many"' } } });
    expect(kind.text).toBe('windows.click_days must be a whole number of at least 0. The line is: click_days = "many"');
  });
  it('is its title where that says all', () => expect(complaint({ type: '', title: '', status: 503, code: 'busy', detail: 'locked' })).toBe('Another build or import is writing; try again in a moment'));
});
