/** The first steps: kept for each user apart, and never in the way of one whose browser kept nonsense. */
import { afterEach, describe, expect, it } from 'vitest';
import { app } from '../../src/lib/app.svelte';
import { tour } from '../../src/lib/tour.svelte';

const as = (email: string): void => {
  app.session = { user: { name: email, email, role: 'admin' }, setup_needed: false, csrf: '', locale: null };
};
afterEach(() => {
  localStorage.clear();
  app.session = null;
});

describe('the first steps', () => {
  it('are kept for each user apart', () => {
    as('ada@example.com');
    tour.mark('compare', true);
    tour.mark('overview', true);
    tour.mark('compare', false);
    tour.hide();
    expect([...tour.done]).toEqual(['overview']);
    expect(tour.shown).toBe(false);
    as('jon@example.com');
    expect([tour.done.size, tour.shown]).toEqual([0, true]);
    as('ada@example.com');
    expect([tour.done.size, tour.shown]).toEqual([1, false]);
    tour.show();
    expect(tour.shown).toBe(true);
  });
  it('begin anew where what was kept cannot be read', () => {
    localStorage.setItem('safar.steps.eve@example.com', '{"done": "all"');
    as('eve@example.com');
    expect([tour.done.size, tour.shown]).toEqual([0, true]);
  });
});
