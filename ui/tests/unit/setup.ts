import { vi } from 'vitest';

// Measuring is left out of the stand-in for a browser.
vi.stubGlobal('ResizeObserver', class { observe(): void {} unobserve(): void {} disconnect(): void {} });
vi.stubGlobal('scrollTo', () => undefined);
