import { vi } from 'vitest';
import { words } from '../../src/i18n/words.svelte';

// Measuring is left out of the stand-in for a browser.
vi.stubGlobal('ResizeObserver', class { observe(): void {} unobserve(): void {} disconnect(): void {} });
vi.stubGlobal('scrollTo', () => undefined);

// Tests without a browser say nothing.
if (typeof document !== 'undefined') await words.use('en');
