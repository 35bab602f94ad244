/** The content security policy forbids style attributes and foreign addresses: the sources have none. */
import { describe, expect, it } from 'vitest';

const sources = import.meta.glob('../../src/**/*.{svelte,ts,css}', { query: '?raw', import: 'default', eager: true }) as Record<string, string>;

describe('sources', () => {
  it('are found', () => expect(Object.keys(sources).length).toBeGreaterThan(50));
  it.each(Object.keys(sources))('%s', (path) => {
    const text = sources[path] ?? '';
    expect(text).not.toMatch(/<[^>]*\sstyle(:[\w-]+)?\s*=/);
    expect(text).not.toMatch(/\{@html|\beval\(|new Function/);
    expect(text).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
    expect(text).not.toMatch(/(margin|padding|border)-(left|right)|text-align:\s*(left|right)|[^-](left|right):\s*\d/);
  });
});
