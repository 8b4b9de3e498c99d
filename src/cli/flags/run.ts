import type { Command } from 'commander';
import type { RunSettings } from '../run-scenarios.ts';
import { addHistoryOptions } from './scenario.ts';
import { wholeOrWordOption } from './values.ts';

/** The options of `run` and `ab` that do not change the scenario. */

/** Adds the options for baselines and early stop, to the group of the gates. `sides`: what early stop compares. */
export function addRunGateOptions(command: Command, sides: string): void {
  command
    .option(
      '--baseline <name>',
      'regression check against this baseline (name or run folder): exit 4 on a regression, 5 if not comparable',
    )
    .option(
      '--save-baseline <name>',
      'add this run to the history of a baseline, unless it regressed or failed',
    )
    .option('--accept', 'with --save-baseline: add the run although it regressed or failed')
    .option(
      '--strict',
      'also fail on an invalid measurement (exit 6) or an inconclusive regression check (exit 5)',
    )
    .option('--until-decided', `stop after the round that decides whether ${sides}; --rounds is the maximum`);
  addHistoryOptions(command);
}

/** Adds the options for measurement and output. */
export function addMeasurementOptions(command: Command, { resume }: { resume: boolean }): void {
  command
    .optionsGroup('Measurement and output:')
    .option('-o, --output <folder>', 'folder for run results', 'results');
  if (resume)
    command.option(
      '--resume [run]',
      'continue an interrupted run, by its folder or id (default: the latest run)',
    );
  command
    .option('--json', 'print the report as JSON instead of tables')
    .option('--keep-text', 'store the answer texts in the records')
    .addOption(
      wholeOrWordOption('--workers <count>', 'number of measuring threads, or auto', 'auto', {
        min: 1,
        max: 64,
      }).default('auto'),
    )
    .option('--calibrate', "first measure the client's noise floor at each concurrency")
    .option('--dry-run', 'print the plan and send nothing');
}

/** What `runScenarios` takes of these options. */
export type RunOptionFlags = Omit<RunSettings, 'resume'>;
