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

it('every reason for which an import rejects a row is said, and no other', () => {
  const source = readFileSync(join(dirname(fileURLToPath(import.meta.url)), '../../../crates/ingest/src/import/reason.rs'), 'utf8');
  const reasons = [...source.matchAll(/^ +[A-Z0-9_]+, "(\w+)", "/gm)].map(([, code]) => `reject.${code}`);
  expect(Object.keys(en).filter((key) => key.startsWith('reject.')).toSorted()).toEqual(reasons.toSorted());
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
  it('is its title where that says all', () => expect(complaint({ type: '', title: '', status: 503, code: 'busy', detail: 'locked' })).toBe('Another build or import is writing; try again in a moment'));
});
