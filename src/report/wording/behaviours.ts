import { counted, formatCount, formatDuration, formatValue } from '../../model/format.ts';
import type { CellReport, MetricGroup, Report } from '../../model/report.ts';
import { cellName } from './notes.ts';

/** Sentences about clients that cancel, read slowly, retry or resume. */

/** Streams of a cell that the client cancelled as planned. */
export function plannedCancels({ behaviours }: Pick<CellReport, 'behaviours'>): number {
  return behaviours?.cancelled?.cancelled ?? 0;
}

/** Notes about what clients did on purpose, and about retries. */
export function behaviourNotes({ cells }: Report): string[] {
  return [
    ...cells.flatMap(cancelNotes),
    ...cells.flatMap(slowNotes),
    ...cells.flatMap(retryNotes),
    ...cells.flatMap(resumeNotes),
    ...definitions(cells),
  ];
}

function cancelNotes(cell: CellReport): string[] {
  const cancelled = cell.behaviours?.cancelled;
  if (cancelled === undefined) return [];
  const { planned, ended, afterCancel, others, noticed } = cancelled;
  const parts = [
    `${formatCount(cancelled.cancelled)} of ${counted(planned, 'stream')} cancelled as planned`,
    ...(ended > 0 ? [`${formatCount(ended)} ended before`] : []),
  ];
  const effect =
    afterCancel.requests > 0 && others.requests > 0
      ? ` TTFT p50 of the requests that took a cancelled stream's slot: ${ttft(afterCancel)}; of the others: ${ttft(others)}.`
      : '';
  const log =
    noticed === undefined || noticed.n === 0
      ? ''
      : ` The simulator noticed after ${formatValue(noticed.p50Ms, 'ms')} (p50), at most ${formatValue(noticed.maxMs, 'ms')}.`;
  return [`${cellName(cell)}: ${parts.join(', ')}.${effect}${log}`];
}

function slowNotes(cell: CellReport): string[] {
  const slow = cell.behaviours?.slowReaders;
  if (slow === undefined) return [];
  const { requests, bytesPerSecond, metrics } = slow;
  const rate = bytesPerSecond === null ? '' : ` at ${formatValue(bytesPerSecond, 'bytes')}/s on average`;
  const own = metrics.total ? `; total p50 ${formatValue(metrics.total.p50, 'ms')}` : '';
  return [
    `${cellName(cell)}: ${counted(requests, 'request')} read slowly${rate}${own}. The figures are those of the other requests.`,
  ];
}

function retryNotes(cell: CellReport): string[] {
  const { retries } = cell;
  if (retries === undefined || retries.retried === 0) return [];
  const { attempts, retried, failed, waitedMs, causes } = retries;
  const why = Object.entries(causes).map(([cause, count]) => `${formatCount(count)} × ${cause}`);
  return [
    `${cellName(cell)}: ${counted(retried, 'request')} retried, ${failed === 0 ? 'all with success' : `${formatCount(failed)} of them without success`}; ${counted(attempts, 'attempt')} in total (retried: ${why.join(', ')}), ${formatDuration(waitedMs)} waited.`,
  ];
}

function resumeNotes(cell: CellReport): string[] {
  const resumed = cell.behaviours?.resumed;
  if (resumed === undefined) return [];
  const { streams, times, lost, doubled, outageMs } = resumed;
  const outage =
    outageMs === null
      ? ''
      : `, outage p50 ${formatValue(outageMs.p50, 'ms')}, longest ${formatValue(outageMs.max, 'ms')}`;
  const check =
    lost + doubled === 0
      ? 'no event lost or doubled'
      : `${counted(lost, 'event')} lost, ${formatCount(doubled)} doubled`;
  return [
    `${cellName(cell)}: ${counted(streams, 'stream')} resumed with Last-Event-ID (${counted(times, 'time')}${outage}): ${check}.`,
  ];
}

function definitions(cells: readonly CellReport[]): string[] {
  const retried = cells.some(({ retries }) => retries !== undefined && retries.retried > 0);
  if (!retried) return [];
  return [
    'Retries: outcomes and the error rate count each request once, by its last attempt. Times count from the last attempt; response counts from the first.',
  ];
}

function ttft({ metrics, requests }: MetricGroup): string {
  return `${formatValue(metrics.ttft?.p50, 'ms')} (${formatCount(requests)})`;
}
