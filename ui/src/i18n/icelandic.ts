/**
 * Icelandic numbers and dates for browsers that lack them (Chromium leaves `is` out of its locale data). Forms are those of
 * the Unicode CLDR for `is`; digits and signs are borrowed from Dutch and German, which write them alike.
 */
import type { Formats } from './words.svelte';

const months = ['janúar', 'febrúar', 'mars', 'apríl', 'maí', 'júní', 'júlí', 'ágúst', 'september', 'október', 'nóvember', 'desember'];
const short = ['jan.', 'feb.', 'mar.', 'apr.', 'maí', 'jún.', 'júl.', 'ágú.', 'sep.', 'okt.', 'nóv.', 'des.'];
const weekdays = ['S', 'M', 'Þ', 'M', 'F', 'F', 'L'];
const units: Record<string, [string, string]> = { day: ['dagur', 'dagar'], hour: ['klst.', 'klst.'], minute: ['mín.', 'mín.'], second: ['sek.', 'sek.'] };

/** `one` where the last digit is 1 and the last two are not 11; of the decimals where there are any. */
export function plural(value: number): 'one' | 'other' {
  const digits = String(Math.abs(value)).split('.').at(-1) ?? '';
  return digits.endsWith('1') && !digits.endsWith('11') ? 'one' : 'other';
}

function date(at: Date, options: Intl.DateTimeFormatOptions): string {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat('en-GB', { year: 'numeric', month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZone: options.timeZone ?? 'UTC' })
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const month = Number(parts['month']) - 1;
  const day = Number(parts['day']);
  const clock = `${parts['hour']}:${parts['minute']}`;
  if (options.weekday) return weekdays[at.getUTCDay()] ?? '';
  if (options.dateStyle) return `${day}. ${short[month]} ${parts['year']}, ${clock}`;
  if (options.timeStyle) return `${clock}:${parts['second']}`;
  if (options.month === 'long') return months[month] ?? '';
  if (!options.month) return String(day);
  return `${day}. ${short[month]}${options.year ? ` ${parts['year']}` : ''}`;
}

function number(value: number, options: Intl.NumberFormatOptions): string {
  if (options.style === 'unit') {
    const [one, many] = units[options.unit ?? ''] ?? ['', ''];
    return `${number(value, { maximumFractionDigits: options.maximumFractionDigits ?? 1 })} ${plural(value) === 'one' ? one : many}`;
  }
  if (options.notation === 'compact') {
    const [size, unit] = Math.abs(value) >= 1e9 ? [1e9, ' ma.'] : Math.abs(value) >= 1e6 ? [1e6, ' m.'] : Math.abs(value) >= 1e3 ? [1e3, ' þ.'] : [1, ''];
    return number(value / size, { maximumFractionDigits: 1 }) + unit;
  }
  return new Intl.NumberFormat(options.style === 'currency' ? 'de-DE' : 'nl-NL', options).format(value);
}

export const icelandic: Formats = { number, date, plural };
