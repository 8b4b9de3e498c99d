import { createSampler, type RunSamples } from '../../src/analysis/comparison/samples.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Manifest } from '../../src/model/report.ts';
import type { Random } from '../../src/model/seeded-random.ts';
import { manifest, record, wholeRecord } from '../metrics/records.ts';

/** Synthetic runs. */

/** A service as a run meets it. Times in ms. */
export interface Behaviour {
  ttftMs: number;
  /** Deviation of the logarithm, from request to request. */
  sigma?: number;
  /** Deviation of the logarithm, from round to round. */
  drift?: number;
  /** Share of requests that take five times as long. */
  outliers?: number;
  /** Factor on the slowest tenth only. */
  tail?: number;
  /** Share of requests that fail. */
  failures?: number;
  /** From the first token to the end. */
  restMs?: number;
}

/** Values of `rounds` rounds of `perRound` requests. `luck`: factors of the rounds, drawn when not given. */
export function values(
  random: Random,
  rounds: number,
  perRound: number,
  { ttftMs, sigma = 0.25, drift = 0, outliers = 0.02, tail = 1 }: Behaviour,
  luck = Array.from({ length: rounds }, () => Math.exp(drift * random.normal())),
): number[][] {
  return luck.map((factor) =>
    Array.from({ length: perRound }, () => {
      const z = random.normal();
      const slow = (z > 1.28 ? tail : 1) * (random.next() < outliers ? 5 : 1);
      return ttftMs * factor * slow * Math.exp(sigma * z);
    }),
  );
}

/** The record of a request with this time to first token, and `restMs` more to its end. */
export function request(ttftMs: number, restMs: number, changes: Partial<RequestRecord> = {}): RequestRecord {
  const base = changes.mode === 'non-streaming' ? wholeRecord(changes) : record(changes);
  const sent = base.marks.sent ?? 0;
  const end = sent + ttftMs + restMs;
  const firstToken = changes.mode === 'non-streaming' ? end : sent + ttftMs;
  return { ...base, marks: { ...base.marks, firstToken, firstAnswer: firstToken, lastToken: end, end } };
}

/** Records of one cell. */
export function records(
  random: Random,
  rounds: number,
  perRound: number,
  behaviour: Behaviour,
  changes: Partial<RequestRecord> = {},
  luck?: number[],
): RequestRecord[] {
  const { failures = 0, restMs = 400 } = behaviour;
  return values(random, rounds, perRound, behaviour, luck).flatMap((list, round) =>
    list.map((ttftMs) =>
      random.next() < failures
        ? record({ ...changes, round, outcome: { kind: 'timeout', phase: 'idle' } })
        : request(ttftMs, restMs, { ...changes, round }),
    ),
  );
}

/** The samples of a run from all of its records. */
export function collectSamples(
  manifest: Manifest,
  records: Iterable<RequestRecord>,
  metrics?: readonly string[],
): RunSamples {
  const sampler = createSampler(manifest, metrics);
  for (const record of records) sampler.add(record);
  return sampler.result();
}

/** A run's samples; its cells are those of the records. */
export function runOf(list: readonly RequestRecord[], changes: Partial<Manifest> = {}): RunSamples {
  return collectSamples(manifest({ cells: [], ...changes }), list);
}
