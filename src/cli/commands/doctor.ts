import type { Calibration } from '../../bench/doctor/calibrate.ts';
import type { Check } from '../../bench/doctor/checks.ts';
import { EXIT } from '../../model/errors.ts';
import { parseDuration } from '../../scenario/size-and-duration.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { durationOption, wholeListOption, wholeOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';

interface DoctorFlags {
  concurrency: number;
  calibrate?: boolean;
  levels?: number[];
  window: string;
  strict?: boolean;
  json?: boolean;
}

const STREAMS = { min: 1, max: 100_000 };

export const doctorCommand: AddCommand = (root, open) => {
  const command = root
    .command('doctor')
    .description('check whether this machine can measure reliably')
    .addOption(
      wholeOption(
        '-c, --concurrency <count>',
        'number of concurrent streams that you plan to measure',
        STREAMS,
      ).default(1000),
    )
    .option('--calibrate', "measure the lag of this client's timestamps at increasing concurrency")
    .addOption(
      wholeListOption(
        '--levels <list>',
        'with --calibrate: numbers of concurrent streams (default: 10,50,200,500,1000)',
        STREAMS,
      ),
    )
    .addOption(
      durationOption('--window <time>', 'with --calibrate: measuring time of each level', {
        min: 100,
        max: 600_000,
      }).default('3s'),
    )
    .option('--strict', 'treat warnings as failures')
    .option('--json', 'print the results as JSON')
    .action((flags: DoctorFlags) => doctor(flags, open()));
  addExamples(
    command,
    { words: 'doctor', does: 'check settings and limits of this machine' },
    { words: 'doctor --calibrate -c 500', does: 'also measure how many streams this machine can measure' },
  );
};

async function doctor(flags: DoctorFlags, session: CliSession): Promise<void> {
  const { concurrency, levels } = flags;
  const windowMs = parseDuration(flags.window)!;
  const { readFacts } = await import('../../bench/doctor/machine.ts');
  const { checksOf } = await import('../../bench/doctor/checks.ts');
  const checkedAt = new Date().toISOString();
  const checks = checksOf(await readFacts({ concurrency, env: session.env }));
  const view = { width: session.width, color: session.color.stdout, ascii: session.ascii };
  const { calibrationView, checksView } = await import('../doctor-view.ts');
  // Calibration takes a while, so the checks are printed first.
  if (!flags.json) session.print(checksView(checks, view));
  session.exitCode = isFit(checks, flags.strict === true) ? EXIT.ok : EXIT.invalid;

  const calibration = flags.calibrate ? await calibrate({ levels, windowMs }, session) : undefined;
  if (calibration !== undefined && !flags.json) session.print(`\n${calibrationView(calibration, view)}`);
  if (flags.json) {
    session.printJson({ schema: 'streambench/doctor@1', checkedAt, checks, calibration });
  }
}

function isFit(checks: readonly Check[], strict: boolean): boolean {
  return checks.every(({ status }) => status === 'ok' || (status === 'warn' && !strict));
}

async function calibrate(
  { levels, windowMs }: { levels: number[] | undefined; windowMs: number },
  session: CliSession,
): Promise<Calibration> {
  const { calibrate: measure, CALIBRATION_LEVELS } = await import('../../bench/doctor/calibrate.ts');
  const ascending = [...(levels ?? CALIBRATION_LEVELS)].sort((a, b) => a - b);
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated);
    session.exitCode = name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    const calibration = await measure({
      levels: ascending,
      windowMs,
      signal: stop.signal,
      // Not a spinner: its drawing would delay what is measured.
      onLevel: (streams) =>
        session.say(
          `calibrating: ${streams} streams (${ascending.indexOf(streams) + 1} of ${ascending.length})`,
        ),
    });
    if (session.exitCode === EXIT.ok && calibration.accurateStreams === null) session.exitCode = EXIT.invalid;
    return calibration;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
