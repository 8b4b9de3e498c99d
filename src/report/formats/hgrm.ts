import { decodeHistogram } from '../../metrics/histogram.ts';
import { rankOf } from '../../metrics/percentile.ts';
import type { CellReport, MetricSummary, Report } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';
import { cellName, runLine } from '../wording/notes.ts';

const METRIC = 'ttft';
const UNIT = 'ms';

// HdrHistogram's description of the range 1 us to 1 h at three digits.
const LAYOUT = '#[Buckets =           22, SubBuckets     =         2048]';

/**
 * The percentile distribution of TTFT in HdrHistogram's text format, in ms, for its plotter. Each cell is a section with
 * its own header, so that `csplit` can split the file.
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

/** 0, then five steps in each half of the remaining distance to 1. Infinite. */
function* levels(): Generator<number> {
  const steps = 5;
  let level = 0;
  for (;;) {
    yield level;
    level += 1 / (steps * 2 ** (Math.floor(Math.log2(1 / (1 - level))) + 1));
  }
}

interface RankedValues {
  atRank(rank: number): number;
  /** Number of values that are at most `value`. */
  upTo(value: number): number;
}

function valuesOf({ n, unit, samples, histogram }: MetricSummary): RankedValues {
  const sorted = samples ? Float64Array.from(samples).sort() : undefined;
  const buckets = sorted ? undefined : decodeHistogram(histogram, unit);
  const atRank = (rank: number) => sorted?.[rank - 1] ?? buckets?.percentile(rank / n) ?? 0;
  return {
    atRank,
    upTo(value) {
      // Binary search for the first rank with a larger value.
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
