import { type Problem, UserError } from '../model/errors.ts';
import type { Block, Cell, RunPlan } from '../model/plan.ts';
import { type Deal, dealtTo, type Shard, shareOf } from '../model/shard.ts';
import type { LoadedScenario } from './parse.ts';
import type { Path } from './value-paths.ts';

/**
 * One machine's part of a plan. The cells stay those of the whole run, so that thresholds, baselines and comparisons keep their
 * meaning; streams, requests and warm-up of each block are this machine's. Throws a `UserError` (`scenario_invalid`) for a load
 * that cannot be split into so many parts.
 */
export function shardPlan(
  plan: RunPlan,
  shard: Shard,
  { placeOf }: Pick<LoadedScenario, 'placeOf'>,
): RunPlan {
  const problems = problemsOf(plan, shard.of).map(
    ({ path, ...problem }): Problem => ({ ...problem, place: placeOf(path) }),
  );
  if (problems.length > 0) throw new UserError('scenario_invalid', problems);
  return { ...plan, shard, blocks: plan.blocks.map((block) => partOf(block, cellOf(plan, block), shard)) };
}

/** The most streams at once that this machine opens in each cell. */
export function streamsByCell({ cells, shard, sweep }: Pick<RunPlan, 'cells' | 'shard' | 'sweep'>): number[] {
  // The cells of a sweep are only its first levels.
  const most = sweep === undefined ? [] : [sweep.by === 'rate' ? sweep.maxConcurrency : sweep.max];
  const streams = [...cells.map(({ concurrency }) => concurrency), ...most];
  return streams.map((concurrency) => (shard === undefined ? concurrency : shareOf(concurrency, shard)));
}

function partOf(block: Block, { concurrency, rate }: Cell, shard: Shard): Block {
  const share: Deal = { shard, period: rate === undefined ? concurrency : shard.of };
  return {
    ...block,
    share,
    requests: block.requests === undefined ? undefined : dealtTo(share, block.requests),
    // Each machine has code and connections of its own to warm up.
    warmup: block.warmup === 0 ? 0 : Math.max(1, shareOf(block.warmup, shard)),
  };
}

function cellOf({ cells }: RunPlan, block: Block): Cell {
  const cell = cells[block.cell];
  if (cell === undefined) throw new Error(`the plan has no cell ${block.cell}`);
  return cell;
}

type PlacedProblem = Omit<Problem, 'place'> & { path: Path };

/**
 * Why a plan cannot be split. A machine without a stream or a request in a block would go on to the next block while the others
 * still measure, and two load levels would mix.
 */
function problemsOf(plan: RunPlan, shards: number): PlacedProblem[] {
  if (plan.sweep !== undefined) {
    return [
      {
        path: ['load', 'sweep'],
        message:
          'a sweep chooses each load level by the figures of the last one, which a shard does not have',
        hint: 'list the load levels: concurrency: [16, 32, 64]',
      },
    ];
  }
  const fewer = (most: number) =>
    most < 2 ? 'run it on one machine, without --shard' : `use at most ${most} shards`;
  const levels = plan.cells.filter(({ length }) => length === undefined);
  const problems: PlacedProblem[] = [];
  const low = levels.filter(({ concurrency }) => concurrency < shards);
  const [lowest] = [...low].sort((a, b) => a.concurrency - b.concurrency);
  if (lowest !== undefined) {
    const key = lowest.rate === undefined ? 'concurrency' : 'maxConcurrency';
    problems.push({
      path: ['load', key],
      message: `${key} ${lowest.concurrency} cannot be split over ${shards} shards: some would have no stream`,
      hint: `raise it to ${shards}, or ${fewer(lowest.concurrency)}`,
    });
  }
  const measured = plan.blocks.filter((block) => cellOf(plan, block).length === undefined);
  const fewest = Math.min(...measured.flatMap(({ requests }) => requests ?? []));
  if (fewest < shards && lowest === undefined) {
    problems.push({
      path: ['load', 'requests'],
      message: `a round of ${fewest} requests cannot be split over ${shards} shards: some would have none`,
      hint: `use more requests or fewer rounds, or ${fewer(fewest)}`,
    });
  }
  if (levels.length < plan.cells.length) {
    problems.push({
      path: ['verdict'],
      message: 'the length test runs one stream, which cannot be split over several machines',
      hint: 'remove verdict, and run the length test on one machine',
    });
  }
  return problems;
}
