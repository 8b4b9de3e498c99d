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
    reporters: process.env.CI ? ['default', './test/support/slowest-tests.ts'] : ['default'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // Without what the tests of the built program run: that is in processes of their own.
      reporter: ['text-summary', 'json-summary'],
      reportOnFailure: true,
    },
  },
});
