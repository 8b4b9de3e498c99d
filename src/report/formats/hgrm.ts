import { decodeHistogram } from '../../metrics/histogram.ts';
import { rankOf } from '../../metrics/percentile.ts';
import type { CellReport, MetricSummary, Report } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';
import { cellName, runLine } from '../wording/notes.ts';

const METRIC = 'ttft';
const UNIT = 'ms';

// What HdrHistogram calls the layout of 1 us to 1 h at three digits.
const LAYOUT = '#[Buckets =           22, SubBuckets     =         2048]';

/**
 * The percentile distribution of the time to the first token as HdrHistogram prints it, in ms, for its plotter: one
 * section a cell, each with a head of its own, so that `csplit` or an editor makes a file of each.
 */
export function hgrmReport(report: Report): string {
  const head = `# ${oneLine(report.scenario.name)} · ${runLine(report)}\n`;
  return [head, ...report.cells.map(section)].join('\n');
}

function section(cell: CellReport): string {
  const title = `# ${cellName(cell)}: ${METRIC} in ${UNIT}`;
  const summary = cell.metrics[METRIC];
  return summary ? `${title}\n${distribution(summary)}` : `${title}: no data\n`;
}

function distribution(summary: MetricSummary): string {
  const { n, mean, sd, max } = summary;
  const lines = ['       Value     Percentile TotalCount 1/(1-Percentile)', ''];
  const values = valuesOf(summary);
  for (const level of levels()) {
    const value = values.atRank(rankOf(level, n));
    const count = values.upTo(value);
    lines.push(line(value, level, count, (1 / (1 - level)).toFixed(2).padStart(14)));
    if (count >= n) break;
  }
  lines.push(line(max, 1, n, ''));
  lines.push(`#[Mean    = ${figure(mean)}, StdDeviation   = ${figure(sd)}]`);
  lines.push(`#[Max     = ${figure(max)}, Total count    = ${String(n).padStart(12)}]`);
  return `${[...lines, LAYOUT].join('\n')}\n`;
}

function line(value: number, level: number, count: number, inverse: string): string {
  const fields = [figure(value), level.toFixed(12).padStart(2), String(count).padStart(10), inverse];
  return fields.join(' ').trimEnd();
}

function figure(ms: number): string {
  return ms.toFixed(3).padStart(12);
}

/** 0, then five steps to each half of what is left to 1: the tail is drawn ever finer. Endless. */
function* levels(): Generator<number> {
  const steps = 5;
  let level = 0;
  for (;;) {
    yield level;
    level += 1 / (steps * 2 ** (Math.floor(Math.log2(1 / (1 - level))) + 1));
  }
}

interface Ranked {
  atRank(rank: number): number;
  /** How many values are this one or smaller. */
  upTo(value: number): number;
}

function valuesOf({ n, unit, samples, histogram }: MetricSummary): Ranked {
  const sorted = samples ? Float64Array.from(samples).sort() : undefined;
  const buckets = sorted ? undefined : decodeHistogram(histogram, unit);
  const atRank = (rank: number) => sorted?.[rank - 1] ?? buckets?.percentile(rank / n) ?? 0;
  return {
    atRank,
    upTo(value) {
      // The first rank that is beyond the value, by halving.
      let low = 1;
      let high = n + 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (atRank(middle) > value) high = middle;
        else low = middle + 1;
      }
      return low - 1;
    },
  };
}
