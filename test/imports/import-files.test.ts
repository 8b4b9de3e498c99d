import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { importFiles } from '../../src/imports/import-files.ts';
import { UserError } from '../../src/model/errors.ts';
import { IMPORT_TOOL_NAMES, type ImportToolName } from '../../src/model/tool-names.ts';
import { checkLine } from '../../src/results/check-record.ts';
import { scratch } from '../support/program.ts';
import { importFile } from './fixtures.ts';

const folder = scratch();
afterAll(() => folder.dispose());

let files = 0;
/** A file, or a folder of files, with this content. */
function written(content: unknown, name = 'result.json'): string {
  const path = join(folder.path, String(files++));
  mkdirSync(path);
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(path, name), text);
  return join(path, name);
}

const json = (...path: string[]) => JSON.parse(readFileSync(importFile(...path), 'utf8'));

async function failureOf(path: string, from?: ImportToolName): Promise<string> {
  const error = await importFiles(path, from).then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

describe('a folder of results', () => {
  test.each([
    ['aiperf', 'AIPerf', '0.13.0', 'm', 16],
    ['guidellm', 'guidellm', '0.8.1', 'm', 16],
    ['vllm', 'vllm bench serve', undefined, 'm', 16],
    ['vllm-bench', 'vllm-bench', undefined, 'm', 16],
    ['genai-bench', 'genai-bench', '0.0.5', 'm', 40],
    ['inference-perf', 'inference-perf', undefined, 'inference-perf', 16],
  ])(
    'of %s is recognised, with version, target, load and failures',
    async (name, tool, version, target, n) => {
      const { run } = await importFiles(importFile(name));
      expect([run.origin.tool, run.origin.version]).toEqual([tool, version]);
      expect(run.cells).toEqual([
        {
          target,
          prompt: name === 'genai-bench' ? 'D(10,20)' : 'imported',
          concurrency: 4,
          rate: undefined,
          mode: 'streaming',
        },
      ]);
      expect(run.records).toHaveLength(n);
      const failed = run.records.filter(({ outcome }) => outcome.kind !== 'ok');
      expect(failed.map(({ outcome }) => [outcome.kind, outcome.status])).toEqual([
        ['http_error', 500],
        ['http_error', 500],
      ]);
      expect(
        failed.every(({ marks, tokens }) => marks.firstToken === undefined && tokens.output === null),
      ).toBe(true);
    },
  );

  test.each(['aiperf', 'guidellm', 'vllm', 'vllm-bench', 'genai-bench', 'inference-perf'])(
    'of %s gives records that can be read again',
    async (name) => {
      const { run } = await importFiles(importFile(name));
      for (const [seq, record] of run.records.entries()) {
        const line = JSON.stringify({ schema: 'streambench/record@1', seq, ...record });
        expect(checkLine(line)).toHaveProperty('record');
      }
    },
  );

  test('what a tool did not record has no value, and is not zero', async () => {
    const unobserved = async (name: string) =>
      (await importFiles(importFile(name))).run.records[0]?.unobserved;
    expect(await unobserved('aiperf')).toEqual(['coalesced', 'reads', 'events', 'bytes', 'chars']);
    expect(await unobserved('guidellm')).toEqual(
      expect.arrayContaining(['gaps', 'scheduled', 'tokenSource', 'bytes']),
    );
    expect(await unobserved('vllm')).toEqual(expect.arrayContaining(['scheduled', 'end', 'chars']));
    expect(await unobserved('genai-bench')).toEqual(
      expect.arrayContaining(['started', 'lastToken', 'gaps', 'contentEvents']),
    );
  });
});

describe('levels', () => {
  test('several results of vllm in one file are cells by load, and rounds of one load', async () => {
    const result = json('vllm', 'result.json');
    const other = { ...result, max_concurrency: 8 };
    const path = written([result, other, result].map((one) => JSON.stringify(one)).join('\n'), 'all.json');
    const { run } = await importFiles(path);
    expect(run.cells.map(({ concurrency }) => concurrency)).toEqual([4, 8]);
    const rounds = new Set(run.records.map(({ concurrency, round }) => `${concurrency}/${round}`));
    expect([...rounds].sort()).toEqual(['4/0', '4/1', '8/0']);
  });

  test('the stages of inference-perf are cells, if their files are there', async () => {
    const path = join(folder.path, 'stages');
    mkdirSync(path);
    const name = 'per_request_lifecycle_metrics.json';
    cpSync(importFile('inference-perf', name), join(path, name));
    const stage = json('inference-perf', 'stage_0_lifecycle_metrics.json');
    for (const [number, load] of [
      { count: 10, concurrency: 2 },
      { count: 6, requested_rate: 20 },
    ].entries()) {
      writeFileSync(
        join(path, `stage_${number}_lifecycle_metrics.json`),
        JSON.stringify({ ...stage, load_summary: load }),
      );
    }
    const { run } = await importFiles(path);
    expect(run.cells.map(({ concurrency, rate }) => [concurrency, rate])).toEqual([
      [2, undefined],
      [expect.any(Number), 20],
    ]);
    const alone = await importFiles(join(path, name));
    expect(alone.run.cells.map(({ concurrency }) => concurrency)).toEqual([4]);
    expect(alone.run.origin.notes.join(' ')).toContain('the most requests in flight at once');
  });

  test('a file of AIPerf alone says what is not known', async () => {
    const { run } = await importFiles(importFile('aiperf', 'profile_export.jsonl'));
    expect(run.origin.version).toBeUndefined();
    expect(run.cells[0]).toMatchObject({ target: 'AIPerf', concurrency: 4 });
    expect(run.origin.notes.join(' ')).toContain('profile_export_aiperf.json was not found');
  });
});

describe('files that contain only aggregates', () => {
  const { ttfts: _t, itls: _i, ...withoutDetails } = json('vllm', 'result.json');
  const report = json('guidellm', 'result.json');
  const noRequests = { successful: [], errored: [], incomplete: [] };
  const unfilled = { ...report, benchmarks: [{ ...report.benchmarks[0], requests: noRequests }] };
  const genai = json('genai-bench', 'D10_20_text-to-text_num_concurrency_4_time_1s.json');
  test.each([
    ['AIPerf', importFile('aiperf', 'profile_export_aiperf.json'), '--export-level records'],
    ['vllm bench serve', written(withoutDetails), '--save-detailed'],
    ['guidellm', written(unfilled), '--output kind=json'],
    ['inference-perf', importFile('inference-perf', 'summary_lifecycle_metrics.json'), 'per_request: true'],
    ['genai-bench', written({ aggregated_metrics: genai.aggregated_metrics }), 'experiment folder'],
  ])('of %s are an error with the flag that exports requests', async (tool, path, remedy) => {
    const message = await failureOf(path);
    expect(message).toContain(path);
    expect(message).toContain(`contains only aggregates of ${tool}`);
    expect(message).toContain(remedy);
  });
});

describe('a file that cannot be read is an error with cause, place and remedy', () => {
  test.each(IMPORT_TOOL_NAMES)('%s: cut at any place', async (name) => {
    const { files: paths } = await importFiles(importFile(name));
    const text = readFileSync(paths[0] ?? '', 'utf8').trimEnd();
    for (const share of [0.1, 0.5, 0.97]) {
      // In the middle of a line, also where a file has several.
      let end = Math.floor(text.length * share);
      while (text[end] === '\n' || text[end - 1] === '\n') end -= 1;
      const path = written(text.slice(0, end), 'cut.json');
      const message = await failureOf(path);
      expect(message).toMatch(
        /cut\.json:\d+(:\d+)?: (the JSON ends before it is complete|this is not valid JSON)/,
      );
      expect(message).toContain('copy it again, or repeat the run');
    }
  });

  test('an error in the middle has its line and column', async () => {
    const wrong = ['{\n  "a": 1,\n  "b": x\n}', '{\n  "a": 1,\n  "b": NaN\n}', '{\n  "a": 1,\n  "b":  ,\n}'];
    const places = ['3:8', '3:8', '3:9'];
    for (const [i, text] of wrong.entries())
      expect(await failureOf(written(text))).toContain(`result.json:${places[i]}: this is not valid JSON`);
  });

  test('empty, another JSON, no file', async () => {
    expect(await failureOf(written(''))).toContain('is empty');
    expect(await failureOf(written({ a: 1 }))).toContain('contains no results of a known tool');
    expect(await failureOf(written([]))).toContain(
      'known are the JSON results of AIPerf, guidellm, vllm bench serve',
    );
    expect(await failureOf(join(folder.path, 'absent'))).toContain('no file or folder at');
    const text = written('hello', 'notes.txt');
    expect(await failureOf(join(text, '..'))).toContain('contains no .json or .jsonl file');
  });

  test('--from another tool names the tool that wrote it', async () => {
    const message = await failureOf(importFile('vllm'), 'aiperf');
    expect(message).toContain('contains no results of AIPerf');
    expect(message).toContain('--from vllm');
  });

  test('files of several tools: --from chooses', async () => {
    const path = join(folder.path, 'mixed');
    mkdirSync(path);
    cpSync(importFile('vllm', 'result.json'), join(path, 'a.json'));
    cpSync(importFile('guidellm', 'result.json'), join(path, 'b.json'));
    expect(await failureOf(path)).toMatch(
      /contains results of 2 tools: guidellm .*b\.json.*, vllm bench serve .*a\.json/,
    );
    expect((await importFiles(path, 'vllm')).run.origin.tool).toBe('vllm bench serve');
  });

  test('two results of a tool that writes one file per run', async () => {
    const path = join(folder.path, 'two');
    mkdirSync(path);
    for (const name of ['a.json', 'b.json']) cpSync(importFile('guidellm', 'result.json'), join(path, name));
    expect(await failureOf(path)).toMatch(
      /a\.json and .*b\.json are two results of guidellm\n {2}import one at a time/,
    );
  });

  test('an unknown version', async () => {
    const report = json('guidellm', 'result.json');
    const newer = { ...report, metadata: { ...report.metadata, version: 3 } };
    expect(await failureOf(written(newer))).toMatch(
      /report version 3 of guidellm is unknown; version 2 can be read\n {2}repeat/,
    );
    const path = join(folder.path, 'newer-aiperf');
    mkdirSync(path);
    cpSync(importFile('aiperf', 'profile_export.jsonl'), join(path, 'profile_export.jsonl'));
    const summary = { ...json('aiperf', 'profile_export_aiperf.json'), schema_version: '2.0' };
    writeFileSync(join(path, 'profile_export_aiperf.json'), JSON.stringify(summary));
    expect(await failureOf(path)).toContain('schema version 2.0 of AIPerf is unknown');
  });

  test('a value of another type names its field', async () => {
    const result = json('vllm', 'result.json');
    expect(await failureOf(written({ ...result, ttfts: ['a', ...result.ttfts.slice(1)] }))).toContain(
      '"ttfts" has a string at position 0, not a number',
    );
    expect(await failureOf(written({ ...result, errors: [] }))).toContain(
      '"errors" has 0 entries, and "ttfts" 16',
    );
    const text = readFileSync(importFile('aiperf', 'profile_export.jsonl'), 'utf8');
    const lines = text.split('\n');
    lines[2] = '{"metadata":{},"metrics":{}}';
    expect(await failureOf(written(lines.join('\n'), 'a.jsonl'))).toContain(
      'a.jsonl:3: "request_start_ns" is missing',
    );
  });
});
