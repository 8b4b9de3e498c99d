import { entersFigures, isFinal } from '../../model/behaviour.ts';
import { CellMap, cellOf, roundPartKey } from '../../model/cells.ts';
import type { Cell } from '../../model/plan.ts';
import { isEndedByClient, type RequestRecord } from '../../model/record.ts';
import type { Manifest } from '../../model/report.ts';
import type { ToolCell, ToolDefinitions, ToolDistribution, ToolFigure, ToolView } from './tool-view.ts';
import { type Weighted, weightedFigures } from './weighted-figures.ts';

/** Computes the figures of another tool from the records of a run, one at a time. Keeps every value. */
export interface ToolFold {
  add(record: RequestRecord): void;
  view(manifest: Manifest): ToolView;
}

/** A fold for the cells of this manifest. */
export function createToolFold(tool: ToolDefinitions, { cells }: Pick<Manifest, 'cells'>): ToolFold {
  const planned = cells.filter(({ length }) => length === undefined);
  const folds = new CellMap<CellFold>();
  for (const cell of planned) folds.set(cell, new CellFold(tool));
  return {
    add(record) {
      if (record.length === undefined) folds.get(record)?.add(record);
    },
    view(manifest) {
      const counted = planned.map((cell) => ({ cell, fold: folds.get(cell) }));
      const disputed = counted.reduce((sum, { fold }) => sum + (fold?.disputed ?? 0), 0);
      return {
        schema: 'streambench/tool-view@1',
        tool: tool.title,
        version: tool.version,
        run: manifest.run.id,
        cells: counted.flatMap(({ cell, fold }) => (fold === undefined ? [] : [fold.report(cell, manifest)])),
        notes: notesOf(tool, manifest, disputed),
      };
    },
  };
}

function notesOf({ title }: ToolDefinitions, { origin }: Manifest, disputed: number): string[] {
  const notes = [];
  if (origin === undefined)
    notes.push(
      `The duration is from the first request's start to the last one's end, in each round. The one of ${title} also contains its own start and end.`,
    );
  if (disputed > 0)
    notes.push(
      `${disputed} ${disputed === 1 ? 'request that failed' : 'requests that failed'} after the first content (an error inside the stream, or no end) may be a success for ${title}; here it is a failure.`,
    );
  return notes;
}

interface Span {
  fromMs: number;
  toMs: number;
}

class CellFold {
  private readonly tool: ToolDefinitions;
  private readonly values: { values: Weighted[]; absent?: string }[];
  private readonly rounds = new Map<number, Span>();
  private ok = 0;
  private failed = 0;
  private tokens = 0;
  private isCounted = true;
  private hasTimes = true;
  /** Failures that the tool may call successes. */
  disputed = 0;

  constructor(tool: ToolDefinitions) {
    this.tool = tool;
    this.values = tool.metrics.map(() => ({ values: [] }));
  }

  add(record: RequestRecord): void {
    if (!isFinal(record)) return;
    this.addTime(record);
    if (entersFigures(record)) this.addSuccess(record);
    else this.addFailure(record);
  }

  private addSuccess(record: RequestRecord): void {
    this.ok += 1;
    if (record.tokens.output === null) this.isCounted = false;
    this.tokens += record.tokens.output ?? 0;
    for (const [index, { values, weight }] of this.tool.metrics.entries()) {
      const column = this.values[index];
      const found = values(record);
      if (column === undefined) continue;
      if (typeof found === 'string') column.absent = found;
      else for (const value of found) column.values.push({ value, weight: weight?.(record) ?? 1 });
    }
  }

  private addTime(record: RequestRecord): void {
    const { started, end } = record.marks;
    if (record.unobserved?.includes('started')) this.hasTimes = false;
    if (end === undefined) return;
    const key = roundPartKey(record);
    const { fromMs, toMs } = this.rounds.get(key) ?? { fromMs: started, toMs: end };
    this.rounds.set(key, { fromMs: Math.min(fromMs, started), toMs: Math.max(toMs, end) });
  }

  private addFailure({ outcome: { kind }, marks }: RequestRecord): void {
    // A client that read slowly on purpose is neither.
    if (kind === 'ok' || isEndedByClient(kind)) return;
    this.failed += 1;
    if (marks.firstToken !== undefined && (kind === 'truncated' || kind === 'inband_error'))
      this.disputed += 1;
  }

  report(cell: Cell, manifest: Manifest): ToolCell {
    const { metrics } = this.tool;
    return {
      ...cellOf(cell),
      figures: this.figures(manifest),
      distributions: metrics.map(({ label, unit, definition }, index): ToolDistribution => {
        const { values = [], absent } = this.values[index] ?? {};
        const figures = absent === undefined ? weightedFigures(values, this.tool.percentiles) : null;
        const reason =
          absent ?? (this.ok === 0 ? 'no request succeeded' : 'no request has the times or tokens for it');
        return { label, unit, definition, figures, absent: figures === null ? reason : undefined };
      }),
    };
  }

  private figures({ run, origin, cells }: Manifest): ToolFigure[] {
    const { labels } = this.tool;
    const spanMs = [...this.rounds.values()].reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
    // The tool's own duration, which holds for its whole run.
    const own = origin !== undefined && cells.length === 1 ? run.durationMs : undefined;
    const durationMs = own ?? (this.hasTimes && spanMs > 0 ? spanMs : null);
    const absent = this.hasTimes ? 'no request ended' : 'the records contain no common time axis';
    const perSecond = (label: string, amount: number | null, reason: string): ToolFigure => {
      if (durationMs === null) return { label, unit: '1/s', value: null, absent };
      return amount === null
        ? { label, unit: '1/s', value: null, absent: reason }
        : { label, unit: '1/s', value: (amount * 1000) / durationMs };
    };
    return [
      { label: labels.requests, unit: 'count', value: this.ok },
      { label: labels.failed, unit: 'count', value: this.failed },
      {
        label: labels.duration,
        unit: 'ms',
        value: durationMs,
        absent: durationMs === null ? absent : undefined,
      },
      perSecond(labels.requestRate, this.ok, ''),
      perSecond(
        labels.tokenRate,
        this.isCounted ? this.tokens : null,
        'not all answers have a count of tokens',
      ),
    ];
  }
}
