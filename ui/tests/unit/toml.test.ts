import { describe, expect, it } from 'vitest';
import { addEntry, entries, read, removeEntry, write } from '../../src/lib/toml';

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
