import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Baseline } from '../bench/run/baseline.ts';
import type { RunObserver, RunOptions, RunResult } from '../bench/run/run.ts';
import type { Telemetry, TelemetrySettings } from '../bench/telemetry/telemetry.ts';
import type { StopSignals } from '../engine/block.ts';
import { EXIT, UserError } from '../model/errors.ts';
import { formatCount } from '../model/format.ts';
import type { Report } from '../model/report.ts';
import { jsonText } from '../model/visible.ts';
import { PAGE_FILE } from '../results/run-folder.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import { abGateOf } from './ab-settings.ts';
import { openBaselines, saveBaseline } from './baselines.ts';
import type { CliSession } from './cli-session.ts';
import { exitCodeOf } from './exit-code.ts';
import type { Interrupt } from './interrupt.ts';
import { limitHeapGrowth } from './small-heap.ts';
import { canRedraw } from './terminal.ts';

/** The options for running scenarios, as commander delivers them. */
export interface RunSettings {
  output: string;
  json?: boolean;
  /** Number of measuring threads. */
  workers: number | 'auto';
  calibrate?: boolean;
  strict?: boolean;
  baseline?: string;
  saveBaseline?: string;
  accept?: boolean;
  /** A share: 0.05 is 5 %. */
  assumedSpread?: number;
  anyMachine?: boolean;
  dryRun?: boolean;
  /** Gate the second target against the first. */
  ab?: RunOptions['ab'];
  /** Stop after the round that decides this gate. */
  untilDecided?: boolean;
  /** The folder of the run to continue. */
  resume?: string;
  /** Measure only this part of the run. */
  shard?: RunOptions['shard'];
  /** Send nothing before this time. */
  startAt?: Date;
  /** The file of the report's page. */
  html?: string;
  /** Open the page. */
  open?: boolean;
  /** Serve or export metrics while the scenarios run. */
  telemetry?: Omit<TelemetrySettings, 'version'>;
}

/** What a command does around a run. */
export interface RunHooks {
  /** Handles signals, instead of a handler of the run's own. The command disposes of it. */
  interrupt?: Interrupt;
  /** Aborted with a sentence as its reason: the run ends early. */
  stop?: AbortSignal;
  /** The run's folder exists. */
  planned?(folder: string): void;
  /** False for a run that `run --resume` cannot continue. Default: true. */
  isResumable?: boolean;
}

/** Runs scenarios one after another, prints their reports and sets the exit code. */
export async function runScenarios(
  loaded: readonly LoadedScenario[],
  flags: RunSettings,
  session: CliSession,
  hooks: RunHooks = {},
): Promise<void> {
  limitHeapGrowth();
  session.hide(loaded.flatMap(({ secrets }) => secrets));
  if (flags.resume !== undefined && loaded.length > 1) {
    throw new UserError('usage', {
      message: '--resume continues one run of one scenario',
      hint: 'omit the scenario files: the run has stored its own',
    });
  }
  if (flags.startAt !== undefined && loaded.length > 1) {
    throw new UserError('usage', {
      message: '--start-at is for one scenario: the second one starts when the first has ended',
      hint: 'start a process for each scenario',
    });
  }
  if ((flags.html !== undefined || flags.open) && loaded.length > 1) {
    throw new UserError('usage', {
      message: 'a page shows one run, and there are several scenarios',
      hint: 'run them one by one, or write the pages later: streambench report RUN -f html -o FILE',
    });
  }
  for (const { scenario } of loaded) if (scenario.load.sweep !== undefined) refuseWithSweep(flags);
  const gates = loaded.map(
    ({ scenario }) => flags.ab ?? (flags.untilDecided ? abGateOf(scenario, flags) : undefined),
  );
  const baseline = await openInputs(loaded, flags);
  if (flags.dryRun) {
    const { printPlan } = await import('./plan-view.ts');
    const { assumedSpread, shard } = flags;
    for (const scenario of loaded)
      printPlan(scenario, session, { json: flags.json === true, baseline, assumedSpread, shard });
    return;
  }
  // Loaded before anything is sent: while requests are in flight there may be no open file to spare, and a run must not fail
  // once it has been measured.
  const print = flags.json ? await jsonPrinter() : await tablePrinter();
  const page = await pageWriter(flags, session);
  // Also before anything is sent: a port may be taken.
  const telemetry = await openTelemetryOf(flags, session);
  const { onInterrupt } = await import('./interrupt.ts');
  const interrupt = hooks.interrupt ?? onInterrupt((message) => session.warn(message));
  const { drain, kill } = interrupt.signals;
  const signals = { drain: hooks.stop ? AbortSignal.any([drain, hooks.stop]) : drain, kill };
  const reports: Report[] = [];
  try {
    for (const [index, scenario] of loaded.entries()) {
      const settings = { ...flags, ab: gates[index] };
      const { report, folder, failure } = await runOne(scenario, baseline, settings, session, {
        signals,
        planned: hooks.planned,
        telemetry,
      });
      reports.push(report);
      const facts = { strict: flags.strict === true, unwritten: failure !== undefined };
      // Set before printing, because printing fails if the terminal was closed.
      session.exitCode = interrupt.exitCode() ?? (session.exitCode || exitCodeOf(report, facts));
      if (!flags.json) print([report], session);
      printFolder(
        report,
        folder,
        {
          failure,
          isResumable: flags.shard === undefined && (hooks.isResumable ?? true),
        },
        session,
      );
      await page?.(folder);
      if (failure === undefined)
        await saveBaseline(folder, report, { ...flags, name: flags.saveBaseline }, session);
      else if (flags.saveBaseline !== undefined)
        session.warn(`not stored as baseline "${flags.saveBaseline}": the run was not written completely`);
      if (interrupt.exitCode() !== undefined) break;
    }
  } finally {
    for (const warning of (await telemetry?.close()) ?? []) session.warning(warning);
    if (hooks.interrupt === undefined) interrupt.dispose();
  }
  if (flags.json) print(reports, session);
}

/** Throws a `UserError` (`usage`) for options that compare cells: a sweep has other cells in each run. */
function refuseWithSweep({ baseline, saveBaseline, ab, untilDecided }: RunSettings): void {
  const given = [
    baseline === undefined ? undefined : '--baseline',
    saveBaseline === undefined ? undefined : '--save-baseline',
    ab === undefined && !untilDecided ? undefined : '--until-decided',
  ].filter((flag) => flag !== undefined);
  if (given.length === 0) return;
  throw new UserError('usage', {
    message: `a sweep cannot be combined with ${given.join(', ')}: it measures other load levels in each run`,
    hint: 'gate it on its capacity: --threshold "capacity.concurrency >= 16"',
  });
}

/** Prints where the results are, what is missing, and how to continue an incomplete run. */
function printFolder(
  { run }: Report,
  folder: string,
  { failure, isResumable }: { failure: UserError | undefined; isResumable: boolean },
  session: CliSession,
): void {
  if (failure === undefined) session.say(`results: ${folder}`);
  else {
    const { unwritten = 0 } = run;
    const what =
      unwritten > 0 ? `${formatCount(unwritten)} records were not written` : 'some results were not written';
    session.warn(`${what}: ${failure.message}`);
  }
  // A deleted folder cannot be continued.
  if (isResumable && (run.aborted || run.unwritten) && existsSync(folder))
    session.say(`to continue: streambench run --resume ${folder}`);
}

/**
 * Opens the inputs of all scenarios before any request is sent, also for a dry run, so that a missing one is reported at
 * once. Resolves with the baseline, which all scenarios share. The module cache keeps the tokenizers.
 */
async function openInputs(
  loaded: readonly LoadedScenario[],
  settings: RunSettings,
): Promise<Baseline | undefined> {
  for (const name of new Set(loaded.map(({ scenario }) => scenario.tokenizer))) {
    if (name === 'none') continue;
    const { loadTokenizer } = await import('../bench/tokenizer.ts');
    await loadTokenizer(name);
  }
  return openBaselines(settings);
}

async function runOne(
  scenario: LoadedScenario,
  baseline: Baseline | undefined,
  {
    output,
    workers,
    calibrate = false,
    strict = false,
    resume,
    ab,
    untilDecided,
    shard,
    startAt,
  }: RunSettings,
  session: CliSession,
  {
    signals,
    planned,
    telemetry,
  }: { signals: StopSignals; telemetry?: Telemetry } & Pick<RunHooks, 'planned'>,
): Promise<RunResult> {
  const { runScenario } = await import('../bench/run/run.ts');
  const { createProgress } = await import('./progress/progress.ts');
  const { stderr, env, quiet, ascii, color, shown } = session;
  const redraws = canRedraw({ env, isTTY: stderr.isTTY === true });
  const progress = quiet
    ? undefined
    : createProgress({
        ...{ stderr, redraws, ascii, shown },
        color: color.stderr,
        now: () => performance.now(),
      });
  session.beforeMessage(() => progress?.clear());
  try {
    const observer: RunObserver = {
      ...telemetry?.observer,
      planned(plan, folder) {
        planned?.(folder);
        progress?.planned?.(plan, folder);
      },
      blockStarted: (block, cell) => progress?.blockStarted?.(block, cell),
      windowOpened(window, block, cell) {
        telemetry?.observer.windowOpened?.(window, block, cell);
        progress?.windowOpened?.(window, block, cell);
      },
      blockEnded: (block, cell) => progress?.blockEnded?.(block, cell),
      recorded: (record, cell) => progress?.recorded?.(record, cell),
      levelJudged: (level) => progress?.levelJudged?.(level),
      warning: (message) => session.warning(message),
    };
    return await runScenario(scenario, {
      output,
      workers,
      calibrate,
      strict,
      baseline,
      resume,
      ab,
      untilDecided,
      shard,
      startAt,
      signals,
      observer,
    });
  } finally {
    session.beforeMessage(undefined);
    progress?.end();
  }
}

/** Opens the telemetry that was asked for, and prints where the metrics are. */
async function openTelemetryOf(
  { telemetry }: RunSettings,
  session: CliSession,
): Promise<Telemetry | undefined> {
  if (telemetry === undefined) return undefined;
  const { openTelemetry } = await import('../bench/telemetry/telemetry.ts');
  const { packageVersion } = await import('../bench/environment.ts');
  const settings = { ...telemetry, version: packageVersion() };
  const opened = await openTelemetry(settings, (message) => session.warning(message));
  if (opened.url !== undefined) session.say(`Prometheus metrics: ${opened.url}`);
  return opened;
}

/** Writes the page of a run that has ended. The page shows what is on disk. Undefined if none was requested. */
async function pageWriter(
  flags: Pick<RunSettings, 'html' | 'open'>,
  session: CliSession,
): Promise<((folder: string) => Promise<void>) | undefined> {
  if (flags.html === undefined && !flags.open) return undefined;
  const { checkPageFile, writePage } = await import('./open-page.ts');
  const { htmlRun } = await import('../bench/run/html-run.ts');
  await checkPageFile(flags);
  return async (folder) => {
    try {
      const { html, warnings } = await htmlRun(folder);
      for (const warning of warnings) session.warning(warning);
      await writePage(flags.html ?? join(folder, PAGE_FILE), html, flags, session);
    } catch (error) {
      // The run was measured: its exit code stays.
      if (!(error instanceof UserError)) throw error;
      session.warning(`no page was written: ${error.message}`);
    }
  };
}

type Print = (reports: readonly Report[], session: CliSession) => void;

async function tablePrinter(): Promise<Print> {
  const { terminalReport } = await import('../report/terminal/terminal.ts');
  return (reports, session) => {
    for (const report of reports)
      session.print(
        terminalReport(report, {
          width: session.width,
          color: session.color.stdout,
          ascii: session.ascii,
        }),
      );
  };
}

async function jsonPrinter(): Promise<Print> {
  const { jsonReport } = await import('../report/formats/json.ts');
  return (reports, session) => {
    const [only] = reports;
    if (reports.length === 1 && only !== undefined) session.print(jsonReport(only));
    else session.print(`${jsonText(reports)}\n`);
    if (session.exitCode === EXIT.ok && reports.length === 0) session.exitCode = EXIT.unexpected;
  };
}
