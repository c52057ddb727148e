import { defineConfig } from 'vitest/config';

/** Suites that start servers and programs of the machine run one file at a time: they share ports and cores. */
const oneAtATime = { fileParallelism: false, testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'edge/**/*.test.ts',
            'config/**/*.test.ts',
            'test/{tree,contracts}/**/*.test.ts',
          ],
          testTimeout: 20_000,
        },
      },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...oneAtATime } },
      { test: { name: 'faults', include: ['test/faults/**/*.test.ts'], ...oneAtATime } },
      {
        test: {
          name: 'clients',
          include: ['test/clients/**/*.test.ts'],
          ...oneAtATime,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      { test: { name: 'packaging', include: ['test/packaging/**/*.test.ts'], ...oneAtATime } },
      {
        test: {
          name: 'soak',
          // Property tests run in `unit` too; with WHERRY_FULL_COUNTS=1, as here, they take their full counts.
          include: ['test/soak/**/*.test.ts', 'src/**/*.fuzz.test.ts'],
          ...oneAtATime,
          testTimeout: 3_600_000,
        },
      },
    ],
  },
});
