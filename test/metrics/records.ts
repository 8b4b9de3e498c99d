import type { RequestRecord } from '../../src/model/record.ts';
import type { Manifest } from '../../src/model/report.ts';

/** A good streaming record with round numbers: TTFB 80, TTFT 100, five chunks 20 ms apart, end 200. */
export function record(changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    schema: 'streambench/record@1',
    seq: 0,
    round: 0,
    target: 'flash',
    prompt: 'short',
    concurrency: 4,
    mode: 'streaming',
    outcome: { kind: 'ok' },
    marks: {
      scheduled: 1000,
      started: 1002,
      connectStart: 1003,
      dns: 1005,
      tcp: 1010,
      tls: 1018,
      sent: 1020,
      headers: 1100,
      firstByte: 1105,
      firstEvent: 1110,
      firstToken: 1120,
      firstAnswer: 1140,
      lastToken: 1200,
      end: 1220,
    },
    connection: { reused: false },
    reads: 6,
    events: 8,
    comments: 0,
    contentEvents: 5,
    coalesced: 0,
    bytes: 900,
    chars: { answer: 20, thinking: 0 },
    gaps: [20, 20, 20, 20],
    secondTokenGap: 20,
    tokens: { output: 10, source: 'usage', first: 2 },
    ...changes,
  };
}

/** The same request when not streaming: content is there when the whole body is. */
export function wholeRecord(changes: Partial<RequestRecord> = {}): RequestRecord {
  const base = record();
  const { secondTokenGap: _, ...rest } = base;
  const { connectStart: _c, dns: _d, tcp: _t, tls: _s, firstEvent: _e, ...marks } = base.marks;
  return {
    ...rest,
    mode: 'non-streaming',
    marks: {
      ...marks,
      headers: 1215,
      firstByte: 1216,
      firstToken: 1220,
      firstAnswer: 1220,
      lastToken: 1220,
      end: 1220,
    },
    connection: { reused: true },
    contentEvents: 1,
    gaps: [],
    ...changes,
  };
}

/** A manifest for the cells that the records above belong to. */
export function manifest(changes: Partial<Manifest> = {}): Manifest {
  return {
    schema: 'streambench/manifest@1',
    run: {
      id: '2026-11-21T03-31-58-demo-3f2a',
      startedAt: '2026-11-21T03:31:58.000Z',
      endedAt: '2026-11-21T03:32:40.000Z',
      aborted: false,
      seed: 42,
      planned: 80,
      rounds: 5,
    },
    environment: {
      streambench: '0.1.0',
      node: '20.20.2',
      undici: '7.30.2',
      os: 'linux 6.1',
      arch: 'x64',
      cpus: { model: 'Xeon  Gold', count: 2 },
      memoryBytes: 8 * 2 ** 30,
      gitCommit: '0123456789abcdef0123456789abcdef01234567-dirty',
    },
    scenario: { name: 'demo', hash: 'f00d', document: { version: 1, name: 'demo' } },
    cells: [
      { target: 'flash', prompt: 'short', concurrency: 4, mode: 'streaming' },
      { target: 'flash', prompt: 'short', concurrency: 4, mode: 'non-streaming' },
    ],
    stallMs: 1000,
    thresholds: [],
    ...changes,
  };
}

/** A small generator, so that synthetic runs are the same every time. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
