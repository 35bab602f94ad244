/** Words, numbers and dates in the reader's language. */
import { yearOf } from '../lib/days';
import type { Catalogue, Key, Message } from './en';

export const locales = {
  en: { name: 'English', tag: 'en-GB', dir: 'ltr' },
  fa: { name: 'فارسی', tag: 'fa-IR', dir: 'rtl' },
  ar: { name: 'العربية', tag: 'ar-EG', dir: 'rtl' },
  pl: { name: 'Polski', tag: 'pl-PL', dir: 'ltr' },
  is: { name: 'Íslenska', tag: 'is-IS', dir: 'ltr' },
} as const;
export type Locale = keyof typeof locales;

/** Which digits and which calendar a language may be read with; the first is what it has unless the reader chooses. */
export const digits: Partial<Record<Locale, readonly string[]>> = { fa: ['arabext', 'latn'], ar: ['arab', 'latn'] };
export const calendars: Partial<Record<Locale, readonly string[]>> = { fa: ['persian', 'gregory'] };

const chosen = (what: 'digits' | 'calendar', locale: Locale, known: readonly string[] | undefined): string | undefined => {
  const kept = localStorage.getItem(`safar.${what}.${locale}`);
  return known?.find((one) => one === kept) ?? known?.[0];
};

/** The BCP 47 tag that numbers and dates are written by. */
function tagOf(locale: Locale): string {
  const [calendar, digit] = [chosen('calendar', locale, calendars[locale]), chosen('digits', locale, digits[locale])];
  const extra = `${calendar ? `-ca-${calendar}` : ''}${digit ? `-nu-${digit}` : ''}`;
  return locales[locale].tag + (extra ? `-u${extra}` : '');
}

const catalogues: Record<Locale, () => Promise<Catalogue>> = {
  en: async () => (await import('./en')).en,
  fa: async () => (await import('./fa')).fa,
  ar: async () => (await import('./ar')).ar,
  pl: async () => (await import('./pl')).pl,
  is: async () => (await import('./is')).is,
};

export const isLocale = (name: string | null | undefined): name is Locale => name != null && name in locales;

type Values = Record<string, string | number>;

/** A text set apart in its own direction (U+2068 … U+2069). */
const isolated = (text: string): string => String.fromCodePoint(0x2068) + text + String.fromCodePoint(0x2069);

/** How a language writes what is not words. */
export interface Formats {
  number: (value: number, options: Intl.NumberFormatOptions) => string;
  date: (at: Date, options: Intl.DateTimeFormatOptions) => string;
  plural: (value: number) => Intl.LDMLPluralRule;
}

/** What the browser knows of a language. Makers of formats are dear, so they are kept. */
function browserFormats(tag: string): Formats {
  const numbers = new Map<string, Intl.NumberFormat>();
  const dates = new Map<string, Intl.DateTimeFormat>();
  const rules = new Intl.PluralRules(tag);
  const kept = <T>(map: Map<string, T>, options: object, make: () => T): T => {
    const key = JSON.stringify(options);
    const found = map.get(key) ?? make();
    map.set(key, found);
    return found;
  };
  return {
    number: (value, options) => kept(numbers, options, () => new Intl.NumberFormat(tag, options)).format(value),
    date: (at, options) => kept(dates, options, () => new Intl.DateTimeFormat(tag, options)).format(at),
    plural: (value) => rules.select(value),
  };
}

async function formatsOf(locale: Locale): Promise<Formats> {
  const tag = tagOf(locale);
  if (locale === 'is' && Intl.NumberFormat.supportedLocalesOf(tag).length === 0) return (await import('./icelandic')).icelandic;
  return browserFormats(tag);
}

class Words {
  locale = $state<Locale>('en');
  /** Empty until the first language has come. */
  #catalogue = $state.raw<Partial<Catalogue>>({});
  /** Changes with what the reader chooses for the language. */
  tag = $state<string>(locales.en.tag);
  readonly rtl = $derived(locales[this.locale].dir === 'rtl');
  #formats = $state.raw<Formats>(browserFormats(locales.en.tag));

  async use(locale: Locale): Promise<void> {
    const [catalogue, formats] = await Promise.all([catalogues[locale](), formatsOf(locale), locales[locale].dir === 'rtl' ? import('../styles/persian.css') : null]);
    this.#catalogue = catalogue;
    this.#formats = formats;
    this.locale = locale;
    this.tag = tagOf(locale);
    document.documentElement.lang = locale;
    document.documentElement.dir = locales[locale].dir;
  }

  /** The language to start with: the reader's choice, the server's, the browser's, English. */
  first(server: string | null | undefined): Locale {
    const wishes = [localStorage.getItem('safar.locale'), server, ...navigator.languages.map((tag) => tag.slice(0, 2))];
    return wishes.find(isLocale) ?? 'en';
  }

  choose(locale: Locale): void {
    localStorage.setItem('safar.locale', locale);
    void this.use(locale);
  }

  /** The digits or the calendar that are in use; undefined where the language leaves no choice. */
  used(what: 'digits' | 'calendar'): string | undefined {
    void this.tag;
    return chosen(what, this.locale, what === 'digits' ? digits[this.locale] : calendars[this.locale]);
  }

  write(what: 'digits' | 'calendar', value: string): void {
    localStorage.setItem(`safar.${what}.${this.locale}`, value);
    void this.use(this.locale);
  }

  has(key: string): key is Key {
    return key in this.#catalogue;
  }

  t(key: Key, values: Values = {}): string {
    const message: Message | undefined = this.#catalogue[key];
    if (message === undefined) return '';
    const form = typeof message === 'string' ? message : (message[this.#formats.plural(Number(values['n'] ?? 0))] ?? message.other);
    return this.#inDigits(form).replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      if (value === undefined) return whole;
      if (typeof value === 'number') return this.number(value);
      // A name in Latin letters keeps its own direction in a right-to-left sentence: 5-8510 does not become 8510-5.
      return this.rtl && value ? isolated(value) : value;
    });
  }

  /** The digits that a catalogue is written with as the reader wants them. */
  #inDigits(text: string): string {
    return this.used('digits') === 'latn' ? text.replace(/[٠-٩۰-۹]/g, (digit) => String((digit.codePointAt(0) ?? 0) & 15)) : text;
  }

  /** The label of something the server names: known names are translated, others are shown as they are. */
  known(prefix: 'col' | 'kpi' | 'dim' | 'model' | 'measure', name: string): string {
    const key = `${prefix}.${name}`;
    return this.has(key) ? this.t(key) : name.replaceAll('_', ' ');
  }

  number(value: number, digits = 2): string {
    const whole = Number.isInteger(value) || Math.abs(value) >= 10_000;
    return this.#formats.number(value, { signDisplay: 'negative', maximumFractionDigits: whole ? 0 : Math.abs(value) >= 100 ? Math.min(1, digits) : digits });
  }

  /** For axes, whose round numbers have three digits at most: 0.25, 12 k, 1.25 M. */
  compact(value: number): string {
    return this.#formats.number(value, { notation: 'compact', maximumSignificantDigits: 3 });
  }

  /** What is some, but less than the last digit tells, is not written as nothing. */
  percent(share: number, digits = 1): string {
    const least = 10 ** (-digits - 2);
    const written = (value: number): string => this.#formats.number(value, { style: 'percent', signDisplay: 'negative', maximumFractionDigits: digits });
    return share > 0 && share < least / 2 ? `<${written(least)}` : written(share);
  }

  /** A probability, however small: 0.03, 2.1E-6. */
  chance(value: number): string {
    return this.#formats.number(value, value > 0 && value < 0.001 ? { notation: 'scientific', maximumFractionDigits: 1 } : { maximumFractionDigits: 3 });
  }

  money(value: number, currency: string): string {
    return this.#formats.number(value, { style: 'currency', currency, maximumFractionDigits: Math.abs(value) >= 100 ? 0 : 2 });
  }

  day(day: string): string {
    return this.#formats.date(new Date(`${day.slice(0, 10)}T00:00:00Z`), { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
  }

  dayShort(day: string): string {
    return this.#formats.date(new Date(`${day.slice(0, 10)}T00:00:00Z`), { day: 'numeric', month: 'short', timeZone: 'UTC' });
  }

  /** Month and year, in this order: browsers put Persian years first, Persian readers do not. */
  month(day: string): string {
    const month = this.#formats.date(new Date(`${day}T00:00:00Z`), { month: 'long', timeZone: 'UTC' });
    return `${month} ${this.#formats.number(yearOf(this.tag, day), { useGrouping: false })}`;
  }

  dayNumber(day: string): string {
    return this.#formats.date(new Date(`${day}T00:00:00Z`), { day: 'numeric', timeZone: 'UTC' });
  }

  weekday(day: string): string {
    return this.#formats.date(new Date(`${day}T00:00:00Z`), { weekday: 'narrow', timeZone: 'UTC' });
  }

  time(instant: string, zone: string): string {
    const at = new Date(instant);
    return Number.isNaN(at.getTime()) ? instant : this.#formats.date(at, { dateStyle: 'medium', timeStyle: 'short', timeZone: zone });
  }

  clock(instant: string, zone: string): string {
    const at = new Date(instant);
    return Number.isNaN(at.getTime()) ? instant : this.#formats.date(at, { timeStyle: 'medium', timeZone: zone });
  }

  /** A length of time in its largest fitting unit. */
  span(seconds: number): string {
    const [size, unit] = seconds >= 172_800 ? [86_400, 'day'] : seconds >= 7200 ? [3600, 'hour'] : seconds >= 120 ? [60, 'minute'] : [1, 'second'];
    return this.#formats.number(seconds / (size as number), { style: 'unit', unit: unit as string, unitDisplay: 'short', maximumFractionDigits: 1 });
  }
}

export const words = new Words();
export const t = (key: Key, values?: Values): string => words.t(key, values);
