/** Bundled by `npm run build`, like the packages in `packages.ts`. A module of its own: the telemetry of a run uses it too. */

export { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
