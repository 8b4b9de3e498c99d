import type { Command } from 'commander';
import { type AcceptedRun, hostClass } from '../../model/accepted-run.ts';
import { formatValue } from '../../model/format.ts';
import { oneLine } from '../../model/visible.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { addExamples } from '../help.ts';
import { plainTable } from '../plain-table.ts';

interface BaselineFlags {
  output: string;
  json?: boolean;
}

export const baselineCommand: AddCommand = (root, open) => {
  const command = root
    .command('baseline')
    .description('list, pin and edit the baselines that runs are compared with');
  const add = (words: string, does: string, json = false): Command => {
    const one = command
      .command(words)
      .description(does)
      .option('-o, --output <folder>', 'folder with runs and baselines', 'results');
    return json ? one.option('--json', 'print as JSON') : one;
  };
  add('list', 'list the baselines', true).action((flags: BaselineFlags) => list(flags, open()));
  add('show <name>', 'list the accepted runs and the pins of a baseline', true).action(
    (name: string, flags: BaselineFlags) => show(name, flags, open()),
  );
  add('accept <name> <run>', 'add a run to a baseline, also one that regressed').action(
    (name: string, run: string, flags: BaselineFlags) => accept(name, run, flags, open()),
  );
  add(
    'pin <name> <label> [run]',
    'also compare later runs with this state (default: up to the newest run)',
  ).action((name: string, label: string, run: string | undefined, flags: BaselineFlags) =>
    pin(name, label, run, flags, open()),
  );
  add('unpin <name> <label>', 'remove a pin').action((name: string, label: string, flags: BaselineFlags) =>
    unpin(name, label, flags, open()),
  );
  add('drop <name> [run]', 'remove a run from a baseline, or the whole baseline').action(
    (name: string, run: string | undefined, flags: BaselineFlags) => drop(name, run, flags, open()),
  );
  addExamples(command, {
    words: 'baseline pin main v1.2',
    does: 'compare every later run with the state of today as well, so that many small regressions are found',
  });
};

/** Opens a store for editing: the folder of a run is not one. */
async function openStore(name: string, { output }: BaselineFlags, session: CliSession) {
  const { checkBaselineName, findBaseline, readBaseline, baselineFolder } = await import(
    '../../results/baselines.ts'
  );
  checkBaselineName(name);
  await findBaseline(output, baselineFolder(output, name)).catch(() => findBaseline(output, name));
  const store = await readBaseline(baselineFolder(output, name));
  for (const warning of store.warnings) session.warning(warning);
  return store;
}

async function list(flags: BaselineFlags, session: CliSession): Promise<void> {
  const { baselineNames } = await import('../../results/baselines.ts');
  const names = await baselineNames(flags.output);
  const stores = [];
  for (const name of names) {
    const { runs, pins } = await openStore(name, flags, session);
    const newest = runs.at(-1);
    stores.push({
      name,
      runs: runs.length,
      newest: newest && entryOf(newest),
      pins: pins.map((one) => one.name),
    });
  }
  if (flags.json) return session.printJson(stores);
  if (stores.length === 0)
    return session.say(`no baselines in ${flags.output}; make one with run --save-baseline NAME`);
  const rows = stores.map(({ name, runs, newest, pins }) => [
    ...[name, String(runs), newest?.startedAt ?? '', newest?.commit ?? ''],
    pins.join(', '),
  ]);
  session.print(plainTable(['name', 'runs', 'newest', 'commit', 'pins'], rows, session.width));
}

async function show(name: string, flags: BaselineFlags, session: CliSession): Promise<void> {
  const { runs, pins, folder } = await openStore(name, flags, session);
  const entries = runs.map(entryOf);
  const pinned = pins.map(({ name: label, runs: held }) => ({ name: label, runs: held.map(entryOf) }));
  if (flags.json) return session.printJson({ name, folder, runs: entries, pins: pinned });
  session.print(
    plainTable(
      ['run', 'commit', 'branch', 'ttft p50', 'machine'],
      entries.map(({ id, commit, branch, ttftMs, machine }) => [
        ...[id, commit ?? '', branch ?? '', formatValue(ttftMs, 'ms'), machine],
      ]),
      session.width,
    ),
  );
  for (const { name: label, runs: held } of pinned)
    session.print(
      `pin ${label}: ${held.length} ${held.length === 1 ? 'run' : 'runs'} up to ${oneLine(held.at(-1)?.id ?? '')}\n`,
    );
}

function entryOf({ manifest, cells, newLevel }: AcceptedRun) {
  const { run, environment } = manifest;
  const values = cells.flatMap(({ figures }) => figures['ttft.p50']?.value ?? []);
  const logs = values.reduce((sum, value) => sum + Math.log(value), 0);
  return {
    ...{ id: run.id, startedAt: run.startedAt, commit: environment.gitCommit, branch: environment.gitBranch },
    ...{
      machine: hostClass(environment),
      ttftMs: values.length === 0 ? null : Math.exp(logs / values.length),
    },
    newLevel,
  };
}

async function accept(
  name: string,
  run: string,
  { output }: BaselineFlags,
  session: CliSession,
): Promise<void> {
  const { readAcceptedRun } = await import('../../bench/run/accepted-run.ts');
  const { runFolder } = await import('../../results/run-folder.ts');
  const { appendAcceptedRun, checkBaselineName } = await import('../../results/baselines.ts');
  const { UserError } = await import('../../model/errors.ts');
  checkBaselineName(name);
  const accepted = await readAcceptedRun(runFolder(run, output), { whole: true });
  const { aborted } = accepted.manifest.run;
  if (aborted || accepted.cells.every(({ requests, failed }) => failed === requests)) {
    throw new UserError('results_invalid', {
      message: aborted ? `run ${run} is incomplete` : `no request of run ${run} succeeded`,
      hint: 'later runs cannot be compared with it: repeat the run',
    });
  }
  session.say(`baseline ${name}: ${await appendAcceptedRun(output, name, { ...accepted, newLevel: true })}`);
}

async function pin(
  name: string,
  label: string,
  run: string | undefined,
  flags: BaselineFlags,
  session: CliSession,
): Promise<void> {
  const { pinBaseline } = await import('../../results/baselines.ts');
  const { runs } = await pinBaseline(await openStore(name, flags, session), label, run);
  const newest = runs.at(-1)?.manifest.run.id ?? '';
  session.say(
    `pin ${label} of baseline ${name}: ${runs.length} ${runs.length === 1 ? 'run' : 'runs'} up to ${newest}`,
  );
}

async function unpin(name: string, label: string, flags: BaselineFlags, session: CliSession): Promise<void> {
  const { unpinBaseline } = await import('../../results/baselines.ts');
  const { folder } = await openStore(name, flags, session);
  await unpinBaseline(folder, label);
  session.say(`baseline ${name} has no pin ${label} any more`);
}

async function drop(
  name: string,
  run: string | undefined,
  flags: BaselineFlags,
  session: CliSession,
): Promise<void> {
  const { dropAcceptedRun, dropBaseline } = await import('../../results/baselines.ts');
  const { folder } = await openStore(name, flags, session);
  if (run === undefined) await dropBaseline(folder);
  else await dropAcceptedRun(folder, run);
  session.say(run === undefined ? `removed baseline ${name}` : `removed run ${run} from baseline ${name}`);
}
