import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    // Installs the official SDKs and mock servers that test/peers streams with, or says why it cannot.
    globalSetup: ['test/peers/setup.ts'],
    testTimeout: 20_000,
    // The machine's two cores are shared with the servers that the tests start.
    maxWorkers: 2,
  },
});
