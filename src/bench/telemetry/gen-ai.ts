import { endpointAttributes, spanNameOf } from '../../embed/gen-ai.ts';
import type { TelemetryCell, TelemetryRun, TelemetrySample } from './sample.ts';

/** The attributes of a request, by OpenTelemetry's semantic conventions for generative AI where these have a name for them. */

/** Attributes of a span or a metric. */
export type Attributes = Record<string, string | number | boolean | string[]>;

/** The name of a request's span: operation and model. */
export function spanName({ endpoint }: TelemetryCell): string {
  return spanNameOf(endpoint);
}

/** Attributes that all requests of a cell share. */
export function cellAttributes(cell: TelemetryCell, { scenario }: TelemetryRun): Attributes {
  const { endpoint, target, prompt, concurrency, rate, stage, mode, length } = cell;
  return defined({
    ...endpointAttributes(endpoint),
    'streambench.scenario': scenario,
    'streambench.target': target,
    'streambench.prompt': prompt,
    'streambench.mode': mode,
    'streambench.concurrency': rate === undefined ? concurrency : undefined,
    'streambench.rate': rate,
    'streambench.stage': stage,
    'streambench.length': length,
  });
}

/** Attributes of one request's span, in addition to those of its cell. */
export function spanAttributes(sample: TelemetrySample, run: TelemetryRun): Attributes {
  const { outcome, ttfeMs, ttftMs, finish, inputTokens, outputTokens, status } = sample;
  return defined({
    'streambench.run': run.id,
    'streambench.outcome': outcome,
    'error.type': outcome === 'ok' ? undefined : outcome,
    'http.response.status_code': status,
    'gen_ai.response.finish_reasons': finish === undefined ? undefined : [finish],
    'gen_ai.usage.input_tokens': inputTokens,
    'gen_ai.usage.output_tokens': outputTokens,
    'gen_ai.response.time_to_first_chunk': ttfeMs === null ? undefined : ttfeMs / 1000,
    'streambench.time_to_first_token': ttftMs === null ? undefined : ttftMs / 1000,
    'streambench.content_events': sample.contentEvents,
  });
}

function defined(values: Readonly<Record<string, Attributes[string] | undefined>>): Attributes {
  const attributes: Attributes = {};
  for (const [name, value] of Object.entries(values)) if (value !== undefined) attributes[name] = value;
  return attributes;
}
