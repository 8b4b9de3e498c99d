import { existsSync } from 'node:fs';
import type { Baseline } from '../bench/run/baseline.ts';
import type { RunObserver, RunResult } from '../bench/run/run.ts';
import type { StopSignals } from '../engine/block.ts';
import { EXIT, UserError } from '../model/errors.ts';
import type { Report } from '../model/report.ts';
import { jsonText } from '../model/visible.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import type { Session } from './cli-session.ts';
import { exitCodeOf } from './exit-code.ts';
import { canRedraw } from './terminal.ts';

/** How the scenarios of a command are run, as commander delivers it. */
export interface RunSettings {
  output: string;
  json?: boolean;
  /** Measuring threads. */
  workers: number | 'auto';
  calibrate?: boolean;
  strict?: boolean;
  baseline?: string;
  saveBaseline?: string;
  dryRun?: boolean;
  /** The folder of the run to be continued. */
  resume?: string;
}

/** Runs scenarios one after another, prints what they came to and sets the exit code. */
export async function runScenarios(
  loaded: readonly LoadedScenario[],
  flags: RunSettings,
  session: Session,
): Promise<void> {
  session.hide(loaded.flatMap(({ secrets }) => secrets));
  if (flags.resume !== undefined && loaded.length > 1) {
    throw new UserError('usage', {
      message: '--resume continues one run, of one scenario',
      hint: 'leave out the scenario files: the run knows its own',
    });
  }
  const baseline = await openInputs(loaded, flags);
  if (flags.dryRun) {
    const { printPlan } = await import('./plan-view.ts');
    for (const scenario of loaded) printPlan(scenario, session, flags.json === true);
    return;
  }
  const { onInterrupt } = await import('./interrupt.ts');
  const interrupt = onInterrupt((message) => session.warn(message));
  const reports: Report[] = [];
  try {
    for (const scenario of loaded) {
      const { report, folder, failure } = await runOne(scenario, baseline, flags, session, interrupt.signals);
      reports.push(report);
      const facts = { strict: flags.strict === true, unwritten: failure !== undefined };
      // Before anything is printed: stdout may be gone with its terminal.
      session.exitCode = interrupt.exitCode() ?? (session.exitCode || exitCodeOf(report, facts));
      if (!flags.json) await printTables(report, session);
      sayWhere(report, folder, failure, session);
      if (failure === undefined) await keepBaseline(folder, report, flags, session);
      else if (flags.saveBaseline !== undefined)
        session.warn(`not kept as baseline "${flags.saveBaseline}": the run is not whole on disk`);
      if (interrupt.exitCode() !== undefined) break;
    }
  } finally {
    interrupt.dispose();
  }
  if (flags.json) await printJson(reports, session);
}

/** Where the results are, what of them is not, and how a run that is not complete can be continued. */
function sayWhere({ run }: Report, folder: string, failure: UserError | undefined, session: Session): void {
  if (failure === undefined) session.say(`results: ${folder}`);
  else {
    const { unwritten = 0 } = run;
    const what = unwritten > 0 ? `${unwritten} records are not on disk` : 'not all results are on disk';
    session.warn(`${what}: ${failure.message}`);
  }
  // A folder that was deleted cannot be continued.
  if ((run.aborted || run.unwritten) && existsSync(folder))
    session.say(`to continue: streambench run --resume ${folder}`);
}

/**
 * Opens what the runs read, before anything is sent: also what only a later scenario needs, and for a dry run. Resolves with the
 * baseline, which is read once for all scenarios. A tokenizer that is loaded here is in the module cache when its run starts.
 */
async function openInputs(
  loaded: readonly LoadedScenario[],
  { baseline, saveBaseline, output, strict = false }: RunSettings,
): Promise<Baseline | undefined> {
  for (const name of new Set(loaded.map(({ scenario }) => scenario.tokenizer))) {
    if (name === 'none') continue;
    const { loadTokenizer } = await import('../bench/tokenizer.ts');
    await loadTokenizer(name);
  }
  if (saveBaseline !== undefined) {
    const { checkBaselineName } = await import('../results/baselines.ts');
    checkBaselineName(saveBaseline);
  }
  if (baseline === undefined) return undefined;
  const { openBaseline } = await import('../bench/run/baseline.ts');
  return openBaseline({ name: baseline, output, strict });
}

/** Keeps the run as a baseline, where that is asked for. */
async function keepBaseline(
  folder: string,
  report: Report,
  { output, saveBaseline: name }: RunSettings,
  session: Session,
): Promise<void> {
  if (name === undefined) return;
  if (report.run.aborted) return session.warn(`not kept as baseline "${name}": the run is not whole`);
  if (!report.cells.some(({ outcomes }) => (outcomes.ok ?? 0) > 0))
    return session.warn(`not kept as baseline "${name}": no request was ok`);
  const { saveBaseline } = await import('../results/baselines.ts');
  session.say(`baseline ${name}: ${await saveBaseline(folder, output, name)}`);
}

async function runOne(
  scenario: LoadedScenario,
  baseline: Baseline | undefined,
  { output, workers, calibrate = false, strict = false, resume }: RunSettings,
  session: Session,
  signals: StopSignals,
): Promise<RunResult> {
  const { runScenario } = await import('../bench/run/run.ts');
  const { createProgress } = await import('./progress.ts');
  const { stderr, env, quiet } = session;
  const redraws = canRedraw({ env, isTTY: stderr.isTTY === true });
  const progress = quiet
    ? undefined
    : createProgress({ stderr, redraws, shown: session.shown, now: () => performance.now() });
  try {
    const observer: RunObserver = {
      planned: (plan, folder) => progress?.planned?.(plan, folder),
      blockStarted: (block, cell) => progress?.blockStarted?.(block, cell),
      blockEnded: (block, cell) => progress?.blockEnded?.(block, cell),
      recorded: (record, cell) => progress?.recorded?.(record, cell),
      warning: (message) => session.warning(message),
    };
    return await runScenario(scenario, {
      output,
      workers,
      calibrate,
      strict,
      baseline,
      resume,
      signals,
      observer,
    });
  } finally {
    progress?.end();
  }
}

async function printTables(report: Report, session: Session): Promise<void> {
  const { terminalReport } = await import('../report/terminal/terminal.ts');
  session.print(terminalReport(report, { width: session.width, color: session.color.stdout }));
}

async function printJson(reports: Report[], session: Session): Promise<void> {
  const { jsonReport } = await import('../report/formats/json.ts');
  const [only] = reports;
  if (reports.length === 1 && only !== undefined) session.print(jsonReport(only));
  else session.print(`${jsonText(reports)}\n`);
  if (session.exitCode === EXIT.ok && reports.length === 0) session.exitCode = EXIT.unexpected;
}
