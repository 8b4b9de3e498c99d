import { oneLine } from './visible.ts';

/**
 * Exit codes and the errors that lead to them.
 *
 * A failed request is data (an Outcome in its record). A `UserError` is for mistakes that the user can fix: it has a stable
 * code, a place and a remedy, and is shown without a stack trace.
 */

/** Every exit code of the program. If it is not 0, its meaning is the last line of stderr. */
export const EXIT = {
  /** The command did its work and every gate passed. */
  ok: 0,
  /** An unexpected error: a bug, or a failure of the machine. */
  unexpected: 1,
  /** The command line or a scenario is not valid; nothing was sent. */
  usage: 2,
  /** A threshold failed, or a sweep found no load that meets its objectives. */
  threshold: 3,
  /** A regression against the baseline, or of side B against side A. */
  regression: 4,
  /** With --strict: a comparison is inconclusive or not possible. Always: the baseline is of a different scenario. */
  inconclusive: 5,
  /** The measurement is not valid: the client was saturated (only with --strict), or the machine is too slow. */
  invalid: 6,
  /** A target cannot be reached, or all of its requests failed. */
  unreachable: 7,
  /** The run was measured and reported, but its records, report or manifest are not all on disk. */
  unwritten: 8,
  /** Ended by SIGHUP (the terminal was closed); partial results were written. */
  hungUp: 129,
  /** Interrupted by SIGINT; partial results were written. */
  interrupted: 130,
  /** Ended by SIGTERM; partial results were written. */
  terminated: 143,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The meaning of each exit code, as printed and documented. */
export const EXIT_MEANING: Record<ExitCode, string> = {
  0: 'all gates passed',
  1: 'unexpected error',
  2: 'usage error or invalid scenario; nothing was sent',
  3: 'a threshold failed, or a sweep found no capacity',
  4: 'regression against the baseline or side A',
  5: 'inconclusive or not comparable',
  6: 'a measurement here is not valid: the client cannot keep up',
  7: 'a target is unreachable, or all of its requests failed',
  8: 'results could not be written',
  129: 'hung up; partial results were kept',
  130: 'interrupted; partial results were kept',
  143: 'terminated; partial results were kept',
};

/** When each exit code applies, where its meaning leaves that open; for the help and the manual. */
export const EXIT_DETAIL: Partial<Record<ExitCode, string>> = {
  3: 'a threshold without data counts as failed',
  5: 'needs --strict, except for `run --baseline` with a baseline of another scenario',
  6: 'needs --strict for a run; `doctor` uses it for every problem',
  8: 'measured and reported, but the disk is full or the folder was deleted',
};

/** Which exit code is used if several apply to a run; a signal comes before all of them. */
export const EXIT_ORDER: readonly ExitCode[] = [7, 1, 8, 3, 6, 4, 5];

/** Stable codes of user errors. */
export type ErrorCode =
  | 'usage'
  | 'scenario_not_found'
  | 'scenario_syntax'
  | 'scenario_invalid'
  | 'env_missing'
  | 'unknown_provider'
  | 'unknown_dialect'
  | 'unknown_metric'
  | 'key_missing'
  | 'output_unwritable'
  | 'port_in_use'
  | 'results_not_found'
  | 'results_invalid'
  | 'cassette_invalid'
  | 'unreachable';

/** A position in a file. Lines and columns count from 1. */
export interface Place {
  file: string;
  line?: number;
  column?: number;
}

/** One problem, for example in a file. */
export interface Problem {
  message: string;
  place?: Place;
  /** What to do, or what would be valid. */
  hint?: string;
}

/** An error that the user can fix. It lists all problems found, not only the first. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly code: ErrorCode;
  readonly exitCode: ExitCode;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, problems: Problem | readonly Problem[], exitCode: ExitCode = EXIT.usage) {
    const list = Array.isArray(problems) ? (problems as readonly Problem[]) : [problems as Problem];
    super(list.map(formatProblem).join('\n'));
    this.code = code;
    this.problems = list;
    this.exitCode = exitCode;
  }
}

/**
 * `file:line:column: message`, which editors and terminals recognise, and the hint on the next line. Line breaks in names are
 * removed, so that a name cannot imitate a line of the program's output.
 */
export function formatProblem(problem: Problem): string {
  const { place, message, hint } = problem;
  const at = place
    ? `${[oneLine(place.file), place.line, place.line === undefined ? undefined : place.column].filter((part) => part !== undefined).join(':')}: `
    : '';
  return `${at}${oneLine(message)}${hint ? `\n  ${oneLine(hint)}` : ''}`;
}

/** The message of something that was thrown, which need not be an `Error`. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
