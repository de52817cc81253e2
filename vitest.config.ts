/** The tests that need Node alone; the suites against real parts have configurations of their own. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // What needs a real part that Node alone cannot give runs by a command of its own.
    exclude: ['test/real/**', 'node_modules/**'],
    environment: 'node',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      include: ['lib/core/**'],
      thresholds: { branches: 100 },
      reporter: ['text-summary', 'text'],
    },
  },
});
