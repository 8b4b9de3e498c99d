import { percentileOf } from '../../src/metrics/percentile.ts';
import { ms, p, runLoad, sorted } from './load-run.ts';
import { manyStreams, shapes } from './load-shapes.ts';

// What load the program really offers, and how late its stamps are under it, against a server that says what it saw.
//   node load.js rate [THREADS]   arrivals at 5, 50 and 500 a second, constant and poisson
//   node load.js full [THREADS]   share of a window of ten answers' length with all streams open
//   node load.js client [STREAMS] error of the time to first token, beside the verdict on the client
//   node load.js shapes           gamma arrivals, ramps and stages, by the server's own times
//   node load.js streams [COUNT]  so many streams at once: what the server saw, and what the client reports about itself

async function rates(threads: readonly number[]): Promise<void> {
  for (const workers of threads) {
    for (const rate of [5, 50, 500]) {
      for (const process of ['constant', 'poisson']) {
        const seconds = rate === 5 ? 20 : 6;
        // Answers of 1 s: many are open at once, as with a slow service.
        const { records, seen } = await runLoad(
          [500, 5, 100],
          [
            ...[
              '--rate',
              String(rate),
              '--arrivals',
              process,
              '--max-concurrency',
              '2000',
              '-d',
              `${seconds}s`,
              '--rounds',
              '1',
              '--warmup',
              '1',
            ],
            ...['--workers', String(workers)],
          ],
        );
        const at = [...sorted(seen.map(({ receivedAt }) => receivedAt))];
        const asked = [...sorted(records.map(({ marks }) => marks.scheduled))];
        const gaps = (times: readonly number[]) => times.slice(1).map((time, i) => time - times[i]!);
        const [got, want] = [sorted(gaps(at)), sorted(gaps(asked))];
        const offered = ((at.length - 1) * 1000) / (at.at(-1)! - at[0]!);
        const due = ((asked.length - 1) * 1000) / (asked.at(-1)! - asked[0]!);
        const late = records.map(({ marks }) => marks.started - marks.scheduled);
        // Kolmogorov-Smirnov: the largest difference of the two distributions of distances.
        const quantiles = [0.01, 0.1, 0.5, 0.9, 0.99]
          .map((q) => `${ms(percentileOf(want, q))}/${ms(percentileOf(got, q))}`)
          .join(' ');
        console.log(
          `${workers} threads, ${process} ${rate}/s: server saw ${offered.toFixed(2)}/s of ${due.toFixed(2)}/s due; ` +
            `distances due/seen p1 p10 p50 p90 p99 ${quantiles} ms; sent late p50 ${ms(p(late, 0.5))} p99 ${ms(p(late, 0.99))} ms`,
        );
      }
    }
  }
}

async function full(threads: readonly number[]): Promise<void> {
  for (const workers of threads) {
    for (const streams of [16, 400]) {
      // Answers of 1 s, a window of ten.
      const { report, records, seen } = await runLoad(
        [500, 5, 125],
        [
          ...['-c', String(streams), '-n', String(streams * 10), '--rounds', '1', '--warmup', '4'],
          ...['--workers', String(workers)],
        ],
      );
      const moves = records
        .flatMap(({ marks }) => [[marks.started, 1] as const, [marks.end!, -1] as const])
        .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      let open = 0;
      let fullMs = 0;
      let weighted = 0;
      for (const [i, [at, step]] of moves.entries()) {
        open += step;
        const length = (moves[i + 1]?.[0] ?? at) - at;
        weighted += open * length;
        if (open >= streams * 0.99) fullMs += length;
      }
      const span = moves.at(-1)![0] - moves[0]![0];
      const cell = report.cells[0]!;
      console.log(
        `${workers} threads, ${streams} streams: ${((fullMs / span) * 100).toFixed(1)} % of the round with 99 % of the streams open, mean ${(weighted / span).toFixed(1)}, ${seen.length} answers; ` +
          `report: ${JSON.stringify(cell.throughput)}`,
      );
    }
  }
}

async function client(levels: readonly number[]): Promise<void> {
  console.log('streams workers | ttft p50 p99 reported | error p50 p99 | p99 reported - p99 true | verdict');
  for (const streams of levels) {
    for (const workers of ['1', '2']) {
      // Answers of about 3 s, 20 events a second: a load at which the opening is the worst of it.
      const { report, seen } = await runLoad(
        [300, 50, 50],
        [
          ...[
            '-c',
            String(streams),
            '-n',
            String(streams * 3),
            '--rounds',
            '1',
            '--warmup',
            '1',
            '--workers',
            workers,
          ],
        ],
      );
      const errors = seen.map(({ firstAt, stampedAt }) => stampedAt - firstAt);
      const truth = seen.map(({ receivedAt, firstAt }) => firstAt - receivedAt);
      const cell = report.cells[0]!;
      const { p50, p99 } = cell.metrics.ttft!;
      console.log(
        `${streams} ${workers} | ${ms(p50)} ${ms(p99)} | ${ms(p(errors, 0.5))} ${ms(p(errors, 0.99))} | ${ms(p99 - p(truth, 0.99))} | ` +
          `${cell.client?.verdict} ${JSON.stringify((cell.client as unknown as { metrics?: Record<string, unknown> })?.metrics?.ttft ?? cell.client?.reason)}`,
      );
    }
  }
}

const [what, list] = process.argv.slice(2);
const numbers = list?.split(',').map(Number);
if (what === 'rate') await rates(numbers ?? [1, 2, 4]);
else if (what === 'full') await full(numbers ?? [1, 2, 4]);
else if (what === 'shapes') await shapes();
else if (what === 'streams') await manyStreams(numbers ?? [2000]);
else await client(numbers ?? [50, 200, 500, 1000, 1500]);
process.exit();
