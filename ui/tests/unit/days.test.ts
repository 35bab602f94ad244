import { describe, expect, it } from 'vitest';
import { addDays, dayIn, daysBetween, monthGrid, monthStart, monthStep } from '../../src/lib/days';

describe('days', () => {
  it('count across a change of clocks and a leap day', () => {
    expect(addDays('2026-03-28', 2)).toBe('2026-03-30');
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
    expect(daysBetween('2026-10-24', '2026-10-27')).toBe(3);
  });
  it('are those of the time zone', () => {
    expect(dayIn('2026-11-21T22:30:00Z', 'Asia/Tehran')).toBe('2026-11-22');
    expect(dayIn('nonsense', 'UTC')).toBe('nonsense');
  });
});

describe('months', () => {
  it('are of the Gregorian calendar in English', () => {
    expect(monthStart('en-GB', '2026-11-22')).toBe('2026-11-01');
    expect(monthStep('en-GB', '2026-01-15', -1)).toBe('2025-12-01');
  });
  // Nowruz 1405 was on 21 March 2026 (Iranian calendar: Farvardin has 31 days, Esfand 1404 has 29).
  it('are Persian in Persian', () => {
    expect(monthStart('fa-IR', '2026-04-20')).toBe('2026-03-21');
    expect(monthStep('fa-IR', '2026-04-20', 1)).toBe('2026-04-21');
    expect(monthStep('fa-IR', '2026-04-20', -1)).toBe('2026-02-20');
  });
  it('fill whole weeks, every day once', () => {
    for (const locale of ['en-GB', 'fa-IR']) {
      const grid = monthGrid(locale, '2026-11-22', locale === 'fa-IR' ? 6 : 1);
      const days = grid.flat().filter((day) => day !== null);
      expect(grid.every((week) => week.length === 7)).toBe(true);
      expect(new Set(days).size).toBe(daysBetween(monthStart(locale, '2026-11-22'), monthStep(locale, '2026-11-22', 1)));
      expect(new Date(`${grid[1]?.[0]}T00:00:00Z`).getUTCDay()).toBe(locale === 'fa-IR' ? 6 : 1);
    }
  });
});
