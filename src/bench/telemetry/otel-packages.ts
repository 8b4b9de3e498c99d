import { UserError } from '../../model/errors.ts';

/** The OpenTelemetry SDK: optional packages, which are loaded only with `--otlp`. */

const NAMES = {
  api: '@opentelemetry/api',
  metrics: '@opentelemetry/sdk-metrics',
  trace: '@opentelemetry/sdk-trace-base',
  metricExporter: '@opentelemetry/exporter-metrics-otlp-http',
  traceExporter: '@opentelemetry/exporter-trace-otlp-http',
  resources: '@opentelemetry/resources',
} as const;

/** The loaded packages. */
export interface OtelPackages {
  api: typeof import('@opentelemetry/api');
  metrics: typeof import('@opentelemetry/sdk-metrics');
  trace: typeof import('@opentelemetry/sdk-trace-base');
  metricExporter: typeof import('@opentelemetry/exporter-metrics-otlp-http');
  traceExporter: typeof import('@opentelemetry/exporter-trace-otlp-http');
  resources: typeof import('@opentelemetry/resources');
}

/** Loads a module by its name. */
type ImportModule = (specifier: string) => Promise<unknown>;

// Through a variable, because the packages may not be installed.
const importModule: ImportModule = (specifier) => import(specifier);

/** Loads the packages. Rejects with a `UserError` (`usage`) that names those that cannot be loaded. */
export async function loadOtel(load: ImportModule = importModule): Promise<OtelPackages> {
  const missing: string[] = [];
  const entries = await Promise.all(
    Object.entries(NAMES).map(async ([key, name]) => {
      try {
        return [key, await load(name)] as const;
      } catch {
        missing.push(name);
        return [key, undefined] as const;
      }
    }),
  );
  if (missing.length > 0) {
    throw new UserError('usage', {
      message: `--otlp needs the OpenTelemetry SDK; ${missing.length === 1 ? 'this package' : 'these packages'} cannot be loaded: ${missing.join(', ')}`,
      hint: `install them next to streambench: npm install ${Object.values(NAMES).join(' ')}`,
    });
  }
  return Object.fromEntries(entries) as unknown as OtelPackages;
}
