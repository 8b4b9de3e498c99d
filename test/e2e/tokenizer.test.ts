import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Report } from '../../src/model/report.ts';
import { ROOT, scratch, streambench } from '../support/program.ts';

// The package is looked for beside the program: here is a program of our own, beside which we can put it.
const folder = scratch();
const home = join(folder.path, 'program');
const bin = join(home, 'bin/streambench.js');
const output = join(folder.path, 'results');

const REASONING = 'hm, ok';
const TEXT = 'Hello, you there!';
const TOOL = ['look_up', '{"q":', '"x"}'];
/** The tokenizer below counts characters. */
const TOKENS = REASONING.length + TEXT.length + TOOL.join('').length;

let server: Server;
let url: string;

/** Streams reasoning, text and a tool call in seven content events; sends usage only where the prompt asks for it. */
beforeAll(async () => {
  for (const part of ['bin', 'dist', 'scenarios'])
    cpSync(join(ROOT, part), join(home, part), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(home, 'package.json'));
  mkdirSync(join(home, 'node_modules'));
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== 'gpt-tokenizer') {
      symlinkSync(join(ROOT, 'node_modules', name), join(home, 'node_modules', name), 'junction');
    }
  }
  const deltas = [
    { role: 'assistant' },
    { reasoning_content: REASONING.slice(0, 3) },
    { reasoning_content: REASONING.slice(3) },
    { content: TEXT.slice(0, 8) },
    { content: TEXT.slice(8) },
    { tool_calls: [{ index: 0, id: 'c', function: { name: TOOL[0], arguments: '' } }] },
    { tool_calls: [{ index: 0, function: { arguments: TOOL[1] } }] },
    { tool_calls: [{ index: 0, function: { arguments: TOOL[2] } }] },
  ];
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const chunk = (more: object) => `data: ${JSON.stringify({ id: 'a', model: 'm', ...more })}\n\n`;
    const usage = body.includes('with usage') ? { usage: { prompt_tokens: 2, completion_tokens: 999 } } : {};
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const delta of deltas) {
      response.write(chunk({ choices: [{ index: 0, delta, finish_reason: null }] }));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    response.write(chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }], ...usage }));
    response.end('data: [DONE]\n\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}, 60_000);

afterAll(() => {
  server.close();
  server.closeAllConnections();
  folder.dispose();
});

const program = (...args: string[]) => streambench(args, { bin, cwd: folder.path });
const runHere = (...more: string[]) =>
  program(
    'run',
    '--target',
    url,
    '--dialect',
    'openai-chat',
    '--model',
    'm',
    '-n',
    '6',
    '-c',
    '2',
    '--rounds',
    '2',
    '-o',
    output,
    ...more,
  );

const folderOf = (stdout: string) => join(output, (JSON.parse(stdout) as Report).run.id);

test('a tokenizer whose package is missing is told before anything is sent', async () => {
  const { code, stdout, stderr } = await runHere('--tokenizer', 'o200k');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/needs the package gpt-tokenizer[\s\S]*npm install gpt-tokenizer/);
  const unknown = await runHere('--tokenizer', 'o300k');
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toMatch(/--tokenizer: .*one of none, o200k/);
});

test('answers without usage are counted from their text, reasoning and tool calls, and every report says so', async () => {
  const encoding = join(home, 'node_modules/gpt-tokenizer');
  mkdirSync(encoding);
  writeFileSync(
    join(encoding, 'package.json'),
    '{"name":"gpt-tokenizer","version":"4.0.0","type":"module","exports":{"./encoding/o200k_base":"./o200k.js"}}',
  );
  writeFileSync(join(encoding, 'o200k.js'), 'export const countTokens = (text) => text.length;\n');

  for (const workers of ['1', '2']) {
    const live = await runHere('--tokenizer', 'o200k', '--workers', workers, '--json');
    expect(live.code, live.stderr).toBe(0);
    const [cell] = (JSON.parse(live.stdout) as Report).cells;
    expect(cell).toMatchObject({ tokenSource: 'tokenizer', outcomes: { ok: 6 } });
    expect(cell!.metrics.output_tokens).toMatchObject({ n: 6, min: TOKENS, max: TOKENS });

    const run = folderOf(live.stdout);
    const text = readFileSync(join(run, 'records.ndjson'), 'utf8');
    expect(text).not.toMatch(/Hello|look_up|hm, ok/);
    const records = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RequestRecord);
    expect(records.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(records[0]!.tokens).toMatchObject({
      output: TOKENS,
      source: 'tokenizer',
      reasoning: REASONING.length,
    });

    const again = await program('report', run, '-f', 'json');
    expect(again.stdout).toBe(live.stdout);
    expect(readFileSync(join(run, 'report.json'), 'utf8')).toBe(live.stdout);
    for (const format of ['terminal', 'markdown']) {
      const { stdout } = await program('report', run, '-f', format);
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain('counted from the text by a tokenizer (o200k)');
    }
    expect((await program('report', run, '-f', 'csv')).stdout).toMatch(/,output_tokens,.*,tokenizer[,\r]/);
    expect((await program('report', run, '-f', 'prometheus')).stdout).toContain('source="tokenizer"} 1');
  }
}, 60_000);

test('usage goes before the tokenizer, and the tokenizer before chunks', async () => {
  const usage = await runHere('--tokenizer', 'o200k', '--prompt', 'with usage', '--json');
  expect((JSON.parse(usage.stdout) as Report).cells[0]).toMatchObject({ tokenSource: 'usage' });
  const chunks = await runHere('--json');
  const [cell] = (JSON.parse(chunks.stdout) as Report).cells;
  expect(cell).toMatchObject({ tokenSource: 'chunks' });
  expect(cell!.metrics.output_tokens!.max).toBe(7);

  const kept = await runHere('--tokenizer', 'o200k', '--keep-text', '--json');
  expect(kept.code).toBe(0);
  const [line = ''] = readFileSync(join(folderOf(kept.stdout), 'records.ndjson'), 'utf8').split('\n');
  expect(JSON.parse(line)).toMatchObject({ text: TEXT, thinking: REASONING, toolText: TOOL.join('') });
}, 60_000);
