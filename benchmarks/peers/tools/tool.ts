import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { percentileOf } from '../../../src/metrics/percentile.ts';

const run = promisify(execFile);

/** One measurement: so many streams at once, so many requests, so many tokens each. */
export interface Load {
  port: number;
  streams: number;
  requests: number;
  tokens: number;
  /** An empty folder for the tool's output. */
  folder: string;
}

/** Median and 99th percentile in ms. */
export interface Figures {
  p50: number;
  p99: number;
}

/** What a tool reported. */
export interface Reported {
  /** Requests that it calls successful. */
  ok: number;
  ttft: Figures | null;
  /** Between events or tokens; null where the tool does not keep them. */
  gap: Figures | null;
}

/** A tool that measures streams. */
export interface Tool {
  name: string;
  /** Its version; or why it is skipped. */
  find(): Promise<{ version: string } | { skipped: string }>;
  /** True for a variant that is measured only when it is named. */
  onlyNamed?: true;
  /** Called while the tool runs. Returns what ends it. */
  during?(): () => void;
  /** The command of a measurement. */
  command(load: Load): string[];
  env?: Record<string, string>;
  read(load: Load): Reported;
}

/** The model that every tool asks for. */
export const MODEL = 'm';
/** A file of a tool's results. */
export const json = (folder: string, file: string) =>
  JSON.parse(readFileSync(join(folder, file), 'utf8')) as unknown;

/** Percentiles of values in ms; null without any. */
export function figures(values: readonly number[]): Figures | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  return { p50: percentileOf(sorted, 0.5), p99: percentileOf(sorted, 0.99) };
}

/** The version that a program prints; undefined where it is not installed. */
export async function versionOf(program: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(program, args, { timeout: 60_000 });
    return /\d+\.\d+\S*/.exec(`${stdout}${stderr}`)?.[0];
  } catch {
    return undefined;
  }
}

/** The result of `find` for a program that is not installed. */
export const absent = (program: string, remedy: string) => ({
  skipped: `${program} is not in PATH: ${remedy}`,
});

/** A prompt for each request, as JSON lines. */
export function promptFile(folder: string, count: number): string {
  const file = join(folder, 'prompts.jsonl');
  const lines = Array.from({ length: count }, (_, i) =>
    JSON.stringify({ prompt: `Tell a story about the sea, number ${i}.` }),
  );
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** A tokenizer of whole words: tools want one, and no figure here depends on it. */
export function tokenizerFolder(folder: string): string {
  const path = join(folder, 'tokenizer');
  mkdirSync(path, { recursive: true });
  const vocab = Object.fromEntries(
    ['[UNK]', ...Array.from({ length: 1000 }, (_, i) => `w${i}`)].map((word, i) => [word, i]),
  );
  const unknown = {
    id: 0,
    content: '[UNK]',
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  };
  const tokenizer = {
    ...{ version: '1.0', truncation: null, padding: null, normalizer: null },
    added_tokens: [{ ...unknown, special: true }],
    pre_tokenizer: { type: 'Whitespace' },
    ...{ post_processor: null, decoder: null },
    model: { type: 'WordLevel', vocab, unk_token: '[UNK]' },
  };
  const config = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    unk_token: '[UNK]',
    model_max_length: 100_000,
  };
  writeFileSync(join(path, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(path, 'tokenizer_config.json'), JSON.stringify(config));
  return path;
}
