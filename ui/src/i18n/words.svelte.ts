/** Words, numbers and dates in the reader's language. */
import { en, type Catalogue, type Key, type Message } from './en';

export const locales = {
  en: { name: 'English', tag: 'en-GB', dir: 'ltr' },
  fa: { name: 'فارسی', tag: 'fa-IR', dir: 'rtl' },
  ar: { name: 'العربية', tag: 'ar-EG', dir: 'rtl' },
  pl: { name: 'Polski', tag: 'pl-PL', dir: 'ltr' },
  is: { name: 'Íslenska', tag: 'is-IS', dir: 'ltr' },
} as const;
export type Locale = keyof typeof locales;

const catalogues: Record<Locale, () => Promise<Catalogue>> = {
  en: async () => en,
  fa: async () => (await import('./fa')).fa,
  ar: async () => (await import('./ar')).ar,
  pl: async () => (await import('./pl')).pl,
  is: async () => (await import('./is')).is,
};

export const isLocale = (name: string | null | undefined): name is Locale => name != null && name in locales;

type Values = Record<string, string | number>;

class Words {
  locale = $state<Locale>('en');
  #catalogue = $state.raw<Catalogue>(en);
  readonly tag = $derived(locales[this.locale].tag);
  readonly rtl = $derived(locales[this.locale].dir === 'rtl');
  readonly #plural = $derived(new Intl.PluralRules(this.tag));
  readonly #formats = $derived({ tag: this.tag, kept: new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>() });

  async use(locale: Locale): Promise<void> {
    this.#catalogue = await catalogues[locale]();
    this.locale = locale;
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

  has(key: string): key is Key {
    return key in en;
  }

  t(key: Key, values: Values = {}): string {
    const message: Message = this.#catalogue[key];
    const form = typeof message === 'string' ? message : (message[this.#plural.select(Number(values['n'] ?? 0))] ?? message.other);
    return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      return value === undefined ? whole : typeof value === 'number' ? this.number(value) : value;
    });
  }

  /** The label of something the server names: known names are translated, others are shown as they are. */
  known(prefix: 'col' | 'kpi' | 'check' | 'dim' | 'model' | 'measure' | 'field', name: string): string {
    const key = `${prefix}.${name}`;
    return this.has(key) ? this.t(key) : name.replaceAll('_', ' ');
  }

  #number(options: Intl.NumberFormatOptions): Intl.NumberFormat {
    const { kept, tag } = this.#formats;
    const key = JSON.stringify(options);
    const found = (kept.get(key) as Intl.NumberFormat | undefined) ?? new Intl.NumberFormat(tag, options);
    kept.set(key, found);
    return found;
  }

  #date(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    const { kept, tag } = this.#formats;
    const key = JSON.stringify(options);
    const found = (kept.get(key) as Intl.DateTimeFormat | undefined) ?? new Intl.DateTimeFormat(tag, options);
    kept.set(key, found);
    return found;
  }

  number(value: number, digits = 2): string {
    const whole = Number.isInteger(value) || Math.abs(value) >= 10_000;
    return this.#number({ maximumFractionDigits: whole ? 0 : Math.abs(value) >= 100 ? Math.min(1, digits) : digits }).format(value);
  }

  /** For axes: 12 k, 1.5 M. */
  compact(value: number): string {
    return this.#number({ notation: 'compact', maximumFractionDigits: 1 }).format(value);
  }

  percent(share: number, digits = 1): string {
    return this.#number({ style: 'percent', maximumFractionDigits: digits }).format(share);
  }

  money(value: number, currency: string): string {
    return this.#number({ style: 'currency', currency, maximumFractionDigits: Math.abs(value) >= 100 ? 0 : 2 }).format(value);
  }

  day(day: string): string {
    return this.#date({ day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }).format(new Date(`${day.slice(0, 10)}T00:00:00Z`));
  }

  dayShort(day: string): string {
    return this.#date({ day: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(`${day.slice(0, 10)}T00:00:00Z`));
  }

  month(day: string): string {
    return this.#date({ month: 'long', year: 'numeric', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));
  }

  dayNumber(day: string): string {
    return this.#date({ day: 'numeric', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));
  }

  weekday(day: string): string {
    return this.#date({ weekday: 'narrow', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));
  }

  time(instant: string, zone: string): string {
    const at = new Date(instant);
    return Number.isNaN(at.getTime()) ? instant : this.#date({ dateStyle: 'medium', timeStyle: 'short', timeZone: zone }).format(at);
  }

  clock(instant: string, zone: string): string {
    const at = new Date(instant);
    return Number.isNaN(at.getTime()) ? instant : this.#date({ timeStyle: 'medium', timeZone: zone }).format(at);
  }

  /** A length of time in its largest fitting unit. */
  span(seconds: number): string {
    const [size, unit] = seconds >= 172_800 ? [86_400, 'day'] : seconds >= 7200 ? [3600, 'hour'] : seconds >= 120 ? [60, 'minute'] : [1, 'second'];
    return this.#number({ style: 'unit', unit: unit as string, unitDisplay: 'short', maximumFractionDigits: 1 }).format(seconds / (size as number));
  }
}

export const words = new Words();
export const t = (key: Key, values?: Values): string => words.t(key, values);
