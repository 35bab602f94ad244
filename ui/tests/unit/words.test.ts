/** Numbers and dates in five languages. */
import { afterEach, describe, expect, it } from 'vitest';
import { icelandic, plural } from '../../src/i18n/icelandic';
import { t, words } from '../../src/i18n/words.svelte';

afterEach(() => words.use('en'));
const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, ' ').replace(/[\u200e\u200f\u061c]/g, '');

describe('numbers and dates', () => {
  it('are English in English', () => {
    expect([words.number(1234567), words.percent(0.1234), words.money(87.5, 'EUR'), words.day('2026-11-22')]).toEqual(['1,234,567', '12.3%', '€87.50', '22 Nov 2026']);
  });
  it('are Persian in Persian: digits and the Solar Hijri calendar', async () => {
    await words.use('fa');
    expect(words.number(1234567)).toBe('۱٬۲۳۴٬۵۶۷');
    expect(plain(words.day('2026-03-21'))).toBe('۱ فروردین ۱۴۰۵');
    expect(words.month('2026-11-01')).toBe('آبان ۱۴۰۵');
    expect(document.documentElement.dir).toBe('rtl');
  });
  it('have Arabic digits in Arabic, and its plurals', async () => {
    await words.use('ar');
    expect(words.number(1234)).toBe('١٬٢٣٤');
    expect(t('attr.daysBefore', { n: 2 })).toBe('قبل يومين');
    expect(t('attr.daysBefore', { n: 5 })).toBe('قبل ٥ أيام');
  });
  it('follow Polish rules in Polish', async () => {
    await words.use('pl');
    expect(plain(words.number(1234567.25))).toBe('1 234 567');
    expect(t('attr.daysBefore', { n: 1 })).toBe('1 dzień wcześniej');
    expect(t('attr.daysBefore', { n: 1.5 })).toBe('1,5 dnia wcześniej');
  });
  it('name what the server names, known or not', () => {
    expect(words.known('kpi', 'conversion_rate')).toBe('Conversion rate');
    expect(words.known('col', 'something_new')).toBe('something new');
  });
  it('write what is some as some', () => expect([words.percent(0.00001, 2), words.percent(0.00005, 2), words.percent(0, 2), words.percent(0.0004)]).toEqual(['<0.01%', '0.01%', '0%', '<0.1%']));
  it('have no negative zero', () => expect([words.percent(-0.0001), words.number(-0.001, 1)]).toEqual(['0%', '0']));
  it('keep {braces} that nothing fills', () => {
    expect(t('kpi.before')).toBe('before: {value}');
  });
});

describe('Icelandic where the browser has none', () => {
  it('writes as the Unicode CLDR does', () => {
    const at = new Date('2026-11-05T07:04:09Z');
    expect(icelandic.number(12345.6, {})).toBe('12.345,6');
    expect(icelandic.number(0.5, { style: 'percent' })).toBe('50%');
    expect(plain(icelandic.number(1234.5, { style: 'currency', currency: 'EUR' }))).toBe('1.234,50 €');
    expect(icelandic.date(at, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })).toBe('5. nóv. 2026');
    expect(icelandic.date(at, { month: 'long', timeZone: 'UTC' })).toBe('nóvember');
    expect(icelandic.date(at, { timeStyle: 'medium', timeZone: 'UTC' })).toBe('07:04:09');
  });
  it.each([[1, 'one'], [11, 'other'], [21, 'one'], [101, 'one'], [111, 'other'], [2, 'other'], [1.5, 'other']] as const)('%d is %s', (value, form) => {
    expect(plural(value)).toBe(form);
  });
});
