import type { Baseline } from '../bench/run/baseline.ts';
import { type Forecast, foresee } from '../bench/run/foresee.ts';
import { cellsOfBlock, levelInWords } from '../model/cells.ts';
import { formatChange, formatShare } from '../model/format.ts';
import type { Cell } from '../model/plan.ts';
import { type Shard, shardInWords } from '../model/shard.ts';
import { oneLine } from '../model/visible.ts';
import { uniqueLines } from '../report/wording/cache.ts';
import { promptLines } from '../report/wording/prompts.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import { isSessionBlock, planScenario, planSummary, unstarted, usesSimulator } from '../scenario/plan.ts';
import { serviceProcesses } from '../scenario/service-target.ts';
import { shardPlan, streamsByCell } from '../scenario/shard-plan.ts';
import type { CliSession } from './cli-session.ts';
import { plainTable } from './plain-table.ts';
import { sweepPlan } from './sweep-plan-view.ts';

interface PlanViewOptions {
  json: boolean;
  baseline?: Baseline;
  assumedSpread?: number;
  /** Only this machine's part of the plan. */
  shard?: Shard;
}

/** Prints the plan of a run: its cells and its number of requests. */
export function printPlan(
  loaded: LoadedScenario,
  session: CliSession,
  { json, baseline, assumedSpread, shard }: PlanViewOptions,
): void {
  const whole = planScenario(loaded, unstarted(loaded.scenario));
  const plan = shard === undefined ? whole : shardPlan(whole, shard, loaded);
  const streams = streamsByCell(plan);
  const summary = planSummary(plan);
  const cells = plan.cells.map((cell, index) => {
    const blocks = plan.blocks.filter((block) => cellsOfBlock(block).includes(index));
    const requests = blocks.some((block) => block.requests === undefined)
      ? null
      : blocks.reduce((sum, block) => sum + block.requests!, 0);
    const warmup = blocks.reduce((sum, block) => sum + (block.cell === index ? block.warmup : 0), 0);
    const ofSessions = blocks.some((block) => isSessionBlock(plan, block));
    const counts = ofSessions ? { requests: null, sessions: requests } : { requests };
    return { ...cell, ...counts, warmup, ...(shard && { shard: { ...shard, concurrency: streams[index] } }) };
  });
  const fewest = Math.min(...cells.flatMap(({ requests }) => requests ?? []));
  const regressions = loaded.scenario.regressions;
  const forecast =
    baseline && Number.isFinite(fewest)
      ? foresee(baseline.runs, { requests: fewest, regressions, assumedSpread })
      : undefined;
  if (json) {
    session.printJson({ scenario: loaded.scenario.name, hash: loaded.hash, ...summary, cells, forecast });
    return;
  }
  const part = shard === undefined ? '' : `, shard ${shardInWords(shard)}`;
  session.print(`${oneLine(loaded.scenario.name)}${part}: dry run, no requests are sent\n\n`);
  session.print(
    plan.sweep !== undefined
      ? sweepPlan(plan, plan.sweep)
      : plainTable(
          ['target', 'prompt', 'load', ...(shard ? ['of it here'] : []), 'mode', 'requests', 'warm-up'],
          cells.map((cell, index) => [
            cell.target,
            cell.prompt,
            levelInWords(cell),
            ...(shard ? [ownLoad(cell, streams[index], shard)] : []),
            cell.mode,
            countWords(cell),
            String(cell.warmup),
          ]),
          session.width,
        ),
  );
  const starts = started(loaded);
  if (starts.length > 0) session.print(`\nThe run starts ${starts.join(', ')}.\n`);
  const lines = [...uniqueLines(summary.unique, summary.prompts), ...promptLines(summary.prompts)];
  for (const line of lines) session.print(`\n${line}\n`);
  const requests =
    summary.sessions != null
      ? many(summary.sessions, 'session')
      : summary.requests === null
        ? 'requests until the time limit'
        : many(summary.requests, 'request');
  const rounds = summary.rounds === 1 ? 'in 1 round' : `in ${summary.rounds} interleaved rounds`;
  for (const warning of [...summary.warnings, ...(baseline?.warnings ?? [])]) session.warning(warning);
  if (baseline !== undefined && forecast !== undefined)
    session.print(`\n${forecastInWords(baseline.name, forecast)}\n`);
  if (plan.sweep !== undefined) return;
  session.print(
    `\n${many(cells.length, 'cell')}, ${requests} ${rounds}, ${many(summary.warmup, 'warm-up request')}\n`,
  );
}

/** A shard's part of a load level. */
function ownLoad({ rate }: Cell, concurrency = 0, { of }: Shard): string {
  return levelInWords({ concurrency, rate: rate && Math.round((rate / of) * 100) / 100 });
}

function countWords({ requests, sessions }: { requests: number | null; sessions?: number | null }): string {
  if (sessions != null) return many(sessions, 'session');
  return requests === null ? 'time limit' : String(requests);
}

function many(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The servers that the run starts itself. */
function started({ scenario }: LoadedScenario): string[] {
  const services = serviceProcesses(scenario.targets).map(({ settings, targets }) => {
    const { strategy, upstream } = settings;
    const model = [upstream.provider ?? upstream.url ?? 'the simulator', upstream.model]
      .filter(Boolean)
      .join(' ');
    return oneLine(
      `the reference service for ${targets.join(', ')} (storage strategy ${strategy}; upstream ${model})`,
    );
  });
  return [...(usesSimulator(scenario) ? ['the embedded simulator'] : []), ...services];
}

/** What the regression check will be able to find. */
function forecastInWords(name: string, { runs, assumedSpread, checks }: Forecast): string {
  const [leading] = checks;
  const from = `${oneLine(name)} (${runs} accepted ${runs === 1 ? 'run' : 'runs'})`;
  if (leading === undefined) return `Against baseline ${from} this run can detect nothing: too few requests.`;
  const found = checks.map(({ figure, detectable }) => `${figure} ${formatChange(1 + detectable)}`);
  const spread =
    assumedSpread === null ? '' : ` The spread between runs is assumed to be ${formatShare(assumedSpread)}.`;
  const { advice } = leading;
  const more =
    advice === null
      ? ' More requests would not detect much less, because runs differ among themselves.'
      : ` For ${formatChange(1 + advice.target)} on ${leading.figure}: ${advice.requests} requests per cell.`;
  return `Against baseline ${from} a run detects, in 4 of 5 cases: ${found.join(', ')}.${spread}${more}`;
}
