import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DIALECT_NAMES, getDialect } from '../../src/wire/dialects/index.ts';
import { gather } from '../../src/wire/whole-answer.ts';
import { CORPUS } from './corpus.ts';
import { cut, decodeReads } from './streams.ts';

// A second set of recorded streams: answers with hidden reasoning, and formats that no dialect reads.

interface Sample {
  file: string;
  wire_format: string;
  sha256: string;
  kind: string;
  expected: {
    text_chars: number;
    text_sha256: string;
    reasoning_chars: number;
    tools: { name: string | null; id: string | null; args: string | null }[];
    finish_reason: string | null;
    usage: { input?: number; output?: number; reasoning?: number; cached_input?: number };
  } | null;
}

const MORE = join(CORPUS, 'more');
const INDEX = join(MORE, 'INDEX.jsonl');
const HAS_MORE = existsSync(INDEX);

// A skipped suite says only that it was skipped.
if (!HAS_MORE) console.info(`no recorded streams at ${MORE}; set STREAMBENCH_CORPUS to run over them`);

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');

/** Samples whose file is there: several of one name are listed, and one of them is kept. */
const SAMPLES: [string, Sample, Uint8Array][] = HAS_MORE
  ? readFileSync(INDEX, 'utf8')
      .trim()
      .split('\n')
      .map((line): Sample => JSON.parse(line))
      .flatMap((sample): [string, Sample, Uint8Array][] => {
        const path = join(MORE, sample.file);
        const bytes = existsSync(path) ? readFileSync(path) : undefined;
        return bytes !== undefined && sha256(bytes) === sample.sha256 ? [[sample.file, sample, bytes]] : [];
      })
  : [];

const DIALECT: Record<string, string> = {
  'openai-chat': 'openai-chat',
  'openai-responses': 'openai-responses',
  'gemini-sse': 'gemini',
};

const READ = SAMPLES.filter(([, sample]) => DIALECT[sample.wire_format] !== undefined);
const UNREAD = SAMPLES.filter(([, sample]) => DIALECT[sample.wire_format] === undefined);

describe.skipIf(READ.length === 0)('recorded streams with hidden reasoning', () => {
  test.each(READ)('%s', (_, sample, bytes) => {
    const dialect = getDialect(DIALECT[sample.wire_format]!);
    const whole = decodeReads(dialect, [bytes]);
    const { text, thinking, calls, usage, complete, error } = gather(whole);
    const expected = sample.expected!;
    expect([...text].length).toBe(expected.text_chars);
    if (text !== '') expect(sha256(text)).toBe(expected.text_sha256);
    expect([...thinking].length).toBe(expected.reasoning_chars);
    expect(calls.map(({ name }) => name)).toEqual(expected.tools.map(({ name }) => name));
    for (const [i, { id, args }] of expected.tools.entries()) {
      if (id !== null) expect(calls[i]!.id).toBe(id);
      if (args !== null) expect(JSON.parse(calls[i]!.arguments || '{}')).toEqual(JSON.parse(args || '{}'));
    }
    const { input, output = 0, reasoning = 0, cached_input: cached } = expected.usage;
    // Gemini counts reasoning beside the output.
    const outside = sample.wire_format === 'gemini-sse' ? reasoning : 0;
    expect(usage).toMatchObject({
      inputTokens: input,
      outputTokens: output + outside,
      reasoningTokens: reasoning,
    });
    if (cached !== undefined) expect(usage!.cachedInputTokens).toBe(cached);
    expect(usage).not.toHaveProperty('refused');
    expect(complete?.raw).toBe(expected.finish_reason);
    expect(error).toBeUndefined();
    const middle = Math.floor(bytes.length / 2);
    for (const places of [[middle], [1, 2, 3], Array.from({ length: 99 }, (_, i) => i * 37)]) {
      expect(decodeReads(dialect, cut(bytes, places))).toEqual(whole);
    }
  });
});

describe.skipIf(UNREAD.length === 0)('recorded streams that no dialect reads', () => {
  test.each(UNREAD)('%s is no answer of any dialect, and stops none', (_, sample, bytes) => {
    for (const name of DIALECT_NAMES) {
      const events = decodeReads(getDialect(name), [bytes]);
      const isText = name === 'sse' || name === 'raw' || name === 'ndjson';
      if (!isText) expect(events.some(({ type }) => type === 'message_chunk')).toBe(false);
      expect(events.filter(({ type }) => type === 'complete').length).toBeLessThanOrEqual(1);
    }
    expect(sample.kind).toBe('unsupported');
  });
});
