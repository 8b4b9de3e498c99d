import type { RequestRecord } from '../../src/model/record.ts';
import { connectionGroup, type ProbeReport, type ProbeRequest } from '../../src/report/probe-report.ts';

/** A good request with round numbers, on a new TLS connection: 12 chunks, 40 ms apart after a second. */
export function probeRecord(changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    schema: 'streambench/record@1',
    seq: 0,
    round: 0,
    target: 'gpt-4o-mini',
    prompt: 'prompt',
    concurrency: 1,
    mode: 'streaming',
    outcome: { kind: 'ok' },
    marks: {
      scheduled: 0,
      started: 1,
      connectStart: 2,
      dns: 14,
      tcp: 36,
      tls: 67,
      sent: 67.4,
      headers: 380,
      firstByte: 380,
      firstEvent: 380,
      firstToken: 381,
      firstAnswer: 562,
      lastToken: 1002,
      end: 1003.5,
    },
    connection: { reused: false, protocol: 'h1', remote: '104.18.7.192:443', tls: 'TLSv1.3' },
    status: 200,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'transfer-encoding': 'chunked',
      'x-request-id': 'req_1',
    },
    reads: 14,
    events: 16,
    comments: 1,
    contentEvents: 14,
    coalesced: 1,
    bytes: 4321,
    chars: { answer: 120, thinking: 40 },
    gaps: [181, 40, 41, 39, 40, 38, 42, 40, 40, 40, 40, 40],
    secondTokenGap: 181,
    tokens: { output: 28, source: 'usage', first: 1, input: 12, reasoning: 8 },
    finish: { reason: 'stop', raw: 'stop' },
    ...changes,
  };
}

/** The first request of a probe; `changes` are made to its record. */
export function probeRequest(changes: Partial<RequestRecord> = {}): ProbeRequest {
  return {
    record: probeRecord(changes),
    arrivals: [[381, 1], [562, 2], ...Array.from({ length: 11 }, (_, i) => [602 + i * 40, 1] as const)],
    preview:
      'The sky is blue because sunlight is scattered by the molecules of the air, and blue light the most.',
    streaming: {
      verdict: 'streaming',
      evidence: '14 chunks over 0.62 s after 0.31 s: it came as it was made',
      figures: null,
    },
    lint: [
      {
        code: 'x-accel-buffering',
        severity: 'info',
        what: 'no x-accel-buffering',
        why: 'nginx buffers what it proxies unless it is told not to',
        remedy: 'send x-accel-buffering: no, or set proxy_buffering off',
      },
    ],
  };
}

/** The same on the connection of the first: nothing to connect, and 60 ms sooner. */
export function warmRequest(): ProbeRequest {
  const { marks, connection, ...record } = probeRecord();
  const { connectStart: _c, dns: _d, tcp: _t, tls: _s, ...rest } = marks;
  const sooner = Object.fromEntries(Object.entries(rest).map(([name, ms]) => [name, ms - 60]));
  return {
    ...probeRequest(),
    record: {
      ...record,
      connection: { ...connection!, reused: true },
      marks: { ...marks, ...sooner, scheduled: 0, started: 1, sent: 1.4, ...CONNECTED },
    },
  };
}

const CONNECTED = { connectStart: undefined, dns: undefined, tcp: undefined, tls: undefined } as object;

/** A probe of these requests. */
export function probeReport(
  requests: readonly ProbeRequest[] = [probeRequest()],
  target: Partial<ProbeReport['target']> = {},
): ProbeReport {
  return {
    schema: 'streambench/probe@1',
    probedAt: '2026-11-21T04:00:00.000Z',
    target: {
      url: 'https://api.openai.com/v1/chat/completions',
      method: 'POST',
      provider: 'openai',
      dialect: 'openai-chat',
      model: 'gpt-4o-mini',
      mode: 'streaming',
      guessed: false,
      ...target,
    },
    software: { streambench: '0.1.0', node: '20.20.2', undici: '7.30.2' },
    requests,
    cold: connectionGroup(requests, false),
    warm: connectionGroup(requests, true),
  };
}
