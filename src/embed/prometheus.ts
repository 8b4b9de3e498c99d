/**
 * `streambench/prometheus`: observations as metrics of prom-client, with the names that a Prometheus has of the OpenTelemetry
 * metrics. Uses the prom-client that the application gives, and imports none.
 */

import {
  endpointAttributes,
  figuresOf,
  GEN_AI_METRICS,
  type GenAiMetric,
  type RecordedObservation,
} from './gen-ai.ts';

export type { Endpoint } from '../model/endpoint.ts';
export type { RecordedObservation } from './gen-ai.ts';

/** What is used of a `Histogram` of prom-client. */
export interface PrometheusHistogram {
  labels(labels: Record<string, string>): { observe(value: number): void };
}

/** What is used of prom-client. `R`: its registry. */
export interface PrometheusClient<R> {
  Histogram: new (configuration: {
    name: string;
    help: string;
    labelNames: string[];
    buckets: number[];
    registers?: R[];
  }) => PrometheusHistogram;
}

/** Settings of `prometheusRecorder`. */
export interface PrometheusRecorderOptions<R> {
  /** Where the metrics are registered. Default: prom-client's own registry. */
  registers?: R[];
}

const ENDPOINT = [
  'gen_ai_operation_name',
  'gen_ai_provider_name',
  'gen_ai_request_model',
  'server_address',
  'server_port',
];

/**
 * A function that records observations: `measuredFetch({ onObservation: prometheusRecorder(promClient) })`. The metrics are
 * `gen_ai_client_operation_duration_seconds`, `..._time_to_first_chunk_seconds`, `..._time_per_output_chunk_seconds` and
 * `gen_ai_client_token_usage`; their labels are the attributes of OpenTelemetry's conventions, empty where not known. Failed
 * requests have `error_type`, the outcome, and only a duration.
 *
 * Throws prom-client's error if the registry has metrics of these names: make one recorder for each registry.
 */
export function prometheusRecorder<R>(
  client: PrometheusClient<R>,
  { registers }: PrometheusRecorderOptions<R> = {},
): (observation: RecordedObservation) => void {
  const histogram = ({ name, unit, description, buckets }: GenAiMetric, more: readonly string[] = []) =>
    new client.Histogram({
      name: `${name.replaceAll('.', '_')}${unit === 's' ? '_seconds' : ''}`,
      help: description,
      labelNames: [...ENDPOINT, ...more],
      buckets: [...buckets],
      // prom-client takes a key without a value for no registry at all.
      ...(registers && { registers }),
    });
  const duration = histogram(GEN_AI_METRICS.duration, ['error_type']);
  const firstChunk = histogram(GEN_AI_METRICS.firstChunk);
  const chunk = histogram(GEN_AI_METRICS.chunk);
  const usage = histogram(GEN_AI_METRICS.tokens, ['gen_ai_token_type']);
  return (observation) => {
    const figures = figuresOf(observation);
    if (figures === undefined) return;
    const { durationS, errorType = '', firstChunkS, gapsMs, tokens } = figures;
    const labels = labelsOf(observation);
    duration.labels({ ...labels, error_type: errorType }).observe(durationS);
    if (firstChunkS !== undefined) firstChunk.labels(labels).observe(firstChunkS);
    if (gapsMs.length > 0) {
      const child = chunk.labels(labels);
      for (const ms of gapsMs) child.observe(ms / 1000);
    }
    for (const type of ['input', 'output'] as const) {
      const count = tokens[type];
      if (count !== undefined) usage.labels({ ...labels, gen_ai_token_type: type }).observe(count);
    }
  };
}

function labelsOf({ endpoint }: RecordedObservation): Record<string, string> {
  const labels = Object.fromEntries(ENDPOINT.map((name) => [name, '']));
  for (const [name, value] of Object.entries(endpointAttributes(endpoint)))
    labels[name.replaceAll('.', '_')] = String(value);
  return labels;
}
