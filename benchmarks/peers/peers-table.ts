import { table } from '../client/tables.ts';
import type { Figures } from './tools/tool.ts';

/** One measurement of a tool; a tool that failed has no figures. */
export type Measured =
  | { failure: string }
  | {
      /** Answers that the server sent whole or in part. */
      answers: number;
      /** Requests that the tool calls successful. */
      ok: number;
      /** Reported minus true, in ms. */
      ttftError: Figures | null;
      gapError: Figures | null;
      cpuPerEventUs: number | null;
      peakMb: number;
      /** From the tool's start to its first request. */
      startMs: number;
      /** The tool's time without the load itself. */
      overheadMs: number;
    };

/** A tool at one number of streams. */
export interface Cell {
  tool: string;
  streams: number;
  rounds: Measured[];
}

const HEAD = [
  ...['streams', 'tool', 'ok', 'TTFT error p50', 'p99, ms', 'gap error p50', 'p99, ms'],
  ...['CPU us/event', 'peak MB', 'start s', 'overhead s'],
];

/** A row for each tool and number of streams: medians over the rounds. */
export function peersTable(cells: readonly Cell[]): string {
  const rows = cells.map(({ tool, streams, rounds }, index) => {
    const done = rounds.flatMap((round) => ('failure' in round ? [] : [round]));
    const first = cells[index - 1]?.streams === streams ? '' : String(streams);
    const failed = rounds.find((round) => 'failure' in round);
    if (done.length === 0)
      return [first, tool, failed && 'failure' in failed ? failed.failure : 'not measured'];
    const middle = (of: (round: (typeof done)[number]) => number | null | undefined, digits: number) => {
      const known = done.map(of).filter((value) => value != null);
      return known.length === 0 ? '-' : median(known).toFixed(digits);
    };
    return [
      ...[first, tool, `${middle(({ ok }) => ok, 0)}/${middle(({ answers }) => answers, 0)}`],
      ...[middle(({ ttftError }) => ttftError?.p50, 1), middle(({ ttftError }) => ttftError?.p99, 1)],
      ...[middle(({ gapError }) => gapError?.p50, 1), middle(({ gapError }) => gapError?.p99, 1)],
      ...[middle(({ cpuPerEventUs }) => cpuPerEventUs, 0), middle(({ peakMb }) => peakMb, 0)],
      ...[middle(({ startMs }) => startMs / 1000, 1), middle(({ overheadMs }) => overheadMs / 1000, 1)],
    ];
  });
  return table(HEAD, rows, [0, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
