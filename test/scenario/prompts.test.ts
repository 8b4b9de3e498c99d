import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Prompt } from '../../src/model/prompt.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { planScenario } from '../../src/scenario/plan.ts';
import { userError } from './helpers.ts';

const root = mkdtempSync(join(tmpdir(), 'streambench-prompts-'));
const folder = join(root, 'inside');
mkdirSync(join(folder, 'texts'), { recursive: true });
afterAll(() => rmSync(root, { recursive: true }));
const files: Record<string, string | Buffer> = {
  'ok.jsonl': '{"prompt":"a"}\n{"prompt":"b"}\n',
  'broken.jsonl': '{"prompt":"a"}\n{"prompt":\n{"pro":1}\n',
  'empty.jsonl': '\n',
  'ok.csv': 'id,question\n1,why\n',
  'talk.jsonl': `${JSON.stringify({
    messages: [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: null, tool_calls: [] },
      { role: 'tool', content: 'x' },
    ],
  })}\n`,
  'cities.txt': 'Rome\nParis\n',
  'dot.png': Buffer.from('89504e47', 'hex'),
  'hum.mp3': Buffer.from('494433', 'hex'),
  'texts/1.txt': 'one\n',
  'texts/2.txt': 'two',
  'texts/.hidden': '',
  '../outside.jsonl': '{"prompt":"a"}\n',
};
for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
symlinkSync(join(root, 'outside.jsonl'), join(folder, 'link.jsonl'));

const scenario = (prompt: string, { dialect = 'openai-chat', more = '', target = '' } = {}) => `version: 1
name: n
targets: [{ name: t, url: "http://127.0.0.1:9", dialect: ${dialect}, model: m ${target} }]
${more}
prompts:
  - ${prompt}
`;
const parse = (text: string) => parseScenario(text, join(folder, 's.yaml'), { env: {} });
const planned = (...args: Parameters<typeof scenario>): Prompt =>
  planScenario(parse(scenario(...args))).prompts[0]!;
const problems = (...args: Parameters<typeof scenario>): string[] =>
  userError(() => parse(scenario(...args))).problems.map(({ message, place, hint }) => {
    const file = place?.file.replace(`${folder}/`, '');
    return `${file}:${place?.line} ${message}${hint === undefined ? '' : ` | ${hint}`}`.replaceAll(
      root,
      'ROOT',
    );
  });

describe('a prompt that is drawn', () => {
  test('from files', () => {
    expect(planned('{ name: p, dataset: ok.jsonl }').source).toMatchObject({
      kind: 'dataset',
      format: 'jsonl',
      order: 'shuffle',
      count: 2,
    });
    expect(planned('{ name: p, dataset: { path: ok.csv, column: question } }').source).toMatchObject({
      format: 'csv',
      column: 1,
    });
    expect(planned('{ name: p, dataset: texts }').source).toMatchObject({
      format: 'text',
      files: ['1.txt', '2.txt'],
    });
  });

  test('has lengths in tokens', () => {
    const source = (text: string) => planned(`{ name: p, synthetic: ${text} }`).source;
    expect(source('{ input: 100 }')).toMatchObject({
      input: { shape: 'constant', mean: 100 },
      wordsPerToken: 1,
    });
    expect(
      source('{ input: { shape: uniform, min: 10, max: 20 }, output: 5, charsPerToken: 6 }'),
    ).toMatchObject({
      input: { shape: 'uniform', mean: 15, min: 10, max: 20 },
      output: { mean: 5 },
      wordsPerToken: 1.5,
    });
    expect(source('{ input: { mean: 50, sd: 9 } }')).toMatchObject({
      input: { shape: 'normal', mean: 50, sd: 9, min: 8 },
    });
  });

  test('passes on what a mix says to its prompts', () => {
    const { source, sharedPrefix } = planned(
      '{ name: p, maxTokens: 9, sharedPrefix: 64, cacheHits: 12.5%, mix: [{ weight: 2, text: a }, { name: b, weight: 1, text: b, system: s, maxTokens: 1 }] }',
    );
    expect(source).toMatchObject({
      parts: [
        { weight: 2, prompt: { name: '1', maxTokens: 9 } },
        { weight: 1, prompt: { name: 'b', maxTokens: 1 } },
      ],
    });
    expect(sharedPrefix).toEqual({ tokens: 64, wordsPerToken: 1, inSystem: true, hitShare: 0.125 });
  });

  test('gets the values of its variables', () => {
    const text =
      '{ name: p, text: "{{c}} {{n}}", variables: { c: { file: cities.txt }, n: { from: 1, to: 3 } } }';
    expect(planned(text).source).toEqual({
      kind: 'template',
      variables: [
        { name: 'c', kind: 'list', values: ['Rome', 'Paris'] },
        { name: 'n', kind: 'range', from: 1, to: 3 },
      ],
    });
  });

  test('is a conversation', () => {
    const { session, messages } = planned(
      '{ name: p, turns: [a, { user: b, think: 2s }, { tool: [x, y] }], session: { think: { mean: 1s, sd: 200ms }, maxTurns: 2 } }',
    );
    expect(messages).toEqual([{ role: 'user', content: 'a' }]);
    expect(session).toMatchObject({
      turns: [
        { messages: [{ role: 'user', content: 'b' }], think: { mean: 2000, sd: 0 } },
        { toolResults: ['x', 'y'] },
      ],
      maxTurns: 2,
      think: { mean: 1000, sd: 200 },
    });
    const fromDataset = planned('{ name: p, dataset: talk.jsonl, session: {} }');
    expect(fromDataset.source).toMatchObject({ conversations: true, hasToolResults: true, count: 1 });
  });

  test('changes the hash with its files', () => {
    const hash = () => parse(scenario('{ name: p, dataset: ok.jsonl }')).hash;
    const before = hash();
    writeFileSync(join(folder, 'ok.jsonl'), '{"prompt":"a"}\n{"prompt":"c"}\n');
    expect(hash()).not.toBe(before);
  });

  test('with media, by path and as a data: URL', () => {
    const { messages } = planned(
      '{ name: p, text: look, images: [dot.png, "data:image/gif;base64,R0lG"], audio: [hum.mp3] }',
    );
    expect(messages[0]?.media).toEqual([
      { kind: 'image', mediaType: 'image/png', data: 'iVBORw==' },
      { kind: 'image', mediaType: 'image/gif', data: 'R0lG' },
      { kind: 'audio', mediaType: 'audio/mpeg', data: 'SUQz' },
    ]);
  });
});

describe('nothing is sent for', () => {
  test('a broken dataset: file, line, cause and remedy', () => {
    expect(problems('{ name: p, dataset: broken.jsonl }')).toEqual([
      'broken.jsonl:2 not valid JSON | correct the entry, or remove it',
      'broken.jsonl:3 the entry has no prompt, messages or conversations | an entry is {"prompt": "..."}, {"messages": [...]} or ShareGPT\'s {"conversations": [...]}; for another field of the prompt set column',
    ]);
    expect(problems('{ name: p, dataset: empty.jsonl }')).toEqual([
      's.yaml:6 the dataset empty.jsonl: the dataset has no prompts | add an entry, or name another file',
    ]);
    expect(problems('{ name: p, dataset: ok.csv }')).toEqual([
      'ok.csv:1 the header has no column "prompt" | set column to one of the columns: id, question',
    ]);
  });

  test.each([
    ['{ name: p, dataset: none.jsonl }', /^s.yaml:6 dataset not found: ROOT\/inside\/none.jsonl/],
    ['{ name: p, dataset: ../outside.jsonl }', /not in the scenario's folder \| move it into/],
    ['{ name: p, dataset: link.jsonl }', /not in the scenario's folder/],
    ['{ name: p, dataset: dot.png }', /unknown type of dataset: dot.png \| use a file that ends in .jsonl/],
    ['{ name: p, dataset: { path: texts, format: csv } }', /the dataset texts is a folder/],
    ['{ name: p, dataset: { path: ok.csv, format: text } }', /the dataset ok.csv is not a folder/],
    ['{ name: p, dataset: { path: ok.jsonl, minChars: 9, maxChars: 8 } }', /maxChars is less than minChars/],
    ['{ name: p, dataset: ok.jsonl, text: x }', /text and dataset, but only one is allowed/],
    ['{ name: p, text: "{{a}}", variables: { a: [1], b: [2] } }', /no text of the prompt contains \{\{b\}\}/],
    [
      '{ name: p, text: "{{a}} {{bc}}", variables: { a: [1] } }',
      /contains \{\{bc\}\}, but has no such variable/,
    ],
    [
      '{ name: p, text: "{{nonce}}", variables: { nonce: [1] } }',
      /cannot have the name nonce, which is a placeholder/,
    ],
    ['{ name: p, text: "{{a}}", variables: { a: { from: 2, to: 1 } } }', /to is less than from/],
    ['{ name: p, text: "{{a}}", variables: { a: { file: none.txt } } }', /file of values not found/],
    ['{ name: p, dataset: ok.jsonl, variables: { a: [1] } }', /variables do not apply to a dataset prompt/],
    ['{ name: p, synthetic: { input: 4 } }', /expected a whole number of at least 8/],
    ['{ name: p, synthetic: { input: { sd: 4 } } }', /the length has no mean/],
    ['{ name: p, synthetic: { input: { shape: uniform, mean: 9 } } }', /uniform needs min and max/],
    ['{ name: p, mix: [{ weight: 0, text: a }] }', /mix\[0\].weight: expected a whole number of at least 1/],
    ['{ name: p, mix: [{ weight: 1 }] }', /mix\[0\]: the prompt has no content/],
    ['{ name: p, mix: [{ weight: 20000, text: a }] }', /the weights sum up to 20000/],
    ['{ name: p, mix: [{ weight: 1, text: a }], system: x }', /a mix has no system of its own/],
    ['{ name: p, text: a, cacheHits: 35% }', /cacheHits needs sharedPrefix/],
    [
      '{ name: p, text: a, sharedPrefix: 9, cacheHits: 35 }',
      /expected a share from 0% to 100%, such as 35%, got 35/,
    ],
    ['{ name: p, text: a, sharedPrefix: 9, cacheHits: 101% }', /expected a share from 0% to 100%/],
    ['{ name: p, text: a, images: [dot.bmp] }', /unknown type of image file: dot.bmp/],
    ['{ name: p, text: a, images: ["data:image/png,xyz"] }', /not a data: URL of image data in base64/],
    ['{ name: p, dataset: ok.jsonl, images: [dot.png] }', /images do not apply to a dataset prompt/],
    ['{ name: p, text: a, tools: [{ name: "a b" }] }', /tools\[0\].name: expected a name of 1 to 64/],
    ['{ name: p, text: a, session: { think: 1s } }', /session needs turns or a dataset/],
    ['{ name: p, turns: [{ tool: x }, a] }', /turns\[0\]: the first turn has results of tool calls/],
    ['{ name: p, turns: [] }', /expected a list of turns, with at least one item/],
    ['{ name: p, turns: [a, { user: b, tool: c }] }', /turns\[1\]/],
    [
      '{ name: p, turns: [a, 3] }',
      /turns\[1\]: expected a text, \{ user, think \} or \{ tool, think \}, got 3/,
    ],
    ['{ name: p, turns: [a], session: { think: 1 } }', /session.think: expected a duration/],
    ['{ name: p, dataset: talk.jsonl }', /message 2 has no text/],
  ])('%s', (prompt, expected) => {
    expect(problems(prompt).join('\n')).toMatch(expected);
  });

  test('a shared prefix that no warm-up sends', () => {
    const more = 'load: { warmup: 0 }';
    expect(problems('{ name: p, text: a, sharedPrefix: 9 }', { more })).toEqual([
      's.yaml:6 sharedPrefix needs a warm-up request, which puts the prefix into the cache | set load.warmup to at least 1',
    ]);
    expect(
      planned('{ name: p, text: a, sharedPrefix: 9, cacheHits: 0% }', { more }).sharedPrefix?.hitShare,
    ).toBe(0);
  });

  test('a target that sends nothing of the prompt', () => {
    expect(problems('{ name: p, dataset: ok.jsonl }', { target: ', body: { a: 1 }' })).toEqual([
      's.yaml:6 target "t" sends nothing of the prompt, so dataset has no effect | put {{prompt}} or {{messages}} in its body or query',
    ]);
  });

  test.each([
    ['tgi', 'images: [dot.png]', 'the dialect tgi of target "t" accepts no images'],
    [
      'anthropic',
      'audio: [hum.mp3]',
      'the dialect anthropic of target "t" accepts no audio | dialects that do: openai-chat, gemini',
    ],
    ['ollama-generate', 'tools: [{ name: f }]', 'the dialect ollama-generate of target "t" accepts no tools'],
    [
      'bedrock-converse',
      'jsonSchema: { type: object }',
      'the dialect bedrock-converse of target "t" accepts no JSON Schema',
    ],
    ['sse', 'images: [dot.png]', 'the dialect sse of target "t" accepts no images'],
  ])('dialect %s with %s', (dialect, field, expected) => {
    expect(problems(`{ name: p, text: a, ${field} }`, { dialect }).join('\n')).toContain(expected);
    expect(
      problems(`{ name: p, mix: [{ weight: 1, text: a, ${field} }] }`, { dialect }).join('\n'),
    ).toContain(expected);
  });

  test('results of tools for a dialect that cannot express them', () => {
    const expected = 'the dialect tgi of target "t" accepts no results of tool calls';
    expect(problems('{ name: p, turns: [a, { tool: x }] }', { dialect: 'tgi' }).join()).toContain(expected);
    expect(problems('{ name: p, dataset: talk.jsonl, session: {} }', { dialect: 'tgi' }).join()).toContain(
      expected,
    );
  });

  test('a body that replaces the tools', () => {
    expect(
      problems('{ name: p, text: a, tools: [{ name: f }] }', {
        target: ', body: { p: "{{prompt}}" }',
      }).join(),
    ).toContain('the body of target "t" replaces the dialect\'s, which would contain the tools');
  });
});
