import { ms, p, runLoad, sorted } from './load-run.ts';

// The shapes of load and many streams at once, as the server saw them.

interface Stage {
  from: number;
  to: number;
  seconds: number;
}

const SHAPES: Record<string, { arrivals: string; stages: readonly Stage[] }> = {
  'constant, ramp 10 to 100': { arrivals: 'arrivals: constant', stages: [{ from: 10, to: 100, seconds: 8 }] },
  'poisson, ramp 100 to 10': { arrivals: 'arrivals: poisson', stages: [{ from: 100, to: 10, seconds: 8 }] },
  'gamma 0.5, 100': { arrivals: 'burstiness: 0.5', stages: [{ from: 100, to: 100, seconds: 10 }] },
  'gamma 0.1, 100': { arrivals: 'burstiness: 0.1', stages: [{ from: 100, to: 100, seconds: 10 }] },
  'gamma 4, 100': { arrivals: 'burstiness: 4', stages: [{ from: 100, to: 100, seconds: 10 }] },
  'constant, spike 10, 100, 10': {
    arrivals: 'arrivals: constant',
    stages: [10, 100, 10].map((rate) => ({ from: rate, to: rate, seconds: 3 })),
  },
};

/** Gamma arrivals, ramps and stages: requests by stage and the variation of their distances, by the server's own times. */
export async function shapes(): Promise<void> {
  for (const [name, { arrivals, stages }] of Object.entries(SHAPES)) {
    const written = stages.map(({ from, to, seconds }) => {
      const rate = from === to ? from : `{from: ${from}, to: ${to}}`;
      return `{rate: ${rate}, duration: ${seconds}s}`;
    });
    const load = `load={${arrivals}, maxConcurrency: 2000, warmup: 20, stages: [${written.join(', ')}]}`;
    const { records, seen, originAt } = await runLoad([200, 3, 20], ['--set', load]);
    const dueAt = sorted(records.map(({ marks }) => marks.scheduled + originAt));
    const openedAt = dueAt[0]!;
    const at = sorted(seen.map(({ receivedAt }) => receivedAt).filter((time) => time >= openedAt - 50));
    let startAt = openedAt;
    const counts = stages.map(({ from, to, seconds }) => {
      const endAt = startAt + seconds * 1000;
      const inside = [...at].filter((time) => time >= startAt && time < endAt).length;
      startAt = endAt;
      return `${inside} of ${((from + to) / 2) * seconds}`;
    });
    const late = [...at].map((time, i) => time - dueAt[i]!);
    console.log(
      `${name}/s: the server saw ${counts.join(', ')} requests; coefficient of variation of the distances due ${ms(variation(dueAt))}, ` +
        `seen ${ms(variation(at))}; seen after due p50 ${ms(p(late, 0.5))} p99 ${ms(p(late, 0.99))} ms`,
    );
  }
}

/** Standard deviation of the distances over their mean. */
function variation(times: Float64Array): number {
  const gaps = [...times.slice(1)].map((time, i) => time - times[i]!);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  return Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length) / mean;
}

// Answers of 6 s with 5 events a second: a chat model at a slow reader's pace.
const [FIRST_MS, EVENTS, EVERY_MS] = [600, 28, 200];

/** Many streams at once on this machine, which also runs the server: what it saw, and what the client reports about itself. */
export async function manyStreams(levels: readonly number[]): Promise<void> {
  for (const streams of levels) {
    for (const opening of ['at once', '--ramp-up 10s']) {
      const { report, records, seen } = await runLoad(
        [FIRST_MS, EVENTS, EVERY_MS],
        [
          ...['-c', String(streams), '-n', String(streams * 3), '--rounds', '1', '--warmup', '0'],
          ...['-t', '60s', ...(opening === 'at once' ? [] : opening.split(' '))],
        ],
      );
      const cell = report.cells[0]!;
      const { client, metrics, outcomes, reached, throughput } = cell;
      const errors = seen.map(({ firstAt, stampedAt }) => stampedAt - firstAt);
      const truth = seen.map(({ receivedAt, firstAt }) => firstAt - receivedAt);
      const ttft = client?.metrics?.ttft;
      console.log(
        [
          `${streams} streams, opened ${opening}: ${records.length} answers ${JSON.stringify(outcomes)}`,
          `server: at most ${mostOpen(seen.map(({ receivedAt }) => receivedAt))} counted answers open at once`,
          `client: ${JSON.stringify(reached)}, ${throughput.requestsPerSecond} answers/s (${throughput.basis}), ${client?.threads} threads, ${((client?.utilization ?? 0) * 100).toFixed(0)} % busy`,
          `ttft p50 ${ms(metrics.ttft!.p50)} p99 ${ms(metrics.ttft!.p99)} ms, true p99 ${ms(p(truth, 0.99))} ms; stamp error p50 ${ms(p(errors, 0.5))} p99 ${ms(p(errors, 0.99))} ms`,
          `the client says: ${client?.verdict}: ${client?.reason}`,
          `its mark on ttft: ${ttft?.verdict}, up to ${ttft?.lateMs} ms late (p99), from ${ttft?.limitMs} ms on`,
        ].join('\n  '),
      );
    }
  }
}

/** The most answers open at once, by the times at which the server read their requests. */
function mostOpen(receivedAt: readonly number[]): number {
  const lengthMs = FIRST_MS + (EVENTS - 1) * EVERY_MS;
  const moves = receivedAt
    .flatMap((at) => [[at, 1] as const, [at + lengthMs, -1] as const])
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let [open, most] = [0, 0];
  for (const [, step] of moves) {
    open += step;
    most = Math.max(most, open);
  }
  return most;
}
