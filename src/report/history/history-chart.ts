import { formatValue } from '../../model/format.ts';
import type { HistoryChange, HistoryRun, HistorySeries } from '../../model/history.ts';
import { escapeHtml } from './escape-html.ts';
import { changeInShort, dateAndTime, dateOf, directionOf, missingReason } from './history-words.ts';
import { plotRange } from './trend-line.ts';

/** The size of a chart, in units of its view box, and the space for labels. */
const SIZE = { width: 760, height: 220, left: 72, right: 16, top: 28, bottom: 28 };
const INNER = { width: SIZE.width - SIZE.left - SIZE.right, height: SIZE.height - SIZE.top - SIZE.bottom };
const RULES = 4;

/** A series as an inline SVG: a point for each run, the levels, and the change points. Readable without a script. */
export function historyChart(
  series: HistorySeries,
  runs: readonly HistoryRun[],
  changes: readonly HistoryChange[],
  title: string,
): string {
  const { values, unit, levels } = series;
  const present = values.flatMap((value) => value ?? []);
  if (present.length === 0) return '<p>No run has a value.</p>';
  const [low, high] = plotRange(Math.min(...present), Math.max(...present));
  const x = (index: number) => round(SIZE.left + ((index + 0.5) / values.length) * INNER.width);
  const y = (value: number) => round(SIZE.top + (1 - (value - low) / (high - low || 1)) * INNER.height);
  const edge = (index: number) => round(SIZE.left + (index / values.length) * INNER.width);
  const rules = Array.from({ length: RULES + 1 }, (_, rule) => low + ((high - low) * rule) / RULES);
  const bottom = SIZE.height - SIZE.bottom;
  return [
    `<svg viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${escapeHtml(title)}">`,
    ...rules.map(
      (value) =>
        `<line class="rule" x1="${SIZE.left}" x2="${SIZE.width - SIZE.right}" y1="${y(value)}" y2="${y(value)}"/>` +
        `<text class="end" x="${SIZE.left - 8}" y="${y(value) + 4}">${escapeHtml(formatValue(value, unit))}</text>`,
    ),
    ...levels.map(({ from, median }, level) => {
      const to = levels[level + 1]?.from ?? values.length;
      return `<line class="level" x1="${edge(from)}" x2="${edge(to)}" y1="${y(median)}" y2="${y(median)}"/>`;
    }),
    ...changes.map((change) => {
      const at = edge(runs.findIndex(({ id }) => id === change.run));
      const side = at > SIZE.width / 2 ? 'end' : 'start';
      const words = `${changeInShort(change)} ${directionOf(change)}`;
      return (
        `<line class="${change.direction}" x1="${at}" x2="${at}" y1="${SIZE.top}" y2="${bottom}"/>` +
        `<text class="${change.direction} ${side}" x="${at}" y="${SIZE.top - 8}">${escapeHtml(words)}</text>`
      );
    }),
    ...values.map((value, index) => point(value, runs[index], { x: x(index), y, unit, bottom })),
    `<text class="start" x="${SIZE.left}" y="${SIZE.height - 6}">${dateOf(runs[0]?.startedAt ?? '')}</text>`,
    `<text class="end" x="${SIZE.width - SIZE.right}" y="${SIZE.height - 6}">${dateOf(runs.at(-1)?.startedAt ?? '')}</text>`,
    '</svg>',
  ].join('\n');
}

function point(
  value: number | null,
  run: HistoryRun | undefined,
  {
    x,
    y,
    unit,
    bottom,
  }: { x: number; y(value: number): number; unit: HistorySeries['unit']; bottom: number },
): string {
  if (run === undefined) return '';
  const words = value === null ? missingReason(run) : formatValue(value, unit);
  const title = escapeHtml([dateAndTime(run.startedAt), run.commit ?? run.id, words].join(', '));
  if (value !== null) return `<circle cx="${x}" cy="${y(value)}" r="3"><title>${title}</title></circle>`;
  return `<text class="missing" x="${x}" y="${bottom - 2}">×<title>${title}</title></text>`;
}

/** To a tenth of a unit, which is less than a pixel. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
