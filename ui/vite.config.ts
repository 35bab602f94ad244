import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

// The server that answers /api while developing: the mock, or `safar serve`.
const server = process.env['SAFAR_URL'] ?? 'http://127.0.0.1:8099';

export default defineConfig({
  plugins: [svelte()],
  server: { proxy: { '/api': { target: server } } },
  build: {
    target: 'es2022',
    // A content security policy without `data:` is kept: nothing is inlined into style sheets or scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    projects: [
      {
        extends: true,
        plugins: [svelteTesting()],
        test: { name: 'unit', include: ['tests/unit/**/*.test.ts'], environment: 'happy-dom', setupFiles: ['tests/unit/setup.ts'] },
      },
      {
        test: { name: 'e2e', include: ['tests/e2e/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false },
      },
      {
        test: { name: 'real', include: ['tests/real/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false },
      },
    ],
  },
});
