import type { RunObserver, RunResult } from '../bench/run.ts';
import type { StopSignals } from '../engine/block.ts';
import { EXIT } from '../model/errors.ts';
import type { Report } from '../model/report.ts';
import { createRedactor } from '../model/secrets.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import { exitCodeOf } from './exit-code.ts';
import type { Session } from './session.ts';
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
}

/** Runs scenarios one after another, prints what they came to and sets the exit code. */
export async function runScenarios(
  loaded: readonly LoadedScenario[],
  flags: RunSettings,
  session: Session,
): Promise<void> {
  for (const { secrets } of loaded) session.hide(createRedactor(secrets));
  await checkTokenizers(loaded);
  await checkBaselines(flags);
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
      const { report, folder } = await runOne(scenario, flags, session, interrupt.signals);
      reports.push(report);
      if (!flags.json) await printTables(report, session);
      session.say(`results: ${folder}`);
      const code = exitCodeOf(report, { strict: flags.strict === true });
      await keepBaseline(folder, report, flags, session);
      session.exitCode = interrupt.exitCode() ?? (session.exitCode || code);
      if (interrupt.exitCode() !== undefined) break;
    }
  } finally {
    interrupt.dispose();
  }
  if (flags.json) await printJson(reports, session);
}

/** A tokenizer that is not there is known before anything is sent. */
async function checkTokenizers(loaded: readonly LoadedScenario[]): Promise<void> {
  for (const name of new Set(loaded.map(({ scenario }) => scenario.tokenizer))) {
    if (name === 'none') continue;
    const { loadTokenizer } = await import('../bench/tokenizer.ts');
    await loadTokenizer(name);
  }
}

/** A baseline that is not there, or of no use, is known before anything is sent. */
async function checkBaselines({ baseline, saveBaseline, output }: RunSettings): Promise<void> {
  if (baseline === undefined && saveBaseline === undefined) return;
  const { checkBaselineName } = await import('../bench/compare.ts');
  const { openBaseline } = await import('../bench/baseline.ts');
  if (baseline !== undefined) await openBaseline({ name: baseline, output, strict: false });
  if (saveBaseline !== undefined) checkBaselineName(saveBaseline);
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
  const { saveBaseline } = await import('../bench/compare.ts');
  session.say(`baseline ${name}: ${await saveBaseline(folder, output, name)}`);
}

async function runOne(
  scenario: LoadedScenario,
  { output, workers, calibrate = false, baseline, strict = false }: RunSettings,
  session: Session,
  signals: StopSignals,
): Promise<RunResult> {
  const { runScenario } = await import('../bench/run.ts');
  const { createProgress } = await import('./progress.ts');
  const { stderr, env, quiet } = session;
  const redraws = canRedraw({ env, isTTY: stderr.isTTY === true });
  const progress = quiet ? undefined : createProgress({ stderr, redraws, now: () => performance.now() });
  try {
    const observer: RunObserver = {
      planned: (plan, folder) => progress?.planned?.(plan, folder),
      blockStarted: (block, cell) => progress?.blockStarted?.(block, cell),
      blockEnded: (block, cell) => progress?.blockEnded?.(block, cell),
      recorded: (record, cell) => progress?.recorded?.(record, cell),
      warning: (message) => session.warn(`warning: ${message}`),
    };
    return await runScenario(scenario, {
      output,
      workers,
      calibrate,
      strict,
      ...(baseline === undefined ? {} : { baseline }),
      signals,
      observer,
    });
  } finally {
    progress?.end();
  }
}

async function printTables(report: Report, session: Session): Promise<void> {
  const { terminalReport } = await import('../report/terminal.ts');
  session.print(terminalReport(report, { width: session.width, color: session.color.stdout }));
}

async function printJson(reports: Report[], session: Session): Promise<void> {
  const { jsonReport } = await import('../report/json.ts');
  const [only] = reports;
  if (reports.length === 1 && only !== undefined) session.print(jsonReport(only));
  else session.print(`${JSON.stringify(reports)}\n`);
  if (session.exitCode === EXIT.ok && reports.length === 0) session.exitCode = EXIT.unexpected;
}
