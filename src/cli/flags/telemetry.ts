import type { Command } from 'commander';
import type { TelemetrySettings } from '../../bench/telemetry/hub.ts';
import { UserError } from '../../model/errors.ts';
import { listenOption } from './values.ts';

/** The telemetry options, as commander delivers them. */
export interface TelemetryFlags {
  prometheus?: { host: string; port: number };
  /** True without a URL. */
  otlp?: string | true;
}

/** Adds the telemetry options. */
export function addTelemetryOptions(command: Command): void {
  command
    .optionsGroup('Telemetry:')
    .addOption(
      listenOption(
        '--prometheus <port>',
        'serve metrics at http://127.0.0.1:PORT/metrics during the run; 0 picks a free port, HOST:PORT listens elsewhere',
      ),
    )
    .option(
      '--otlp [url]',
      'export metrics and a span per request to this OTLP/HTTP receiver (default: OTEL_EXPORTER_OTLP_ENDPOINT)',
    )
    .option('--traceparent', "send a W3C traceparent header, so that the server's spans join the request's");
}

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];

/** The settings of the telemetry; undefined where none is asked for. Throws a `UserError` (`usage`) for a missing or invalid URL. */
export function telemetrySettings(
  { prometheus, otlp }: TelemetryFlags,
  env: Readonly<Record<string, string | undefined>>,
): Omit<TelemetrySettings, 'version'> | undefined {
  if (prometheus === undefined && otlp === undefined) return undefined;
  if (otlp === undefined) return { prometheus };
  if (otlp !== true) return { prometheus, otlp: { url: checkedUrl(otlp, '--otlp') } };
  const [variable] = ENDPOINTS.filter((name) => env[name]);
  if (variable === undefined) {
    throw new UserError('usage', {
      message: '--otlp has no URL, and OTEL_EXPORTER_OTLP_ENDPOINT is not set',
      hint: 'write the address of an OTLP/HTTP receiver: --otlp http://127.0.0.1:4318',
    });
  }
  checkedUrl(env[variable] ?? '', variable);
  return { prometheus, otlp: {} };
}

function checkedUrl(text: string, from: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new UserError('usage', {
    message: `${from} is not an http:// or https:// URL: "${text}"`,
    hint: 'write the address of an OTLP/HTTP receiver, such as http://127.0.0.1:4318',
  });
}
