import { formatCount, formatValue } from '../../model/format.ts';
import type { SessionReport } from '../../model/record-groups.ts';
import type { CellReport, Report } from '../../model/report.ts';
import { cellName } from './notes.ts';

/** Sentences about conversations of several turns. */

/** Turns that are listed. */
const MAX_TURNS = 8;

/** The sessions of each cell, and TTFT by turn. */
export function sessionNotes({ cells }: Report): string[] {
  return cells.flatMap((cell) => (cell.sessions === undefined ? [] : sessionWords(cell, cell.sessions)));
}

function sessionWords(cell: CellReport, { started, completed, ...rest }: SessionReport): string {
  const { unsentTurns, skippedTurns, turns } = rest;
  const parts = [`${formatCount(completed)} of ${many(started, 'session')} completed`];
  if (unsentTurns > 0) {
    const ended = 'because the turn before failed or the run ended';
    parts.push(`${many(unsentTurns, 'turn')} not sent, ${ended}`);
  }
  if (skippedTurns > 0) parts.push(`${many(skippedTurns, 'tool result')} left out, for lack of a tool call`);
  const times = turns
    .slice(0, MAX_TURNS)
    .map(
      ({ turn, metrics, requests }) =>
        `${turn}: ${formatValue(metrics.ttft?.p50, 'ms')} of ${formatCount(requests)}`,
    );
  if (turns.length > MAX_TURNS) times.push(`and ${turns.length - MAX_TURNS} more turns`);
  return `${cellName(cell)}: ${parts.join('; ')}. TTFT p50 by turn: ${times.join(', ')}.`;
}

function many(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
