import type { AcceptedCell, AcceptedFigure, AcceptedRun } from '../../../src/model/accepted-run.ts';
import { manifest } from '../../metrics/records.ts';

/** Accepted runs, made by hand. */

/** A figure that 200 values have. */
export function figure(value: number, changes: Partial<AcceptedFigure> = {}): AcceptedFigure {
  return { value, logVariance: 1e-5, n: 200, censored: 0, drawn: 'rounds', ...changes };
}

/** A cell of the target "flash" with these figures. */
export function acceptedCell(
  figures: Record<string, AcceptedFigure>,
  changes: Partial<AcceptedCell> = {},
): AcceptedCell {
  return {
    ...{ target: 'flash', prompt: 'short', concurrency: 4, mode: 'streaming' as const },
    ...{ requests: 200, failed: 0, reasoned: 0, figures },
    ...changes,
  };
}

/** An accepted run. `minute`: of the day it started in. */
export function acceptedRun({
  id = 'run-a',
  minute = 0,
  cells = [acceptedCell({ 'ttft.p50': figure(100) })],
  environment = {},
}: {
  id?: string;
  minute?: number;
  cells?: AcceptedCell[];
  environment?: Partial<AcceptedRun['manifest']['environment']>;
} = {}): AcceptedRun {
  const { schema, run, environment: machine, scenario, stallMs } = manifest();
  const startedAt = new Date(Date.UTC(2026, 10, 21, 0, minute)).toISOString();
  return {
    schema: 'streambench/baseline@2',
    manifest: {
      schema,
      run: { ...run, id, startedAt },
      environment: { ...machine, ...environment },
      scenario,
      stallMs,
    },
    cells,
  };
}
