/** Days as `YYYY-MM-DD`, and months of any calendar that `Intl` knows. */

const format = new Map<string, Intl.DateTimeFormat>();

function parts(locale: string, day: string): { year: number; month: number; day: number } {
  const calendar = new Intl.DateTimeFormat(locale).resolvedOptions().calendar;
  let formatter = format.get(calendar);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat(`en-u-ca-${calendar}-nu-latn`, { year: 'numeric', month: 'numeric', day: 'numeric', timeZone: 'UTC' });
    format.set(calendar, formatter);
  }
  const found = { year: 0, month: 0, day: 0 };
  for (const { type, value } of formatter.formatToParts(asDate(day))) {
    if (type === 'year' || type === 'month' || type === 'day') found[type] = Number.parseInt(value, 10);
  }
  return found;
}

/** The year of the locale's calendar that holds `day`. */
export const yearOf = (locale: string, day: string): number => parts(locale, day).year;

export const asDate = (day: string): Date => new Date(`${day}T00:00:00Z`);
const asDay = (date: Date): string => date.toISOString().slice(0, 10);

export function addDays(day: string, days: number): string {
  return asDay(new Date(asDate(day).getTime() + days * 86_400_000));
}

export function daysBetween(from: string, to: string): number {
  return Math.round((asDate(to).getTime() - asDate(from).getTime()) / 86_400_000);
}

/** The day of an instant in an IANA time zone; an instant that is none gives itself. */
export function dayIn(instant: string | Date, zone: string): string {
  const at = new Date(instant);
  if (Number.isNaN(at.getTime())) return String(instant);
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at);
}

export const today = (zone: string): string => dayIn(new Date(), zone);

/** First day of the month that holds `day`, by the locale's calendar: of Persian months in Persian. */
export function monthStart(locale: string, day: string): string {
  return addDays(day, 1 - parts(locale, day).day);
}

/** First day of the month that is `step` months away from the one that holds `day`. */
export function monthStep(locale: string, day: string, step: number): string {
  let at = monthStart(locale, day);
  for (let left = Math.abs(step); left > 0; left--) at = monthStart(locale, addDays(at, step > 0 ? 32 : -1));
  return at;
}

/** The weeks of a month as rows of seven days; days of other months are null. */
export function monthGrid(locale: string, day: string, weekStart: number): (string | null)[][] {
  const start = monthStart(locale, day);
  const days = daysBetween(start, monthStep(locale, start, 1));
  const lead = (asDate(start).getUTCDay() - weekStart + 7) % 7;
  const cells: (string | null)[] = Array.from({ length: lead }, () => null);
  for (let at = 0; at < days; at++) cells.push(addDays(start, at));
  while (cells.length % 7) cells.push(null);
  return Array.from({ length: cells.length / 7 }, (_, week) => cells.slice(week * 7, week * 7 + 7));
}

/** Weekday that starts a week, 0 for Sunday. Browsers that do not tell get Monday, Iran's Saturday. */
export function weekStart(locale: string): number {
  const info = new Intl.Locale(locale) as Intl.Locale & { getWeekInfo?: () => { firstDay: number }; weekInfo?: { firstDay: number } };
  const first = info.getWeekInfo?.().firstDay ?? info.weekInfo?.firstDay;
  return first === undefined ? (locale.startsWith('fa') || locale.startsWith('ar') ? 6 : 1) : first % 7;
}
