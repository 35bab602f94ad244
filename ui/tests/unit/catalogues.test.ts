/** Every language says everything that English says, with the same places to fill, and with the plural forms that it has. */
import { describe, expect, it } from 'vitest';
import { ar } from '../../src/i18n/ar';
import { en, type Catalogue, type Key, type Message } from '../../src/i18n/en';
import { fa } from '../../src/i18n/fa';
import { is } from '../../src/i18n/is';
import { pl } from '../../src/i18n/pl';

const forms = (message: Message): string[] => (typeof message === 'string' ? [message] : Object.values(message));
const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').toSorted();
/** Language names, SQL and units that are the same word everywhere. */
const shared = /^(nav\.sql|sql\.runHint|app\.menu|col\.(auc|roas|log_loss|model|model_a|medium|origin|email)|dim\.medium|login\.email|overview\.trend|role\.admin|model\.)/;

describe.each(Object.entries({ fa, ar, pl, is }))('%s', (name, catalogue: Catalogue) => {
  it('has the keys of English and no other', () => {
    expect(Object.keys(catalogue).toSorted()).toEqual(Object.keys(en).toSorted());
  });
  it('fills the same places', () => {
    for (const key of Object.keys(en) as Key[]) {
      const wanted = places(forms(en[key]).at(-1) ?? '');
      expect(places(forms(catalogue[key]).at(-1) ?? ''), key).toEqual(wanted);
    }
  });
  it('leaves nothing empty or in English', () => {
    for (const key of Object.keys(en) as Key[]) {
      for (const form of forms(catalogue[key])) expect(form.trim(), key).not.toBe('');
      if (!shared.test(key)) expect(forms(catalogue[key])[0], key).not.toBe(forms(en[key])[0]);
    }
  });
  it('has every plural form of its language', () => {
    const needed = new Intl.PluralRules(name).resolvedOptions().pluralCategories;
    for (const key of Object.keys(en) as Key[]) {
      const message = catalogue[key];
      if (typeof message !== 'string') expect(Object.keys(message).toSorted(), key).toEqual([...needed].toSorted());
    }
  });
});
