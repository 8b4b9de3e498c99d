import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseScenario } from '../../src/scenario/parse.ts';
import { planScenario } from '../../src/scenario/plan.ts';
import { shardPlan } from '../../src/scenario/shard-plan.ts';
import { userError } from './helpers.ts';

const folder = mkdtempSync(join(tmpdir(), 'traces-'));
const LINES = [0, 100, 100, 400, 1_000].map((timestamp, index) =>
  JSON.stringify({ timestamp, input_length: 600, output_length: 10 + index, hash_ids: [1, index] }),
);
writeFileSync(join(folder, 'trace.jsonl'), LINES.join('\n'));
writeFileSync(join(folder, 'broken.jsonl'), [...LINES, LINES[0], '{'].join('\n'));

function text(load: string, prompts = '{ name: replay, trace: lengths }'): string {
  return `version: 1
name: small
targets: [{ name: local, url: "http://127.0.0.1:9/v1", dialect: openai-chat, model: m }]
prompts: [${prompts}]
load: { ${load} }
`;
}

const load = (of: string, prompts?: string) =>
  parseScenario(text(of, prompts), join(folder, 's.yaml'), { env: {} });

const problems = (of: string, prompts?: string) =>
  userError(() => load(of, prompts)).problems.map(({ message, hint, place }) => {
    const file = place?.file?.replace(`${folder}/`, '');
    return `${file}:${place?.line} ${message} | ${hint}`;
  });

const TRACE = 'trace: { file: trace.jsonl, format: mooncake';

describe('a load with a trace', () => {
  test('sends its requests when they arrived, at its speed, in one round', () => {
    const { cells, blocks, trace } = planScenario(load(`${TRACE}, speed: 2 }, maxConcurrency: 8`));
    // Four intervals in half a second.
    expect(cells).toMatchObject([{ concurrency: 8, rate: 8, prompt: 'replay' }]);
    expect(blocks).toHaveLength(1);
    expect(blocks[0]).toMatchObject({ requests: 5, arrivals: { process: 'trace' } });
    const { arrivals } = blocks[0]!;
    expect(arrivals?.process === 'trace' && [...arrivals.dueMs]).toEqual([0, 50, 50, 200, 500]);
    expect(trace).toEqual({
      ...{ file: 'trace.jsonl', format: 'mooncake', requests: 5, spanMs: 1_000, speed: 2 },
      blocks: { count: 10, repeated: 5 },
    });
  });

  test('has its next part in each round, and a limit', () => {
    const { blocks } = planScenario(load(`${TRACE}, limit: 4 }, rounds: 2`));
    expect(blocks.map(({ first, requests }) => [first, requests])).toEqual([
      [0, 2],
      [2, 2],
    ]);
    expect(
      blocks.map(({ arrivals }) => (arrivals?.process === 'trace' ? [...arrivals.dueMs] : undefined)),
    ).toEqual([
      [0, 100],
      [0, 300],
    ]);
  });

  test('is dealt out to shards with the times of the whole', () => {
    const loaded = load(`${TRACE} }`);
    const { blocks } = shardPlan(planScenario(loaded), { number: 2, of: 2 }, loaded);
    expect(blocks[0]).toMatchObject({ requests: 2, arrivals: { process: 'trace' } });
    const { arrivals } = blocks[0]!;
    expect(arrivals?.process === 'trace' && arrivals.dueMs).toHaveLength(5);
  });

  test('can have prompts of its own', () => {
    const plan = planScenario(load(`${TRACE} }`, '{ name: hi, text: hello }'));
    expect(plan.prompts[0]?.source).toBeUndefined();
  });

  test('changes the hash of the scenario with its lines, not with unused ones', () => {
    const { hash } = load(`${TRACE}, limit: 5 }`);
    writeFileSync(join(folder, 'longer.jsonl'), [...LINES, LINES[4]].join('\n'));
    const hashOf = (file: string, limit: number) =>
      load(`trace: { file: ${file}, format: mooncake, limit: ${limit} }`).hash;
    expect(hashOf('trace.jsonl', 5)).toBe(hash);
    expect(hashOf('trace.jsonl', 4)).not.toBe(hash);
  });

  test('replays the records of a run folder', () => {
    mkdirSync(join(folder, 'run'), { recursive: true });
    const record = (scheduled: number) => ({
      schema: 'streambench/record@1',
      marks: { scheduled, started: scheduled },
      tokens: { input: 7, output: 3 },
    });
    const lines = [30, 10, 20].map((at) => JSON.stringify(record(at)));
    writeFileSync(join(folder, 'run', 'records.ndjson'), lines.join('\n'));
    const { blocks } = planScenario(load('trace: { file: run, format: streambench }'));
    const { arrivals } = blocks[0]!;
    expect(arrivals?.process === 'trace' && [...arrivals.dueMs]).toEqual([0, 10, 20]);
  });

  test('every broken line has its file, line, cause and remedy', () => {
    expect(problems('trace: { file: broken.jsonl, format: mooncake }')).toEqual([
      'broken.jsonl:6 out of order: 1000 ms before the request above it | sort the lines by time, or remove the line',
      expect.stringMatching(/^broken.jsonl:7 this line is not a JSON object \| the format is/),
    ]);
  });

  test.each([
    ['trace: { file: none.jsonl, format: mooncake }', /^s.yaml:5 trace not found/],
    ['trace: { file: ../x.jsonl, format: mooncake }', /is not in the scenario's folder \| .*--allow-file/],
    [`${TRACE}, speed: 0 }`, /a number above 0/],
    [`${TRACE}, limit: 0 }`, /at least 1/],
    ['trace: { file: trace.jsonl, format: csv }', /one of mooncake, azure, streambench/],
    [`${TRACE} }, rate: 5`, /which says when requests are sent, and rate \| remove rate/],
    [`${TRACE} }, concurrency: 5`, /which says when requests are sent, and concurrency/],
    [`${TRACE} }, arrivals: poisson`, /which says when requests are sent, and arrivals/],
    ['concurrency: 2', /takes its lengths from a trace, but the load has none \| add load.trace/],
  ])('%s is a problem', (of, problem) => {
    expect(problems(of).join('\n')).toMatch(problem);
  });

  test('a mix cannot have its lengths', () => {
    const mix = '{ name: m, mix: [{ weight: 1, trace: lengths }, { weight: 1, text: hi }] }';
    expect(problems(`${TRACE} }`, mix).join('\n')).toMatch(/a prompt of a mix cannot have the lengths/);
  });

  test('records without usage have arrivals only', () => {
    mkdirSync(join(folder, 'bare'), { recursive: true });
    const record = { schema: 'streambench/record@1', marks: { scheduled: 1, started: 1 }, tokens: {} };
    writeFileSync(join(folder, 'bare', 'records.ndjson'), JSON.stringify(record));
    const trace = 'trace: { file: bare, format: streambench }';
    expect(problems(trace).join('\n')).toMatch(/no number of input tokens.* \| use prompts of your own/);
    expect(planScenario(load(trace, '{ name: hi, text: hello }')).blocks).toHaveLength(1);
  });
});
