import { formatCount, formatDuration, formatShare, formatValue } from '../../model/format.ts';
import type { Report } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';
import { cellName } from './notes.ts';

/** Sentences about the replay of a trace. */
export function traceNotes({ run, cells }: Report): string[] {
  const { trace } = run;
  if (trace === undefined) return [];
  const { file, format, requests, spanMs, speed, blocks } = trace;
  const shared =
    blocks === undefined || blocks.count === 0
      ? ''
      : ` ${formatShare(blocks.repeated / blocks.count)} of its ${formatCount(blocks.count)} prompt blocks occur in an earlier request.`;
  return [
    `Trace: ${formatCount(requests)} requests of ${oneLine(file)} (${format}) over ${formatDuration(spanMs)}, replayed at speed ${speed}.${shared}`,
    ...cells.flatMap((cell) => {
      const { replay } = cell;
      if (!replay) return [];
      const { lagMs, dropped, reachedSpeed } = replay;
      const reached = reachedSpeed === null ? '' : `; speed reached ${reachedSpeed.toFixed(2)}`;
      const missing = dropped > 0 ? `; ${formatCount(dropped)} not sent (dropped)` : '';
      return [
        `${cellName(cell)}: requests were sent ${formatValue(lagMs.p50, 'ms')} (p50), ${formatValue(lagMs.p99, 'ms')} (p99), at most ${formatValue(lagMs.max, 'ms')} after the trace${reached}${missing}.`,
      ];
    }),
  ];
}
