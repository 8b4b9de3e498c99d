import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    // The machine's two cores are shared with the servers that the tests start.
    maxWorkers: 2,
  },
});
