import type { RecordedExchange } from '../../cassettes/cassette.ts';
import { UserError } from '../../model/errors.ts';
import { counted, formatValue } from '../../model/format.ts';
import { suggest } from '../../model/suggestions.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { addConnectionOptions } from '../flags/connection.ts';
import { type AllowFileFlags, addAllowFileOption, envOf } from '../flags/env.ts';
import {
  addCountOptions,
  addFieldOptions,
  addForOption,
  addTargetOptions,
  chooseTarget,
  interruptible,
  type OneRequestFlags,
  overridesOf,
  streamLimitMs,
  type TargetChoice,
} from '../flags/one-request.ts';
import { modeList } from '../flags/scenario.ts';
import { addExamples } from '../help.ts';
import { checkOutputFile, writeOutputFile } from '../output-file.ts';

interface RecordFlags extends OneRequestFlags, AllowFileFlags {
  out?: string;
  force?: boolean;
  target?: string;
}

export const recordCommand: AddCommand = (root, open) => {
  const command = root
    .command('record')
    .description('record the bytes and arrival times of a response, for replay and as a simulator profile')
    .argument('[url]', 'endpoint, base URL of an API, or scenario file (default: the embedded simulator)');
  command
    .optionsGroup('Recording:')
    .option('-o, --out <file>', 'cassette to write, such as glm.cassette (required)')
    .option('--force', 'overwrite an existing file')
    .option('--target <name>', 'target of the scenario file (default: its first)');
  addCountOptions(command);
  addForOption(command);
  addTargetOptions(command);
  addConnectionOptions(command);
  command.optionsGroup('Scenario:');
  addFieldOptions(command);
  addAllowFileOption(command);
  command.action((url: string | undefined, flags: RecordFlags) => record(url, flags, open()));
  addExamples(
    command,
    {
      words: 'record --provider zhipu --model glm-4.6 --prompt "Tell me a story" -o glm.cassette',
      does: 'then: streambench replay glm.cassette',
    },
    { words: 'record scenario.yaml --target flash -n 5 -o flash.cassette', does: 'a target of a scenario' },
  );
};

async function record(url: string | undefined, flags: RecordFlags, session: CliSession): Promise<void> {
  if (flags.out === undefined) {
    throw new UserError('usage', {
      message: 'no file to write the recording to',
      hint: 'name it with -o, such as -o glm.cassette',
    });
  }
  const file = flags.out;
  await checkOutputFile(file, { existing: flags.force ? 'overwrite' : 'force', flag: '-o' });
  const choice = await recordedTarget(url, flags, session);
  const { loaded, guessed, methodGuessed, endless } = choice;
  session.hide(loaded.secrets);
  await interruptible(async (signal, interrupted) => {
    const { record: recordTarget } = await import('../../bench/record/record.ts');
    const { headline } = await import('../../report/probe-report.ts');
    const { writeCassette } = await import('../../cassettes/cassette.ts');
    session.say('recording (Ctrl-C stops and keeps what was received)');
    const { cassette, report, warnings } = await recordTarget(loaded, {
      requests: flags.requests,
      guessed,
      methodGuessed,
      signal,
      target: flags.target,
      forMs: streamLimitMs(flags, endless),
    });
    const text = writeCassette(cassette);
    await writeOutputFile(file, text, '-o');
    for (const warning of warnings) session.warning(warning);
    const requests = [...report.requests, ...(report.whole?.requests ?? [])];
    requests.sort((a, b) => a.record.seq - b.record.seq);
    for (const [index, exchange] of cassette.exchanges.entries()) {
      const record = requests[index]?.record;
      const ttftMs = record === undefined ? null : headline(record).ttftMs;
      session.print(`${summary(exchange, record?.outcome.kind, ttftMs)}\n`);
    }
    const exchanges = counted(cassette.exchanges.length, 'exchange');
    session.print(`written: ${file} (${exchanges}, ${formatValue(Buffer.byteLength(text), 'bytes')})\n`);
    session.say(`to serve it: streambench replay ${file}`);
    session.exitCode = interrupted() ?? 0;
  });
}

/** The target on the command line, or one of a scenario file. */
async function recordedTarget(
  url: string | undefined,
  flags: RecordFlags,
  session: CliSession,
): Promise<TargetChoice> {
  if (url !== undefined && SCENARIO_FILE.test(url) && !url.includes('://')) {
    return scenarioTarget(url, flags, session);
  }
  if (flags.target === undefined) return chooseTarget(url, flags, session);
  throw new UserError('usage', {
    message: '--target selects a target of a scenario file, and no scenario file is given',
    hint: 'streambench record SCENARIO.yaml --target NAME -o FILE',
  });
}

const SCENARIO_FILE = /\.(ya?ml|json)$/i;

async function scenarioTarget(file: string, flags: RecordFlags, session: CliSession): Promise<TargetChoice> {
  const { provider, model, dialect, prompt, maxTokens, apiKey, method, body, textPath, exactUrl } = flags;
  const own = { provider, model, dialect, prompt, maxTokens, apiKey, method, body, textPath, exactUrl };
  const [name] = Object.entries(own).find(([, value]) => value !== undefined) ?? [];
  if (name !== undefined || flags.header.length > 0) {
    throw new UserError('usage', {
      message: `${file} describes the request: --${name ?? 'header'} cannot be combined with a scenario file`,
      hint: 'change a field of the scenario with --set, such as --set targets.0.model=NAME',
    });
  }
  const { loadScenario } = await import('../../scenario/load.ts');
  const modes = { path: 'modes', value: modeList(flags.mode), from: '--mode' };
  const loaded = loadScenario(file, {
    env: await envOf(flags, session.env),
    overrides: [modes, ...(await overridesOf(flags))],
    allowFiles: flags.allowFile,
  });
  const names = loaded.scenario.targets.map((target) => target.name);
  if (flags.target !== undefined && !names.includes(flags.target)) {
    throw new UserError('usage', {
      message: `${file} has no target ${JSON.stringify(flags.target)}`,
      hint: suggest(flags.target, names),
    });
  }
  return { loaded, guessed: false, methodGuessed: false, endless: false };
}

/** `POST /v1/chat/completions: 200, ok, first token 312 ms, 84 reads, 12 kB in 2.1 s`. */
function summary(
  { request, response, reads, end }: RecordedExchange,
  outcome: string | undefined,
  ttftMs: number | null,
): string {
  const bytes = reads.reduce((sum, read) => sum + read.bytes.byteLength, 0);
  const facts = [
    response === undefined ? 'no response' : String(response.status),
    outcome,
    ttftMs === null ? undefined : `first token ${formatValue(ttftMs, 'ms')}`,
    counted(reads.length, 'read'),
    `${formatValue(bytes, 'bytes')} in ${formatValue(end.atMs, 'ms')}`,
    end.kind === 'complete' ? undefined : end.kind,
  ];
  return `${request.method} ${request.path}: ${facts.filter((fact) => fact !== undefined).join(', ')}`;
}
