import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { liveView } from '../../src/cli/progress/live-view.ts';
import { ProgressTally } from '../../src/cli/progress/progress-state.ts';
import { countsMemory } from '../../src/engine/counts.ts';
import { cellKey } from '../../src/model/cells.ts';
import { type Block, DEFAULT_TIMEOUTS, type RunPlan } from '../../src/model/plan.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Manifest } from '../../src/model/report.ts';
import { ROOT } from '../support/program.ts';

/** The live view of a stored run after this share of its records, on a terminal with 80 columns. */
export function liveSample(folder: string, share: number): string {
  const read = (name: string) => readFileSync(join(ROOT, folder, name), 'utf8');
  const manifest = JSON.parse(read('manifest.json')) as Manifest;
  const records = read('records.ndjson')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RequestRecord);
  const { cells, run, loads = [] } = manifest;
  const blocks = blocksOf(records, manifest);
  const plan: RunPlan = {
    ...{
      targets: [],
      prompts: [],
      cells,
      blocks,
      timeouts: DEFAULT_TIMEOUTS,
      seed: run.seed,
      keepText: false,
    },
  };
  const tally = new ProgressTally(0, (cell) =>
    [cell.target, cell.prompt, '4 streams', cell.mode].join(' · '),
  );
  tally.planned(plan);
  let open: Block | undefined;
  let nowMs = 0;
  for (const record of records.slice(0, Math.round(share * records.length))) {
    const block = blocks.find((one) => one.round === record.round && isOf(record, cells[one.cell]));
    const cell = block && cells[block.cell];
    if (block === undefined || cell === undefined) throw new Error(`record ${record.seq} has no block`);
    if (block !== open) {
      if (open !== undefined) tally.blockEnded(open, nowMs);
      nowMs = record.marks.started ?? nowMs;
      tally.blockStarted(block, cell, nowMs);
      const utilization = loads.find((load) => load.round === block.round && load.cell === block.cell);
      const window = {
        counts: countsMemory(),
        utilization: () => [utilization?.threads[0]?.utilization ?? 0],
      };
      tally.windowOpened(window, nowMs);
      open = block;
    }
    nowMs = record.marks.end ?? nowMs;
    tally.recorded(record, cell);
  }
  return liveView(tally.state(nowMs), { width: 80, color: 0, ascii: false }).join('\n');
}

/** The blocks in which the records were measured, in their order. */
function blocksOf(records: readonly RequestRecord[], { cells }: Manifest): Block[] {
  const blocks: Block[] = [];
  for (const record of records) {
    const cell = cells.findIndex((one) => isOf(record, one));
    const last = blocks.find((block) => block.round === record.round && block.cell === cell);
    if (last === undefined) blocks.push({ round: record.round, cell, requests: 1, warmup: 0 });
    else last.requests = (last.requests ?? 0) + 1;
  }
  return blocks;
}

function isOf(record: RequestRecord, cell: RunPlan['cells'][number] | undefined): boolean {
  return cell !== undefined && cellKey(cell) === cellKey(record);
}
