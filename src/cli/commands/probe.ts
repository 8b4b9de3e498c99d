import { LENGTH_FACTOR, LENGTH_REQUESTS } from '../../analysis/streaming/verdict-limits.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import type { ProbeReport } from '../../report/probe-report.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { addConnectionOptions } from '../flags/connection.ts';
import {
  addCountOptions,
  addFieldOptions,
  addForOption,
  addTargetOptions,
  chooseTarget,
  interruptible,
  type OneRequestFlags,
  streamLimitMs,
} from '../flags/one-request.ts';
import { wholeListOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';

interface ProbeFlags extends OneRequestFlags {
  lengths?: number[];
  json?: boolean;
}

export const probeCommand: AddCommand = (root, open) => {
  const command = root
    .command('probe')
    .description('examine one request: its timing, its stream and its response headers')
    .argument('[url]', 'streaming endpoint, or base URL of an API (default: the embedded simulator)');
  addTargetOptions(command);
  command.optionsGroup('Measurement:');
  addCountOptions(command);
  command.addOption(
    wholeListOption(
      '--lengths <tokens>',
      'answer lengths to compare, such as 16,256, with -n requests each: does a longer answer start later?',
      { min: 1 },
    ),
  );
  addForOption(command);
  addConnectionOptions(command);
  command.optionsGroup('Scenario and output:');
  addFieldOptions(command);
  command
    .option('--json', 'print the results as JSON')
    .action((url: string | undefined, flags: ProbeFlags) => probe(url, flags, open()));
  addExamples(
    command,
    { words: 'probe', does: 'the embedded simulator' },
    {
      words: 'probe https://api.example.com/chat/stream -H "authorization: Bearer KEY"',
      does: 'any SSE endpoint',
    },
    {
      words: 'probe --provider openai --model gpt-4.1-mini -n 5 --mode both',
      does: 'compare with the whole answer',
    },
  );
};

async function probe(url: string | undefined, flags: ProbeFlags, session: CliSession): Promise<void> {
  const { requests, lengths } = flags;
  checkLengths(lengths, requests);
  const { loaded, guessed, methodGuessed, endless } = await chooseTarget(url, flags, session);
  session.hide(loaded.secrets);
  const progress = await createProgress(session, requests);
  try {
    await interruptible(async (signal, interrupted) => {
      const { probe: probeTarget } = await import('../../bench/probe/probe.ts');
      const report = await probeTarget(loaded, {
        requests,
        lengths,
        guessed,
        methodGuessed,
        signal,
        forMs: streamLimitMs(flags, endless),
        onRequest: (number) => progress.request(number),
      });
      progress.end();
      await print(report, flags.json === true, session);
      session.exitCode = interrupted() ?? (await exitCode(report));
    });
  } finally {
    progress.end();
  }
}

function checkLengths(lengths: readonly number[] | undefined, requests: number): void {
  if (lengths === undefined) return;
  const [short, long] = [Math.min(...lengths), Math.max(...lengths)];
  if (long < LENGTH_FACTOR * short) {
    throw new UserError('usage', {
      message: `--lengths: one length must be at least ${LENGTH_FACTOR} times another`,
      hint: 'such as --lengths 16,256',
    });
  }
  if (requests < LENGTH_REQUESTS) {
    throw new UserError('usage', {
      message: `--lengths needs at least ${LENGTH_REQUESTS} requests per length`,
      hint: `add -n ${LENGTH_REQUESTS}, or more if TTFT varies much between requests`,
    });
  }
}

interface ProbeProgress {
  request(number: number): void;
  end(): void;
}

/** A spinner on a terminal; nothing in a log. */
async function createProgress({ stderr, quiet }: CliSession, requests: number): Promise<ProbeProgress> {
  if (quiet || !stderr.isTTY) return { request() {}, end() {} };
  const { default: ora } = await import('ora');
  const frames = ['⠋', '⠙', '⠸', '⠴', '⠦', '⠇'];
  const spinner = ora({ stream: stderr, spinner: { interval: 200, frames }, discardStdin: false });
  return {
    request(number) {
      const which = requests === 1 ? 'probing' : `probing, request ${number} of ${requests}`;
      spinner.start(`${which} (Ctrl-C stops and shows what was received)`);
    },
    end: () => void spinner.stop(),
  };
}

async function print(report: ProbeReport, json: boolean, session: CliSession): Promise<void> {
  if (json) {
    const { probeJson } = await import('../../report/probe-report.ts');
    session.print(probeJson(report));
    return;
  }
  const { probeView } = await import('../../report/terminal/probe-view.ts');
  const { ascii } = session;
  session.print(probeView(report, { width: session.width, color: session.color.stdout, ascii }));
}

async function exitCode({ requests }: ProbeReport) {
  const { succeeded } = await import('../../report/probe-report.ts');
  return requests.some(succeeded) ? EXIT.ok : EXIT.unreachable;
}
