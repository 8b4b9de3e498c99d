import { closeSync, mkdtempSync, openSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TraceFormat } from '../../src/model/trace.ts';
import { type CheckedTrace, readTrace } from '../../src/prompts/trace/read-trace.ts';
import { traceText } from '../../src/prompts/trace/trace-text.ts';

const folder = mkdtempSync(join(tmpdir(), 'trace-'));

function read(format: TraceFormat, text: string, limit?: number): CheckedTrace {
  const path = join(folder, 'trace');
  writeFileSync(path, text);
  const file = openSync(path, 'r');
  try {
    return readTrace(file, { format, limit, blockTokens: 512 });
  } finally {
    closeSync(file);
  }
}

function traceOf(format: TraceFormat, text: string, limit?: number) {
  const checked = read(format, text, limit);
  if (!('trace' in checked)) throw new Error(JSON.stringify(checked.problems));
  const { atMs, inputTokens, outputTokens, blocks } = checked.trace;
  return {
    atMs: [...atMs],
    input: [...inputTokens],
    output: [...outputTokens],
    blocks: blocks && { ids: [...blocks.ids], starts: [...blocks.starts] },
  };
}

function problemsOf(format: TraceFormat, text: string): string[] {
  const checked = read(format, text);
  return 'trace' in checked
    ? []
    : checked.problems.map(({ line, cause, remedy }) => `${line}: ${cause} | ${remedy}`);
}

// Lines written by hand in the published formats: kvcache-ai/Mooncake (FAST25-release/traces), Azure/AzurePublicDataset
// (AzureLLMInferenceTrace_code.csv of 2023; 2024 has a time zone).
const MOONCAKE = [
  '{"timestamp": 27000, "input_length": 1100, "output_length": 50, "hash_ids": [46, 47, 48]}',
  '{"timestamp": 30000, "input_length": 512, "output_length": 3, "hash_ids": [46]}',
  '{"timestamp": 30000, "input_length": 600, "output_length": 9, "hash_ids": [46, 49]}',
].join('\n');

describe('a Mooncake trace', () => {
  test('has arrivals in ms, lengths and blocks', () => {
    expect(traceOf('mooncake', `${MOONCAKE}\n`)).toEqual({
      atMs: [0, 3_000, 3_000],
      input: [1_100, 512, 600],
      output: [50, 3, 9],
      blocks: { ids: [46, 47, 48, 46, 46, 49], starts: [0, 3, 4, 6] },
    });
  });

  test('is read up to its limit: later lines may be broken', () => {
    expect(traceOf('mooncake', `${MOONCAKE}\nnot json`, 2).input).toEqual([1_100, 512]);
  });

  test.each([
    [
      '{"timestamp": 26999, "input_length": 5, "output_length": 1, "hash_ids": [1]}',
      /^4: out of order: 3001 ms before the request above it \| sort/,
    ],
    [
      '{"timestamp": 31000, "input_length": -5, "output_length": 1, "hash_ids": []}',
      /^4: input_length is negative: -5 \| correct/,
    ],
    [
      '{"timestamp": 31000, "input_length": 5, "output_length": 1.5, "hash_ids": [1]}',
      /^4: output_length is not a number of tokens/,
    ],
    [
      '{"timestamp": 31000, "output_length": 1, "hash_ids": [1]}',
      /^4: input_length is not a number of tokens: missing/,
    ],
    [
      '{"timestamp": "now", "input_length": 5, "output_length": 1}',
      /^4: timestamp is not a time in ms: "now"/,
    ],
    [
      '{"timestamp": 31000, "input_length": 600, "output_length": 1, "hash_ids": [1]}',
      /^4: hash_ids has 1 ids, but 600 tokens are 2 blocks of 512 \| set load.trace.blockTokens/,
    ],
    [
      '{"timestamp": 31000, "input_length": 6, "output_length": 1, "hash_ids": ["a"]}',
      /^4: hash_ids is not a list of whole numbers/,
    ],
    ['{"timestamp": 31000, "input_length"', /^4: this line is not a JSON object \| the format is/],
    ['[]', /^4: this line is not a JSON object/],
  ])('a broken line is found: %s', (line, problem) => {
    const problems = problemsOf('mooncake', `${MOONCAKE}\n${line}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  test('only the first problems are listed, the others are counted', () => {
    const checked = read('mooncake', 'x\n'.repeat(25));
    expect(checked).toMatchObject({ more: 15 });
    expect(problemsOf('mooncake', '\n\n')).toEqual([expect.stringMatching(/it has no request/)]);
  });
});

describe('an Azure trace', () => {
  const header = 'TIMESTAMP,ContextTokens,GeneratedTokens';

  test('of 2023 has seven decimals and no time zone', () => {
    const lines = [header, '2023-11-16 18:17:03.9799600,4808,10', '2023-11-16 18:17:04.0319600,3180,8'];
    expect(traceOf('azure', `\uFEFF${lines.join('\r\n')}\r\n`)).toMatchObject({
      atMs: [0, expect.closeTo(52, 3)],
      input: [4_808, 3_180],
      output: [10, 8],
      blocks: undefined,
    });
  });

  test('of 2024 has a time zone', () => {
    const lines = [
      header,
      '2024-05-10 00:00:00.009930+00:00,2162,5',
      '2024-05-10 00:00:00.017335+00:00,2399,6',
    ];
    expect(traceOf('azure', lines.join('\n')).atMs[1]).toBeCloseTo(7.405, 3);
  });

  test.each([
    [
      'TIME,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,1,1',
      /^1: the header has no TIMESTAMP \| the first line must be/,
    ],
    [`${header}\n16.11.2023,1,1`, /^2: TIMESTAMP is not a time: "16.11.2023" \| write it as/],
    [`${header}\n2023-11-16 18:17:03,-1,1`, /^2: ContextTokens is negative: -1/],
    [`${header}\n2023-11-16 18:17:03,1`, /^2: GeneratedTokens is not a number of tokens/],
    [`${header}\n2023-11-16 18:17:03,1,1\n2023-11-16 18:17:02,1,1`, /^3: out of order: 1000 ms/],
    [header, /it has no request/],
  ])('a broken file is found: %j', (text, problem) => {
    expect(problemsOf('azure', text)).toEqual([expect.stringMatching(problem)]);
  });
});

describe('the records of a run', () => {
  const record = (scheduled: number, changes: object = {}) =>
    JSON.stringify({
      schema: 'streambench/record@1',
      marks: { scheduled, started: scheduled + 1 },
      tokens: { input: 10, output: 20 },
      ...changes,
    });

  test('are sorted by when requests were due, each request once', () => {
    const retried = record(700, { attempt: { number: 1, retried: true } });
    const last = record(900, { attempt: { number: 2, first: { scheduled: 700, started: 701 } } });
    const text = [record(800), retried, record(500), last].join('\n');
    expect(traceOf('streambench', text).atMs).toEqual([0, 200, 300]);
    expect(traceOf('streambench', text, 2).atMs).toEqual([0, 200]);
  });

  test('without usage have no known lengths', () => {
    const text = record(0, { tokens: { output: null } });
    expect(traceOf('streambench', text)).toMatchObject({ input: [0], output: [0] });
  });

  test('any other file is refused', () => {
    expect(problemsOf('streambench', '{"a": 1}')).toEqual([
      '1: this line is not a record of a run | name a run folder, or its records.ndjson',
    ]);
  });
});

describe('the texts of a trace', () => {
  const checked = read('mooncake', MOONCAKE);
  if (!('trace' in checked)) throw new Error('broken');
  const { trace } = checked;
  const text = (number: number, key = 'k') => traceText(trace, number, { wordsPerToken: 1, key }, undefined);

  test('are as long as recorded', () => {
    expect([0, 1, 2].map((number) => text(number).split(' ').length)).toEqual([1_100, 512, 600]);
  });

  test('share exactly the blocks that the prompts shared, in their order', () => {
    const words = (number: number) => text(number).split(' ');
    const [a, b, c] = [words(0), words(1), words(2)];
    expect(b).toEqual(a.slice(0, 512));
    expect(c.slice(0, 512)).toEqual(a.slice(0, 512));
    // The first word after the shared block differs: a cache must not find more than was shared.
    expect(c.slice(512, 518)).not.toEqual(a.slice(512, 518));
  });

  test('of another run are others', () => {
    expect(text(0, 'other').slice(0, 20)).not.toBe(text(0).slice(0, 20));
  });

  test('without blocks begin with the nonce', () => {
    const plain = { inputTokens: trace.inputTokens };
    const of = (nonce: string) => traceText(plain, 1, { wordsPerToken: 1, key: 'k' }, nonce);
    expect(of('aaaaaaaa').slice(0, 24)).not.toBe(of('aaaaaaab').slice(0, 24));
    expect(of('aaaaaaaa').split(' ')).toHaveLength(512);
  });
});
