import { describe, expect, it } from 'vitest';
import { addEntry, entries, keys, read, removeEntry, write, writeEntry } from '../../src/lib/toml';

const file = `# kept
[workspace]
name = "shop"        # the "name" # of it

[sessions]
preset = "ga4"
# idle_minutes = 30   # a longer pause

[channels]
own_domains = ["a.example", "b.example"]
# [channels.aliases]
# facebook = ["fb"]

[[channels.rules]]
channel = "Influencer"
when = { medium = "influencer" }

[attribution]
models = ["first", "last"]
`;

describe('reading', () => {
  it('knows scalars and lists, and what is commented out is not set', () => {
    expect(read(file, 'workspace', 'name')).toBe('shop');
    expect(read(file, 'channels', 'own_domains')).toEqual(['a.example', 'b.example']);
    expect(read(file, 'sessions', 'idle_minutes')).toBeUndefined();
    expect(entries(file, 'channels.rules')).toEqual([{ channel: '"Influencer"', when: '{ medium = "influencer" }' }]);
  });
});

describe('writing', () => {
  it('changes one line and keeps its comment', () => {
    const changed = write(file, 'workspace', 'name', 'new "shop"');
    expect(changed.split('\n')[2]).toBe('name = "new \\"shop\\"" # the "name" # of it');
    expect(changed.split('\n').filter((line, at) => line !== file.split('\n')[at])).toHaveLength(1);
    expect(read(changed, 'workspace', 'name')).toBe('new "shop"');
  });
  it('sets what was commented out in its place', () => {
    expect(write(file, 'sessions', 'idle_minutes', 45)).toContain('preset = "ga4"\nidle_minutes = 45 # a longer pause\n');
  });
  it('adds to a section, and adds a section', () => {
    expect(read(write(file, 'sessions', 'cut_at_midnight', true), 'sessions', 'cut_at_midnight')).toBe(true);
    const added = write(file, 'windows', 'click_days', 14);
    expect(read(added, 'windows', 'click_days')).toBe(14);
    expect(added.startsWith(file.trimEnd())).toBe(true);
  });
  it('does not put a key behind the section, into a commented table', () => {
    const changed = write(file, 'channels', 'ignored_referrers', ['pay.example']);
    expect(changed.indexOf('ignored_referrers')).toBeLessThan(changed.indexOf('# [channels.aliases]'));
  });
  it('takes a key out', () => {
    expect(read(write(file, 'sessions', 'preset', null), 'sessions', 'preset')).toBeUndefined();
  });
  it('undoes an added rule by removing it', () => {
    const added = addEntry(file, 'channels.rules', { channel: '"QR"', when: '{ source = "qr" }' });
    expect(entries(added, 'channels.rules').map((rule) => rule['channel'])).toEqual(['"QR"', '"Influencer"']);
    expect(removeEntry(added, 'channels.rules', 0)).toBe(file);
  });
});

describe('values over many lines', () => {
  const long = `[channels]
own_domains = [ # ours
  "a.example", # the shop
  # the blog came later
  'b#.example',
  "c.example", "d.example",
  # add more here
] # all of them
ignored_referrers = []

[channels.aliases]
facebook = [
  "fb",
  "FB Ads"
]
"x y" = ["z"]

[[goals]]
name = "lead"
where = [
  { field = "plan", is = ["pro"] }
]
count = "every"

[[goals]]
name = "order"
`;
  it('are read as they are, whatever their quotes and comments', () => {
    expect(read(long, 'channels', 'own_domains')).toEqual(['a.example', 'b#.example', 'c.example', 'd.example']);
    expect(read(long, 'channels.aliases', 'facebook')).toEqual(['fb', 'FB Ads']);
    expect(keys(long, 'channels.aliases')).toEqual({ facebook: '[\n  "fb",\n  "FB Ads"\n]', 'x y': '["z"]' });
    expect(entries(long, 'goals').map((goal) => [goal['name'], goal['count']])).toEqual([['"lead"', '"every"'], ['"order"', undefined]]);
  });
  it('are written over whole: nothing of the old list is left, comments of what stays are kept', () => {
    const changed = write(long, 'channels', 'own_domains', ['a.example', 'b#.example', 'new.example']);
    expect(changed).toContain('own_domains = [\n  "a.example", # the shop\n  # the blog came later\n  "b#.example",\n  "new.example",\n  # add more here\n] # all of them\nignored_referrers = []');
    expect(read(changed, 'channels', 'own_domains')).toEqual(['a.example', 'b#.example', 'new.example']);
    expect(write(long, 'channels', 'own_domains', null).startsWith('[channels]\nignored_referrers = []\n')).toBe(true);
    expect(read(write(long, 'channels.aliases', 'facebook', ['fb']), 'channels.aliases', 'facebook')).toEqual(['fb']);
  });
  it('are no borders of entries', () => {
    expect(removeEntry(long, 'goals', 0)).toBe(long.slice(0, long.indexOf('[[goals]]')) + '[[goals]]\nname = "order"\n');
    const changed = writeEntry(writeEntry(long, 'goals', 0, 'count', '"once-per-person"'), 'goals', 1, 'fixed_value', '5');
    expect(entries(changed, 'goals')).toMatchObject([{ count: '"once-per-person"' }, { name: '"order"', fixed_value: '5' }]);
    expect(writeEntry(changed, 'goals', 1, 'fixed_value', null)).toBe(long.replace('count = "every"', 'count = "once-per-person"'));
  });
});
