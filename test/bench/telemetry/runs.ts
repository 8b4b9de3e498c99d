import type { TelemetryRun, TelemetrySample } from '../../../src/bench/telemetry/sample.ts';

/** A run of two cells, closed and open loop. */
export const RUN: TelemetryRun = {
  id: 'r1',
  scenario: 'demo',
  version: '1.2.3',
  originMs: 1_700_000_000_000,
  cells: [
    {
      target: 'a',
      prompt: 'p',
      concurrency: 4,
      mode: 'streaming',
      endpoint: { provider: 'gemini', dialect: 'gemini', model: 'm1', host: 'api.test', port: 443 },
    },
    {
      target: 'b',
      prompt: 'p',
      concurrency: 64,
      rate: 20,
      mode: 'streaming',
      endpoint: { provider: 'custom', dialect: 'openai-chat' },
    },
  ],
};

/** A successful request that took 1 s, with the first token after 200 ms and two gaps. */
export function sample(more: Partial<TelemetrySample> = {}): TelemetrySample {
  return {
    cell: 0,
    outcome: 'ok',
    status: 200,
    finish: 'stop',
    ttfbMs: 150,
    ttfeMs: 180,
    ttftMs: 200,
    totalMs: 1000,
    gaps: [20, 30],
    inputTokens: 10,
    outputTokens: 3,
    contentEvents: 3,
    marks: {
      scheduled: 0,
      started: 1,
      sent: 2,
      headers: 152,
      firstByte: 182,
      firstEvent: 182,
      firstToken: 202,
      lastToken: 252,
      end: 1002,
    },
    ...more,
  };
}
