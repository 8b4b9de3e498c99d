import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InitInput, InitResult } from '../../bench/init/init.ts';
import { UserError } from '../../model/errors.ts';
import type { DraftChoices } from '../../scenario/draft/draft.ts';
import type { PastedRequest } from '../../scenario/draft/pasted-request.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { addEnvOptions, type EnvFlags, envOf } from '../flags/env.ts';
import { headerOption } from '../flags/request.ts';
import { textOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';
import type { Questions } from '../questions.ts';

interface InitFlags extends EnvFlags {
  fromHar?: string;
  provider?: string;
  dialect?: string;
  model?: string;
  prompt?: string;
  textPath?: string;
  header: string[];
  keyVariable?: string;
  name?: string;
  out?: string;
  /** False with `--no-request`. */
  request: boolean;
}

export const initCommand: AddCommand = (root, open) => {
  const command = root
    .command('init')
    .description('make a scenario file from a URL or a curl command')
    .argument('[request]', 'URL, curl command, or - to read one from stdin (default: asked on a terminal)');
  command
    .optionsGroup('Request:')
    .option('--from-har <file>', 'take the request from a HAR file; [request] is then a part of its URL')
    .option('--provider <name>', 'provider (see `streambench providers`)')
    .option('--model <name>', 'model name (default: that of the request)')
    .option('--prompt <text>', 'prompt (default: that of the request)')
    .option('--dialect <name>', 'API dialect (default: from the URL or the answer)')
    .option('--text-path <path>', "path of the text in an event's JSON (default: from the answer)")
    .addOption(headerOption())
    .addOption(
      textOption(
        '--key-variable <name>',
        'environment variable with the API key (default: from the provider or the host)',
        (text) => /^[A-Za-z_]\w*$/.test(text),
        'the name of a variable',
      ),
    )
    .option('--no-request', 'send nothing; the dialect must then be clear from the URL');
  command.optionsGroup('File:');
  command
    .option('--name <name>', 'name of the scenario (default: the model)')
    .option('-o, --out <file>', 'file to write; an existing file is never replaced (default: NAME.yaml)');
  addEnvOptions(command);
  command.action((request: string | undefined, flags: InitFlags) => init(request, flags, open()));
  addExamples(
    command,
    { words: 'init https://api.example.com/v1/chat/completions --model my-model', does: 'from a URL' },
    {
      words: 'init curl https://api.example.com/chat -H \'authorization: Bearer KEY\' -d \'{"q":"hi"}\'',
      does: 'put "streambench init" before a curl command',
    },
    { words: 'init --from-har chat.har /api/chat', does: 'a request that the browser has recorded' },
  );
};

/**
 * The command line with the words of a curl command after `init` joined to one, so that its options are not taken for
 * options of streambench.
 */
export function joinCurlWords(argv: readonly string[]): string[] {
  const init = argv.indexOf('init', 2);
  const curl = argv.findIndex((word, index) => index > init && /^curl(\.exe)?$/.test(word));
  const takesValue = /^(--(?!no-request|quiet|verbose|no-color)|-[oHe]$)/.test(argv[curl - 1] ?? '');
  if (init === -1 || curl === -1 || takesValue) return [...argv];
  const words = argv
    .slice(curl)
    .map((word) => (word === '' ? "''" : word.replaceAll(/[^\w/.:=@%+,-]/g, quoted)));
  return [...argv.slice(0, curl), words.join(' ')];
}

function quoted(character: string): string {
  return character === "'" ? `"'"` : `'${character}'`;
}

async function init(words: string | undefined, flags: InitFlags, session: CliSession): Promise<void> {
  const env = await envOf(flags, session.env);
  const { openQuestions } = await import('../questions.ts');
  const isTerminal = process.stdin.isTTY === true && session.stderr.isTTY === true;
  const questions = isTerminal ? openQuestions({ input: process.stdin, output: session.stderr }) : undefined;
  try {
    const { request, from } = await requestOf(words, flags, questions);
    const { header, fromHar: _, out: __, request: send, ...choices } = flags;
    const { readHeaders } = await import('../../scenario/from-flags.ts');
    const headers = Object.entries(readHeaders(header) ?? {}).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]);
    const complete = request && {
      ...request,
      headers: { ...request.headers, ...Object.fromEntries(headers) },
    };
    const decided = await decide(complete, choices, env, questions, session);
    const { draft } = decided;
    const file = flags.out ?? `${fileName(draft.name)}.yaml`;
    await (await import('../output-file.ts')).checkOutputFile(file, { existing: 'keep', flag: '--out' });
    questions?.close();
    const { makeScenario } = await import('../../bench/init/init.ts');
    if (send) session.say('sending one request');
    const schema = schemaOf(file);
    const input: InitInput = { request: complete, choices: decided.choices, env, file, from, schema, send };
    const result = await makeScenario(input);
    await writeNew(file, result.text);
    session.print(summary(file, result));
  } finally {
    questions?.close();
  }
}

/** The request, and what it was read from. */
async function requestOf(
  words: string | undefined,
  flags: InitFlags,
  questions: Questions | undefined,
): Promise<{ request: PastedRequest | undefined; from: string }> {
  if (flags.fromHar !== undefined) {
    const { readHar } = await import('../../scenario/draft/har.ts');
    return { request: readHar(await fileText(flags.fromHar), flags.fromHar, words), from: 'a HAR file' };
  }
  if (words === undefined && flags.provider !== undefined) return { request: undefined, from: 'a provider' };
  const { isCompleteRequest, readRequest } = await import('../../scenario/draft/read-request.ts');
  const text =
    words === '-'
      ? await stdinText()
      : (words ?? (await questions?.askLines('URL or curl command', isCompleteRequest)));
  if (text === undefined) {
    throw new UserError('usage', {
      message: 'no request: a URL or a curl command is needed',
      hint: 'streambench init URL --model NAME; or put "streambench init" before a curl command; or --from-har FILE',
    });
  }
  return readRequest(text);
}

/** Adds what is missing: asked on a terminal, else an error. */
async function decide(
  request: PastedRequest | undefined,
  choices: DraftChoices,
  env: Readonly<Record<string, string | undefined>>,
  questions: Questions | undefined,
  session: CliSession,
) {
  const { draftScenario } = await import('../../scenario/draft/draft.ts');
  const { draftSecrets, lacksModel } = await import('../../bench/init/init.ts');
  let decided = choices;
  let draft = draftScenario(request, decided);
  session.hide(draftSecrets(draft));
  if (lacksModel(draft)) {
    if (questions === undefined) {
      throw new UserError('usage', {
        message: 'the name of the model is missing',
        hint: 'add --model NAME',
      });
    }
    decided = { ...decided, model: await questions.ask('Model') };
    draft = draftScenario(request, decided);
  }
  const [key] = draft.variables;
  if (questions !== undefined && key?.value !== undefined && decided.keyVariable === undefined) {
    const keyVariable = await questions.ask('Environment variable for the key', key.name);
    // Its value is that of the request, unless the variable has one already.
    if (/^[A-Za-z_]\w*$/.test(keyVariable)) decided = { ...decided, keyVariable };
    draft = draftScenario(request, decided);
    session.hide(draftSecrets(draft));
  }
  return { draft, choices: decided, env };
}

/** Of a file name, in UTF-16 units: in UTF-8 at most 3 bytes each, and file systems allow 255 bytes. */
const MAX_NAME = 80;

function fileName(name: string): string {
  const safe = name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replaceAll(/^[-.]+|-+$/g, '');
  return safe === '' ? 'scenario' : safe.slice(0, MAX_NAME);
}

async function writeNew(file: string, text: string): Promise<void> {
  const { writeFile } = await import('node:fs/promises');
  try {
    // Fails if another process has created the file in the meantime.
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError('output_unwritable', {
      message: code === 'EEXIST' ? `${file} already exists` : `cannot write ${file}: ${code}`,
      hint: 'choose another file: --out FILE',
    });
  }
}

const SCHEMA = 'schema/scenario.schema.json';

/** The installed package's schema, relative to the file; without an installation, that of this program. */
function schemaOf(file: string): string {
  const installed = join(dirname(file), 'node_modules/streambench', SCHEMA);
  if (existsSync(installed)) return `./node_modules/streambench/${SCHEMA}`;
  const own = fileURLToPath(new URL(`../../../${SCHEMA}`, import.meta.url));
  const near = relative(dirname(resolve(file)), own);
  return near.startsWith(`..${sep}..`) ? own : near.replace(/^(?!\.)/, './').replaceAll(sep, '/');
}

function summary(file: string, { draft, facts, recognised, variables }: InitResult): string {
  const { target, isConstant } = draft;
  const dialect = [target.provider, target.dialect].filter((part) => part !== undefined).join(', ');
  const text = target.textPath === undefined ? '' : `, text at ${target.textPath}`;
  const unset = variables.filter(({ isSet }) => !isSet);
  const pasted = draft.variables.filter(({ value }) => value !== undefined);
  const toSet = [...new Set([...pasted, ...unset].map(({ name }) => name))];
  const shown = /^[\w./-]+$/.test(file) ? file : `'${file}'`;
  const rows: [string, string][] = [
    ['written', file],
    ['dialect', `${dialect}${text}${recognised ? ' (recognised by the answer)' : ''}`],
    ...(facts === undefined ? [] : [['request', facts] as [string, string]]),
    ...(isConstant
      ? [['note', 'all requests are the same: put {{prompt}} where the prompt belongs'] as [string, string]]
      : []),
    ...toSet.map((name): [string, string] => ['set', `export ${name}=...`]),
    ['next', `streambench run ${shown} --dry-run   # prints the plan and sends nothing`],
    ['', `streambench run ${shown}`],
  ];
  return rows.map(([title, value]) => `${title.padEnd(9)}${value}\n`).join('');
}

async function fileText(file: string): Promise<string> {
  const { fileProblem, MAX_TEXT_BYTES, readRegularFile } = await import('../../scenario/files.ts');
  const most = 20 * MAX_TEXT_BYTES;
  try {
    return readRegularFile(file, most).toString();
  } catch (error) {
    throw new UserError('usage', {
      ...fileProblem(file, error, 'HAR file', most),
      place: { file: '--from-har' },
    });
  }
}

async function stdinText(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
